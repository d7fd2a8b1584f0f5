"""How the values of one feature changed: the counts of both sides, cell by cell.

A cell is a bin, a category, all rare categories together, or all that training never had. Cells hold
values only; what is missing, of a wrong type or not finite is kept beside them, as a share of events.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from detector.baseline import Baseline
from detector.batch import Bools, Floats, Ints
from detector.profile import CategoryBinning, NumericBinning, Profile
from detector.profile.binning import N_BUCKETS

FEW = 30
"""Values that say nothing of a distribution."""


@dataclass(frozen=True)
class Change:
    """One feature in one window; profiles have one row."""

    baseline: Baseline
    reference: Profile
    current: Profile
    feature: int

    @property
    def binning(self) -> NumericBinning | CategoryBinning:
        """The feature's bins."""
        return self.baseline.binning.of(self.feature)

    @cached_property
    def before(self) -> Floats:
        """Training values by cell: of a category the last two are rare ones, and ones never seen."""
        return self._cells(self.reference)

    @cached_property
    def now(self) -> Floats:
        """The window's values by cell."""
        return self._cells(self.current)

    def bins(self, profile: Profile) -> Floats:
        """Return the counts of the feature's bins, buckets and all."""
        start = int(self.baseline.layout.segments.starts[self.feature])
        return profile.counts[0, start : start + self.binning.length].astype(np.float64)

    def _cells(self, profile: Profile) -> Floats:
        bins = self.bins(profile)
        if isinstance(self.binning, NumericBinning):
            return bins
        unseen = float(profile.counts[0, self.baseline.layout.unseen][self.feature])
        rare = float(bins[-N_BUCKETS:].sum()) - unseen
        return np.concatenate((bins[:-N_BUCKETS], [max(rare, 0.0), unseen]))

    @property
    def shares(self) -> tuple[Floats, Floats]:
        """The share of the values in each cell, before and now; zeros where there are no values."""
        return self.before / max(self.before.sum(), 1.0), self.now / max(self.now.sum(), 1.0)

    def rate(self, name: str) -> tuple[float, float]:
        """Return the share of events `missing`, `type_mismatch` or `non_finite`, before and now."""
        block = self.baseline.layout.odd[name]
        cells = self.baseline.layout.cells
        before, now = (
            float(side.counts[0, block][self.feature]) / max(int(cells(side.counts)[0, self.feature]), 1)
            for side in (self.reference, self.current)
        )
        return before, now

    @cached_property
    def is_single(self) -> Bools:
        """Which cells hold a single value: frequent numbers and categories."""
        if isinstance(self.binning, CategoryBinning):
            return np.arange(len(self.before)) < len(self.binning.values)
        edges = self.binning.edges
        inner = np.nextafter(edges[:-1], np.inf) == edges[1:]
        return np.concatenate(([False], inner, [False]))

    def name(self, cell: int) -> str:
        """Name a cell: a bin or a category of the vocabulary."""
        return self.binning.describe(cell)


def with_counts(baseline: Baseline, whole: Profile, counts: Ints) -> Profile:
    """Return training data as they are at hours when their counts are others.

    Within a bin, values are taken to be as they are in all training data; so the sums follow the counts.
    """
    bins, starts = slice(0, baseline.layout.n_numeric_bins), baseline.layout.segments.starts
    starts = starts[: len(baseline.binning.numeric)]
    if not len(starts):
        return replace(whole, counts=counts)
    before, now = whole.counts[:, bins].astype(np.float64), counts[:, bins].astype(np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        means = whole.sums / np.maximum(before, 1.0)
        square = (means - np.repeat(baseline.centers, baseline.binning.lengths[: len(starts)])) ** 2
        # Squares between the bins follow the counts; those within them, the number of values.
        between, n = (np.add.reduceat(x, starts, axis=1) for x in (before * square, before))
        between_now, n_now = (np.add.reduceat(x, starts, axis=1) for x in (now * square, now))
        squares = np.maximum(whole.squares - between, 0.0) * n_now / np.maximum(n, 1.0) + between_now
    return replace(whole, counts=counts, sums=means * now, squares=squares)


def moved(before: Floats, now: Floats) -> float:
    """Return the total variation of two count vectors, less what sampling makes of it on average.

    0 where one side has too few values to tell.
    """
    m, n = float(before.sum()), float(now.sum())
    if min(m, n) < FEW:
        return 0.0
    pooled = (before + now) / (m + n)
    noise = 0.5 * float(np.sqrt(2.0 / np.pi * pooled * (1.0 - pooled) * (1.0 / m + 1.0 / n)).sum())
    return max(0.5 * float(np.abs(before / m - now / n).sum()) - noise, 0.0)


def without(counts: Floats, *cells: int) -> Floats:
    """Return the counts of all other cells."""
    return np.delete(counts, list(cells))


def rise_noise(p: float, q: float, m: float, n: float) -> float:
    """Return the standard error of the difference of two shares of m and n."""
    share = (p * m + q * n) / max(m + n, 1.0)
    return float(np.sqrt(share * (1.0 - share) * (1.0 / max(m, 1.0) + 1.0 / max(n, 1.0))))


def percent(share: float) -> str:
    """Return a share in words: two digits below 10 %, whole percents above."""
    whole = 100.0 * share
    if whole >= 9.95 or share <= 0:
        return f"{min(whole, 99.0) if share < 1 else 100:.0f} %"
    return f"{whole:.2g} %" if whole >= 0.01 else "less than 0.01 %"
