"""One column of texts or truth values as it is read: value counts in bounded memory."""

from collections import Counter
from collections.abc import Hashable, Sequence

from detector.summary.distinct import DistinctSketch
from detector.summary.hashing import hash_texts, value_hash
from detector.summary.model import ValueCounts

MAX_DISTINCT = 1 << 18
"""Values counted exactly for one column; beyond that the rarer half is let go and its tail unknown."""

MAX_NAMED_LENGTH = 256
"""A longer text is counted under its hash, so that the memory above is bounded in bytes too."""


class CategoryCollector:
    """The values of one column so far."""

    def __init__(self, max_distinct: int = MAX_DISTINCT) -> None:
        self.counts: Counter[Hashable] = Counter()
        """By value; by hash (int) for long texts."""
        self.n = 0
        self.is_complete = True
        self.length_max = 0
        self._length_sum = 0
        self._max_distinct = max_distinct
        self._distinct = DistinctSketch()

    def add(self, values: Sequence[Hashable]) -> None:
        """Take in n values, None for none."""
        found = Counter(values)
        found.pop(None, None)
        for value, n in found.items():
            self.n += n
            length = len(value) if isinstance(value, str) else 0
            self._length_sum += length * n
            self.length_max = max(self.length_max, length)
            self.counts[value_hash(value) if length > MAX_NAMED_LENGTH else value] += n
        if not self.is_complete:
            self._distinct.add(hash_texts(map(str, found)))
        elif len(self.counts) > self._max_distinct:
            self._distinct.add(hash_texts(map(str, self.counts)))
        if len(self.counts) > self._max_distinct:
            self.is_complete = False
            self.counts = Counter(dict(self.counts.most_common(self._max_distinct // 2)))

    @property
    def distinct(self) -> int:
        """Number of distinct values, estimated where they are many."""
        return len(self.counts) if self.is_complete else self._distinct.estimate()

    @property
    def singletons(self) -> int | None:
        """Values seen exactly once, None where they were too many to know."""
        return sum(n == 1 for n in self.counts.values()) if self.is_complete else None

    @property
    def length_mean(self) -> float:
        """Mean length of the values in characters; 0 without any."""
        return self._length_sum / self.n if self.n else 0.0

    def values(self) -> ValueCounts:
        """Return the values that have a name, with their counts."""
        named = {v: n for v, n in self.counts.items() if isinstance(v, bool) or not isinstance(v, int)}
        return ValueCounts(named, self.is_complete, self.n - sum(named.values()))
