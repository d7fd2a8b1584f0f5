"""Population stability index (PSI), as used in credit scoring."""

import numpy as np

from detector.batch import Floats
from detector.distances.base import Pair, distance

PSEUDO_COUNT = 0.5
"""Added to every occupied bin on both sides, so that an empty bin is finite (Jeffreys' prior)."""


def _noise_floor(pair: Pair) -> Floats:
    return (pair.k - 1.0) * pair.s2


@distance(upper=None, noise_floor=_noise_floor)
def population_stability(pair: Pair) -> Floats:
    """Sum of (p - q) ln(p / q), with half an event added to every bin that either side occupies.

    Non-negative, without upper limit; the symmetric Kullback–Leibler (Jeffreys) divergence. Bins
    empty on both sides drop out: they would add noise that grows with the number of bins.
    Source: Siddiqi (2006), Credit Risk Scorecards; null law: Yurdakul (2018).
    """
    extra = PSEUDO_COUNT * pair.occupied
    p = (pair.reference + extra) / pair.spread(_positive(pair.m, pair) + PSEUDO_COUNT * pair.k)
    q = (pair.current + extra) / pair.spread(_positive(pair.n, pair) + PSEUDO_COUNT * pair.k)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = (p - q) * np.log(p / q)
    return pair.total(np.where(pair.occupied | np.isnan(p + q), terms, 0.0))


def _positive(totals: Floats, pair: Pair) -> Floats:
    empty = (pair.m <= 0) | (pair.n <= 0)
    return np.where(empty, np.nan, totals)
