"""Data files as chunks of columns: CSV, JSON Lines and Parquet, one file each."""

import sys

from detector.registry import import_all
from detector.tables.base import (
    DataFile,
    TableReader,
    digest_files,
    find_files,
    read_chunks,
    readers,
    reading,
)

import_all(sys.modules[__name__])

__all__ = ["DataFile", "TableReader", "digest_files", "find_files", "read_chunks", "readers", "reading"]
