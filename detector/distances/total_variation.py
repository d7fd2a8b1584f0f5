"""Total variation distance: the share of events that would have to move to another bin."""

import math

import numpy as np

from detector.batch import Floats
from detector.distances.base import Pair, distance


def _noise_floor(pair: Pair) -> Floats:
    # E|N(0, v)| = sqrt(2 v / pi), bin by bin.
    spread = pair.total(np.sqrt(pair.p * (1.0 - pair.p)))
    return 0.5 * math.sqrt(2.0 / math.pi) * np.sqrt(pair.s2) * spread


@distance(noise_floor=_noise_floor)
def total_variation(pair: Pair) -> Floats:
    """Half the sum of |p - q|: 0 for equal shares, 1 for disjoint ones.

    Source: Levin, Peres (2017), Markov Chains and Mixing Times, proposition 4.2.
    """
    # Rounding may pass 1 by a few ulp.
    return np.minimum(0.5 * pair.total(np.abs(pair.change)), 1.0)
