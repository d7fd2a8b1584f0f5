"""JSON Lines files: flat rows and full events, what JSON cannot write, and which lines are refused."""

import gzip
import json

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


def _lines(*rows: object) -> bytes:
    return "".join(f"{json.dumps(row)}\n" for row in rows).encode()


def _only(*rows: object):
    """Return the only column of the only chunk."""
    (chunk,) = read(_lines(*rows), "t.jsonl")
    (column,) = chunk.columns.values()
    return column


def _roles(chunks):
    return {name: role for chunk in chunks for name, role in chunk.roles.items()}


A12 = {"a": ["1", "2"]}

LAWFUL = [
    pytest.param(b'{"a":1}\n{"a":2}\n', A12, id="plain"),
    pytest.param(b'{"a":1}\n{"a":2}', A12, id="last-line-without-end"),
    pytest.param(b'{"a":1}\r\n{"a":2}\r\n', A12, id="crlf"),
    pytest.param(b'\xef\xbb\xbf{"a":1}\n{"a":2}\n', A12, id="byte-order-mark"),
    pytest.param(b'\n\r\n{"a":1}\n  \n\t\n{"a":2}\n\n', A12, id="empty-lines"),
    pytest.param(b' {"a" : 1 } \n\t{"a":\t2}\n', A12, id="blanks"),
    pytest.param(b'{"a":9,"a":1}\n{"a":2}\n', A12, id="the-last-of-two-same-keys-counts"),
    pytest.param(b'{"a":1}\n{}\n', {"a": ["1", None]}, id="empty-object"),
    pytest.param(b'{"a":null}\n{"a":2}\n', {"a": [None, "2"]}, id="null"),
    pytest.param(b'{"a":1}\n{"b":2}\n', {"a": ["1", None], "b": [None, "2"]}, id="other-keys"),
    pytest.param(b'{"a":1,"b":2}\n{"b":4,"a":3}\n', {"a": ["1", "3"], "b": ["2", "4"]}, id="other-order"),
    pytest.param(b'{"":"","a b":"x\\ny"}\n', {"": [""], "a b": ["x\ny"]}, id="any-key-any-text"),
    pytest.param(b'{"a":"\\ud83d\\ude00\\u00e9"}\n', {"a": ["😀é"]}, id="escapes"),
    pytest.param('{"größe":"東京\u2028x"}\n'.encode(), {"größe": ["東京\u2028x"]}, id="unicode"),
    pytest.param(b'{"a":[1,{"b":null}],"c":{}}\n', {"a": ['[1,{"b":null}]'], "c": ["{}"]}, id="nested"),
    pytest.param(
        b'{"a":1.0,"b":-0.0,"c":true}\n', {"a": ["1.0"], "b": ["-0.0"], "c": ["true"]}, id="scalars"
    ),
    pytest.param(b'{"features":[1],"label":2}\n', {"features": ["[1]"], "label": ["2"]}, id="no-event"),
]


@pytest.mark.parametrize("name", ["t.jsonl", "t.ndjson", "t.jsonl.gz"])
@pytest.mark.parametrize(("content", "expected"), LAWFUL)
def test_each_object_is_a_row_and_each_key_a_column(content, expected, name):
    """Absent and null are missing; flat rows give their columns no roles."""
    chunks = read(gzip.compress(content) if name.endswith("gz") else content, name)

    assert texts(chunks) == expected
    assert _roles(chunks) == {}


REFUSED = [
    pytest.param(b"", "no data rows", id="empty-file"),
    pytest.param(b"\n\n", "no data rows", id="only-empty-lines"),
    pytest.param(b"[1]\n", "line 1: not a JSON object", id="array"),
    pytest.param(b'{"a":1}\n\n"x"\n', "line 3: not a JSON object", id="text"),
    pytest.param(b"5\n", "line 1: not a JSON object", id="number"),
    pytest.param(b'{"a":1}\r\nnull\r\n', "line 2: not a JSON object", id="null"),
    pytest.param(b"NaN\n", "line 1: not a JSON object", id="nan"),
    pytest.param(b"[NaN]\n", "line 1: not a JSON object", id="array-with-nan"),
    pytest.param(b'[\n{"a":1},\n{"a":2}\n]\n', "line 1: not a JSON object", id="json-document"),
    pytest.param(b'{\n"a":1\n}\n', "line 1: not a JSON object", id="object-of-several-lines"),
    pytest.param(b'{"a":1}\n{"a":2}{"a":3}\n', "line 2: not a JSON object", id="two-objects-on-a-line"),
    pytest.param(b'{"a":1}\n{"a":2},\n', "line 2: not a JSON object", id="comma-at-the-end"),
    pytest.param(b'{"a":1}\n{"a":', "line 2: not a JSON object", id="cut-off"),
    pytest.param(b"a,b\n1,2\n", "line 1: not a JSON object", id="csv"),
    pytest.param(b"{'a': 1}\n", "line 1: not a JSON object", id="single-quotes"),
    pytest.param(b'{"a":"\x00"}\n', "line 1: not a JSON object", id="raw-control-character"),
    pytest.param(b'{"a":1}\n{"a":"\xe9"}\n', "line 2: not a JSON object", id="latin-1"),
    pytest.param(b'{"a":NaN,"b":"\xe9"}\n', "line 1: not a JSON object", id="latin-1-with-nan"),
    pytest.param('{"a":1}\n'.encode("utf-16"), "line 1: not a JSON object", id="utf-16"),
    pytest.param(b'{"a":"\\ud800"}\n', "line 1: not a JSON object", id="half-a-surrogate-pair"),
    pytest.param(b'{"a":NaN,"b":"\\ud800"}\n', "line 1: not a JSON object", id="half-a-pair-with-nan"),
    pytest.param(
        b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}\n", "line 1: not a JSON", id="deep-nesting"
    ),
    pytest.param(b'{"b":NaN,"a":' + b'{"a":' * 100_000, "line 1: not a JSON object", id="deep-with-nan"),
    pytest.param(b'{"a":' + b"1" * 5000 + b"}\n", "line 1: not a JSON object", id="number-of-5000-digits"),
    pytest.param(b'{"a":"' + b"x" * (17 << 20), "line 1: longer than 16 MiB", id="long-line"),
]


@pytest.mark.parametrize(("content", "expected"), REFUSED)
def test_a_refusal_names_the_file_and_the_line(content, expected):
    """A line that is not one object is refused, the first line being line 1."""
    assert refusal(content, "t.jsonl").startswith(expected)


@pytest.mark.parametrize("name", ["t.jsonl", "t.jsonl.gz"])
def test_lines_are_counted_over_the_blocks_of_a_large_file(name):
    """The line in a message is right thousands of lines into the file."""
    content = b'\n{"a":12345678}\n' * 20_000 + b"[]\n"

    found = refusal(gzip.compress(content) if name.endswith("gz") else content, name)

    assert found.startswith("line 40001: not a JSON object")


def test_a_damaged_gzip_file_is_refused():
    """A file that was cut off is never read as a shorter table."""
    content = gzip.compress(_lines(*[{"a": i} for i in range(1000)]))[:-9]

    assert refusal(content, "t.jsonl.gz").startswith("damaged gzip file (")


FLAT = st.dictionaries(
    st.sampled_from(["a", "b", "ß", "label", "features"]),
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**30), 10**30),
        st.floats(),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
        st.lists(st.integers(), max_size=3),
    ),
)


def _as_text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return repr(value) if isinstance(value, float) else json.dumps(value, separators=(",", ":"))


@LAW
@given(rows=st.lists(FLAT, min_size=1, max_size=12), size=st.integers(1, 13), ascii_only=st.booleans())
def test_rows_are_read_back_whatever_the_chunk_size(rows, size, ascii_only):
    """No cell is lost or changed, NaN included; evidence adds up over chunks."""
    content = "".join(f"{json.dumps(row, ensure_ascii=ascii_only)}\n" for row in rows).encode()

    whole, pieces = read(content, "t.jsonl"), read(content, "t.jsonl", size)

    names = {name for row in rows for name in row}
    expected = {name: [_as_text(row.get(name)) for row in rows] for name in names}
    assert texts(pieces) == texts(whole) == expected
    assert [chunk.n for chunk in pieces[:-1]] == [size] * (len(pieces) - 1)
    assert [chunk.first_row for chunk in pieces] == list(range(1, len(rows) + 1, size))
    for name in names:
        assert evidence(pieces, name) == evidence(whole, name)


def test_what_python_writes_for_nan_and_infinities_is_non_finite():
    """NaN, Infinity and numbers beyond a double are read, and so are their names as texts."""
    content = b'{"a":NaN}\n{"a":-Infinity}\n{"a":1e999}\n{"a":"nan"}\n{"a":"+Inf"}\n{"a":null}\n{"a":1.5}\n'
    (chunk,) = read(content, "t.jsonl")

    assert numbers(chunk.columns["a"]) == [NON_FINITE] * 5 + [None, 1.5]
    assert chunk.columns["a"].evidence() == TypeEvidence(6, floats=6)


def test_huge_whole_numbers_are_numbers():
    """Those beyond 64 bits are rounded; those beyond a double are no finite number."""
    column = _only({"a": 2**63}, {"a": -(2**64)}, {"a": 10**300}, {"a": 10**400}, {"a": -(10**4000)})

    assert numbers(column) == [2.0**63, -(2.0**64), 1e300, NON_FINITE, NON_FINITE]
    assert column.evidence() == TypeEvidence(5, ints=5)


def test_a_text_is_no_number_and_no_truth_value():
    """JSON says itself what is a number: `"1"` and `1` are of two types."""
    column = _only({"a": "1"}, {"a": 1}, {"a": True}, {"a": "true"}, {"a": [1]}, {"a": {}})

    odd = MISMATCH
    assert numbers(column) == [odd, 1.0, odd, odd, odd, odd]
    assert categories(column, "string") == ["1", odd, odd, "true", odd, odd]
    assert categories(column, "bool") == [odd, odd, True, odd, odd, odd]
    assert column.evidence() == TypeEvidence(6, ints=1, bools=1, strings=2)


EVENT = {
    "event_id": "e1",
    "model": "m",
    "version": 3,
    "timestamp": "2026-01-01T00:00:00Z",
    "features": {"age": 40, "country": "DE"},
    "prediction": {"score": 0.25},
    "label": 1,
    "tags": {"region": "eu"},
    "something_else": 5,
}


def test_a_full_event_becomes_columns_with_roles():
    """Features, predictions, tags and the envelope are told apart; unknown parts are left out."""
    chunks = read(_lines(EVENT), "t.jsonl")

    found = {name: (cells[0], _roles(chunks)[name]) for name, cells in texts(chunks).items()}
    assert found == {
        "age": ("40", "feature"),
        "country": ("DE", "feature"),
        "prediction.score": ("0.25", "prediction"),
        "timestamp": ("2026-01-01T00:00:00Z", "time"),
        "event_id": ("e1", "id"),
        "label": ("1", "label"),
        "model": ("m", "model"),
        "version": ("3", "version"),
        "region": ("eu", "tag"),
    }


EVENTS = [
    pytest.param([{"features": {}, "prediction": 5}], {"prediction": "prediction"}, id="lone-prediction"),
    pytest.param(
        [{"features": {}, "prediction": 5}, {"features": {}, "prediction": {"p": 1}}],
        {"prediction": "prediction", "prediction.p": "prediction"},
        id="both-kinds-of-prediction",
    ),
    pytest.param([{"features": {"a": 1}, "prediction": None, "tags": None}], {"a": "feature"}, id="nulls"),
    pytest.param([{"features": {"a": 1}, "tags": [1]}], {"a": "feature"}, id="tags-that-are-no-object"),
    pytest.param(
        [{"features": {"label": 1, "prediction.p": 2}, "label": 3, "prediction": {"p": 4}}],
        {"label": "feature", "prediction.p": "feature", "/label": "label", "/prediction/p": "prediction"},
        id="features-keep-their-names",
    ),
    pytest.param(
        [{"features": {"a": 1}, "tags": {"a": "x"}}], {"a": "feature"}, id="tag-called-as-a-feature"
    ),
    pytest.param(
        [{"features": {"a": 1}, "model": "m", "tags": {"model": "x"}}],
        {"a": "feature", "model": "model", "/tags/model": "tag"},
        id="tag-called-as-a-part-of-the-event",
    ),
]


@pytest.mark.parametrize(("rows", "expected"), EVENTS)
def test_the_parts_of_an_event_never_overwrite_each_other(rows, expected):
    """A feature keeps its name; what else is called the same goes by its JSON pointer."""
    chunks = read(_lines(*rows), "t.jsonl")

    assert _roles(chunks) == expected
    assert texts(chunks).keys() == expected.keys()


@LAW
@given(
    kinds=st.lists(st.sampled_from(["full", "late", "bare"]), min_size=1, max_size=12),
    size=st.integers(1, 13),
)
def test_late_labels_among_events_are_no_rows_whatever_the_chunk_size(kinds, size):
    """A label for an earlier event holds nothing to count; an event without features is a row."""
    rows = {
        "full": EVENT,
        "late": {"event_id": "e1", "label": 1},
        "bare": {"event_id": "e2", "prediction": 1},
    }

    chunks = read(_lines(EVENT, *[rows[kind] for kind in kinds]), "t.jsonl", size)

    ids = ["e1"] + [rows[kind]["event_id"] for kind in kinds if kind != "late"]
    assert texts(chunks)["event_id"] == ids
    assert texts(chunks)["age"] == ["40" if name == "e1" else None for name in ids]
    assert max(chunk.n for chunk in chunks) <= size


def test_a_chunk_has_a_bounded_number_of_cells():
    """Rows that all have keys of their own make short chunks, not ever wider ones."""
    content = _lines(*[{f"{i}-{k}": k for k in range(20)} for i in range(1000)])

    chunks = read(content, "t.jsonl")

    assert sum(chunk.n for chunk in chunks) == 1000
    assert max(chunk.n * len(chunk.columns) for chunk in chunks) <= 1 << 18


def test_a_row_wider_than_a_chunk_is_a_chunk_of_its_own():
    """Rows are never split, however narrow the bound."""
    row = {str(key): 1 for key in range((1 << 18) + 1)}

    assert [chunk.n for chunk in read(_lines(row, row), "t.jsonl")] == [1, 1]
