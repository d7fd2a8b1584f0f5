"""Hashes of values, the same in every process and on every machine."""

import hashlib
import zlib
from collections.abc import Hashable, Iterable

import numpy as np
from numpy.typing import NDArray

from detector.batch import Floats

Hashes = NDArray[np.uint64]


def value_hash(value: Hashable) -> int:
    """Return a 64-bit hash of a category's text."""
    text = str(value).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little")


def hash_numbers(values: Floats) -> Hashes:
    """Return a 64-bit hash of each float64; 0.0 and -0.0 are one value."""
    return _mixed((values + 0.0).view(np.uint64))


def hash_texts(texts: Iterable[str]) -> Hashes:
    """Return a hash of each text. Only 2^32 differ, so a billion distinct texts count as a tenth less."""
    codes = [zlib.crc32(text.encode("utf-8", "surrogatepass")) for text in texts]
    return _mixed(np.array(codes, np.uint64))


def _mixed(x: Hashes) -> Hashes:
    """Spread the bits evenly (the finalizer of SplitMix64: Steele et al., OOPSLA 2014)."""
    with np.errstate(over="ignore"):
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
