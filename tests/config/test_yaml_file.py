"""The YAML reader: plain data as people mean them, the line of every key, and what is refused."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.config import InvalidConfigError
from detector.config.yaml_file import MAX_BYTES, MAX_DEPTH, MAX_VALUES, parse_yaml, read_yaml


def _parse(text):
    return parse_yaml(text, lambda line: f"F:{line}")


def _refusal(text):
    with pytest.raises(InvalidConfigError) as caught:
        _parse(text)
    (problem,) = caught.value.problems
    return problem


def _refusal_of_file(path):
    with pytest.raises(InvalidConfigError) as caught:
        read_yaml(path)
    (problem,) = caught.value.problems
    return problem


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        pytest.param("no", "no", id="the country Norway"),
        pytest.param("yes", "yes", id="yes"),
        pytest.param("on", "on", id="on"),
        pytest.param("True", "True", id="a boolean of Python"),
        pytest.param("true", True, id="true"),
        pytest.param("false", False, id="false"),
        pytest.param("22:22", "22:22", id="no base-60 number"),
        pytest.param("010", "010", id="no octal number"),
        pytest.param("0x1f", "0x1f", id="no hexadecimal number"),
        pytest.param("1_000", "1_000", id="no underscores in numbers"),
        pytest.param("2026-11-23", "2026-11-23", id="no date"),
        pytest.param("10m", "10m", id="a duration"),
        pytest.param("1e3", 1000.0, id="an exponent without a dot"),
        pytest.param(".5", 0.5, id="no digit before the dot"),
        pytest.param("-7", -7, id="a negative number"),
        pytest.param("0", 0, id="zero"),
        pytest.param("999999999999999999", 10**18 - 1, id="the largest whole number"),
        pytest.param(".inf", ".inf", id="no infinity"),
        pytest.param(".nan", ".nan", id="no not-a-number"),
        pytest.param("null", None, id="null"),
        pytest.param("~", None, id="a tilde"),
        pytest.param("", None, id="nothing"),
        pytest.param("Null", "Null", id="a capital null"),
        pytest.param("'true'", "true", id="quoted"),
        pytest.param("'5'", "5", id="a quoted number"),
        pytest.param("=", "=", id="an equals sign"),
    ],
)
def test_a_scalar_is_what_it_looks_like(written, meant):
    """Numbers as in JSON, true and false, null; everything else is text."""
    found = _parse(f"key: {written}")["key"]

    assert (found, type(found)) == (meant, type(meant))


def test_keys_are_text_whatever_they_look_like():
    """A feature may be called `no`, `1` or `null`."""
    assert _parse("{no: 1, 1: 2, null: 3, true: 4, 1.5: 5}") == {
        "no": 1,
        "1": 2,
        "null": 3,
        "true": 4,
        "1.5": 5,
    }


def test_a_quoted_merge_key_is_a_name_like_any_other():
    """Only the bare `<<` asks for merging."""
    assert _parse('"<<": 1') == {"<<": 1}


def test_every_key_and_item_knows_its_line(tmp_path):
    """Messages can name the line of what they are about."""
    path = tmp_path / "a.yaml"
    path.write_text("# first\na:\n  b: 1\n  c:\n    - x\n\n    - {d: 2,\n       e: 3}\n", encoding="utf-8")

    assert read_yaml(path).lines == {
        (): 2,
        ("a",): 2,
        ("a", "b"): 3,
        ("a", "c"): 4,
        ("a", "c", 0): 5,
        ("a", "c", 1): 7,
        ("a", "c", 1, "d"): 7,
        ("a", "c", 1, "e"): 8,
    }


def test_a_byte_order_mark_and_windows_line_ends_do_not_matter(tmp_path):
    """A file from a Windows editor reads the same, with the same lines."""
    path = tmp_path / "a.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\r\nb: \xc3\xa9\r\n")

    document = read_yaml(path)

    assert document.content == {"a": 1, "b": "é"}
    assert document.lines["b",] == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("a: 1\nb: *x", "F:2: alias *x; write the value out", id="alias"),
        pytest.param(
            "a: 1\nb: &x 1", "F:2: anchor &x; remove it and write repeated values out", id="anchor of a value"
        ),
        pytest.param(
            "b: &x {c: 1}",
            "F:1: anchor &x; remove it and write repeated values out",
            id="anchor of a mapping",
        ),
        pytest.param("a: !!int '1'", "F:1: tag !!int; remove it, values here need none", id="tag"),
        pytest.param(
            "a:\n  !!python/object/apply:os.system [ls]",
            "F:2: tag !!python/object/apply:os.system; remove it, values here need none",
            id="tag that names code",
        ),
        pytest.param("a: 1\n<<: {b: 1}", "F:2: merge key <<; write the settings out", id="merge key"),
        pytest.param(
            "a:\n  b: 1\n  c: 2\n  b: 3",
            "F:4: key 'b' stands twice, first on line 2; remove one",
            id="key twice",
        ),
        pytest.param(
            "{1: a, '1': b}", "F:1: key '1' stands twice, first on line 1; remove one", id="1 and '1'"
        ),
        pytest.param(
            "a: 1\n---\nb: 2", "F:2: a second document begins; keep one document a file", id="documents"
        ),
        pytest.param(
            "? [a, b]\n: 1", "F:1: a key that is a list or a mapping; write keys as text", id="list as key"
        ),
        pytest.param(
            "a:\n\tb: 1", "F:2: not valid YAML: a tab where there may be none; indent with spaces", id="tab"
        ),
        pytest.param(
            "a: 1\nb: [1, 2\nc: 3",
            "F:3: not valid YAML: while parsing a flow sequence, expected ',' or ']', but got ':'; "
            "check indentation, brackets and quotes up to here",
            id="open bracket",
        ),
        pytest.param(
            "a: 1\nb: \x07", "F:2: character #x0007 is not allowed in YAML; remove it", id="control character"
        ),
        pytest.param(
            'a: 1\nb: "\\0"', "F:2: text with a NUL or half a character; remove it", id="escaped NUL"
        ),
        pytest.param(
            'a: "\\ud800"', "F:1: text with a NUL or half a character; remove it", id="half a character"
        ),
        pytest.param(
            'a: "\\U00110000"',
            "F:1: escape of a character that does not exist; remove it",
            id="no character",
        ),
        pytest.param(
            "a: 1e999", "F:1: a number too large to handle; write a smaller one", id="number too large"
        ),
        pytest.param(
            "a: " + "[" * MAX_DEPTH + "]" * MAX_DEPTH,
            f"F:1: nested deeper than {MAX_DEPTH} levels; flatten it",
            id="too deep",
        ),
        pytest.param(
            "a:\n" + "- 1\n" * MAX_VALUES,
            f"F:{MAX_VALUES - 1}: more than {MAX_VALUES} keys and values; shorten the file",
            id="too many values",
        ),
    ],
)
def test_what_plain_data_do_not_need_is_refused(text, message):
    """The message says what stands there, on which line, and what to do instead."""
    assert _refusal(text) == message


def test_a_billion_laughs_are_not_laughed():
    """Aliases that multiply are refused at the first anchor, before anything is built."""
    text = 'a: &a ["lol"]\n' + "".join(
        f"{b}: &{b} [*{a},*{a},*{a}]\n" for a, b in zip("abcd", "bcde", strict=True)
    )

    assert _refusal(text).startswith("F:1: anchor &a;")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"", ":1: empty; give at least `source` and `models`", id="empty"),
        pytest.param(b"# nothing\n\n", ":1: empty; give at least `source` and `models`", id="only a remark"),
        pytest.param(b"---\n", ":2: empty; give at least `source` and `models`", id="an empty document"),
        pytest.param(
            b"# models\n- a\n- b\n", ":2: a list instead of a mapping; write `key: value` lines", id="a list"
        ),
        pytest.param(
            b"\nhello\n", ":2: a single value instead of a mapping; write `key: value` lines", id="a text"
        ),
        pytest.param(
            b"a: 1\nb: caf\xe9\n", ":2: byte 0xe9 is not UTF-8; save the file as UTF-8", id="Latin-1"
        ),
        pytest.param(
            "a: 1".encode("utf-16"), ":1: byte 0xff is not UTF-8; save the file as UTF-8", id="UTF-16"
        ),
        pytest.param(
            b"a: 1\nb: x\x00y\n", ":2: character #x0000 is not allowed in YAML; remove it", id="a NUL byte"
        ),
        pytest.param(
            b"#" * (MAX_BYTES + 1),
            f": {MAX_BYTES + 1} bytes, more than {MAX_BYTES}; name a configuration file",
            id="a huge file",
        ),
    ],
)
def test_a_file_that_holds_no_mapping_is_refused(tmp_path, content, message):
    """File, line and remedy are named, whatever the bytes are."""
    path = tmp_path / "a.yaml"
    path.write_bytes(content)

    assert _refusal_of_file(path) == f"{path}{message}"


def test_a_file_that_is_not_there_is_named(tmp_path):
    """The message also says what a configuration file may look like."""
    path = tmp_path / "none.yaml"

    assert (
        _refusal_of_file(path)
        == f"{path}: no such file; name a configuration file, such as config/sidecar.yaml"
    )


def test_a_directory_is_no_file(tmp_path):
    """A mount that became a directory is named as one."""
    assert _refusal_of_file(tmp_path) == f"{tmp_path}: a directory; name a YAML file"


def test_a_pipe_is_refused_instead_of_waited_for(tmp_path):
    """Reading from a pipe without a writer would hang for ever."""
    path = tmp_path / "pipe"
    os.mkfifo(path)

    assert _refusal_of_file(path) == f"{path}: not a regular file; name a YAML file"


def test_a_name_that_no_file_can_have_is_refused():
    """Neither a NUL in the name nor a file used as a directory is a crash."""
    assert "cannot be read" in _refusal_of_file("a\0b.yaml")
    assert "cannot be read (Not a directory)" in _refusal_of_file(Path(__file__) / "a.yaml")


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**17), 10**17)
    | st.floats(allow_nan=False, allow_infinity=False)
    # What YAML takes for a line break, and what it does not allow, JSON has to escape.
    | st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cn", "Cs", "Zl", "Zp"]))
)
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text("abc<=~", min_size=1), inner, max_size=4)
    ),
    max_leaves=10,
)


@settings(deadline=None)
@given(JSON)
def test_json_reads_as_itself(value):
    """JSON is YAML: what a program writes as JSON means the same here."""
    assert _parse(json.dumps({"key": value}, ensure_ascii=False)) == {"key": value}


@settings(deadline=None)
@given(st.text(max_size=40) | st.text("a:-[]{}&*!<>|'\"%@`#,? \n\t", max_size=20))
def test_no_text_breaks_the_reader(text):
    """Whatever a file holds, it is read or refused, with a message of one printable line."""
    problems: tuple[str, ...] = ()
    try:
        _parse(text)
    except InvalidConfigError as error:
        problems = error.problems

    assert all(problem.isprintable() for problem in problems)
