"""Statistics of a data set, column by column."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.summary.collect import Expected
from detector.summary.model import QUANTILES
from detector.summary.numbers import MAX_NUMBERS
from detector.summary.sample import MAX_SAMPLED_CELLS, MAX_SAMPLED_ROWS, MIN_SAMPLED_ROWS, sampled_rows
from tests.summary.summaries import column_of, column_of_json, csv_of, summary_of
from tests.tables.reading import LAW

TYPES = [
    pytest.param(["1", "-2", "+3", " 4 "], "int", id="ints"),
    pytest.param(["1", "2.0"], "float", id="a point"),
    pytest.param(["1e3", "2"], "float", id="an exponent"),
    pytest.param(["1", "nan"], "float", id="nan"),
    pytest.param(["-inf", "1"], "float", id="infinity"),
    pytest.param([str(10**30), str(-(2**63))], "int", id="ints beyond 64 bits"),
    pytest.param(["true", "FALSE", "True"], "bool", id="bools"),
    pytest.param(["1", "0"], "int", id="0 and 1"),
    pytest.param(["yes", "no"], "string", id="yes and no"),
    pytest.param(["0x10", "0x11"], "string", id="hexadecimal"),
    pytest.param(["1_000", "2_000"], "string", id="underscores"),
    pytest.param(["1,5", "2,5"], "string", id="decimal commas"),
    pytest.param(["2024-01-01", "2024-01-02"], "string", id="dates"),
    pytest.param(["1", "2", "x"], "string", id="a text among three"),
    pytest.param(["true", "1"], "string", id="bools and numbers"),
    pytest.param(["", "7", ""], "int", id="missing do not matter"),
    pytest.param(["", "", ""], None, id="nothing"),
    pytest.param(["NA", "null"], None, id="words for nothing"),
]


@pytest.mark.parametrize(("cells", "expected"), TYPES)
def test_the_type_is_the_narrowest_that_the_cells_fit(cells, expected):
    """Of texts; blanks around a number do not matter."""
    assert column_of(cells).type == expected


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ([1, 2], "int"),
        ([1, 2.0], "float"),
        ([True, None], "bool"),
        (["1", "2"], "string"),
        ([1, "NaN"], "float"),
    ],
)  # fmt: skip
def test_json_says_itself_what_a_cell_is(cells, expected):
    """A text of digits is a text; only NaN has no other way to be written."""
    assert column_of_json(cells).type == expected


@pytest.mark.parametrize(("odd", "expected"), [(10, "int"), (11, "string")])
def test_one_cell_in_a_hundred_may_be_of_another_type(odd, expected):
    """Those are mismatches, with their texts; one more, and the column is text."""
    cells = ["7"] * (1000 - odd) + ["x"] * (odd - 1) + ["y"]
    column = column_of(cells)

    assert column.type == expected
    if expected == "int":
        assert (column.mismatches, column.mismatch_examples) == (10, (("x", 9), ("y", 1)))
        assert (column.present, column.missing, column.numeric.n) == (1000, 0, 990)
        assert column.observed_type == "string"


def test_like_tfdv_every_cell_counts():
    """One text makes a column text, and truth values are texts."""
    assert column_of(["7"] * 999 + ["x"], strict=True).type == "string"
    assert column_of(["true", "false"], strict=True).type == "string"


def test_what_is_expected_of_a_column_decides_how_it_is_read():
    """Texts in a column of ints are mismatches, however many; beyond the limits is counted."""
    expected = {"x": Expected("int", (2.0, 4.0))}
    column = column_of(["q"] * 9 + list("12345"), expected=expected)

    assert (column.type, column.mismatches) == ("int", 9)
    assert (column.numeric.below, column.numeric.above) == (1, 1)


def test_what_is_not_finite_is_neither_missing_nor_a_number():
    """NaN, infinities, and numbers too large for a double, each in its place."""
    column = column_of(["nan", "NaN", "-NAN", "inf", "-Infinity", "1e999", "9" * 400, "", "NA", "2.5"])

    assert (column.nan, column.infinite, column.missing, column.numeric.n) == (3, 4, 2, 1)
    assert (column.numeric.mean, column.numeric.min, column.numeric.max) == (2.5, 2.5, 2.5)


@LAW
@given(st.lists(st.floats(-1e9, 1e9) | st.just(0.0), min_size=1, max_size=60), st.integers(1, 70))
def test_moments_are_numpys(values, rows):
    """Mean, population standard deviation, extremes, zeros, whole numbers, whatever the chunks."""
    found = column_of(values, rows, expected={"x": Expected("float")}).numeric
    array = np.array(values)

    scale = float(np.abs(array).max()) or 1.0
    assert found.mean == pytest.approx(array.mean(), abs=1e-12 * scale)
    assert found.std == pytest.approx(array.std(), abs=1e-7 * scale)
    assert (found.min, found.max, found.n) == (array.min(), array.max(), len(values))
    assert found.zeros == np.count_nonzero(array == 0.0)
    assert found.fractional == np.count_nonzero(array != np.round(array))


def test_the_deviation_of_large_numbers_close_together_is_right():
    """A thousand million, give or take one: no digits are lost."""
    values = [1e9 + i % 3 for i in range(3000)]

    assert column_of(values, 100).numeric.std == pytest.approx(np.std(values), rel=1e-9)


def test_numbers_as_large_as_they_get_do_not_overflow_the_mean():
    """Their sum has no double, their mean has."""
    found = column_of(["1.7e308"] * 10, 3).numeric

    both = column_of(["1.7e308", "-1.7e308"] * 10, 1).numeric

    assert found.mean == pytest.approx(1.7e308)
    assert found.max == 1.7e308
    assert both.mean == pytest.approx(0.0, abs=1e293)
    assert both.std == math.inf


@LAW
@given(st.lists(st.integers(-50, 50), min_size=1, max_size=200), st.integers(1, 50))
def test_quantiles_are_exact_where_all_rows_are_in_the_sample(values, rows):
    """The least value that at least the share q does not exceed, as numpy's inverted CDF has it."""
    found = column_of(values, rows, expected={"x": Expected("int")}).numeric

    assert found.quantiles == tuple(np.quantile(values, QUANTILES, method="inverted_cdf").tolist())


def test_quantiles_of_a_sample_are_near(rng):
    """A million rows, a fifth of them sampled: ranks are right to 0.005, five standard errors (p < 1e-5)."""
    from detector.summary.sample import RowSample

    values = rng.permutation(1_000_000).astype(float)
    sample = RowSample(MAX_SAMPLED_ROWS)
    for part in np.array_split(values, 16):
        sample.add(len(part), {"x": part})
    found = np.quantile(sample.values("x"), QUANTILES)

    assert len(sample) == MAX_SAMPLED_ROWS
    assert np.abs(found / 1e6 - QUANTILES).max() < 5 * 0.5 / math.sqrt(MAX_SAMPLED_ROWS)


@pytest.mark.parametrize("columns", [1, 40, 41, 800, 10_000])
def test_the_sample_is_bounded_for_tables_of_any_width(columns):
    """200,000 rows, fewer of wide tables, never less than 10,000."""
    rows = sampled_rows(columns)

    assert MIN_SAMPLED_ROWS <= rows <= MAX_SAMPLED_ROWS
    assert rows * columns <= MAX_SAMPLED_CELLS or rows == MIN_SAMPLED_ROWS


@pytest.mark.parametrize("n", [MAX_NUMBERS, MAX_NUMBERS + 1])
def test_distinct_numbers_are_exact_up_to_a_limit(n):
    """Beyond it their number is estimated, and no value is named."""
    column = column_of([i % n for i in range(2 * n)], 1000)
    is_exact = n == MAX_NUMBERS

    assert column.distinct_is_exact is is_exact
    assert column.distinct == n if is_exact else abs(column.distinct / n - 1) < 0.11
    assert (len(column.values.counts), column.values.unnamed) == ((n, 0) if is_exact else (0, 2 * n))


def test_distinct_texts_are_exact_up_to_a_limit(monkeypatch):
    """Beyond it, frequent ones stay with their counts, and what is let go is counted as unnamed."""
    monkeypatch.setattr("detector.summary.collect.MAX_DISTINCT", 1000)
    cells = [text for i in range(3000) for text in (f"v{i}", "often")]
    column = column_of(cells, 500)

    assert not column.distinct_is_exact
    assert abs(column.distinct / 3001 - 1) < 0.11, "five standard errors of 2.2 %: p < 1e-6"
    assert column.values.counts["often"] == 3000
    assert not column.values.is_complete
    assert sum(column.values.counts.values()) + column.values.unnamed == len(cells)
    assert column_of(cells[:1800], 500).distinct == 901


def test_the_most_frequent_values_come_first():
    """Equally frequent ones in order of their text."""
    values = column_of(["b", "c", "a", "c", "b", "d", ""]).values

    assert values.most_common(3) == [("b", 2), ("c", 2), ("a", 1)]


def test_lengths_are_in_characters():
    """Not in bytes; missing cells have none."""
    column = column_of(["é", "abc", "", "😀😀"])

    assert (column.length_mean, column.length_max) == (2.0, 3)
    assert column_of(["1", "2"]).length_max is None


def test_a_long_text_is_counted_but_not_kept():
    """Memory is bounded in bytes too; two of them are still told apart."""
    column = column_of_json(["x" * 100_000, "y" * 100_000, "x" * 100_000, "z"])

    assert (column.distinct, column.length_max) == (3, 100_000)
    assert (dict(column.values.counts), column.values.unnamed) == ({"z": 1}, 3)


@pytest.mark.parametrize("rows", [1, 7, 1000])
@pytest.mark.parametrize(
    ("first", "then", "type_"),
    [
        (["1"], ["x"], "string"),
        (["true"], ["x"], "string"),
        ([""], ["2.5"], "float"),
        (["1"], ["true"], "string"),
    ],
)  # fmt: skip
def test_a_column_that_changes_on_the_way_is_read_as_what_it_is(first, then, type_, rows):
    """Nothing of its beginning is lost: the file is read again."""
    cells = first * 50 + then * 50
    column = column_of(cells, rows)
    counted = {str(v): n for v, n in column.values.counts.items()}

    assert column.type == type_
    assert counted == {v: n for v, n in Counter(cells).items() if v}
    assert (column.mismatches, column.missing) == (0, cells.count(""))


def test_a_column_that_some_rows_do_not_name_is_missing_there():
    """JSON Lines, where keys come and go."""
    import json

    from detector.summary.collect import summarize
    from tests.tables.reading import read

    rows = [{"a": 1}] * 5 + [{"b": "x"}] * 3
    content = "".join(json.dumps(row) + "\n" for row in rows).encode()
    for size in (1, 4, 100):
        found = summarize(lambda size=size: read(content, "t.jsonl", size))
        assert {name: column.missing for name, column in found.columns.items()} == {"a": 3, "b": 5}


CELLS = st.sampled_from(
    ["1", "2", "-3.5", "1e3", "nan", "inf", "", "NA", "true", "FALSE", "x", "é", " 4 ", "0x1"]
)


@LAW
@given(
    st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=40),
    st.integers(1, 41),
    st.booleans(),
)
def test_the_size_of_the_chunks_does_not_matter(rows, size, strict):
    """A file read row by row has the summary of the file read at once, but for rounding."""
    columns = {name: list(cells) for name, cells in zip("ab", zip(*rows, strict=True), strict=True)}
    whole, parts = (summary_of(columns, n, strict=strict) for n in (65536, size))

    for name in columns:
        a, b = whole.columns[name], parts.columns[name]
        assert a.type == b.type
        assert _exact(a) == _exact(b)
        assert a.numeric is None or a.numeric.mean == pytest.approx(b.numeric.mean, abs=1e-9)
        assert a.missing + a.mismatches + a.nan + a.infinite + _n(a) == len(rows)


def _n(column):
    if column.type in ("int", "float"):
        return column.numeric.n if column.numeric else 0
    return sum(column.values.counts.values()) if column.type else 0


def _exact(column):
    numeric = column.numeric
    numbers = None if numeric is None else (numeric.n, numeric.min, numeric.max, numeric.quantiles)
    values = None if column.values is None else dict(column.values.counts)
    counts = (column.missing, column.mismatches, column.nan, column.infinite, column.distinct)
    return counts, column.evidence, numbers, values, dict(column.mismatch_examples)


def test_a_summary_has_the_columns_in_their_order():
    """And as many rows as the file."""
    found = summary_of({name: ["1", "2"] for name in ("z", "a", "m")})

    assert (list(found.columns), found.rows) == (["z", "a", "m"], 2)
    assert csv_of({"z": ["1"]}) == b'"z"\r\n"1"\r\n'
