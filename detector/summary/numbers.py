"""One column of numbers as it is read: moments, range, and its values while they are few."""

import math

import numpy as np

from detector.batch import Floats, Ints
from detector.summary.distinct import DistinctSketch
from detector.summary.hashing import hash_numbers
from detector.summary.model import QUANTILES, NumericSummary, ValueCounts

MAX_NUMBERS = 4096
"""Distinct numbers counted exactly for one column; beyond that their number is estimated."""

Limits = tuple[float | None, float | None]
"""The least and the greatest number allowed; None: no limit."""

NO_LIMITS: Limits = (None, None)


class NumberCollector:
    """The finite numbers of one column so far."""

    def __init__(self, limits: Limits = NO_LIMITS) -> None:
        self.limits = limits
        self.below = 0
        self.above = 0
        self.fractional = 0
        self.n = 0
        self.mean = 0.0
        self.low = np.inf
        self.high = -np.inf
        self.zeros = 0
        self._squares = 0.0
        self._values: Floats | None = np.empty(0)
        self._counts: Ints = np.empty(0, np.int64)
        self._distinct = DistinctSketch()

    def add(self, values: Floats) -> None:
        """Take in n values, NaN for none."""
        finite = values[~np.isnan(values)]
        if not len(finite):
            return
        before, self.n = self.n, self.n + len(finite)
        # Divided before they are added up, so that many large values cannot overflow.
        mean = float(np.sum(finite / len(finite)))
        apart, share = mean - self.mean, len(finite) / self.n
        with np.errstate(over="ignore"):
            # Chan, Golub, LeVeque (1979): squares about two means become squares about one. A product, for
            # a power of floats raises where it overflows.
            self._squares += float(np.sum((finite - mean) ** 2)) + before * share * apart * apart
        # Numbers of either sign and next to the largest double lie further apart than a double can say.
        self.mean += apart * share if math.isfinite(apart) else mean * share - self.mean * share
        self.low = min(self.low, float(finite.min()))
        self.high = max(self.high, float(finite.max()))
        self.zeros += int(np.count_nonzero(finite == 0.0))
        self.fractional += int(np.count_nonzero(finite != np.rint(finite)))
        least, most = self.limits
        if least is not None:
            self.below += int(np.count_nonzero(finite < least))
        if most is not None:
            self.above += int(np.count_nonzero(finite > most))
        self._add_distinct(finite)

    def _add_distinct(self, finite: Floats) -> None:
        if self._values is None:
            self._distinct.add(hash_numbers(finite))
            return
        values, counts = np.unique(finite + 0.0, return_counts=True)
        merged, place = np.unique(np.concatenate((self._values, values)), return_inverse=True)
        if len(merged) > MAX_NUMBERS:
            self._distinct.add(hash_numbers(merged))
            self._values, self._counts = None, np.empty(0, np.int64)
            return
        self._counts = np.bincount(place, weights=np.concatenate((self._counts, counts))).astype(np.int64)
        self._values = merged

    @property
    def is_exact(self) -> bool:
        """Whether every distinct value is known."""
        return self._values is not None

    @property
    def distinct(self) -> int:
        """Number of distinct values, estimated where they are many."""
        return len(self._values) if self._values is not None else self._distinct.estimate()

    def values(self) -> ValueCounts:
        """Return the values with their counts; none of them where they are too many."""
        if self._values is None:
            return ValueCounts({}, is_complete=False, unnamed=self.n)
        return ValueCounts(
            dict(zip(self._values.tolist(), self._counts.tolist(), strict=True)), is_complete=True
        )

    def summary(self, sample: Floats) -> NumericSummary | None:
        """Return the figures so far, with quantiles of a sample (NaN for no value); None without values."""
        if self.n == 0:
            return None
        sampled = np.sort(sample[~np.isnan(sample)])
        quantiles: tuple[float, ...] = ()
        if len(sampled):
            # The least value that at least the share q of the sample does not exceed (Hyndman-Fan type 1).
            rank = np.maximum(np.ceil(np.array(QUANTILES) * len(sampled)).astype(np.int64) - 1, 0)
            quantiles = tuple(sampled[rank].tolist())
        with np.errstate(over="ignore"):
            std = float(np.sqrt(self._squares / self.n))
        return NumericSummary(
            self.n,
            self.mean,
            std,
            self.low,
            self.high,
            self.zeros,
            self.fractional,
            self.below,
            self.above,
            quantiles,
        )
