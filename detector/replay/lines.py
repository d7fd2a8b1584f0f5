"""Lines of a file in bounded memory, whatever they are: a megabyte of gzip can hold a line of gigabytes."""

from collections.abc import Iterator
from itertools import islice
from typing import IO

AT_ONCE = 2000
BYTES_AT_ONCE = 8 << 20
"""A block of lines ends with the one that is beyond, so that it is read as a poll of live events would be."""

_SKIPPED_AT_ONCE = 1 << 20


def bounded_lines(file: IO[bytes], most: int) -> Iterator[bytes]:
    """Yield the lines with their ends; of one longer than `most` bytes the beginning, `most` + 1 bytes."""
    while line := file.readline(most + 1):
        if len(line) > most and not line.endswith(b"\n"):
            _skip_line(file)
        yield line


def _skip_line(file: IO[bytes]) -> None:
    while (rest := file.readline(_SKIPPED_AT_ONCE)) and not rest.endswith(b"\n"):
        pass


def line_blocks(lines: Iterator[bytes]) -> Iterator[list[bytes]]:
    """Yield the lines in blocks."""
    while True:
        block, size = [], 0
        for line in islice(lines, AT_ONCE):
            block.append(line)
            size += len(line)
            if size > BYTES_AT_ONCE:
                break
        if not block:
            return
        yield block
