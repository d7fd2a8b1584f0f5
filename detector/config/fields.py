"""The types of single settings: text, durations, sizes, JSON pointers, thresholds.

A setting keeps what the user wrote (`10m`, `1MiB`), so that it is shown as written; the pure settings
made of it hold seconds and bytes. A check raises ValueError with what was expected and, after `; `,
the remedy; what was found is put between the two where the message is made.
"""

import math
import re
from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator

from detector.config.problems import KeyPath
from detector.times import parse_duration

MAX_DURATION_S = 3660 * 86400.0
"""Ten years: beyond that it is a mistake of unit."""
MAX_SIZE_BYTES = 1 << 30
LEAST_MEMORY_BYTES = 64 << 20
MAX_NAME_LENGTH = 128

_SIZE = re.compile(r"(\d{1,12}) ?(B|kB|KB|MB|GB|KiB|MiB|GiB)?")
_SIZE_UNITS = {
    "B": 1,
    "kB": 10**3,
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "KiB": 1 << 10,
    "MiB": 1 << 20,
    "GiB": 1 << 30,
}


class PlacedError(ValueError):
    """A problem of a value further inside than where it was noticed."""

    def __init__(self, path: KeyPath, message: str) -> None:
        super().__init__(message)
        self.path = path


class Section(BaseModel):
    """A section of the configuration: unknown keys, and values of another type, are errors."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, hide_input_in_errors=True
    )


def refuse_repeats(names: Iterable[str], inside: KeyPath) -> None:
    """Raise if a name stands twice; `inside` is the path from a list item to its name."""
    seen: set[str] = set()
    for i, name in enumerate(names):
        if name in seen:
            raise PlacedError((i, *inside), f"{name!r} stands twice; remove one")
        seen.add(name)


def _name(text: str) -> str:
    if not text:
        raise ValueError("must not be empty; write a name")
    if len(text) > MAX_NAME_LENGTH:
        raise ValueError(f"longer than {MAX_NAME_LENGTH} characters; shorten it")
    if not text.isprintable():
        raise ValueError("holds characters that do not print; remove them")
    return text


def _path(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be empty; name a file or directory")
    if "://" in text:
        raise ValueError("an address instead of a file; only local files are read")
    if not text.isprintable():
        raise ValueError("holds characters that do not print; remove them")
    return text


def _pattern(text: str) -> str:
    rest = _path(text).replace("{version}", "", 1)
    if "{" in rest or "}" in rest:
        raise ValueError(
            "the only placeholder is {version}, once; write it like baselines/credit-{version}.json"
        )
    return text


def _pointer(text: str) -> str:
    if text and not text.startswith("/"):
        raise ValueError("not a JSON pointer; write it like /features/age")
    return text


def _part_pointer(text: str) -> str:
    if not text:
        raise ValueError("points at the whole event; write it like /model, or null where there is none")
    return _pointer(text)


def _duration(value: object) -> object:
    match value:
        case str() if parse_duration(value) > MAX_DURATION_S:
            raise ValueError("longer than ten years; check the unit")
        case str() | bool():
            return value
        case int() | float():
            raise ValueError(f"expected a duration; write it with its unit, like {value:g}s or 10m")
        case _:
            return value


def _period(value: object) -> object:
    if isinstance(_duration(value), str) and parse_duration(str(value)) < 1.0:
        raise ValueError("must be at least 1s; write it like 30s, 10m or 1h30m")
    return value


def memory_bytes(size: int | str) -> int:
    """Return the bytes of an amount of memory such as `512MiB`.

    Raises:
        ValueError: it is no size, or less than any process takes.
    """
    n_bytes = _n_bytes(size)
    if n_bytes < LEAST_MEMORY_BYTES:
        raise ValueError("must be at least 64MiB; write it like 512MiB or 2GiB")
    return n_bytes


def size_bytes(size: int | str) -> int:
    """Return the bytes of a size such as 1048576 or `1MiB`.

    Raises:
        ValueError: it is no size, or none between one byte and one GiB.
    """
    n_bytes = _n_bytes(size)
    if not 1 <= n_bytes <= MAX_SIZE_BYTES:
        raise ValueError("must lie between 1 byte and 1GiB; write it like 64KiB or 1MiB")
    return n_bytes


def _n_bytes(size: int | str) -> int:
    match = _SIZE.fullmatch(str(size)) if not isinstance(size, bool) else None
    if match is None:
        raise ValueError("expected a size in bytes; write it like 65536, 64KiB or 1MiB")
    return int(match[1]) * _SIZE_UNITS[match[2] or "B"]


def _interval(value: object) -> object:
    if value == "off" or isinstance(_period(value), str):
        return value
    raise ValueError("expected a duration or off; write it like 5s, or off")


def _size_or_text(value: object) -> int | str:
    if isinstance(value, int | str):
        return value
    raise ValueError("expected a size in bytes; write it like 65536, 64KiB or 1MiB")


def _size(value: object) -> int | str:
    size = _size_or_text(value)
    size_bytes(size)
    return size


def _memory(value: object) -> int | str:
    size = _size_or_text(value)
    memory_bytes(size)
    return size


def _threshold(value: object) -> float | Literal["auto", "off"]:
    match value:
        case "auto" | "off":
            return value
        case int() | float() if not isinstance(value, bool):
            if not 0 <= value < math.inf:
                raise ValueError("must be at least 0; write a number, auto or off")
            return float(value)
        case _:
            raise ValueError("expected a number, auto or off; write one of them")


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


Name = Annotated[str, AfterValidator(_name)]
"""A name that becomes a label: printable, of at most 128 characters."""
LocalPath = Annotated[str, AfterValidator(_path)]
"""A file or directory; relative ones lie beside the configuration file."""
BaselinePattern = Annotated[str, AfterValidator(_pattern)]
"""A file, or files with `{version}` in place of the version."""
Pointer = Annotated[str, AfterValidator(_pointer)]
"""A JSON pointer (RFC 6901); the empty one means the whole event."""
PartPointer = Annotated[str, AfterValidator(_part_pointer)]
"""A JSON pointer to a part of the event."""
Duration = Annotated[str, BeforeValidator(_duration)]
"""A duration such as `90s`; may be 0s."""
Period = Annotated[str, BeforeValidator(_period)]
"""A duration of at least a second."""
Interval = Annotated[str, BeforeValidator(_interval)]
"""A duration of at least a second, or `off`."""
Size = Annotated[int | str, PlainValidator(_size)]
"""Bytes, or text with a unit such as `1MiB`."""
Memory = Annotated[int | str, PlainValidator(_memory)]
"""Bytes of memory, or text with a unit such as `512MiB`."""
Threshold = Annotated[float | Literal["auto", "off"], PlainValidator(_threshold)]
"""A fixed threshold; `auto`: the detector finds one; `off`: this statistic decides nothing."""
LogLevel = Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_lower)]

# Lists are read into tuples, which strict models would not do.
Listed: Any = Field(strict=False)
