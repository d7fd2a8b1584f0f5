"""Counts of one feature over all pairs of rows, part by part, in bounded memory.

What is kept for examples depends on hashes alone, so it is the same however the ids are divided.
"""

from dataclasses import dataclass, field

import numpy as np

from detector.batch import Bools, Ints
from detector.skew.cells import PRESENT, TEXT, Cells, Reading, equal
from detector.skew.hashing import combine
from detector.skew.model import JoinOptions
from detector.summary.hashing import Hashes

MAX_CONFUSION = 1 << 16
"""Different pairs of texts that are counted for one feature."""

RowPair = tuple[int, int]
"""Row numbers, reference and current."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """n pairs of rows with the same id, by ascending hash of it, and their row numbers on both sides."""

    keys: Hashes
    reference: Ints
    current: Ints

    def rows(self, i: int) -> RowPair:
        """Return the row numbers of pair i."""
        return int(self.reference[i]), int(self.current[i])


@dataclass(slots=True)
class Confusion:
    """How often which text stands for which; exact while there are at most `MAX_CONFUSION` pairs of texts.

    Beyond that, the pairs with the smallest hashes are kept. A pair that is dropped never comes back,
    so what is kept has been counted from the start.
    """

    hashes: Hashes = field(default_factory=lambda: np.empty(0, np.uint64))
    counts: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    reference: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    """A row with the text, and likewise on the current side."""
    current: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    is_complete: bool = True

    def add(self, hashes: Hashes, reference: Ints, current: Ints) -> None:
        """Count pairs of texts by their hashes."""
        if len(hashes) == 0:
            return
        new, first, counts = np.unique(hashes, return_index=True, return_counts=True)
        self.hashes, at, inverse = np.unique(
            np.concatenate((self.hashes, new)), return_index=True, return_inverse=True
        )
        weights = np.concatenate((self.counts, counts))
        self.counts = np.bincount(inverse, weights=weights).astype(np.int64)
        self.reference = np.concatenate((self.reference, reference[first]))[at]
        self.current = np.concatenate((self.current, current[first]))[at]
        if len(self.hashes) > MAX_CONFUSION:
            self.is_complete = False
            for name in ("hashes", "counts", "reference", "current"):
                setattr(self, name, getattr(self, name)[:MAX_CONFUSION].copy())

    def most_frequent(self, n: int) -> list[tuple[RowPair, int]]:
        """Return the n most frequent pairs, as rows that hold them, with their counts."""
        order = np.lexsort((self.hashes, -self.counts))[:n].tolist()
        return [((int(self.reference[i]), int(self.current[i])), int(self.counts[i])) for i in order]


@dataclass(slots=True)
class Tally:
    """One feature so far."""

    reading: Reading
    options: JoinOptions
    match: int = 0
    mismatch: int = 0
    reference_only: int = 0
    current_only: int = 0
    samples: dict[int, RowPair] = field(default_factory=dict)
    """By the hash of the id: the smallest ones, each with its first pair that differs."""
    confusion: Confusion = field(default_factory=Confusion)

    def add(self, pairs: Pairs, reference: Cells, current: Cells) -> None:
        """Count pairs, of which none was counted before."""
        before, now = reference.has(PRESENT), current.has(PRESENT)
        same = equal(reference, current, self.reading, self.options)
        mismatch: Bools = before & now & ~same
        different: Bools = mismatch | (before ^ now)
        self.match += int(np.count_nonzero(before & now & same))
        self.mismatch += int(np.count_nonzero(mismatch))
        self.reference_only += int(np.count_nonzero(before & ~now))
        self.current_only += int(np.count_nonzero(now & ~before))
        self._sample(pairs, np.flatnonzero(different))
        if self.options.show_values and reference.hashes is not None and current.hashes is not None:
            texts = np.flatnonzero(mismatch & ((reference.flags & current.flags & TEXT) != 0))
            hashes = combine(reference.hashes[texts], current.hashes[texts])
            self.confusion.add(hashes, pairs.reference[texts], pairs.current[texts])

    def _sample(self, pairs: Pairs, found: Ints) -> None:
        # Keys ascend, so the first of each are the smallest; several pairs may have one.
        keys, first = np.unique(pairs.keys[found], return_index=True)
        for key, i in zip(keys[: self.options.sample].tolist(), first.tolist(), strict=False):
            self.samples.setdefault(key, pairs.rows(int(found[i])))
        self.samples = {key: self.samples[key] for key in sorted(self.samples)[: self.options.sample]}
