"""Parquet files: what cells of each type may be used as, which files are refused, bounded chunks."""

import io
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.columns import TypeEvidence
from tests.tables.reading import (
    LAW,
    MISMATCH,
    NON_FINITE,
    categories,
    evidence,
    numbers,
    read,
    refusal,
    texts,
)


def _parquet(table: pa.Table, **options: object) -> bytes:
    stream = io.BytesIO()
    pq.write_table(table, stream, **options)
    return stream.getvalue()


def _column(array: pa.Array):
    """Return the column as which an array comes back from a file."""
    (chunk,) = read(_parquet(pa.table({"a": array})), "t.parquet")
    return chunk.columns["a"]


INTS = [pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()]


@pytest.mark.parametrize("type_", INTS, ids=str)
def test_whole_numbers_of_any_width_are_ints(type_):
    """Null is missing, and turns no other cell of the column into a float."""
    column = _column(pa.array([1, None, 100], type_))

    assert column.evidence() == TypeEvidence(2, ints=2)
    assert numbers(column) == [1.0, None, 100.0]
    assert column.texts() == ["1", None, "100"]


@pytest.mark.parametrize("type_", [pa.float16(), pa.float32(), pa.float64()], ids=str)
def test_floats_tell_null_from_nan(type_):
    """Null is missing; NaN and the infinities are there, but not finite."""
    values = np.array([0.5, 0, np.nan, np.inf, -np.inf], type_.to_pandas_dtype())
    column = _column(pa.array(values, type_, mask=np.array([False, True, False, False, False])))

    assert column.evidence() == TypeEvidence(4, floats=4)
    assert numbers(column) == [0.5, None, NON_FINITE, NON_FINITE, NON_FINITE]
    assert column.texts() == ["0.5", None, "nan", "inf", "-inf"]


def test_the_greatest_whole_numbers_are_not_cut():
    """Unsigned 64-bit numbers stay positive, and texts keep every digit."""
    column = _column(pa.array([2**64 - 1, None], pa.uint64()))

    assert numbers(column) == [2.0**64, None]
    assert column.texts() == [str(2**64 - 1), None]


@pytest.mark.parametrize(
    ("type_", "cell", "expected", "text"),
    [
        pytest.param(pa.decimal128(10, 2), "12.50", TypeEvidence(1, floats=1), "12.50", id="two-decimals"),
        pytest.param(pa.decimal128(10, 0), "125", TypeEvidence(1, ints=1), "125", id="no-decimals"),
        pytest.param(pa.decimal256(60, 1), "-0.5", TypeEvidence(1, floats=1), "-0.5", id="256-bits"),
    ],
)
def test_decimals_are_numbers(type_, cell, expected, text):
    """Without places after the point they are whole; as text they stand without quotes."""
    column = _column(pa.array([Decimal(cell), None], type_))

    assert column.evidence() == expected
    assert numbers(column) == [float(cell), None]
    assert column.texts() == [text, None]


def test_truth_values_are_no_numbers():
    """They are categories of type `bool` only."""
    column = _column(pa.array([True, None, False]))

    assert column.evidence() == TypeEvidence(2, bools=2)
    assert categories(column, "bool") == [True, None, False]
    assert numbers(column) == categories(column, "string") == [MISMATCH, None, MISMATCH]
    assert column.texts() == ["true", None, "false"]


@pytest.mark.parametrize("type_", [pa.string(), pa.large_string()], ids=str)
def test_texts_are_categories_as_they_are(type_):
    """The empty text is a value here, and `NA` or `1` is a text."""
    column = _column(pa.array(["", "NA", None, "1", "größe\n"], type_))

    assert column.evidence() == TypeEvidence(4, strings=4)
    assert categories(column, "string") == column.texts() == ["", "NA", None, "1", "größe\n"]
    assert numbers(column) == categories(column, "bool") == [MISMATCH, MISMATCH, None, MISMATCH, MISMATCH]


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        pytest.param(pa.array(["x", None, "x"]), TypeEvidence(2, strings=2), id="text"),
        pytest.param(pa.array([1, None, 1]), TypeEvidence(2, ints=2), id="int"),
        pytest.param(pa.array([1.5, None, 1.5]), TypeEvidence(2, floats=2), id="float"),
    ],
)
def test_a_dictionary_is_what_its_values_are(array, expected):
    """How a column is compressed says nothing about its type."""
    coded, plain = _column(array.dictionary_encode()), _column(array)

    assert coded.evidence() == plain.evidence() == expected
    assert coded.texts() == plain.texts()
    assert numbers(coded) == numbers(plain)
    assert categories(coded, "string") == categories(plain, "string")


NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
BERLIN = timezone(timedelta(hours=1))

TIMES = [
    pytest.param(pa.array([NOON, None], pa.timestamp("s", "UTC")), "2026-03-01T12:00:00Z", id="seconds"),
    pytest.param(
        pa.array([NOON.replace(tzinfo=None), None], pa.timestamp("ms")), "2026-03-01T12:00:00Z", id="naive"
    ),
    pytest.param(
        pa.array([NOON.astimezone(BERLIN), None], pa.timestamp("us", "Europe/Berlin")),
        "2026-03-01T12:00:00Z",
        id="other-zone",
    ),
    pytest.param(pa.array([1_500, None], pa.timestamp("ms")), "1970-01-01T00:00:01.5Z", id="milliseconds"),
    pytest.param(pa.array([1, None], pa.timestamp("ns")), "1970-01-01T00:00:00.000000001Z", id="nanosecond"),
    pytest.param(
        pa.array([-1, None], pa.timestamp("us", "UTC")), "1969-12-31T23:59:59.999999Z", id="before-1970"
    ),
    pytest.param(pa.array([date(2026, 3, 10), None], pa.date32()), "2026-03-10", id="date32"),
    pytest.param(pa.array([date(2026, 3, 10), None], pa.date64()), "2026-03-10", id="date64"),
]


@pytest.mark.parametrize(("array", "expected"), TIMES)
def test_points_in_time_are_texts_in_utc(array, expected):
    """As RFC 3339 writes them, with as many decimals of a second as are needed."""
    column = _column(array)

    assert column.texts() == categories(column, "string") == [expected, None]
    assert column.evidence() == TypeEvidence(1, strings=1)
    assert numbers(column) == [MISMATCH, None]


OTHERS = [
    pytest.param(pa.array([[1, None], None]), "[1,null]", id="list"),
    pytest.param(pa.array([{"x": 1.5}, None]), '{"x":1.5}', id="struct"),
    pytest.param(pa.array([[("k", 1)], None], pa.map_(pa.string(), pa.int64())), '[["k",1]]', id="map"),
    pytest.param(pa.array([b"ab", None]), '"YWI="', id="bytes"),
    pytest.param(pa.array([1_000, None], pa.duration("ms")), '"PT1S"', id="duration"),
]


@pytest.mark.parametrize(("array", "text"), OTHERS)
def test_nested_cells_bytes_and_durations_are_no_value_of_any_type(array, text):
    """They are there and count as mismatches; as text they are what JSON writes."""
    column = _column(array)

    assert column.evidence() == TypeEvidence(1)
    assert numbers(column) == [MISMATCH, None]
    assert categories(column, "string") == categories(column, "bool") == [MISMATCH, None]
    assert column.texts() == [text, None]


def test_a_column_of_nulls_is_missing_throughout():
    """It has no evidence for any type and nothing odd."""
    column = _column(pa.nulls(2))

    assert column.evidence() == TypeEvidence()
    assert numbers(column) == categories(column, "string") == categories(column, "bool") == [None, None]


CELLS = {
    "i": (pa.int64(), st.integers(-(2**53), 2**53)),
    "f": (pa.float64(), st.floats(allow_nan=False, allow_infinity=False)),
    "b": (pa.bool_(), st.booleans()),
    "s": (pa.string(), st.text(st.characters(exclude_categories=["Cs"]), max_size=5)),
}


@LAW
@given(
    rows=st.lists(st.tuples(*[st.none() | cells for _, cells in CELLS.values()]), min_size=1, max_size=20),
    size=st.integers(1, 21),
    group=st.integers(1, 21),
)
def test_rows_are_read_back_whatever_the_chunk_size(rows, size, group):
    """No cell is lost or changed, whatever the row groups; evidence adds up over chunks."""
    cells = dict(zip(CELLS, zip(*rows, strict=True), strict=True))
    table = pa.table({name: pa.array(cells[name], type_) for name, (type_, _) in CELLS.items()})

    chunks = read(_parquet(table, row_group_size=group), "t.parquet", size)

    def joined(name, what, *of):
        return tuple(cell for chunk in chunks for cell in what(chunk.columns[name], *of))

    assert joined("i", numbers) == cells["i"]
    assert joined("f", numbers) == cells["f"]
    assert joined("b", categories, "bool") == cells["b"]
    assert joined("s", categories, "string") == cells["s"]
    assert max(chunk.n for chunk in chunks) <= size
    assert [chunk.first_row for chunk in chunks] == [
        1 + sum(chunk.n for chunk in chunks[:i]) for i in range(len(chunks))
    ]
    there = {name: sum(cell is not None for cell in found) for name, found in cells.items()}
    assert evidence(chunks, "i") == TypeEvidence(there["i"], ints=there["i"])
    assert evidence(chunks, "f") == TypeEvidence(there["f"], floats=there["f"])


def test_a_wide_table_comes_in_chunks_of_fewer_rows():
    """The cells of a chunk are bounded, not only its rows."""
    width, n = 1500, 3000
    content = _parquet(pa.table({f"c{i}": np.arange(n) for i in range(width)}), use_dictionary=False)

    chunks = read(content, "t.parquet")

    assert sum(chunk.n for chunk in chunks) == n
    assert max(chunk.n for chunk in chunks) * width <= 1 << 21


def test_row_labels_that_pandas_wrote_are_no_column():
    """`__index_level_0__` counts rows; it says nothing about the data."""
    table = pa.table({"a": [5], "__index_level_0__": [0], "__index_level_x__": [1]})

    assert texts(read(_parquet(table), "t.parquet")) == {"a": ["5"], "__index_level_x__": ["1"]}


def _with_empty_groups() -> bytes:
    schema, stream = pa.schema([("a", pa.int64())]), io.BytesIO()
    with pq.ParquetWriter(stream, schema) as writer:
        for values in ([], [1, 2], []):
            writer.write_table(pa.table({"a": values}, schema))
    return stream.getvalue()


def test_empty_row_groups_are_passed_over():
    """Writers leave them where a partition had no rows."""
    assert texts(read(_with_empty_groups(), "t.parquet")) == {"a": ["1", "2"]}


# Large enough that pages lie far from both ends of the file.
GOOD = _parquet(pa.table({"a": np.arange(50_000), "s": [str(i) for i in range(50_000)]}))
NOT_UTF_8 = pa.array([b"ok", b"\xff\xfe"]).view(pa.string())

REFUSED = [
    pytest.param(b"", "damaged Parquet file", id="empty-file"),
    pytest.param(b"PAR1", "damaged Parquet file", id="a-few-bytes"),
    pytest.param(b"a,b\n" * 100, "damaged Parquet file", id="csv"),
    pytest.param(GOOD[:-10], "damaged Parquet file", id="cut-off"),
    pytest.param(GOOD[:4] + bytes(40) + GOOD[44:], "damaged Parquet file", id="zeros-in-a-page-header"),
    pytest.param(GOOD[:3000] + bytes(5000) + GOOD[8000:], "damaged Parquet file", id="zeros-in-a-page"),
    pytest.param(GOOD[:-80] + bytes(72) + GOOD[-8:], "damaged Parquet file", id="zeros-in-the-footer"),
    pytest.param(_parquet(pa.table({"a": NOT_UTF_8})), "damaged Parquet file", id="text-that-is-not-utf-8"),
    pytest.param(
        _parquet(pa.Table.from_arrays([pa.array([1]), pa.array([2]), pa.array([3])], names=["a", "b", "a"])),
        "column name twice: a; rename one",
        id="same-names",
    ),
    pytest.param(_parquet(pa.table({})), "a table without columns", id="no-columns"),
    pytest.param(
        _parquet(pa.table({"__index_level_0__": [1]})), "a table without columns", id="only-row-labels"
    ),
    pytest.param(_parquet(pa.table({"a": pa.array([], pa.int64())})), "no data rows", id="no-rows"),
]


@pytest.mark.parametrize(("content", "expected"), REFUSED)
def test_a_refusal_names_the_file_and_what_is_wrong(content, expected):
    """A damaged file is called damaged, in one line, wherever the damage lies."""
    assert refusal(content, "t.parquet").startswith(expected)
