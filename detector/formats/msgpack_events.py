"""MessagePack events: the same object as in JSON, in binary.

The timestamp extension type is a time; binary values and other extensions are values of another type.
Source: https://github.com/msgpack/msgpack/blob/master/spec.md
"""

from collections.abc import Callable
from typing import Any

import msgspec

from detector.formats.base import Catalog, EventOptions, formats
from detector.formats.event_plan import Rejected
from detector.formats.objects import DECODE_ERRORS, ObjectEvents


class MessagePack:
    """MessagePack as msgspec reads it."""

    finite = False
    null = b"\xc0"

    def typed(self, type_: type[msgspec.Struct]) -> Callable[[bytes], Any]:
        """Return a function that reads a payload as a struct."""
        return msgspec.msgpack.Decoder(type_).decode

    def document(self, value: bytes) -> object:
        """Return the document in a payload.

        Raises:
            Rejected: it holds none.
        """
        try:
            return msgspec.msgpack.decode(value)
        except (*DECODE_ERRORS, TypeError):
            # A TypeError: a map whose key is a map or a list, which no object has.
            raise Rejected("undecodable") from None


@formats.register("msgpack")
def msgpack_events(options: EventOptions, catalog: Catalog) -> ObjectEvents:
    """Make a decoder of MessagePack events."""
    return ObjectEvents(options, catalog, MessagePack())
