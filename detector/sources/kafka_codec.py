"""Batches decompressed with a limit: a small batch can ask for gigabytes.

The client's own way decompresses first and looks afterwards: one gzip record of 150 MB, 150 kB on the wire,
takes a process of 35 MB to half a gigabyte, and a megabyte of zstd can hold 32 GB. Here decompression goes
piece by piece and stops at the limit; what snappy will need is said at its beginning.
"""

import struct
import zlib
from collections.abc import Callable, Iterator, Mapping

import zstandard
from kafka.record.default_records import DefaultRecordBatch
from lz4.frame import LZ4FrameDecompressor

PIECE = 1 << 20

GZIP_WINDOW = 31
"""zlib's name for: with the header and checksum of gzip."""

XERIAL = b"\x82SNAPPY\x00"
"""How the blocks begin that Java's snappy library writes; 8 bytes of versions follow."""


class TooLargeError(Exception):
    """What comes out is larger than the limit."""


class BadCodecError(ValueError):
    """There is no such compression, or the bytes are not in it."""


def decompress(data: bytes, codec: int, limit: int) -> bytes:
    """Return what was compressed with the codec of that number in a batch's attributes.

    Raises:
        TooLargeError: it is more than `limit` bytes; about a megabyte more has been looked at at most.
        BadCodecError: the bytes cannot be decompressed, or the number means nothing.
    """
    pieces = _CODECS.get(codec)
    if pieces is None:
        raise BadCodecError(f"codec {codec}")
    try:
        found = list(_limited(pieces(data, limit), limit))
    except TooLargeError:
        raise
    except Exception as error:  # noqa: BLE001 - each library has its own
        raise BadCodecError(type(error).__name__) from None
    return found[0] if len(found) == 1 else b"".join(found)


def _limited(pieces: Iterator[bytes], limit: int) -> Iterator[bytes]:
    left = limit
    for piece in pieces:
        left -= len(piece)
        if left < 0:
            raise TooLargeError
        yield piece


def _gzip(data: bytes, _limit: int) -> Iterator[bytes]:
    while data:
        member = zlib.decompressobj(GZIP_WINDOW)
        while not member.eof:
            piece = member.decompress(data, PIECE)
            data = member.unconsumed_tail
            if not piece and not data and not member.eof:
                raise EOFError
            yield piece
        data = member.unused_data


def _zstd(data: bytes, limit: int) -> Iterator[bytes]:
    # Its window is memory, too; no batch within the limit needs a larger one.
    window = max(1 << 23, 1 << (limit - 1).bit_length())
    try:
        reader = zstandard.ZstdDecompressor(max_window_size=window).stream_reader(
            data, read_across_frames=True
        )
        while piece := reader.read(PIECE):
            yield piece
    except zstandard.ZstdError as error:
        if "memory" in str(error):
            raise TooLargeError from None
        raise


def _lz4(data: bytes, _limit: int) -> Iterator[bytes]:
    frame = LZ4FrameDecompressor()
    while not frame.eof:
        piece = frame.decompress(data, PIECE)
        data = b""
        if not piece and frame.needs_input and not frame.eof:
            raise EOFError
        yield piece


def _snappy(data: bytes, limit: int) -> Iterator[bytes]:
    import snappy

    for block in _blocks(data):
        if _length(block) > limit:
            raise TooLargeError
        yield bytes(snappy.decompress(block))


def _blocks(data: bytes) -> Iterator[bytes]:
    if not data.startswith(XERIAL):
        yield data
        return
    at = 16
    while at < len(data):
        (size,) = struct.unpack_from(">i", data, at)
        if not 0 <= size <= len(data) - at - 4:
            raise EOFError
        yield data[at + 4 : at + 4 + size]
        at += 4 + size


def _length(block: bytes) -> int:
    """Return the length of what a snappy block holds: the number it begins with, 7 bits a byte."""
    length = 0
    for i, byte in enumerate(block[:5]):
        length |= (byte & 0x7F) << 7 * i
        if byte < 0x80:
            break
    return length


_CODECS: Mapping[int, Callable[[bytes, int], Iterator[bytes]]] = {
    DefaultRecordBatch.CODEC_GZIP: _gzip,
    DefaultRecordBatch.CODEC_SNAPPY: _snappy,
    DefaultRecordBatch.CODEC_LZ4: _lz4,
    DefaultRecordBatch.CODEC_ZSTD: _zstd,
}
