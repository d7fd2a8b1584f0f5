"""Protobuf's text format, as far as a message can be read without its definition.

What it looks like: `name: "age"  presence { min_fraction: 1.0 }  tags: [A, B]  # a comment`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

from detector.errors import InputError

MAX_DEPTH = 32
MAX_NUMBER_LENGTH = 400
"""The longest number that is not written to stall a reader: all the digits of the largest one."""

_SPACE = re.compile(r"(?:[ \t\r\n\f\v]++|#[^\n]*+)*+")
_TOKEN = re.compile(
    r"""(?P<text>"(?:[^"\\\n]++|\\.)*+"|'(?:[^'\\\n]++|\\.)*+')"""
    r"|(?P<number>(?:0[xX][0-9a-fA-F]++|(?:[0-9]++\.?[0-9]*+|\.[0-9]++)(?:[eE][-+]?[0-9]++)?[fF]?)(?![\w.]))"
    r"|(?P<word>[A-Za-z_][A-Za-z0-9_]*+)"
    r"|(?P<sign>[][{}<>:,;/.-])"
)
_ESCAPE = re.compile(
    rb"\\(?:([0-7]{1,3})|[xX]([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL
)
_SINGLE = dict(zip(b"abfnrtv\\'\"?", (bytes([c]) for c in b"\a\b\f\n\r\t\v\\'\"?"), strict=True))
_CLOSING = {"{": "}", "<": ">"}


@dataclass(frozen=True, slots=True)
class Text:
    """A string, unescaped."""

    value: str
    line: int


@dataclass(frozen=True, slots=True)
class Word:
    """A number or an enum's name, as written, with its sign."""

    value: str
    line: int


@dataclass(frozen=True, slots=True)
class Message:
    """The fields of a message in their order, repeated ones several times."""

    fields: tuple[tuple[str, "Value"], ...]
    line: int


Value = Text | Word | Message


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    """text, number, word, sign, end."""
    text: str
    line: int


def parse(text: str, name: str) -> Message:
    """Return the message that a text holds; `name` is the file's in messages.

    Raises:
        InputError: it is not the text format.
    """
    return _Parser(text, name).message(None, 0)


def quoted(text: str) -> str:
    r"""Return a text as it stands in the text format: what does not print becomes `\012`."""
    return f'"{"".join(map(_escaped, text))}"'


def _escaped(c: str) -> str:
    if c in '"\\':
        return f"\\{c}"
    return c if c.isprintable() else "".join(f"\\{byte:03o}" for byte in c.encode("utf-8", "replace"))


class _Parser:
    """Reads tokens one ahead."""

    def __init__(self, text: str, name: str) -> None:
        self._name = name
        self._tokens = self._scan(text)
        self._next = next(self._tokens)

    def _scan(self, text: str) -> Iterator[_Token]:
        at, line = 0, 1
        while True:
            space = _SPACE.match(text, at)
            assert space is not None
            line += text.count("\n", at, space.end())
            at = space.end()
            if at == len(text):
                yield _Token("end", "", line)
                return
            match = _TOKEN.match(text, at)
            if match is None or match.lastgroup is None:
                self._refuse(line, _what_is_odd(text[at : at + 30]))
            if match.lastgroup == "number" and len(match[0]) > MAX_NUMBER_LENGTH:
                self._refuse(line, f"a number of {len(match[0])} characters; write a shorter one")
            yield _Token(match.lastgroup, match[0], line)
            at = match.end()

    def _refuse(self, line: int, message: str) -> NoReturn:
        raise InputError(f"{self._name}:{line}: {message}")

    def _take(self) -> _Token:
        token = self._next
        if token.kind != "end":
            self._next = next(self._tokens)
        return token

    def _is(self, *signs: str) -> bool:
        return self._next.kind == "sign" and self._next.text in signs

    def message(self, opening: _Token | None, depth: int) -> Message:
        """Read fields up to the sign that closes the message, or to the end of the text."""
        fields: list[tuple[str, Value]] = []
        begin = self._next.line if opening is None else opening.line
        closing = None if opening is None else _CLOSING[opening.text]
        if depth > MAX_DEPTH:
            self._refuse(begin, f"nested deeper than {MAX_DEPTH} levels; flatten it")
        while True:
            token = self._next
            if token.kind == "end" and opening is None:
                return Message(tuple(fields), begin)
            if token.kind == "end":
                self._refuse(token.line, f"the file ends inside a message; close it with {closing}")
            if closing is not None and self._is(closing):
                self._take()
                return Message(tuple(fields), begin)
            name = self._field_name()
            fields += ((name, value) for value in self._values(name, depth))
            if self._is(",", ";"):
                self._take()

    def _field_name(self) -> str:
        token = self._take()
        if token.kind == "word":
            return token.text
        if token.text != "[":
            self._refuse(token.line, f"expected the name of a field, found {_shown(token)}; {_BALANCE}")
        parts = ["["]
        while not self._is("]") and (self._next.kind == "word" or self._is(".", "/", "-")):
            parts.append(self._take().text)
        self._expect("]")
        return "".join([*parts, "]"])

    def _expect(self, sign: str) -> None:
        token = self._take()
        if token.kind != "sign" or token.text != sign:
            self._refuse(token.line, f"expected {sign}, found {_shown(token)}; {_BALANCE}")

    def _values(self, name: str, depth: int) -> Iterator[Value]:
        """Read what follows a field's name: one value, or a list of them."""
        if self._is(":"):
            self._take()
        elif not self._is("{", "<", "["):
            self._refuse(
                self._next.line,
                f"expected : or {{ after {name}, found {_shown(self._next)}; write {name}: VALUE",
            )
        if not self._is("["):
            yield self._value(depth)
            return
        self._take()
        while not self._is("]"):
            yield self._value(depth)
            if not self._is("]"):
                self._expect(",")
        self._take()

    def _value(self, depth: int) -> Value:
        token = self._take()
        if token.kind == "text":
            return self._text(token)
        if token.kind == "sign" and token.text in _CLOSING:
            return self.message(token, depth + 1)
        sign = ""
        if token.kind == "sign" and token.text == "-":
            sign, token = "-", self._take()
        if token.kind not in ("number", "word"):
            self._refuse(token.line, f"expected a value, found {_shown(token)}; write a text, number or word")
        return Word(sign + token.text, token.line)

    def _text(self, first: _Token) -> Text:
        """Read a text, which goes on as long as strings follow."""
        parts = [self._unescaped(first)]
        while self._next.kind == "text":
            parts.append(self._unescaped(self._take()))
        try:
            return Text(b"".join(parts).decode(), first.line)
        except UnicodeDecodeError:
            self._refuse(first.line, "a text that is not UTF-8; correct its escapes")

    def _unescaped(self, token: _Token) -> bytes:
        raw = token.text[1:-1].encode("utf-8", "surrogatepass")
        if b"\\" not in raw:
            return raw
        try:
            return _ESCAPE.sub(_unescape, raw)
        except ValueError:
            self._refuse(token.line, f"an escape that does not exist in {_shown(token)}; correct it")


def _unescape(match: re.Match[bytes]) -> bytes:
    octal, byte, short, long, single = match.groups()
    if octal is not None or byte is not None:
        return bytes([int(octal, 8) if octal is not None else int(byte, 16)])
    if single is not None:
        if single[0] not in _SINGLE:
            raise ValueError(single)
        return _SINGLE[single[0]]
    # No character, or half of one: both are errors of value.
    return chr(int(short or long, 16)).encode()


_BALANCE = "check quotes and brackets up to here"


def _shown(token: _Token) -> str:
    if token.kind == "end":
        return "the end of the file"
    return token.text[:30] if token.text[:30].isprintable() else repr(token.text[:30])


def _what_is_odd(rest: str) -> str:
    if rest[0] in "\"'":
        return "a text that does not end on its line; close its quotes"
    word = re.match(r"[\w.]+|.", rest, re.DOTALL)
    assert word is not None
    shown = word[0] if word[0].isprintable() else repr(word[0])
    return f"{shown} is nothing the text format has; remove it"
