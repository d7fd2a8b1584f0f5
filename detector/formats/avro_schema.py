"""Avro schemas, made into functions that read what was written with them.

Names are resolved, and types, as the specification has it; a payload can nest as deep as its schema does.
Source: https://avro.apache.org/docs/1.11.1/specification/ ("Schema Declaration", "Logical Types").
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from detector.formats.avro_values import (
    PRIMITIVES,
    Packed,
    Read,
    array_of,
    enum_of,
    fixed_of,
    map_of,
    one_of,
    optional,
    read_double,
    read_float,
    read_null,
    record_of,
    runs_of,
)

MAX_TYPES = 10_000
"""Types in one schema."""

MAX_DEPTH = 64
"""Types within types."""

MAX_READS = 100_000
"""Values in one record, where each list holds one: types that are named twice are read twice."""

MAX_NOTHINGS = 16
"""Values without any bytes in an item of a list or map: bytes could be thousands of values each."""

MAX_FIXED_BYTES = 1 << 30

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - the local time of `local-timestamp`
_EPOCH_UTC = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS = {"millis": 1_000, "micros": 1, "nanos": 0}


class UnusableSchemaError(ValueError):
    """No payload can be read by this schema; the message says why."""


def reader_of(schema: object, others: Sequence[object] = ()) -> Read:
    """Return the function that reads records of a schema, as JSON has it; `others` are types it refers to.

    Raises:
        UnusableSchemaError: it is no schema of a record, or one that no event needs and payloads could abuse:
            a type that holds itself, or a list of items that take no bytes.
    """
    compiler = _Compiler()
    try:
        for other in others:
            compiler.compile(other, "", 0)
        read = compiler.compile(schema, "", 0)
    except UnusableSchemaError:
        raise
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise UnusableSchemaError(f"not an Avro schema ({type(error).__name__}: {error})") from None
    if not isinstance(schema, dict) or schema.get("type") != "record":
        raise UnusableSchemaError("not the schema of a record")
    return read


class _Compiler:
    """Makes readers of types, and keeps those that have names."""

    def __init__(self) -> None:
        self._named: dict[str, Read | None] = {}
        """None: the type is being compiled, and what refers to it is within it."""
        self._n = 0
        self._empty: set[Read] = {read_null}
        """Readers of types that may take no bytes."""
        self._reads: dict[Read, int] = {}
        """How many values a reader reads, where that is more than one."""
        self._nothings: dict[Read, int] = {read_null: 1}
        """How many of these may take no bytes, outside of lists and maps."""
        self._packed: dict[Read, Packed] = {read_double: Packed("d"), read_float: Packed("f")}
        """Readers of types that several of which in a row are read at once."""

    def compile(self, schema: Any, namespace: str, depth: int) -> Read:
        self._n += 1
        if self._n > MAX_TYPES or depth > MAX_DEPTH:
            raise UnusableSchemaError(f"more than {MAX_TYPES} types, or more than {MAX_DEPTH} deep")
        if isinstance(schema, list):
            return self._union([self.compile(member, namespace, depth + 1) for member in schema], schema)
        if isinstance(schema, str):
            return self._by_name(schema, namespace)
        kind = schema["type"]
        if isinstance(kind, dict | list):
            return self.compile(kind, namespace, depth + 1)
        logical = _LOGICAL.get((kind, schema.get("logicalType")))
        if kind in ("record", "error", "enum", "fixed"):
            read = self._compile_named(kind, schema, namespace, depth)
        elif kind == "array":
            item = self.compile(schema["items"], namespace, depth + 1)
            if item in self._empty:
                raise UnusableSchemaError("a list of items that take no bytes")
            read = self._counted(array_of(self._item(item)), [item])
        elif kind == "map":
            value = self.compile(schema["values"], namespace, depth + 1)
            read = self._counted(map_of(self._item(value)), [value])
        else:
            read = self._by_name(kind, namespace)
        if logical is None:
            return read
        converted = logical(read, schema)
        self._empty |= {converted} if read in self._empty else set()
        self._nothings[converted] = self._nothings.get(read, 0)
        return converted

    def _item(self, read: Read) -> Read:
        """Return the reader of items, unless nearly all that they hold is nothing."""
        if self._nothings.get(read, 0) > MAX_NOTHINGS:
            raise UnusableSchemaError(
                f"a list of items with more than {MAX_NOTHINGS} values that take no bytes"
            )
        return read

    def _counted(self, read: Read, parts: Sequence[Read]) -> Read:
        """Note how many values are read: without a limit, two types in each of many cost hours."""
        n = 1 + sum(self._reads.get(part, 1) for part in parts)
        if n > MAX_READS:
            raise UnusableSchemaError(f"more than {MAX_READS} values in one record")
        self._reads[read] = n
        return read

    def _by_name(self, name: str, namespace: str) -> Read:
        if name in PRIMITIVES:
            return PRIMITIVES[name]
        full = _full(name, namespace)
        if full not in self._named:
            full = name
        if full not in self._named:
            raise UnusableSchemaError(f"unknown type {name[:80]!r}")
        read = self._named[full]
        if read is None:
            raise UnusableSchemaError(f"type {name[:80]!r} holds itself")
        return read

    def _compile_named(self, kind: str, schema: Mapping[str, Any], namespace: str, depth: int) -> Read:
        name = _full(schema["name"], schema.get("namespace", namespace))
        self._named[name] = None
        if kind == "enum":
            read = enum_of(list(schema["symbols"]))
        elif kind == "fixed":
            size = schema["size"]
            if type(size) is not int or not 0 <= size <= MAX_FIXED_BYTES:
                raise UnusableSchemaError("a size that is none")
            read = fixed_of(size)
            if size == 0:
                self._empty.add(read)
                self._nothings[read] = 1
        else:
            inner = name.rpartition(".")[0]
            fields = [(str(f["name"]), self.compile(f["type"], inner, depth + 1)) for f in schema["fields"]]
            read = self._counted(record_of(runs_of(fields, self._packed)), [of for _, of in fields])
            self._nothings[read] = sum(self._nothings.get(of, 0) for _, of in fields)
            if all(of in self._empty for _, of in fields):
                self._empty.add(read)
        self._named[name] = read
        return read

    def _union(self, members: Sequence[Read], schemas: Sequence[Any]) -> Read:
        read = self._read_union(members, schemas)
        # Which member it is takes a byte, so a null here is not for nothing.
        self._nothings[read] = max(
            [self._nothings.get(m, 0) for m in members if m is not read_null], default=0
        )
        return read

    def _read_union(self, members: Sequence[Read], schemas: Sequence[Any]) -> Read:
        if len(members) != 2 or "null" not in schemas:
            return self._counted(one_of(members), members)
        null = 2 * schemas.index("null")
        member = members[1 - schemas.index("null")]
        read = self._counted(optional(member, null), [member])
        if member in self._packed:
            self._packed[read] = Packed("B" + self._packed[member].codes, 2 - null)
        return read


def _full(name: str, namespace: str) -> str:
    return name if "." in name or not namespace else f"{namespace}.{name}"


def _converted(read: Read, convert: Callable[[Any], Any]) -> Read:
    def read_converted(data: bytes, at: int) -> tuple[Any, int]:
        value, at = read(data, at)
        return convert(value), at

    return read_converted


def _timestamp(read: Read, schema: Mapping[str, Any]) -> Read:
    """Make times of numbers; one that no calendar has stays a number."""
    logical = schema["logicalType"]
    epoch = _EPOCH if logical.startswith("local-") else _EPOCH_UTC
    unit = _UNITS[logical.rpartition("-")[2]]

    def convert(value: int) -> object:
        try:
            return epoch + timedelta(microseconds=value * unit if unit else value / 1_000)
        except OverflowError:
            return value

    return _converted(read, convert)


def _date(read: Read, _: Mapping[str, Any]) -> Read:
    def convert(days: int) -> object:
        try:
            return (date(1970, 1, 1) + timedelta(days)).isoformat()
        except OverflowError:
            return days

    return _converted(read, convert)


def _decimal(read: Read, schema: Mapping[str, Any]) -> Read:
    scale = schema.get("scale", 0)
    if type(scale) is not int or not 0 <= scale <= 400:
        raise UnusableSchemaError("a decimal number whose scale is none")

    def convert(unscaled: bytes) -> float:
        number = int.from_bytes(unscaled, "big", signed=True)
        try:
            return float(number / 10**scale)
        except OverflowError:
            return float("inf") if number > 0 else float("-inf")

    return _converted(read, convert)


_LOGICAL: Mapping[tuple[Any, Any], Callable[[Read, Mapping[str, Any]], Read]] = {
    ("int", "date"): _date,
    ("bytes", "decimal"): _decimal,
    ("fixed", "decimal"): _decimal,
    **{("long", f"{where}timestamp-{unit}"): _timestamp for where in ("", "local-") for unit in _UNITS},
}
"""Logical types that are something else than their type; the others are read as what they are written as."""
