"""Text files as blocks of whole lines, gzipped or not, with line numbers for messages.

Readers work a block at a time: large enough that splitting it is one call, small enough that the
cells are still in the processor's cache when they are sorted into columns.
"""

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import cast

from detector.errors import DataError
from detector.tables.base import DataFile

BLOCK_BYTES = 1 << 16

# A text table with a longer line is no text table, or a JSON document on one line.
LINE_BYTES_MAX = 1 << 24

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_GZIP_MAGIC = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Block:
    """Some whole lines of a file."""

    file: DataFile
    content: bytes
    start: int
    """Where they begin in the file, gunzipped and without byte order mark."""
    position: int
    """Bytes of the file on disk that have been read."""

    def text(self) -> str:
        """Return the content as text.

        Raises:
            DataError: it is not UTF-8, or holds a NUL.
        """
        try:
            text = self.content.decode()
        except UnicodeDecodeError as error:
            line = self.line_of(error.start)
            raise DataError(f"{self.file.path}: line {line}: not UTF-8; convert the file to UTF-8") from error
        if "\0" in text:
            line = self.line_of(self.content.index(b"\0"))
            raise DataError(f"{self.file.path}: line {line}: NUL byte; is this a text file in UTF-8?")
        return text

    def line_of(self, offset: int) -> int:
        """Return the number of the line in which the byte at `offset` of the block lies.

        Reads the file again up to there: lines are only counted when a message needs one.
        """
        ends, left, before = 0, self.start + offset, b""
        for content, _ in _reads(self.file):
            piece = content[:left]
            # A \r\n that two pieces share is one line end.
            ends += count_lines(piece) - (before.endswith(b"\r") and piece.startswith(b"\n"))
            left, before = left - len(piece), piece
            if left == 0:
                break
        return ends + 1


def line_blocks(file: DataFile) -> Iterator[Block]:
    """Yield the file's lines in blocks; the last line may lack its end.

    Raises:
        DataError: a line is longer than `LINE_BYTES_MAX`, or the file is gzipped but not called so.
    """
    rest, start = b"", 0
    for read, position in _reads(file):
        content = rest + read
        # A \r at the very end may be the first half of \r\n.
        cut = content.rfind(b"\n") + 1 or content.rfind(b"\r", 0, -1) + 1
        rest = content[cut:]
        block = Block(file, content[:cut], start, position)
        if len(rest) > LINE_BYTES_MAX:
            line = block.line_of(cut)
            raise DataError(f"{file.path}: line {line}: longer than {LINE_BYTES_MAX >> 20} MiB")
        if cut:
            yield block
            start += cut
    if rest:
        yield Block(file, rest, start, file.bytes)


def count_lines(content: bytes) -> int:
    r"""Return how many line ends there are: \n, \r\n and \r."""
    ends = content.count(b"\n")
    if b"\r" in content:
        ends += content.count(b"\r") - content.count(b"\r\n")
    return ends


def _reads(file: DataFile) -> Iterator[tuple[bytes, int]]:
    """Yield the uncompressed content, without byte order mark, and the position in the file on disk."""
    with Path(file.path).open("rb") as raw:
        stream = cast("BufferedReader", gzip.GzipFile(fileobj=raw)) if file.gzipped else raw
        first = stream.read(BLOCK_BYTES)
        if first.startswith(_GZIP_MAGIC):
            raise DataError(f"{file.path}: is gzipped; give it a name ending in .gz")
        yield first.removeprefix(_BYTE_ORDER_MARK), raw.tell()
        while content := stream.read(BLOCK_BYTES):
            yield content, raw.tell()
