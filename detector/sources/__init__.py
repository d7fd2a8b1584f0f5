"""Sources of events, one file each."""

import sys

from detector.registry import import_all
from detector.sources.base import Source, SourceKind, sources

import_all(sys.modules[__name__])

__all__ = ["Source", "SourceKind", "sources"]
