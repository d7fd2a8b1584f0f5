"""The first pass over training data: types, ranges, samples and value counts, in bounded memory.

What a column is shows only as it is read. A column that turns out to be something else than its
first rows looked like (numbers, then text) is surveyed again from the start: `needs_another_pass`.
"""

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

import numpy as np

from detector.baseline.edges import category_binning, numeric_binning
from detector.batch import FeatureType, Floats
from detector.columns import Column, TypeEvidence
from detector.profile.binning import (
    MAX_CACHED_LENGTH,
    CategoryBinning,
    NumericBinning,
    value_hash,
)

MISMATCH_SHARE = 0.01
"""A column of numbers with at most this share of other cells is still numeric; those cells are mismatches."""

MAX_SAMPLED_ROWS = 200_000
MIN_SAMPLED_ROWS = 10_000
MAX_SAMPLED_CELLS = 8_000_000
"""Rows kept for choosing edges: 200,000, fewer where there are more than 40 columns (64 MB in all)."""

MAX_DISTINCT = 1 << 18
"""Values counted exactly for one column; beyond that the rarer half is let go and its tail unknown."""


def sampled_rows(n_columns: int) -> int:
    """Return how many rows are sampled from a table of `n_columns`."""
    return min(MAX_SAMPLED_ROWS, max(MIN_SAMPLED_ROWS, MAX_SAMPLED_CELLS // max(1, n_columns)))


@dataclass
class NumericSurvey:
    """Range and mean of one column of numbers."""

    n: int = 0
    mean: float = 0.0
    low: float = np.inf
    high: float = -np.inf

    def add(self, values: Floats) -> None:
        """Take in n values, NaN for none."""
        finite = values[~np.isnan(values)]
        if not len(finite):
            return
        self.n += len(finite)
        # Divided before they are added up, so that many large values cannot overflow.
        self.mean += float(np.sum(finite / self.n - self.mean / self.n))
        self.low = min(self.low, float(finite.min()))
        self.high = max(self.high, float(finite.max()))

    def binning(self, sample: Floats) -> NumericBinning:
        """Choose the edges from a sample of the values, NaN for none."""
        return numeric_binning(sample[~np.isnan(sample)], self.low, self.high)


@dataclass
class CategorySurvey:
    """Value counts of one column of categories."""

    counts: Counter[Hashable] = field(default_factory=Counter)
    is_complete: bool = True

    def add(self, values: Sequence[Hashable]) -> None:
        """Take in n values, None for none."""
        for value, n in Counter(values).items():
            if value is None:
                continue
            is_long = isinstance(value, str) and len(value) > MAX_CACHED_LENGTH
            self.counts[value_hash(value) if is_long else value] += n
        if len(self.counts) > MAX_DISTINCT:
            self.is_complete = False
            self.counts = Counter(dict(self.counts.most_common(MAX_DISTINCT // 2)))

    @property
    def singletons(self) -> int | None:
        """Values seen exactly once, None where they were too many to know."""
        return sum(n == 1 for n in self.counts.values()) if self.is_complete else None

    def binning(self) -> CategoryBinning:
        """Choose the vocabulary."""
        return category_binning(self.counts, is_complete=self.is_complete)


class ColumnSurvey:
    """What is known of one column so far."""

    def __init__(self, fixed_type: FeatureType | None = None) -> None:
        self.evidence = TypeEvidence()
        self.numeric = NumericSurvey()
        self.category = CategorySurvey()
        self._fixed_type = fixed_type
        self._seen_as: set[str] = set()

    @property
    def type(self) -> FeatureType | None:
        """The column's type as far as it is known; None while all cells were missing."""
        return self._fixed_type or self.evidence.type(MISMATCH_SHARE)

    def add(self, column: Column) -> Floats | None:
        """Take in a column of a chunk; return its numbers if it is numeric."""
        if self._fixed_type is None:
            self.evidence += column.evidence()
        if self.type is None:
            return None
        is_numeric = self.type in ("int", "float")
        self._seen_as.add("number" if is_numeric else self.type)
        if is_numeric:
            numbers, _ = column.numbers()
            self.numeric.add(numbers)
            return numbers
        self.category.add(column.categories(self.type)[0])
        return None

    @property
    def needs_another_pass(self) -> bool:
        """Whether part of the column was surveyed as something it turned out not to be."""
        return len(self._seen_as) > 1


class RowSample:
    """A uniform sample of rows: each row draws a number, the smallest ones stay."""

    def __init__(self, size: int, seed: int) -> None:
        self._size = size
        self._rng = np.random.default_rng(seed)
        self._keys = np.empty(0)
        self._columns: dict[str, Floats] = {}

    def add(self, n: int, columns: dict[str, Floats]) -> None:
        """Offer n rows of numeric columns."""
        keys = self._rng.random(n)
        before = len(self._keys)
        if before == self._size:
            drawn = np.flatnonzero(keys < self._keys.max())
            keys, n = keys[drawn], len(drawn)
            columns = {name: values[drawn] for name, values in columns.items()}
        self._keys = np.concatenate((self._keys, keys))
        for name in columns.keys() | self._columns.keys():
            old = self._columns.get(name, np.full(before, np.nan))
            new = columns.get(name, np.full(n, np.nan))
            self._columns[name] = np.concatenate((old, new))
        if len(self._keys) > self._size:
            kept = np.sort(np.argpartition(self._keys, self._size)[: self._size])
            self._keys = self._keys[kept]
            self._columns = {name: values[kept] for name, values in self._columns.items()}

    def __len__(self) -> int:
        return len(self._keys)

    def values(self, name: str) -> Floats:
        """Return the sampled values of a column, NaN for none."""
        return self._columns.get(name, np.empty(0))
