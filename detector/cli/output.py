"""Writing results: to standard output, or whole to a file."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from detector.errors import InputError
from detector.printable import escaped, printable
from detector.store import write_whole


def refuse_inputs(output: str | None, inputs: Iterable[str]) -> None:
    """See that a file to write is none of those to read.

    Raises:
        InputError: it is one of them, and would be destroyed.
    """
    if output is None or output == "-" or not Path(output).exists():
        return
    for name in inputs:
        if Path(name).exists() and Path(output).samefile(name):
            raise InputError(f"{output}: is one of the inputs and would be overwritten; name another output")


def emit(text: str, path: str | None = None) -> None:
    """Print `text`, or write it to `path`."""
    if path is None or path == "-":
        # Reports cut and replace by themselves what does not print; JSON does not, and a terminal would obey.
        shown = "\n".join(map(printable, text.split("\n"))) if sys.stdout.isatty() else text
        sys.stdout.write(shown + "\n")
    else:
        write_whole(Path(path), (text + "\n").encode())


def warn(text: str) -> None:
    """Say something on standard error, beside the output."""
    sys.stderr.write(f"drift-detector: {escaped(text)}\n")


def to_json(record: Any, *, indent: int = 2) -> str:
    """Return a record as JSON text."""
    return msgspec.json.format(msgspec.json.encode(record), indent=indent).decode()
