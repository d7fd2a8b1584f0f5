"""Sources of events, one file each."""

import sys

from detector.registry import import_all
from detector.sources.base import Mark, Source, SourceKind, sources
from detector.sources.duty import AlwaysOnDuty, Duty, Term
from detector.sources.schema_registry import SchemaRegistry, schema_registries
from detector.sources.schema_source import SchemaSource

import_all(sys.modules[__name__])

__all__ = [
    "AlwaysOnDuty",
    "Duty",
    "Mark",
    "SchemaRegistry",
    "SchemaSource",
    "Source",
    "SourceKind",
    "Term",
    "schema_registries",
    "sources",
]
