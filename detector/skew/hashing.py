"""64-bit hashes of many texts at once, the same in every process and on every machine.

Ids and texts are compared by them, as in TFDV: of a billion different ids two share a hash with a
probability of 3 %. The word-wise hash below takes 0.2 us a text, a fifth of blake2b called for each.
"""

from collections.abc import Sequence

import numpy as np

from detector.batch import Bools
from detector.summary.hashing import Hashes, value_hash

_WORD = 8
_MAX_BYTES = 64
"""Longer texts are hashed one by one: a single one would widen the table of all."""

_SEED = np.uint64(0x9E3779B97F4A7C15)


def hash_texts(texts: Sequence[str]) -> Hashes:
    """Return a hash of each text; each distinct one is worked out once."""
    distinct = dict.fromkeys(texts)
    hashes = _hashes(list(distinct))
    if len(distinct) == len(texts):
        return hashes
    position = dict(zip(distinct, range(len(distinct)), strict=True))
    return hashes[np.fromiter(map(position.__getitem__, texts), np.int64, len(texts))]


def combine(first: Hashes, second: Hashes) -> Hashes:
    """Return a hash of each pair; the order matters."""
    with np.errstate(over="ignore"):
        return mix(mix(first + _SEED) ^ second)


def mix(x: Hashes) -> Hashes:
    """Spread the bits evenly (the finalizer of SplitMix64: Steele et al., OOPSLA 2014)."""
    with np.errstate(over="ignore"):
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def _hashes(texts: list[str]) -> Hashes:
    encoded = [text.encode("utf-8", "surrogatepass") for text in texts]
    lengths = np.fromiter(map(len, encoded), np.uint64, len(encoded))
    is_long: Bools = lengths > _MAX_BYTES
    hashes = mix(lengths + _SEED)
    if is_long.any():
        long = np.flatnonzero(is_long).tolist()
        hashes[is_long] = [value_hash(texts[i]) for i in long]
        for i in long:
            encoded[i] = b""
        lengths[is_long] = 0
    words = -(-int(lengths.max(initial=0)) // _WORD)
    if words == 0:
        return hashes
    table = np.array(encoded, f"S{words * _WORD}").view("<u8").reshape(len(encoded), words)
    for w in range(words):
        # Beyond its end a text adds nothing, or its hash would depend on the longest one beside it.
        inside: Bools = lengths > w * _WORD
        if inside.all():
            hashes = mix(hashes ^ table[:, w])
        else:
            hashes[inside] = mix(hashes[inside] ^ table[inside, w])
    return hashes
