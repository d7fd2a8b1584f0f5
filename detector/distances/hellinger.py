"""Hellinger distance."""

import numpy as np

from detector.batch import Floats
from detector.distances.base import Pair, distance


def _noise_floor(pair: Pair) -> Floats:
    return np.sqrt(pair.degrees * pair.s2 / 8.0)


@distance(noise_floor=_noise_floor)
def hellinger(pair: Pair) -> Floats:
    """Square root of half the summed (sqrt p - sqrt q)²: 0 for equal shares, 1 for disjoint ones.

    Source: Hellinger (1909), J. Reine Angew. Math. 136:210-271, normalised to 1.
    """
    apart = np.sqrt(pair.p) - np.sqrt(pair.q)
    apart *= apart
    return np.minimum(np.sqrt(pair.total(apart) / 2.0), 1.0)
