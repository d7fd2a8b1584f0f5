"""Avro events in Confluent's wire format: a zero byte, the schema's number in four bytes, the record.

    0 | schema id (big endian) | Avro binary encoding

Each record is read by the schema it was written with, so schemas may change as they like: a new field is
a new column, and a field that is gone is missing. Logical types: timestamps are times, dates texts,
decimals numbers. Enums are texts. `bytes` and `fixed` are no values: nobody knows what is in them.
Source: https://docs.confluent.io/platform/current/schema-registry/fundamentals/serdes-develop/ (wire format).
"""

from collections.abc import Callable
from typing import Any

import msgspec

from detector.formats.avro_values import ODD_PAYLOAD, Read
from detector.formats.base import Catalog, EventOptions, formats
from detector.formats.event_plan import Rejected, Unfit
from detector.formats.objects import ObjectEvents

MAGIC = 0
HEADER_BYTES = 5

SchemaById = Callable[[int], Read | None]
"""Looks up the reader of a schema's records; None: there is no such schema, or none that can be used.

It only looks up: whoever reads events has fetched the schemas of a poll before it is decoded.
"""


def schema_id(value: bytes | None) -> int | None:
    """Return the number of the schema that a payload was written with, None where it names none."""
    if value is None or len(value) < HEADER_BYTES or value[0] != MAGIC:
        return None
    return int.from_bytes(value[1:HEADER_BYTES], "big")


class Avro:
    """Confluent's wire format, read with the schemas that `schemas` knows."""

    finite = False
    null = b""

    def __init__(self, schemas: SchemaById) -> None:
        self._schemas = schemas

    def typed(self, type_: type[msgspec.Struct]) -> Callable[[bytes], Any]:
        """Return a function that reads a payload as a struct."""
        convert, document = msgspec.convert, self.document

        def read(value: bytes) -> Any:
            try:
                return convert(document(value), type_)
            except Rejected:
                raise Unfit from None

        return read

    def document(self, value: bytes) -> object:
        """Return the record in a payload.

        Raises:
            Rejected: it is not written so, by no known schema, or not as its schema says.
        """
        number = schema_id(value)
        read = None if number is None else self._schemas(number)
        if read is None:
            raise Rejected("undecodable")
        try:
            found, end = read(value, HEADER_BYTES)
        except ODD_PAYLOAD:
            raise Rejected("undecodable") from None
        if end != len(value):
            raise Rejected("undecodable")
        return found


@formats.register("avro", with_schemas=True)
def avro_events(options: EventOptions, catalog: Catalog) -> ObjectEvents:
    """Make a decoder of Avro events; without schemas to look up, none can be read."""
    return ObjectEvents(options, catalog, Avro(options.schemas or (lambda _: None)))
