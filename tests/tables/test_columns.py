"""Cells without a type: what they could be, what each is as a number or category, and typed chunks."""

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from detector.batch import CellKind, Feature, FeatureSet
from detector.columns import Chunk, TypeEvidence, chunk_columns, odd_rows
from detector.tables.arrow_column import ArrowColumn
from detector.tables.object_column import GrowingObjectColumn, ObjectColumn
from detector.tables.text_column import GrowingTextColumn, TextColumn
from tests.tables.reading import LAW, MISMATCH, NON_FINITE, Odd, categories, numbers

TYPES = [
    pytest.param(TypeEvidence(), 0.5, None, id="no-cells"),
    pytest.param(TypeEvidence(3, ints=3), 0.0, "int", id="ints"),
    pytest.param(TypeEvidence(3, floats=3), 0.0, "float", id="floats"),
    pytest.param(TypeEvidence(3, bools=3), 0.0, "bool", id="bools"),
    pytest.param(TypeEvidence(3, strings=3), 0.0, "string", id="strings"),
    pytest.param(TypeEvidence(100, ints=99, floats=1), 0.5, "float", id="one-float-is-enough"),
    pytest.param(TypeEvidence(2, ints=1, bools=1), 0.0, "string", id="number-and-bool"),
    pytest.param(TypeEvidence(100, ints=99, strings=1), 0.0, "string", id="one-text-and-no-tolerance"),
    pytest.param(TypeEvidence(100, ints=99, strings=1), 0.01, "int", id="one-text-within-tolerance"),
    pytest.param(TypeEvidence(100, ints=98, strings=2), 0.01, "string", id="texts-beyond-tolerance"),
    pytest.param(TypeEvidence(100, bools=99, ints=1), 0.01, "bool", id="one-number-among-bools"),
    pytest.param(TypeEvidence(100, floats=99, bools=1), 0.01, "float", id="one-bool-among-floats"),
    pytest.param(TypeEvidence(1), 0.0, "string", id="cells-of-no-type"),
]


@pytest.mark.parametrize(("evidence", "share", "expected"), TYPES)
def test_the_narrowest_type_that_fits_is_taken(evidence, share, expected):
    """All cells but the allowed share of mismatches must fit it."""
    assert evidence.type(share) == expected


EVIDENCE = st.builds(
    lambda i, f, b, s, others: TypeEvidence(i + f + b + s + others, i, f, b, s), *[st.integers(0, 9)] * 5
)


@LAW
@given(EVIDENCE, EVIDENCE, EVIDENCE)
def test_evidence_adds_up_in_any_order(a, b, c):
    """No evidence changes nothing; order and grouping do not matter."""
    assert (a + b) + c == a + (b + c)
    assert a + b == b + a
    assert a + TypeEvidence() == a


# A text; what it could be; the number and the truth value it is.
TEXTS = [
    ("", "missing", None, None),
    (" ", "missing", None, None),
    ("NA", "missing", None, None),
    ("N/A", "missing", None, None),
    (" null ", "missing", None, None),
    ("NULL", "missing", None, None),
    ("None", "missing", None, None),
    ("none", "missing", None, None),
    ("0", "ints", 0.0, MISMATCH),
    ("-17", "ints", -17.0, MISMATCH),
    ("+5", "ints", 5.0, MISMATCH),
    ("007", "ints", 7.0, MISMATCH),
    (" 5\t", "ints", 5.0, MISMATCH),
    ("123456789012345678901234567890", "ints", 1.2345678901234568e29, MISMATCH),
    ("9" * 400, "ints", NON_FINITE, MISMATCH),
    ("0.1", "floats", 0.1, MISMATCH),
    ("1.0", "floats", 1.0, MISMATCH),
    (".5", "floats", 0.5, MISMATCH),
    ("2.", "floats", 2.0, MISMATCH),
    ("1e3", "floats", 1000.0, MISMATCH),
    ("-2.5E-3", "floats", -0.0025, MISMATCH),
    ("5e-324", "floats", 5e-324, MISMATCH),
    ("1e-400", "floats", 0.0, MISMATCH),
    ("1e400", "floats", NON_FINITE, MISMATCH),
    ("nan", "floats", NON_FINITE, MISMATCH),
    ("NaN", "floats", NON_FINITE, MISMATCH),
    ("+inf", "floats", NON_FINITE, MISMATCH),
    ("-Infinity", "floats", NON_FINITE, MISMATCH),
    ("iNf", "floats", NON_FINITE, MISMATCH),
    ("true", "bools", MISMATCH, True),
    (" False", "bools", MISMATCH, False),
    ("TRUE", "bools", MISMATCH, True),
    ("yes", "strings", MISMATCH, MISMATCH),
    ("tRue", "strings", MISMATCH, MISMATCH),
    ("1,5", "strings", MISMATCH, MISMATCH),
    ("1 5", "strings", MISMATCH, MISMATCH),
    ("1_000", "strings", MISMATCH, MISMATCH),
    ("0x10", "strings", MISMATCH, MISMATCH),
    ("٣", "strings", MISMATCH, MISMATCH),
    ("[1]", "strings", MISMATCH, MISMATCH),
    ("1]", "strings", MISMATCH, MISMATCH),
    ("--1", "strings", MISMATCH, MISMATCH),
    ("nan1", "strings", MISMATCH, MISMATCH),
    (".", "strings", MISMATCH, MISMATCH),
    ("e5", "strings", MISMATCH, MISMATCH),
    ("#N/A", "strings", MISMATCH, MISMATCH),
]


@pytest.mark.parametrize("neighbour", [None, "1", "2.5", "1e5", "NA", "x"])
@pytest.mark.parametrize(("cell", "count", "number", "truth"), TEXTS)
def test_a_text_means_the_same_whatever_stands_beside_it(cell, count, number, truth, neighbour):
    """Columns are parsed whole where they can be, and that must not show."""
    beside = [] if neighbour is None else [neighbour]
    column, alone = TextColumn.of([*beside, cell]), TextColumn.of(beside)

    own = TypeEvidence() if count == "missing" else TypeEvidence(1, **{count: 1})
    assert column.evidence() == alone.evidence() + own
    assert numbers(column)[-1] == number
    assert categories(column, "bool")[-1] == truth
    assert column.texts()[-1] == categories(column, "string")[-1] == (cell or None)


WORDS = st.one_of(
    st.sampled_from([text for text, *_ in TEXTS]),
    st.integers().map(str),
    st.floats().map(repr),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=4),
    st.text("0123456789+-.eE,[]null ", max_size=5),
)


@LAW
@given(st.lists(WORDS, max_size=12))
@example([])
@example(["1"])
def test_a_text_column_is_the_sum_of_its_cells(cells):
    """Evidence, numbers, categories and texts of a column are those of its cells one by one."""
    column, singles = TextColumn.of(cells), [TextColumn.of([cell]) for cell in cells]

    assert len(column) == len(cells)
    assert column.evidence() == sum((single.evidence() for single in singles), TypeEvidence())
    assert numbers(column) == [numbers(single)[0] for single in singles]
    assert categories(column, "bool") == [categories(single, "bool")[0] for single in singles]
    assert list(column.texts()) == [cell or None for cell in cells]


JSON_CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([10**400, -(10**400)]),
    st.floats(),
    st.sampled_from(["nan", "-Infinity", "1", "true", "NA"]),
    st.text(max_size=3),
    st.lists(st.integers(), max_size=2),
)


@LAW
@given(st.lists(JSON_CELLS, max_size=12))
@example([])
def test_an_object_column_is_the_sum_of_its_cells(cells):
    """Whatever types are mixed, each cell counts as it would alone."""
    column, singles = ObjectColumn(cells), [ObjectColumn([cell]) for cell in cells]

    assert len(column) == len(cells)
    assert column.evidence() == sum((single.evidence() for single in singles), TypeEvidence())
    assert numbers(column) == [numbers(single)[0] for single in singles]
    for as_type in ("string", "bool"):
        found = categories(column, as_type)
        assert found == [categories(single, as_type)[0] for single in singles]
        assert {type(value) for value in found} <= {
            type(None),
            Odd,
            bool if as_type == "bool" else str,
        }


@LAW
@given(st.lists(st.none() | st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=12))
def test_every_kind_of_column_reads_the_same_numbers_exactly(cells):
    """A float survives its way through CSV, JSON and Parquet to the last bit."""
    columns = [
        TextColumn.of(["" if cell is None else repr(cell) for cell in cells]),
        ObjectColumn(cells),
        ArrowColumn(pa.array(cells, pa.float64())),
    ]

    for column in columns:
        assert numbers(column) == cells
        values = column.numbers()[0].tolist()
        signs = [math.copysign(1, value) for value, cell in zip(values, cells, strict=True) if cell == 0]
        assert signs == [math.copysign(1, cell) for cell in cells if cell == 0]


@pytest.mark.parametrize(
    ("growing", "filled"),
    [(GrowingTextColumn, ["", "a", "", ""]), (GrowingObjectColumn, [None, "a", None, None])],
    ids=["text", "object"],
)
def test_a_growing_column_keeps_cells_and_gaps_in_order(growing, filled):
    """Adding nothing adds no cell; missing cells lie where they were added."""
    column = growing()
    column.add_missing(0)
    column.extend([])
    column.add_missing(1)
    column.extend(["a"])
    column.extend(filled[2:])

    assert len(growing().finished()) == 0
    assert list(growing().finished().texts()) == []
    assert list(column.finished().texts()) == [None, "a", None, None]


FEATURES = FeatureSet.of(
    [
        Feature("country", "string"),
        Feature("amount", "float"),
        Feature("member", "bool"),
        Feature("age", "int"),
    ]
)


def _chunk(**columns: list[str]) -> Chunk:
    made = {name: TextColumn.of(cells) for name, cells in columns.items()}
    return Chunk(len(next(iter(columns.values()))), made, "t.csv", 1)


def test_a_chunk_is_typed_by_the_features():
    """Numeric features first, then the categorical; odd cells are placed by row and feature."""
    chunk = _chunk(
        age=["40", "old", ""],
        country=["DE", "", "NA"],
        amount=["1.5", "inf", "x"],
        member=["true", "no", "NA"],
    )

    columns = chunk_columns(chunk, FEATURES)

    assert columns.n == 3
    np.testing.assert_array_equal(columns.numeric, [[1.5, np.nan, np.nan], [40, np.nan, np.nan]])
    assert [list(values) for values in columns.categorical] == [["DE", None, "NA"], [True, None, None]]
    odd = columns.odd
    kinds = map(Odd, odd.kind.tolist())
    assert set(zip(odd.row.tolist(), odd.feature.tolist(), kinds, strict=True)) == {
        (1, 0, NON_FINITE),
        (2, 0, MISMATCH),
        (1, 1, MISMATCH),
        (1, 3, MISMATCH),
    }


def test_a_feature_without_a_column_is_missing_throughout():
    """That is no oddity: JSON rows may lack a key in a whole chunk."""
    columns = chunk_columns(_chunk(other=["1", "2"]), FEATURES, ["age", "nowhere"])

    assert columns.numeric.shape == (2, 2)
    assert np.isnan(columns.numeric).all()
    assert [list(values) for values in columns.categorical] == [[None, None], [None, None]]
    assert [list(values) for values in columns.slices] == [[None, None], [None, None]]
    assert len(columns.odd.row) == len(columns.odd.feature) == len(columns.odd.kind) == 0


def test_slices_are_the_features_values_or_else_texts():
    """A numeric column and one that is no feature are sliced by what is written there."""
    chunk = _chunk(age=["40", "x"], country=["DE", ""], member=["TRUE", "no"], region=["eu", ""])

    columns = chunk_columns(chunk, FEATURES, ["country", "region", "age", "member"])

    assert [list(values) for values in columns.slices] == [
        ["DE", None],
        ["eu", None],
        ["40", "x"],
        [True, None],
    ]


def test_a_chunk_without_features_or_rows_has_well_formed_columns():
    """Shapes hold at zero rows and at zero features."""
    no_rows = chunk_columns(Chunk(0, {"age": TextColumn.of([])}, "t.csv", 1), FEATURES, ["age"])
    no_features = chunk_columns(_chunk(age=["1", "2"]), FeatureSet((), ()))

    assert no_rows.numeric.shape == (2, 0)
    assert [list(values) for values in no_rows.slices] == [[]]
    assert no_features.numeric.shape == (0, 2)
    assert no_features.odd.row.dtype == np.int64


def test_odd_rows_are_two_arrays_of_whole_numbers():
    """Also where there are none."""
    for found in ([], [(3, CellKind.MISMATCH), (5, CellKind.NON_FINITE)]):
        rows, kinds = odd_rows(found)
        assert list(zip(rows.tolist(), kinds.tolist(), strict=True)) == found
        assert rows.dtype == kinds.dtype == np.int64
