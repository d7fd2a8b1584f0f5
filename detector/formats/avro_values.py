"""Avro's binary encoding: functions that read values of one type each.

Written here and not taken from a library, because a payload is not trusted: no length or number that it
claims is believed before the bytes are there. And for speed: numbers beside each other are read at once.
Source: https://avro.apache.org/docs/1.11.1/specification/ ("Binary encoding").
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate, groupby
from operator import itemgetter
from struct import Struct
from struct import error as StructError  # noqa: N812
from typing import Any, NamedTuple

Read = Callable[[bytes, int], tuple[Any, int]]
"""Reads a value at a position of a payload; returns it and the position behind it."""

_Run = Callable[[bytes, int, dict[str, Any]], int]
"""Reads fields in a row into a record; returns the position behind them."""

ODD_PAYLOAD = (IndexError, ValueError, StructError)
"""What reading raises where a payload is not as its schema says."""

MOST_AT_ONCE = 8
"""Numbers read at once. One that is missing makes all of these be read one by one."""

_FLOAT, _DOUBLE = Struct("<f"), Struct("<d")


class Packed(NamedTuple):
    """How the `struct` module calls a type, and the byte before it that says that it is there."""

    codes: str
    tag: int | None = None


def read_long(data: bytes, at: int) -> tuple[int, int]:
    """Return the zigzag number at a position."""
    number = data[at]
    if number < 0x80:
        return (number >> 1) ^ -(number & 1), at + 1
    number &= 0x7F
    for shift in range(7, 70, 7):
        at += 1
        byte = data[at]
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return (number >> 1) ^ -(number & 1), at + 1
    raise ValueError("a number of more than ten bytes")


def read_null(_: bytes, at: int) -> tuple[None, int]:
    """Read nothing."""
    return None, at


def _read_boolean(data: bytes, at: int) -> tuple[bool, int]:
    if data[at] > 1:
        raise ValueError("neither false nor true")
    return data[at] == 1, at + 1


def read_double(data: bytes, at: int, unpack: Any = _DOUBLE.unpack_from) -> tuple[float, int]:
    """Read a double."""
    return unpack(data, at)[0], at + 8


def read_float(data: bytes, at: int, unpack: Any = _FLOAT.unpack_from) -> tuple[float, int]:
    """Read a float."""
    return unpack(data, at)[0], at + 4


def _read_bytes(data: bytes, at: int) -> tuple[bytes, int]:
    length, at = read_long(data, at)
    end = at + length
    if not at <= end <= len(data):
        raise ValueError("longer than the payload")
    return data[at:end], end


def _read_string(data: bytes, at: int) -> tuple[str, int]:
    length = data[at]
    # One byte of length, and not negative, is the usual case.
    if length < 0x80 and not length & 1:
        at += 1
        end = at + (length >> 1)
        if end > len(data):
            raise ValueError("longer than the payload")
        return str(data[at:end], "utf-8"), end
    text, at = _read_bytes(data, at)
    return str(text, "utf-8"), at


PRIMITIVES: Mapping[str, Read] = {
    "null": read_null,
    "boolean": _read_boolean,
    "int": read_long,
    "long": read_long,
    "float": read_float,
    "double": read_double,
    "bytes": _read_bytes,
    "string": _read_string,
}


def _block(data: bytes, at: int) -> tuple[int, int]:
    """Return the number of items in a block of a list or map; 0 is the end."""
    n, at = read_long(data, at)
    if n < 0:
        # The size of the block in bytes follows, for those who skip it.
        _, at = read_long(data, at)
    return abs(n), at


def map_of(value: Read) -> Read:
    """Return the reader of a mapping with texts for keys."""

    def read(data: bytes, at: int) -> tuple[dict[str, Any], int]:
        found = {}
        n, at = _block(data, at)
        while n:
            for _ in range(n):
                key, at = _read_string(data, at)
                found[key], at = value(data, at)
            n, at = _block(data, at)
        return found, at

    return read


def record_of(runs: Sequence[_Run]) -> Read:
    """Return the reader of a record."""

    def read(data: bytes, at: int) -> tuple[dict[str, Any], int]:
        found: dict[str, Any] = {}
        for run in runs:
            at = run(data, at, found)
        return found, at

    return read


def runs_of(fields: Sequence[tuple[str, Read]], packed: Mapping[Read, Packed]) -> list[_Run]:
    """Return readers of fields in a row, so that numbers beside each other are read at once."""
    runs: list[_Run] = []
    for is_packed, group in groupby(fields, key=lambda field: field[1] in packed):
        every = list(group)
        for run in [every[i : i + MOST_AT_ONCE] for i in range(0, len(every), MOST_AT_ONCE)]:
            one_by_one = _one_by_one(run)
            runs.append(_at_once(run, packed, one_by_one) if is_packed else one_by_one)
    return runs


def _one_by_one(fields: Sequence[tuple[str, Read]]) -> _Run:
    def run(data: bytes, at: int, found: dict[str, Any]) -> int:
        for name, field in fields:
            found[name], at = field(data, at)
        return at

    return run


def _at_once(fields: Sequence[tuple[str, Read]], packed: Mapping[Read, Packed], otherwise: _Run) -> _Run:
    """Return a reader of numbers in a row that expects every optional one to be there."""
    names = [name for name, _ in fields]
    kinds = [packed[read] for _, read in fields]
    layout = Struct("<" + "".join(kind.codes for kind in kinds))
    unpack, size = layout.unpack_from, layout.size
    tags = tuple(tag for kind in kinds for tag in ([] if kind.tag is None else [kind.tag]))
    # Of what is unpacked, the last of each field is its value, and what comes before it the tag. The zeros
    # make sure that there are several: of one alone, itemgetter makes no tuple.
    ends = list(accumulate(len(kind.codes) for kind in kinds))
    values_of = itemgetter(*[end - 1 for end in ends], 0)
    tags_of = itemgetter(
        *[end - 2 for end, kind in zip(ends, kinds, strict=True) if kind.tag is not None], 0, 0
    )

    def run(data: bytes, at: int, found: dict[str, Any]) -> int:
        if at + size > len(data):
            return otherwise(data, at, found)
        unpacked = unpack(data, at)
        if tags_of(unpacked)[:-2] != tags:
            return otherwise(data, at, found)
        found.update(zip(names, values_of(unpacked), strict=False))
        return at + size

    return run


def one_of(members: Sequence[Read]) -> Read:
    """Return the reader of a union."""

    def read(data: bytes, at: int) -> tuple[Any, int]:
        which, at = read_long(data, at)
        if not 0 <= which < len(members):
            raise ValueError("no such member of the union")
        return members[which](data, at)

    return read


def optional(member: Read, null: int) -> Read:
    """Return the reader of a union with null, whose byte is `null`; the other's is 2 or 0."""
    there = 2 - null
    if member is _read_string:
        return _optional_string(null)

    def read(data: bytes, at: int) -> tuple[Any, int]:
        which = data[at]
        if which == there:
            return member(data, at + 1)
        if which == null:
            return None, at + 1
        raise ValueError("no such member of the union")

    return read


def _optional_string(null: int) -> Read:
    """Return the reader of a text or null: what `optional` gives, with one call less."""
    there = 2 - null

    def read(data: bytes, at: int) -> tuple[Any, int]:
        if data[at] == there and data[at + 1] < 0x80 and not data[at + 1] & 1:
            start = at + 2
            end = start + (data[at + 1] >> 1)
            if end > len(data):
                raise ValueError("longer than the payload")
            return str(data[start:end], "utf-8"), end
        if data[at] == there:
            return _read_string(data, at + 1)
        if data[at] == null:
            return None, at + 1
        raise ValueError("no such member of the union")

    return read


def enum_of(symbols: Sequence[str]) -> Read:
    """Return the reader of an enum."""

    def read(data: bytes, at: int) -> tuple[str, int]:
        which, at = read_long(data, at)
        if not 0 <= which < len(symbols):
            raise ValueError("no such symbol")
        return symbols[which], at

    return read


def fixed_of(size: int) -> Read:
    """Return the reader of so many bytes."""

    def read(data: bytes, at: int) -> tuple[bytes, int]:
        if at + size > len(data):
            raise ValueError("longer than the payload")
        return data[at : at + size], at + size

    return read


def array_of(item: Read) -> Read:
    """Return the reader of a list."""

    def read(data: bytes, at: int) -> tuple[list[Any], int]:
        found = []
        n, at = _block(data, at)
        while n:
            for _ in range(n):
                value, at = item(data, at)
                found.append(value)
            n, at = _block(data, at)
        return found, at

    return read
