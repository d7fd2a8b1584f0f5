"""JSON events: one object a record."""

import json
from collections.abc import Callable
from typing import Any

import msgspec

from detector.formats.base import Catalog, EventOptions, formats
from detector.formats.event_plan import Rejected
from detector.formats.objects import DECODE_ERRORS, ObjectEvents


class Json:
    """RFC 8259; and NaN and infinities, which Python's json.dumps writes."""

    finite = True
    null = b"null"

    def typed(self, type_: type[msgspec.Struct]) -> Callable[[bytes], Any]:
        """Return a function that reads a payload as a struct."""
        return msgspec.json.Decoder(type_).decode

    def document(self, value: bytes) -> object:
        """Return the document in a payload.

        Raises:
            Rejected: it holds none.
        """
        try:
            return msgspec.json.decode(value)
        except DECODE_ERRORS:
            return _parse_loosely(value)


MOST_DIGITS = 400
"""A whole number of more is no double; making one of n digits takes n squared steps."""


def _parse_loosely(value: bytes) -> object:
    """Read NaN and infinities, and numbers beyond a double."""
    try:
        document = json.loads(value.decode("utf-8"), parse_int=_whole)
        # The standard library lets lone surrogates through; encoding them here fails.
        json.dumps(document, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        raise Rejected("undecodable") from None
    return document


def _whole(digits: str) -> int | float:
    return int(digits) if len(digits) <= MOST_DIGITS else float(digits)


@formats.register("json")
def json_events(options: EventOptions, catalog: Catalog) -> ObjectEvents:
    """Make a decoder of JSON events."""
    return ObjectEvents(options, catalog, Json())
