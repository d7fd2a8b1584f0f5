"""Hellinger distance."""

import numpy as np
from scipy.special import chdtri, gammaln, xlogy

from detector.batch import Floats
from detector.distances.base import Pair, distance

STEPS_A_UNIT = 64
WIDEST_ROOT = 8.0
"""The table below reaches to sqrt(64): from there on the spread is 1/4 within a percent."""


def _spread_table() -> Floats:
    """E (sqrt X - sqrt L)² for X ~ Poisson(L), at sqrt(L) = 0, 1/64, ..., 8.

    Close to 1/4 for many events in a bin, but up to 0.45 for one or two: where bins are many and
    events few, a floor that takes 1/4 everywhere is a third too low.
    """
    root = np.arange(int(WIDEST_ROOT * STEPS_A_UNIT) + 1) / STEPS_A_UNIT
    counts = np.arange(200)
    expected = root[:, None] ** 2
    chance = np.exp(xlogy(counts, expected) - expected - gammaln(counts + 1))
    spread: Floats = 2.0 * root**2 - 2.0 * root * (chance @ np.sqrt(counts))
    return spread


SPREAD = _spread_table()


def _spread(expected: Floats) -> Floats:
    """Look up the spread of sqrt(count) where `expected` events are expected."""
    at = np.minimum(np.sqrt(expected) * STEPS_A_UNIT + 0.5, len(SPREAD) - 1)
    return SPREAD[np.nan_to_num(at).astype(np.intp)]


def _noise_floor(pair: Pair) -> Floats:
    # Counts of a bin are Poisson about its share of both sides together; the shares of a side add up
    # to 1, which takes one of k bins' freedom away.
    n, m = (np.where(np.isnan(pair.s2), np.nan, side) for side in (pair.n, pair.m))
    pooled = pair.both / pair.spread(n + m)
    apart = pair.total(_spread(pooled * pair.spread(n))) / n
    apart += pair.total(_spread(pooled * pair.spread(m))) / m
    return np.sqrt(apart * pair.degrees / np.maximum(pair.k, 1.0) / 2.0)


def _critical(pair: Pair, floor: Floats, alpha: float) -> Floats:
    # Squared, it is a sum of k - 1 squares as good as normal: chi-square scaled to its mean.
    degrees = np.maximum(pair.degrees, 1.0)
    return np.minimum(floor * np.sqrt(chdtri(degrees, alpha) / degrees), 1.0)


@distance(noise_floor=_noise_floor, critical=_critical)
def hellinger(pair: Pair) -> Floats:
    """Square root of half the summed (sqrt p - sqrt q)²: 0 for equal shares, 1 for disjoint ones.

    Source: Hellinger (1909), J. Reine Angew. Math. 136:210-271, normalised to 1.
    """
    apart = np.sqrt(pair.p) - np.sqrt(pair.q)
    apart *= apart
    return np.minimum(np.sqrt(pair.total(apart) / 2.0), 1.0)
