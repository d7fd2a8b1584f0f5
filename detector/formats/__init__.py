"""Event formats: bytes to columns, one file each."""

import sys

from detector.formats.base import (
    ANY_VERSION,
    Catalog,
    Decoder,
    EventFields,
    EventOptions,
    EventShape,
    Format,
    decode_all,
    formats,
)
from detector.registry import import_all

import_all(sys.modules[__name__])

__all__ = [
    "ANY_VERSION",
    "Catalog",
    "Decoder",
    "EventFields",
    "EventOptions",
    "EventShape",
    "Format",
    "decode_all",
    "formats",
]
