"""What a distance is, and the pair of count vectors it is taken of.

All features of a model version lie side by side in one flat vector of bin counts, so a distance is
computed for all of them, and for all slices, in a few whole-vector operations: element by element
over the bins, then one reduction per feature (`numpy.ufunc.reduceat`). Missing values are no bin:
they are judged as a rate of their own.

    bins      |a0 a1 a2 a3|b0 b1|c0 c1 c2|      numeric features first: their bins have an order
    starts     0           4     6
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from detector.batch import Bools, Floats, Ints
from detector.registry import Registry

T = TypeVar("T", bound=np.generic)


@dataclass(frozen=True)
class Segments:
    """Where each feature's bins lie in the flat vector of B bins."""

    starts: NDArray[np.intp]
    """First bin of each of the F features; at least one bin each."""
    n_bins: int
    n_ordered: int
    """The first so many features are numeric: their bins have an order."""
    lower: Floats
    """For each bin of a numeric feature its lower edge; for the first, which has none, its upper."""

    @cached_property
    def lengths(self) -> Ints:
        """Number of bins of each feature."""
        return np.diff(np.append(self.starts, self.n_bins)).astype(np.int64)

    @cached_property
    def n_ordered_bins(self) -> int:
        """Number of bins of all numeric features together."""
        return int(self.lengths[: self.n_ordered].sum())

    @cached_property
    def feature_of_bin(self) -> Ints:
        """For each bin the index of its feature."""
        return np.repeat(np.arange(len(self.starts)), self.lengths)

    @cached_property
    def ordered(self) -> "Segments":
        """The numeric features alone."""
        return Segments(self.starts[: self.n_ordered], self.n_ordered_bins, self.n_ordered, self.lower)


class Pair:
    """Reference and current counts of the same bins, and what several distances need of them.

    Counts are non-negative, of shapes that broadcast to (..., B); results have shape (..., F). A
    feature without values on one side has NaN shares, and so a NaN distance.
    """

    def __init__(
        self,
        reference: NDArray[np.int64],
        current: NDArray[np.int64],
        segments: Segments,
        reference_means: Floats | None = None,
        current_means: Floats | None = None,
        reference_std: Floats | None = None,
    ) -> None:
        self.reference = reference
        self.current = current
        self.segments = segments
        # Where the values of each numeric bin lie on average, NaN for an empty bin.
        self.reference_means = reference_means
        self.current_means = current_means
        # Of each numeric feature, NaN where there are no values.
        self.reference_std = reference_std

    def total(self, x: NDArray[np.generic]) -> NDArray[np.float64]:
        """Sum of x (..., B) over each feature's bins."""
        return self._reduce(np.add, x)

    def largest(self, x: NDArray[np.generic]) -> NDArray[np.float64]:
        """Maximum of x (..., B) over each feature's bins."""
        return self._reduce(np.maximum, x)

    def _reduce(self, ufunc: np.ufunc, x: NDArray[np.generic]) -> NDArray[np.float64]:
        if len(self.segments.starts) == 0:
            return np.zeros((*x.shape[:-1], 0))
        reduced: NDArray[np.generic] = ufunc.reduceat(x, self.segments.starts, axis=-1)
        return reduced.astype(np.float64, copy=False)

    def spread(self, x: NDArray[T]) -> NDArray[T]:
        """Repeat x (..., F) over each feature's bins."""
        return np.repeat(x, self.segments.lengths, axis=-1)

    @cached_property
    def m(self) -> Floats:
        """Reference events with a value, by feature."""
        return self.total(self.reference)

    @cached_property
    def n(self) -> Floats:
        """Current events with a value, by feature."""
        return self.total(self.current)

    @cached_property
    def p(self) -> Floats:
        """Reference share of each bin."""
        return self._share(self.reference, self.m)

    @cached_property
    def q(self) -> Floats:
        """Current share of each bin."""
        return self._share(self.current, self.n)

    def _share(self, counts: NDArray[np.int64], totals: Floats) -> Floats:
        return counts / self.spread(_positive(totals))

    @cached_property
    def change(self) -> Floats:
        """Reference share less current share of each bin."""
        return self.p - self.q

    @cached_property
    def both(self) -> Ints:
        """Events in each bin, of both sides together."""
        return self.reference + self.current

    @cached_property
    def occupied(self) -> Bools:
        """Bins that hold anything on either side."""
        return self.both > 0

    @cached_property
    def k(self) -> Floats:
        """Number of occupied bins of each feature."""
        return self.total(self.occupied.astype(np.int64))

    @cached_property
    def s2(self) -> Floats:
        """1/n + 1/m: the scale of squared sampling noise, NaN for a feature with an empty side."""
        return 1.0 / _positive(self.n) + 1.0 / _positive(self.m)

    @cached_property
    def degrees(self) -> Floats:
        """Degrees of freedom of each feature, occupied bins less 1; NaN if a side is empty."""
        return np.where(np.isnan(self.s2), np.nan, self.k - 1.0)

    def cumulative(self, counts: NDArray[np.int64], totals: Floats) -> Floats:
        """Share of values up to and including each bin.

        Counted in integers over the whole vector and only then divided, so that no rounding of one
        feature reaches the next.
        """
        starts = self.segments.starts
        running = np.cumsum(counts, axis=-1)
        running -= self.spread(running[..., starts] - counts[..., starts])
        return self._share(running, totals)

    @cached_property
    def cumulative_change(self) -> Floats:
        """Cumulative reference share less cumulative current share of each bin, for numeric features."""
        return self.cumulative(self.reference, self.m) - self.cumulative(self.current, self.n)

    @cached_property
    def ordered(self) -> "Pair":
        """The numeric features alone: what distances over an order are taken of."""
        features, bins = self.segments.n_ordered, self.segments.n_ordered_bins
        part = Pair(
            self.reference[..., :bins],
            self.current[..., :bins],
            self.segments.ordered,
            self.reference_means,
            self.current_means,
            self.reference_std,
        )
        part.m, part.n = self.m[..., :features], self.n[..., :features]
        part.p, part.q, part.change = self.p[..., :bins], self.q[..., :bins], self.change[..., :bins]
        return part


def _positive(totals: Floats) -> Floats:
    return np.where(totals > 0, totals, np.nan)


Measure = Callable[[Pair], Floats]
PValue = Callable[[Pair, Floats], Floats]
Critical = Callable[[Pair, Floats, float], Floats]


@dataclass(frozen=True, slots=True)
class Distance:
    """One distance and what is known of it."""

    name: str
    measure: Measure
    """Pair -> value (..., F); for an ordered distance the pair holds the numeric features only."""
    ordered: bool = False
    """Needs bins with an order: numeric features only."""
    symmetric: bool = True
    upper: float | None = 1.0
    """Largest possible value, None where there is no limit."""
    noise_floor: Measure | None = None
    """Pair -> the value to expect when nothing has changed, from the sample sizes; NaN as for `measure`."""
    p_value: PValue | None = None
    """(Pair, value) -> chance of a value as large when nothing has changed."""
    critical: Critical | None = None
    """(Pair, its noise floor, alpha) -> the value exceeded with chance alpha when nothing has changed."""


distances: Registry[Distance] = Registry("distance")


def distance(
    *,
    ordered: bool = False,
    symmetric: bool = True,
    upper: float | None = 1.0,
    noise_floor: Measure | None = None,
    p_value: PValue | None = None,
    critical: Critical | None = None,
) -> Callable[[Measure], Measure]:
    """Register the decorated function as the distance of its own name."""

    def register(measure: Measure) -> Measure:
        name = measure.__name__
        part = Distance(name, measure, ordered, symmetric, upper, noise_floor, p_value, critical)
        distances.add(name, part)
        return measure

    return register
