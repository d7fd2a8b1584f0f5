"""The fields of a message of protobuf's text format, asked for one by one, with what is expected of each."""

import math
import re
from collections.abc import Container, Iterator
from typing import NoReturn

from detector.errors import InputError
from detector.schema.protobuf_text import Message, Text, Value, Word, quoted


class Fields:
    """The fields of a message by name. What nobody asks for, or cannot be had as asked, is in `rest`."""

    def __init__(self, message: Message, name: str) -> None:
        self._name = name
        self.line = message.line
        self._left: dict[str, list[Value]] = {}
        for field, value in message.fields:
            self._left.setdefault(field, []).append(value)
        self._inside: list[tuple[str, Fields]] = []

    def __contains__(self, field: str) -> bool:
        return field in self._left

    def refuse(self, field: str, message: str) -> NoReturn:
        """Raise InputError about a field that is there."""
        raise InputError(f"{self._name}:{self._left[field][-1].line}: {field}: {message}")

    def rest(self) -> Iterator[tuple[str, int]]:
        """Yield the fields that were not taken, also those further inside, with their lines."""
        for field, values in self._left.items():
            yield field, values[0].line
        for field, inner in self._inside:
            for further, line in inner.rest():
                yield f"{field}.{further}", line

    def only(self, *fields: str) -> str | None:
        """Return which one of fields that exclude each other is there."""
        found = [field for field in self._left if field in fields]
        if len(found) > 1:
            self.refuse(found[1], f"stands beside {found[0]}, and only one of them may; remove one")
        return found[0] if found else None

    def texts(self, field: str) -> tuple[str, ...]:
        """Take a repeated text."""
        values = self._left.get(field, ())
        for value in values:
            if not isinstance(value, Text):
                self.refuse(field, f"expected a text{_found(value)}; put it in quotes")
        self._left.pop(field, None)
        return tuple(value.value for value in values if isinstance(value, Text))

    def text(self, field: str) -> str | None:
        """Take a text; None if it is not there."""
        self._single(field)
        return next(iter(self.texts(field)), None)

    def messages(self, field: str) -> list["Fields"]:
        """Take a repeated message. What is left inside is not in `rest`."""
        values = self._left.get(field, ())
        for value in values:
            if not isinstance(value, Message):
                self.refuse(field, f"expected a message{_found(value)}; write {field} {{ ... }}")
        self._left.pop(field, None)
        return [Fields(value, self._name) for value in values if isinstance(value, Message)]

    def message(self, field: str) -> "Fields":
        """Take a message; an empty one if it is not there."""
        self._single(field)
        inner = next(iter(self.messages(field)), None) or Fields(Message((), self.line), self._name)
        self._inside.append((field, inner))
        return inner

    def look(self, field: str) -> "Fields":
        """Return a message that is there without taking it."""
        value = self._single(field)
        if not isinstance(value, Message):
            self.refuse(field, f"expected a message; write {field} {{ ... }}")
        return Fields(value, self._name)

    def drop(self, field: str) -> None:
        """Take a field, whatever it holds."""
        del self._left[field]

    def word(self, field: str, *, among: Container[str] | None = None) -> str | None:
        """Take a word or number as written; leave it if it is none of those allowed."""
        value = self._single(field)
        if value is None:
            return None
        if not isinstance(value, Word):
            self.refuse(field, f"expected a word or number{_found(value)}; write it without quotes")
        if among is not None and value.value not in among:
            return None
        del self._left[field]
        return value.value

    def number(self, field: str) -> float | None:
        """Take a finite number; leave one that is not."""
        value = self._single(field)
        if value is None:
            return None
        number = _number(value.value) if isinstance(value, Word) else None
        if number is None:
            self.refuse(field, f"expected a number{_found(value)}; write it like 0.1")
        if not math.isfinite(number):
            return None
        del self._left[field]
        return number

    def whole(self, field: str) -> int | None:
        """Take a whole number of 64 bits."""
        value = self._single(field)
        if value is None:
            return None
        number = _whole(value.value) if isinstance(value, Word) else None
        if number is None:
            self.refuse(field, f"expected a whole number of 64 bits{_found(value)}; write it in digits")
        del self._left[field]
        return number

    def flag(self, field: str) -> bool:
        """Take true or false; false if it is not there."""
        word = self.word(field, among=(*TRUE, *FALSE))
        if field in self:
            self.refuse(field, "expected a truth value; write true or false")
        return word in TRUE

    def _single(self, field: str) -> Value | None:
        values = self._left.get(field, ())
        if len(values) > 1:
            self.refuse(field, f"stands twice, first on line {values[0].line}; remove one")
        return values[0] if values else None


TRUE, FALSE = ("true", "True", "t", "1"), ("false", "False", "f", "0")


def _found(value: Value) -> str:
    if isinstance(value, Message):
        return " (found a message)"
    return f" (found {quoted(value.value[:30]) if isinstance(value, Text) else value.value[:30]})"


def _number(word: str) -> float | None:
    """Return a number; None if it is none."""
    if re.fullmatch(r"-?(?:0[xX][0-9a-fA-F]+|0[0-9]+)", word):
        return _whole(word)
    try:
        return float(word.removesuffix("f") if word[-1:] == "f" and word[-3:] != "inf" else word)
    except ValueError:
        return None


def _whole(word: str) -> int | None:
    """Return a whole number of 64 bits, decimal, octal or hexadecimal; None if it is none."""
    match = re.fullmatch(r"(-?)(?:0[xX]0*([0-9a-fA-F]{1,16})|(0[0-7]{0,22})|([1-9][0-9]{0,18}))", word)
    if match is None:
        return None
    sign, hexadecimal, octal, decimal = match.groups()
    n = int(hexadecimal, 16) if hexadecimal else int(octal, 8) if octal else int(decimal)
    n = -n if sign else n
    return n if -(1 << 63) <= n < 1 << 63 else None
