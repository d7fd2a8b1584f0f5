"""Population stability index (PSI), as used in credit scoring."""

import numpy as np
from numpy.typing import NDArray

from detector.batch import Floats
from detector.distances.base import Pair, distance

PSEUDO_COUNT = 0.5
"""Added to every occupied bin on both sides, so that an empty bin is finite (Jeffreys' prior)."""


def _noise_floor(pair: Pair) -> Floats:
    return pair.degrees * pair.s2


@distance(upper=None, noise_floor=_noise_floor)
def population_stability(pair: Pair) -> Floats:
    """Sum of (p - q) ln(p / q), with half an event added to every bin that either side occupies.

    Non-negative, without upper limit; the symmetric Kullback–Leibler (Jeffreys) divergence. Bins
    empty on both sides drop out: they would add noise that grows with the number of bins.
    Source: Siddiqi (2006), Credit Risk Scorecards; null law: Yurdakul (2018).
    """
    p = _share(pair.reference, pair.m, pair)
    q = _share(pair.current, pair.n, pair)
    return pair.total((p - q) * np.log(p / q) * pair.occupied)


def _share(counts: NDArray[np.int64], totals: Floats, pair: Pair) -> Floats:
    with_extra = np.where(totals > 0, totals + PSEUDO_COUNT * pair.k, np.nan)
    share: Floats = (counts + PSEUDO_COUNT) / pair.spread(with_extra)
    return share
