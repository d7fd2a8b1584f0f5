"""Which rows of both sides belong together: a sort and merge of their keys."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from detector.batch import Ints
from detector.summary.hashing import Hashes

BLOCK = 1 << 17
"""Pairs compared at a time: an id with thousands of rows on both sides makes millions of them."""


@dataclass(frozen=True, slots=True)
class _Groups:
    """Rows by key: `order` sorts them; each different key starts at `start` there, `count` rows long."""

    keys: Hashes
    start: Ints
    count: Ints
    order: Ints

    @classmethod
    def of(cls, keys: Hashes) -> "_Groups":
        order = np.argsort(keys, kind="stable")
        unique, start, count = np.unique(keys[order], return_index=True, return_counts=True)
        return cls(unique, start, count, order)


@dataclass(frozen=True, slots=True)
class MatchCounts:
    """How the ids of two sides match; the fields are those of `IdStatistics`."""

    ids: int = 0
    missing_in_reference: int = 0
    missing_in_current: int = 0
    duplicates: int = 0
    pairs: int = 0
    pairs_compared: int = 0

    def __add__(self, other: "MatchCounts") -> "MatchCounts":
        return MatchCounts(
            self.ids + other.ids,
            self.missing_in_reference + other.missing_in_reference,
            self.missing_in_current + other.missing_in_current,
            self.duplicates + other.duplicates,
            self.pairs + other.pairs,
            self.pairs_compared + other.pairs_compared,
        )


@dataclass(frozen=True, slots=True)
class Matching:
    """How the ids of two sides match, and the pairs of rows that are to be compared."""

    counts: MatchCounts
    _keys: Hashes
    _sizes: Ints
    _reference: tuple[Ints, Ints]
    """Start and order of the groups in common."""
    _current: tuple[Ints, Ints]
    _width: Ints
    """Rows of each group on the current side."""

    def blocks(self) -> Iterator[tuple[Hashes, Ints, Ints]]:
        """Yield keys and positions on both sides of pairs, by ascending key, then by row."""
        ends = np.cumsum(self._sizes)
        n_pairs = self.counts.pairs_compared
        for first in range(0, n_pairs, BLOCK):
            pair = np.arange(first, min(first + BLOCK, n_pairs))
            group = np.searchsorted(ends, pair, side="right")
            within = pair - (ends - self._sizes)[group]
            width = self._width[group]
            (start_before, before), (start_now, now) = self._reference, self._current
            yield (
                self._keys[group],
                before[start_before[group] + within // width],
                now[start_now[group] + within % width],
            )


def match(reference: Hashes, current: Hashes, *, allow_duplicates: bool) -> Matching:
    """Match the ids of two sides; without `allow_duplicates` only ids with one row on each are compared."""
    before, now = _Groups.of(reference), _Groups.of(current)
    keys, in_before, in_now = np.intersect1d(before.keys, now.keys, assume_unique=True, return_indices=True)
    n_before, n_now = before.count[in_before], now.count[in_now]
    sizes = n_before * n_now
    compared = sizes if allow_duplicates else np.where((n_before == 1) & (n_now == 1), sizes, 0)
    on_either = int((before.count > 1).sum()) + int((now.count > 1).sum())
    return Matching(
        MatchCounts(
            ids=len(before.keys) + len(now.keys) - len(keys),
            missing_in_reference=len(now.keys) - len(keys),
            missing_in_current=len(before.keys) - len(keys),
            duplicates=on_either - int(((n_before > 1) & (n_now > 1)).sum()),
            pairs=int(sizes.sum()),
            pairs_compared=int(compared.sum()),
        ),
        _keys=keys,
        _sizes=compared,
        _reference=(before.start[in_before], before.order),
        _current=(now.start[in_now], now.order),
        _width=n_now,
    )
