"""Writing results: to standard output, or whole to a file."""

import sys
from pathlib import Path
from typing import Any

import msgspec

from detector.store import write_whole


def emit(text: str, path: str | None = None) -> None:
    """Print `text`, or write it to `path`."""
    if path is None or path == "-":
        sys.stdout.write(text + "\n")
    else:
        write_whole(Path(path), (text + "\n").encode())


def to_json(record: Any, *, indent: int = 2) -> str:
    """Return a record as JSON text."""
    return msgspec.json.format(msgspec.json.encode(record), indent=indent).decode()
