"""What all peers measure: distances by their own definitions, of the same counts, each computed once.

Jensen–Shannon is a *distance* throughout, the root of the divergence, as in `scipy.spatial.distance`.
"""

from functools import cached_property

import numpy as np
from scipy.special import chdtrc, kolmogorov, rel_entr

from tests.bench.detection.worlds import FINE, GRID, N_VALUES, NEW, TAIL

TO_GRID = np.concatenate(([0], FINE.searchsorted(GRID) + 1))
"""Where the bins of equal width begin among the fine ones."""


class Measured:
    """T windows beside the training data: measures (T, N) of numbers and (T, C) of categories."""

    def __init__(self, reference, sample):
        self.reference, self.sample = reference, sample

    @cached_property
    def cumulative_change(self):
        """Difference of the cumulative shares behind each fine bin (T, N, K)."""
        apart = np.cumsum(shares(self.sample.numeric), axis=-1)
        apart -= np.cumsum(shares(self.reference.numeric), axis=-1)
        return np.abs(apart, out=apart)

    @cached_property
    def kolmogorov_smirnov(self):
        """Largest difference of the cumulative shares, on the fine grid."""
        return self.cumulative_change.max(axis=-1)

    @cached_property
    def kolmogorov_smirnov_p(self):
        """Its asymptotic p-value."""
        m, n = self.reference.numeric.sum(axis=-1), self.sample.numeric.sum(axis=-1)
        return kolmogorov(self.kolmogorov_smirnov * np.sqrt(m * n / (m + n)))

    @cached_property
    def wasserstein(self):
        """Area between the cumulative shares, linear in the fine bins, in training standard deviations.

        What lies beyond the grid counts as if it lay at its end: less than it is.
        """
        apart = self.cumulative_change[..., :-1]
        return ((apart[..., 1:] + apart[..., :-1]) / 2.0) @ np.diff(FINE)

    @cached_property
    def equal_width(self):
        """Shares of both sides in bins of equal width."""
        return tuple(
            shares(np.add.reduceat(side.numeric, TO_GRID, axis=-1)) for side in (self.reference, self.sample)
        )

    @cached_property
    def by_value(self):
        """Shares of both sides by value; what came only once on one side is nothing on the other."""
        return _by_value(self.reference, 0), _by_value(self.sample, 1)

    @cached_property
    def jensen_shannon_numeric(self):
        """In bins of equal width, natural logarithm."""
        return _jensen_shannon(*self.equal_width)

    @cached_property
    def jensen_shannon_categorical(self):
        """By value, natural logarithm."""
        return _jensen_shannon(*self.by_value)

    @cached_property
    def chi_square_p(self):
        """p-value of the test of independence, every value that came once a column of its own."""
        b, c = _named(self.reference), _named(self.sample)
        once_b, once_c = (s.categories[..., TAIL].sum(axis=-1) for s in (self.reference, self.sample))
        m, n = (s.categories.sum(axis=-1) for s in (self.reference, self.sample))
        apart = (b / m[..., None] - c / n[..., None]) ** 2 / np.maximum(b + c, 1)
        statistic = m * n * apart.sum(axis=-1) + once_b * n / m + once_c * m / n
        return chdtrc((b + c > 0).sum(axis=-1) + once_b + once_c - 1, statistic)

    @cached_property
    def l_infinity(self):
        """Largest change of one value's share; of values that came once none can be the largest."""
        p, q = (
            _named(s) / np.maximum(s.categories.sum(axis=-1, keepdims=True), 1)
            for s in (self.reference, self.sample)
        )
        return np.abs(p - q).max(axis=-1)


def shares(counts):
    """Counts as shares; NaN without any."""
    totals = counts.sum(axis=-1, keepdims=True)
    return counts / np.where(totals > 0, totals, np.nan)


def both(numeric, categorical):
    """Flags or values of numeric and categorical features side by side (T, F)."""
    return np.concatenate((numeric, categorical), axis=-1)


def _named(sample):
    return np.concatenate((sample.categories[..., :N_VALUES], sample.categories[..., NEW:]), axis=-1)


def _by_value(sample, side):
    once = sample.categories[..., TAIL].sum(axis=-1)
    alone = np.zeros((*once.shape, 2), dtype=once.dtype)
    alone[..., side] = once
    return shares(np.concatenate((_named(sample), alone), axis=-1))


def _jensen_shannon(p, q):
    m = (p + q) / 2.0
    return np.sqrt(np.maximum((rel_entr(p, m) + rel_entr(q, m)).sum(axis=-1) / 2.0, 0.0))
