"""Protobuf's text format: texts come back, what is wrong has its line, and no text takes long."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.errors import InputError
from detector.schema.pbtxt import read_pbtxt
from detector.schema.protobuf_text import MAX_DEPTH, parse, quoted
from tests.schema.strategies import TEXTS

LAW = settings(max_examples=200, deadline=None, derandomize=True, database=None)


def _refusal(text):
    with pytest.raises(InputError) as caught:
        read_pbtxt(text, "s.pbtxt")
    message = str(caught.value)
    assert message.isprintable()
    return message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("feature {\n", "2: the file ends inside a message; close it with }", id="not closed"),
        pytest.param(
            "feature {\n>",
            "2: expected the name of a field, found >; check quotes and brackets up to here",
            id=">",
        ),
        pytest.param("feature {}\n}", "2: expected the name of a field, found }; ", id="closed twice"),
        pytest.param("feature {}", '1: feature: has no name; write name: "NAME"', id="no name"),
        pytest.param(
            'feature { name: "a" }\nfeature { name: "a" }',
            '2: feature "a" stands twice; remove one',
            id="twice",
        ),
        pytest.param(
            "feature 1", "1: expected : or { after feature, found 1; write feature: VALUE", id="no colon"
        ),
        pytest.param(
            "feature: 1", "1: feature: expected a message (found 1); write feature { ... }", id="number"
        ),
        pytest.param(
            "feature { name: x }", "1: name: expected a text (found x); put it in quotes", id="no quotes"
        ),
        pytest.param(
            "feature { name: 'a\n' }",
            "1: a text that does not end on its line; close its quotes",
            id="quotes",
        ),
        pytest.param(
            r"feature { name: '\q' }", r"1: an escape that does not exist in '\q'; correct it", id="\\q"
        ),
        pytest.param(
            r"feature { name: '\777' }", r"1: an escape that does not exist in '\777'; ", id="octal"
        ),
        pytest.param(
            r"feature { name: '\ud800' }", r"1: an escape that does not exist in", id="half a character"
        ),
        pytest.param(
            r"feature { name: '\xff' }", "1: a text that is not UTF-8; correct its escapes", id="bytes"
        ),
        pytest.param(
            'feature { name: "a" name: "b" }',
            "1: name: stands twice, first on line 1; remove one",
            id="two names",
        ),
        pytest.param(
            'feature { name: "a" int_domain {}\n bool_domain {} }',
            "2: bool_domain: stands beside int_domain, and only one of them may; remove one",
            id="two domains",
        ),
        pytest.param(
            'feature { name: "a" presence { min_fraction: "1" } }',
            '1: min_fraction: expected a number (found "1"); write it like 0.1',
            id="a text for a number",
        ),
        pytest.param(
            'feature { name: "a" presence { min_count: 1.0 } }',
            "1: min_count: expected a whole number of 64 bits (found 1.0); write it in digits",
            id="a fraction",
        ),
        pytest.param(
            'feature { name: "a" presence { min_count: 9223372036854775808 } }',
            "1: min_count: expected a whole number of 64 bits (found 9223372036854775808); ",
            id="65 bits",
        ),
        pytest.param(
            'feature { name: "a" deprecated: 5 }',
            "1: deprecated: expected a truth value; write true or false",
            id="no truth value",
        ),
        pytest.param("feature @", "1: @ is nothing the text format has; remove it", id="odd sign"),
        pytest.param("a: 12abc", "1: 12abc is nothing the text format has; remove it", id="odd number"),
        pytest.param("a: [1 2]", "1: expected ,, found 2; ", id="list without commas"),
        pytest.param("a: -", "1: expected a value, found the end of the file; ", id="only a sign"),
        pytest.param(
            "a: 1" + "0" * 500, "1: a number of 501 characters; write a shorter one", id="long number"
        ),
        pytest.param("\ufeff\0", "1: '\\ufeff' is nothing the text format has; remove it", id="binary"),
        pytest.param(
            "\na {" * (MAX_DEPTH + 1),
            f"{MAX_DEPTH + 2}: nested deeper than {MAX_DEPTH} levels; flatten it",
            id="deep",
        ),
    ],
)
def test_what_cannot_be_meant_is_one_line_with_its_place(text, message):
    """File, line, what is wrong, and the remedy."""
    assert _refusal(text).startswith(f"s.pbtxt:{message}")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("a {" * 300_000, id="messages"),
        pytest.param("a: [" * 300_000, id="lists"),
        pytest.param('a: "' + "\\" * 1_000_001, id="backslashes"),
        pytest.param('a: "' + "x" * 1_000_000, id="an endless text"),
        pytest.param("a: " + "1" * 1_000_000, id="an endless number"),
        pytest.param("#\n" * 500_000 + "@", id="comments"),
        pytest.param('a: "x" ' + '"y" ' * 300_000 + "@", id="many strings"),
        pytest.param("a: 1\n" * 200_000 + "}", id="many fields"),
        pytest.param("[" + "a." * 300_000, id="a long extension"),
    ],
)
def test_a_hostile_text_is_refused_in_no_time(text):
    """Reading takes time in proportion to the text: squared, these would take hours."""
    assert _refusal(text)


@LAW
@given(st.lists(TEXTS, min_size=1, max_size=3), st.sampled_from(["", " ", '\n# it\'s a "comment"\n']))
def test_every_text_comes_back(texts, between):
    """Strings that follow each other are one; escapes are those of C, octal for what does not print."""
    (field,) = parse(f"a: {between.join(quoted(text) for text in texts)}", "s").fields

    assert field[1].value == "".join(texts)


def test_escapes_are_those_of_c():
    """Bytes of UTF-8 in octal or hexadecimal, also split between strings."""
    (field,) = parse(r"""a: "\303" '\xa9\n\t\"\'\?\\\u00e9\U0001F600' """, "s").fields

    assert field[1].value == "é\n\t\"'?\\é😀"


@LAW
@given(st.text(max_size=40) | st.text("a1:{}[]<>\"'\\-#,;./ \n", max_size=30))
def test_no_text_breaks_the_reader(text):
    """Whatever a file holds, it is read or refused, with a message of one printable line."""
    message = ""
    try:
        read_pbtxt(text, "s")
    except InputError as error:
        message = str(error)

    assert message.isprintable()
