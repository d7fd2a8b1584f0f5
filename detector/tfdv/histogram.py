"""TFDV's histogram of a numeric column: ten equal-width buckets over *that side's* own range.

It is made in two steps, as in TFDV 1.16: 1,001 quantile edges first, then their mass is spread over the
buckets. Reproduced from its source; every step is visible in the result, so none is left out.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from detector.batch import Floats

N_BUCKETS = 10
N_QUANTILES = 1000
"""A hundred for each bucket."""


@dataclass(frozen=True, slots=True)
class Histogram:
    """B buckets [low, high] with a mass each; infinities have buckets of their own; NaNs are counted."""

    low: Floats
    high: Floats
    mass: Floats
    n_nan: float = 0.0


def standard_histogram(values: Floats, counts: Floats, n_nan: float = 0.0) -> Histogram:
    """Return the histogram of distinct `values`, sorted, not NaN, each `counts` times."""
    empty = np.empty(0)
    if len(values) == 0:
        return Histogram(empty, empty, empty, n_nan)
    finite = values[np.isfinite(values)]
    fine_low, fine_high, fine_mass = _fine_bins(*_quantiles(values, counts))
    buckets = [(float(values[0]), float(values[0]))] if len(finite) == 0 else _edges(finite)
    lows, highs = (np.array(ends) for ends in zip(*buckets, strict=True))
    is_finite = np.isfinite(fine_low) & np.isfinite(fine_high)
    mass = _spread(fine_low[is_finite], fine_high[is_finite], fine_mass[is_finite], lows, highs)
    below, above = fine_mass[np.isneginf(fine_high)].sum(), fine_mass[np.isposinf(fine_high)].sum()
    if below:
        lows, highs, mass = np.append(-np.inf, lows), np.append(-np.inf, highs), np.append(below, mass)
    if above:
        lows, highs, mass = np.append(lows, np.inf), np.append(highs, np.inf), np.append(mass, above)
    return Histogram(lows, highs, mass, n_nan)


def _edges(finite: Floats) -> list[tuple[float, float]]:
    low, high = float(finite[0]), float(finite[-1])
    if low == high:
        return [(low, high)]
    edges = np.linspace(low, high, N_BUCKETS + 1).tolist()
    return list(pairwise(edges))


def _quantiles(values: Floats, counts: Floats) -> tuple[Floats, Floats]:
    """Return the value nearest to each of 1,001 ranks, and the count of values up to it."""
    after = np.cumsum(counts)
    before = after - counts
    n = after[-1]
    # Doubled, so that the middle of a stretch of equal values is a whole number, as in TFDV.
    ranks = 2.0 * np.arange(N_QUANTILES + 1) * n / N_QUANTILES
    current = np.clip(np.searchsorted(before + after, ranks, side="right") - 1, 0, len(values) - 1)
    following = np.minimum(current + 1, len(values) - 1)
    chosen = np.where(ranks < after[current] + before[following], current, following)
    return values[chosen], after[chosen]


def _fine_bins(edges: Floats, cumulative: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the bins between neighbouring quantiles, and their mass."""
    low, high = edges[:-1], edges[1:]
    mass = np.diff(cumulative)
    # Bins with the same upper edge share their mass evenly.
    _, inverse, sizes = np.unique(high, return_inverse=True, return_counts=True)
    mass = (np.bincount(inverse, weights=mass) / sizes)[inverse]
    # The smallest value's own mass goes to the first bin, evenly to all bins that are identical to it.
    at_minimum = (low == low[0]) & (high == high[0])
    mass = mass + np.where(at_minimum, cumulative[0] / at_minimum.sum(), 0.0)
    return low, high, mass


def _spread(low: Floats, high: Floats, mass: Floats, bucket_low: Floats, bucket_high: Floats) -> Floats:
    """Give the mass of fine bins to the buckets they overlap, linearly."""
    out = np.zeros(len(bucket_low))
    width = high - low
    points = width == 0
    # A bucket is open below and closed above, the first closed on both sides.
    at = np.clip(np.searchsorted(bucket_high, high[points], side="left"), 0, len(out) - 1)
    np.add.at(out, at, mass[points])
    for i in range(len(out)):
        overlap = np.minimum(high[~points], bucket_high[i]) - np.maximum(low[~points], bucket_low[i])
        out[i] += np.sum(mass[~points] * np.maximum(overlap, 0.0) / width[~points])
    return out
