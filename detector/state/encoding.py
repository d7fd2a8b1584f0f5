"""A cut as bytes and back: MessagePack with arrays as they lie in memory. No pickle, so reading runs no code.

    magic | format version | length of the body | SHA-256 of version and body | body

What never changes (closed panes) is compressed once and its bytes are used again for every later cut.
"""

import hashlib
import struct
import zlib
from dataclasses import dataclass, field
from math import prod
from typing import Any
from weakref import WeakKeyDictionary

import msgspec
import numpy as np
from numpy.typing import NDArray

from detector.batch import Partition
from detector.errors import StateError
from detector.tree import (
    Frozen,
    Tree,
    dict_of,
    float_of,
    int_of,
    list_of,
    record_of,
    text_of,
)

MAGIC = b"DRIFTCUT"
VERSION = 1
HEAD = struct.Struct("<8sIQ32s")

MAX_BYTES = 4 << 30
"""A larger body is damage."""
MAX_PART_BYTES = 1 << 30
"""The same of what one compressed part says it unfolds to."""

_ARRAY, _PART = 1, 2
_DTYPES = ("<i8", "<f8", "<i4", "|b1", "|i1", "|u1", "<u2", "<u4", "<f4")
"""Types that arrays may have, in memory or as they are stored."""
_SMALLEST = ("|u1", "<u2", "<u4")
"""Where whole numbers fit, the smallest type that holds them stores them."""

_LEVEL = 1

_NONSENSE = (
    ValueError, TypeError, OverflowError, RecursionError, struct.error, zlib.error, msgspec.DecodeError
)  # fmt: skip
"""What reading a body that makes no sense may raise."""


@dataclass(frozen=True)
class Cut:
    """Everything that is known at one moment between two polls."""

    tree: Tree
    """What the pipeline remembered."""
    positions: dict[Partition, int]
    """Offset of the next record."""
    topic_ids: dict[str, str] = field(default_factory=dict)
    """What tells a topic from another of its name; of those that are known."""
    told: Tree = None
    """What the sinks still have to tell, and what they know."""
    config_sha256: str = ""
    sequence: int = 0
    """Grows with every cut."""
    saved_s: float = 0.0
    """Wall time."""
    term: int = 0
    """Of the replica that was active."""


class Encoder:
    """Encodes cuts; remembers the bytes of parts that never change, as long as the parts are there."""

    def __init__(self) -> None:
        self._parts: WeakKeyDictionary[Frozen, msgspec.msgpack.Ext] = WeakKeyDictionary()
        self._encoder = msgspec.msgpack.Encoder()

    def encode(self, cut: Cut) -> list[bytes]:
        """Return a cut as pieces that are written one after the other."""
        body = self._encoder.encode(self._plain(_tree_of(cut)))
        return [head_of(body), body]

    def _plain(self, tree: Tree) -> Any:
        if isinstance(tree, Frozen):
            part = self._parts.get(tree)
            if part is None:
                part = self._parts[tree] = self._compressed(tree)
            return part
        if isinstance(tree, dict):
            return {name: self._plain(item) for name, item in tree.items()}
        if isinstance(tree, list):
            return [self._plain(item) for item in tree]
        return _packed(tree) if isinstance(tree, np.ndarray) else tree

    def _compressed(self, part: Frozen) -> msgspec.msgpack.Ext:
        raw = self._encoder.encode(self._plain(part.value))
        return msgspec.msgpack.Ext(_PART, struct.pack("<Q", len(raw)) + zlib.compress(raw, _LEVEL))


def decode(data: bytes) -> Cut:
    """Return the cut in some bytes.

    Raises:
        StateError: they are none, or not all of it; its text goes behind the name of where they are from.
    """
    if len(data) < HEAD.size:
        raise StateError("is cut short")
    magic, version, length, digest = HEAD.unpack_from(data)
    if magic != MAGIC:
        raise StateError("is no state of this program")
    body = memoryview(data)[HEAD.size :]
    if length != len(body) or length > MAX_BYTES:
        raise StateError("is cut short or too long")
    if _digest(version, body) != digest:
        raise StateError("has a wrong checksum")
    if version > VERSION:
        raise NewerStateError(f"is of format {version}, newer than {VERSION}, which this version knows")
    try:
        return _cut_of(_unpacked(body))
    except _NONSENSE as error:
        raise StateError(f"makes no sense ({error})") from None


def head_of(body: bytes, version: int = VERSION) -> bytes:
    """Return what stands before a body."""
    return HEAD.pack(MAGIC, version, len(body), _digest(version, body))


def _digest(version: int, body: bytes | memoryview) -> bytes:
    digest = hashlib.sha256(struct.pack("<I", version))
    digest.update(body)
    return digest.digest()


class NewerStateError(StateError):
    """State that a newer version has written: it is neither read nor overwritten."""


def _tree_of(cut: Cut) -> Tree:
    return {
        "tree": cut.tree,
        "positions": [[*p, offset] for p, offset in sorted(cut.positions.items())],
        "topic_ids": dict(cut.topic_ids),
        "told": cut.told,
        "config_sha256": cut.config_sha256,
        "sequence": cut.sequence,
        "saved_s": float(cut.saved_s),
        "term": cut.term,
    }


def _cut_of(tree: Tree) -> Cut:
    read = dict_of(tree)
    positions = [record_of(tuple[str, int, int], item) for item in list_of(read["positions"])]
    return Cut(
        read["tree"],
        {Partition(topic, number): offset for topic, number, offset in positions},
        {topic: text_of(of) for topic, of in dict_of(read["topic_ids"]).items()},
        read["told"],
        text_of(read["config_sha256"]),
        int_of(read["sequence"]),
        float_of(read["saved_s"]),
        int_of(read["term"]),
    )


def _packed(array: NDArray[Any]) -> msgspec.msgpack.Ext:
    """Return an array: its type, the type it is stored in, its shape, its numbers."""
    own = array.dtype.newbyteorder("<").str
    stored = own
    if array.dtype.kind == "i" and array.size and array.min() >= 0:
        most = int(array.max())
        stored = next((d for d in _SMALLEST if most <= np.iinfo(d).max), own)
    head = struct.pack(
        f"<BBB{array.ndim}Q", _DTYPES.index(own), _DTYPES.index(stored), array.ndim, *array.shape
    )
    return msgspec.msgpack.Ext(_ARRAY, head + np.ascontiguousarray(array, dtype=stored).tobytes())


def _unpacked(data: Any) -> Tree:
    tree: Tree = msgspec.msgpack.decode(data, ext_hook=_part_of)
    return tree


def _part_of(code: int, data: memoryview) -> Tree:
    if code == _ARRAY:
        return _array_of(data)
    if code == _PART:
        (length,) = struct.unpack_from("<Q", data)
        if length > MAX_PART_BYTES:
            raise ValueError("a part is too large")
        unpacker = zlib.decompressobj()
        raw = unpacker.decompress(data[8:], length + 1)
        if len(raw) != length:
            raise ValueError("a part is cut short")
        return _unpacked(raw)
    raise ValueError("a part is of no known kind")


def _array_of(data: memoryview) -> NDArray[Any]:
    own, stored, ndim = struct.unpack_from("<BBB", data)
    if max(own, stored) >= len(_DTYPES) or ndim > 4:
        raise ValueError("an array is of no known type")
    shape = struct.unpack_from(f"<{ndim}Q", data, 3)
    raw = data[3 + 8 * ndim :]
    if prod(shape) * np.dtype(_DTYPES[stored]).itemsize != len(raw):
        raise ValueError("an array is cut short")
    return np.frombuffer(raw, _DTYPES[stored]).reshape(shape).astype(np.dtype(_DTYPES[own]).newbyteorder("="))
