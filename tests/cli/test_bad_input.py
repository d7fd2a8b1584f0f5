"""Whatever a file holds: an answer, or one line that says where and what; never a traceback."""

import contextlib
import datetime as dt
import decimal
import io
import json
import re
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.cli import main
from tests.summary.summaries import csv_of
from tests.tables.reading import LAW

ROOM = settings(LAW, max_examples=20)

BIG = "9" * 400
"""A whole number that no double has room for."""


def _run(*arguments):
    """Run a command; return its exit code and what it printed. Nothing may be wrong with the program."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([str(a) for a in arguments])
    assert code in (0, 1, 2), (arguments, out.getvalue(), err.getvalue())
    assert "Traceback" not in err.getvalue()
    if code == 2:
        assert err.getvalue().count("\n") == 1, err.getvalue()
    elif "json" not in arguments and "html" not in arguments:
        # The folder's name is not ours to make shorter.
        lines = [re.sub(r"/\S*/", "", line) for line in out.getvalue().splitlines()]
        assert max(map(len, lines), default=0) <= 80, out.getvalue()
    return code, out.getvalue(), err.getvalue()


def _write(folder, name, content):
    path = Path(folder, name)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


REFUSED = {
    "empty": ("t.csv", "", "empty file; expected a header"),
    "empty lines": ("t.csv", "\n\n\n", "empty file; expected a header"),
    "header only": ("t.csv", "a,b\n", "no data rows"),
    "ragged": ("t.csv", "a,b\n1,2\n3\n", "line 3: found 1 cells, expected 2"),
    "same names": ("t.csv", "a,b,a\n1,2,3\n", "line 1: column name twice in the header: a"),
    "no name": ("t.csv", "a,,c\n1,2,3\n", "line 1: column 2 has no name"),
    "blank name": ("t.csv", " ,b\n1,2\n", "line 1: column 1 has no name"),
    "Latin-1": ("t.csv", "a\n1\né\n".encode("latin-1"), "line 3: not UTF-8"),
    "UTF-16": ("t.csv", "a\n1\n".encode("utf-16"), "line 1: not UTF-8"),
    "NUL": ("t.csv", "a\n1\n\0\n", "line 3: NUL byte"),
    "half Latin-1": ("t.csv", "a\né\n".encode() + b"\xe9\n", "line 3: not UTF-8"),
    "open quote": ("t.csv", 'a,b\n1,"2\n3,4\n', "line 2: a quote that opens here is never closed"),
    "1 MB cell": ("t.csv", "a\n" + "x" * (1 << 20), "line 2: a cell is longer than 131,072 characters"),
    "no lines": ("t.jsonl", "", "no data rows"),
    "array": ("t.jsonl", '{"a":1}\n[1]\n', "line 2: not a JSON object"),
    "half a line": ("t.jsonl", '{"a":1}\n{"a":', "line 2: not a JSON object"),
    "a JSON document": ("t.jsonl", '[\n{"a": 1}\n]\n', "line 1: not a JSON object"),
    "objects without keys": ("t.jsonl", "{}\n{}\n", "no column is left"),
    "no Parquet": ("t.parquet", b"abc", "damaged Parquet file"),
    "no gzip": ("t.csv.gz", b"\x1f\x8b\x08\x00abc", "damaged gzip file"),
    "gzip": ("t.csv", b"\x1f\x8b\x08\x00abc", "is gzipped; give it a name ending in .gz"),
    "another kind": ("t.xlsx", b"PK", "unknown kind of data file"),
}


@pytest.mark.parametrize(("name", "content", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_read_is_one_line_with_its_place(tmp_path, name, content, message):
    """By inference, by validation, and as either side of a comparison."""
    path, good = _write(tmp_path, name, content), _write(tmp_path, "good.csv", "a\n1\n2\n")
    assert _run("schema", "infer", good, "-o", tmp_path / "s.yaml")[0] == 0
    commands = [("schema", "infer", path)]
    if "no column" not in message:
        commands += [
            ("schema", "validate", tmp_path / "s.yaml", path),
            ("compare", path, good),
            ("compare", good, path),
            ("compare", good, path, "--measures", "tfdv"),
        ]
    for command in commands:
        code, _, err = _run(*command)
        assert code == 2, command
        assert f"{path}: {message}" in err


def _lines(rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


ODD = {
    "one row": ("t.csv", "a,b,c,d\n1,2.5,x,true\n"),
    "nothing at all": ("t.csv", "a,b\n" + ",\n" * 9),
    "a column of nothing": ("t.csv", "a,b\n1,\n2,NA\n3,\n"),
    "not finite": ("t.csv", "a,b,c\n1,inf,nan\n2,-inf,NaN\n3,1.5,-nan\n4,nan,nan\n"),
    "large numbers": ("t.csv", f"a,b,c,d\n{10**30},{2**63},{-(2**63)},{BIG}\n1,2,3,4\n"),
    "largest numbers": ("t.csv", "a,b\n1.7e308,-1.7e308\n-1.7e308,1.7e308\n" * 9),
    "beyond the largest": ("t.csv", "a\n1e999\n-1e999\n1\n"),
    "smallest numbers": ("t.csv", "a,b\n5e-324,0.0\n0,-0.0\n" * 9),
    "dates": ("t.csv", "d,e,f\n2024-01-01,01/02/2024,2024-01-01 10:00\n2024-13-45,31/12/2024,\n"),
    "byte order mark and CRLF": ("t.csv", "\ufeffa,b\r\n1,x\r\n2,y\r\n"),
    "quotes": ("t.csv", 'a,b\n"x ""y""",1\n"p,q",2\n"l1\nl2",3\n'),
    "names": ("t.csv", '"a\nb",😀,<b>x</b>,"c,d","\x1b[31m","x: y",#,null,1\n' + "1,2,3,4,5,6,7,8,9\n" * 3),
    "names of JSON": ("t.jsonl", _lines([{"": 1, " ": 2, "\n": 3, "<script>": "<b>"}] * 3)),
    "words for bools": ("t.csv", "a,b,c,d,e\ntrue,True,yes,1,T\nfalse,False,no,0,F\n"),
    "one word": ("t.csv", "a,b,c\ntrue,1,0\ntrue,1,0\n"),
    "numbers": ("t.csv", 'a,b,c,d,e,f,g\n1.0,+5,1e3,0x10, 5 ,1_0,"1,0"\n2.0,+6,1e4,0x11, 6 ,2_0,"2,0"\n'),
    "int, then one text": ("t.csv", "a\n" + "1\n" * 70_000 + "x\n"),
    "int, then text": ("t.csv", "a\n" + "1\n" * 70_000 + "x\n" * 10_000),
    "lists and objects": ("t.jsonl", _lines([{"a": [1, 2], "b": {"x": 1}, "c": 1}] * 3)),
    "every type": ("t.jsonl", _lines([{"a": a} for a in (1, "1", 1.5, True, None, [1], {"b": 1}, "true")])),
    "large numbers of JSON": ("t.jsonl", f'{{"a": {10**30}, "b": {BIG}, "c": 1e999}}\n{{"a": 1, "c": 1}}\n'),
    "NaN of Python": ("t.jsonl", '{"a": NaN, "b": -Infinity}\n{"a": 1.5, "b": 2.5}\n'),
    "only nulls": ("t.jsonl", _lines([{"a": None}] * 3)),
    "a text of 1 MB": ("t.jsonl", _lines([{"a": "x" * (1 << 20)}, {"a": "y"}])),
    "events with lists": ("t.jsonl", _lines([{"features": {"a": 1, "l": [1]}, "model": "m"}] * 3)),
}  # fmt: skip


def _judge_all(folder, path):
    """Run everything that looks at data on them; they must satisfy the schema inferred from them."""
    yaml, pbtxt, baseline = (folder / name for name in ("s.yaml", "s.pbtxt", "b.json"))
    assert _run("schema", "infer", path, "-o", yaml)[0] == 0
    assert _run("schema", "infer", path, "-o", pbtxt)[0] == 0
    assert _run("schema", "infer", path, "--like-tfdv", "-o", folder / "t.yaml")[0] == 0
    assert _run("schema", "show", yaml)[0] == 0
    assert _run("schema", "validate", folder / "t.yaml", path, "--previous", path)[0] == 0
    _run("schema", "validate", pbtxt, path)
    _run("schema", "diff", yaml, pbtxt)
    if _run("baseline", "build", path, "-o", baseline)[0] == 0:
        _run("baseline", "show", baseline)
        _run("compare", baseline, path, "--format", "json")
    for more in ((), ("--measures", "tfdv"), ("--format", "html", "-o", folder / "x.html")):
        _run("compare", path, path, *more)
    code, out, _ = _run("schema", "validate", yaml, path)
    assert code == 0, out


@pytest.mark.parametrize(("name", "content"), ODD.values(), ids=ODD)
def test_odd_data_are_read_by_every_command(tmp_path, name, content):
    """And satisfy their own schema; no defect, no traceback, nothing wider than a terminal."""
    _judge_all(tmp_path, _write(tmp_path, name, content))


def test_odd_types_of_parquet(tmp_path):
    """Decimals are numbers, dictionaries and times are texts; of the rest, the presence is checked."""
    ten = range(10)
    table = pa.table(
        {
            "decimal": pa.array([decimal.Decimal("1.10"), decimal.Decimal("2.20")] * 5),
            "whole": pa.array([decimal.Decimal(1), decimal.Decimal(2)] * 5),
            "at": pa.array([dt.datetime(2024, 1, 1, hour, tzinfo=dt.UTC) for hour in ten]),
            "day": pa.array([dt.date(2024, 1, 1 + day) for day in ten]),
            "clock": pa.array([dt.time(hour) for hour in ten]),
            "took": pa.array([dt.timedelta(day) for day in ten]),
            "list": pa.array([[1], [2]] * 5),
            "struct": pa.array([{"a": 1}] * 10),
            "dictionary": pa.array(["a", "b"] * 5).dictionary_encode(),
            "null": pa.nulls(10),
            "bytes": pa.array([b"\xff", b"a"] * 5),
            "unsigned": pa.array([2**64 - 1, 1] * 5, pa.uint64()),
            "gaps": pa.array([1, None] * 5, pa.int8()),
            "nan": pa.array([1.5, float("nan")] * 5, pa.float32()),
        }
    )
    pq.write_table(table, tmp_path / "t.parquet")
    _judge_all(tmp_path, tmp_path / "t.parquet")
    code, out, _ = _run("schema", "infer", tmp_path / "t.parquet", "-o", tmp_path / "s.yaml")

    assert code == 0
    assert "lists, objects or bytes: only whether there is a value is checked: clock," in out
    assert " ".join(out.split()).count("role: timestamp") == 2
    shown = _run("schema", "show", tmp_path / "s.yaml")[1].splitlines()
    types = {line.split()[0]: line.split()[1] for line in shown[1:]}
    assert {name: types[name] for name in ("decimal", "whole", "dictionary", "gaps", "unsigned")} == {
        "decimal": "float",
        "whole": "int",
        "dictionary": "string",
        "gaps": "int",
        "unsigned": "int",
    }


def test_names_are_never_html(tmp_path):
    """Neither a column's name nor a value."""
    path = _write(tmp_path, "t.csv", "<script>x</script>,b\n1,<i>\n2,<i>\n3,<u>\n")
    _run("compare", path, path, "--format", "html", "-o", tmp_path / "x.html")
    page = (tmp_path / "x.html").read_text()

    assert "&lt;script&gt;x" in page
    assert "<script>x" not in page
    assert "<i>" not in page


def test_ten_thousand_columns(tmp_path):
    """As wide as tables get."""
    names = [f"c{i}" for i in range(10_000)]
    cells = [",".join(str((i + row) % 97) for i in range(10_000)) for row in range(3)]
    path = _write(tmp_path, "t.csv", "\n".join([",".join(names), *cells]) + "\n")
    assert _run("schema", "infer", path, "-o", tmp_path / "s.yaml")[0] == 0
    code, out, _ = _run("schema", "validate", tmp_path / "s.yaml", path)

    assert (code, "10,000 features" in out) == (0, True)


GOOD = "a,b,c,d\n" + "".join(
    f"{i % 7},{i / 3},{'xyz'[i % 3]},{'true' if i % 2 else 'false'}\n" for i in range(300)
)
ONE = {
    "a text for an int": ("q,1.5,x,true", "a UNEXPECTED_DATA_TYPE"),
    "hexadecimal": ("0x10,1.5,x,true", "a UNEXPECTED_DATA_TYPE"),
    "a float for an int": ("1.5,1.5,x,true", "a UNEXPECTED_DATA_TYPE"),
    "1.0 for an int": ("1.0,1.5,x,true", "a UNEXPECTED_DATA_TYPE"),
    "NaN for an int": ("nan,1.5,x,true", "a UNEXPECTED_DATA_TYPE, a FLOAT_TYPE_HAS_NAN~"),
    "a large int": (f"{10**30},1.5,x,true", "a INT_TYPE_BIG_INT~"),
    "an int without room": (f"{BIG},1.5,x,true", "a FLOAT_TYPE_HAS_INF~"),
    "+5": ("+5,1.5,x,true", ""),
    "blanks around a number": (" 5 ,1.5,x,true", ""),
    "an int for a float": ("5,7,x,true", ""),
    "a text for a float": ("5,abc,x,true", "b UNEXPECTED_DATA_TYPE"),
    "infinity": ("5,-inf,x,true", "b FLOAT_TYPE_HAS_INF~"),
    "NA for a text": ("5,1.5,NA,true", "c ENUM_TYPE_UNEXPECTED_STRING_VALUES"),
    "a blank": ("5,1.5, ,true", "c ENUM_TYPE_UNEXPECTED_STRING_VALUES"),
    "a blank before": ("5,1.5, x,true", "c ENUM_TYPE_UNEXPECTED_STRING_VALUES"),
    "escape codes": ("5,1.5,\x1b[31mx,true", "c ENUM_TYPE_UNEXPECTED_STRING_VALUES"),
    "yes for true": ("5,1.5,x,yes", "d BOOL_TYPE_UNEXPECTED_STRING"),
    "1 for true": ("5,1.5,x,1", "d BOOL_TYPE_UNEXPECTED_STRING"),
    "TRUE": ("5,1.5,x,TRUE", ""),
    "nothing": (",1.5,x,true", "a FEATURE_TYPE_LOW_FRACTION_PRESENT"),
    "NA for a number": ("5,N/A,x,true", "b FEATURE_TYPE_LOW_FRACTION_PRESENT"),
}  # fmt: skip


@pytest.mark.parametrize(("row", "expected"), ONE.values(), ids=ONE)
def test_one_odd_cell_among_three_hundred_rows_is_found(tmp_path, row, expected):
    """Under the name of what is wrong with it, and of its column; nothing is said of what is fine."""
    _run("schema", "infer", _write(tmp_path, "t.csv", GOOD), "-o", tmp_path / "s.yaml")
    odd = _write(tmp_path, "odd.csv", GOOD + row + "\n")
    code, out, _ = _run("schema", "validate", tmp_path / "s.yaml", odd, "--format", "json")
    found = [
        f"{a['feature']} {a['kind']}{'~' if a['severity'] == 'warning' else ''}"
        for a in json.loads(out)["anomalies"]
    ]

    assert (code, ", ".join(found)) == (1 if expected else 0, expected)
    assert "\x1b" not in _run("schema", "validate", tmp_path / "s.yaml", odd)[1]


WORDS = ["", "1", "0", "-1", "1.5", "nan", "inf", "x", "true", "NA", "2024-01-01", BIG, "1e400", "<b>"]
CELLS = st.sampled_from(WORDS) | st.text(max_size=6) | st.integers().map(str) | st.floats().map(str)
CSV_ROWS = st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=20)
JSON_CELLS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | CELLS,
    lambda cells: st.lists(cells, max_size=3) | st.dictionaries(st.text(max_size=3), cells, max_size=3),
    max_leaves=4,
)
KEYS = st.sampled_from(["a", "b", "", "features", "label", "prediction", "tags", "timestamp"])
JSON_LINES = st.lists(st.dictionaries(KEYS, JSON_CELLS, max_size=4), min_size=1, max_size=12)


def _survives(name, content, other):
    """Run the commands on two files, whatever their content."""
    with tempfile.TemporaryDirectory() as folder:
        path, second = _write(folder, f"a.{name}", content), _write(folder, f"b.{name}", other)
        schema = Path(folder, "s.yaml")
        inferred, _, _ = _run("schema", "infer", path, "-o", schema)
        if inferred == 0:
            assert _run("schema", "validate", schema, path)[0] == 0
            _run("schema", "validate", schema, second, "--previous", path)
            _run("schema", "show", schema)
        _run("compare", path, second)
        _run("compare", path, second, "--measures", "tfdv")


@ROOM
@given(CSV_ROWS, CSV_ROWS)
def test_no_cells_break_a_command(first, second):
    """Of CSV files, with quotes around everything."""
    tables = [{name: [row[i] for row in rows] for i, name in enumerate("ab")} for rows in (first, second)]
    _survives("csv", *map(csv_of, tables))


@ROOM
@given(JSON_LINES, JSON_LINES)
def test_no_json_breaks_a_command(first, second):
    """Flat rows and full events, of cells of every type."""
    _survives("jsonl", _lines(first), _lines(second))


@ROOM
@given(st.binary(max_size=60), st.binary(max_size=60))
def test_no_bytes_break_a_command(first, second):
    """After a header, and after a row."""
    _survives("csv", b"a,b\n" + first, b"a,b\n1,2\n" + second)
