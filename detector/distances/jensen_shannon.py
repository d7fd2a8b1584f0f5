"""Jensen–Shannon divergence in bits."""

import math

import numpy as np
from scipy.special import rel_entr

from detector.batch import Floats
from detector.distances.base import Pair, distance


def _noise_floor(pair: Pair) -> Floats:
    return (pair.k - 1.0) * pair.s2 / (8.0 * math.log(2.0))


@distance(noise_floor=_noise_floor)
def jensen_shannon(pair: Pair) -> Floats:
    """Jensen–Shannon divergence, base 2, no square root: 0 for equal shares, 1 for disjoint ones.

    TensorFlow Data Validation's definition of the divergence; its numeric bins differ.
    Source: Lin (1991), IEEE Trans. Inf. Theory 37(1):145-151, with weights 1/2.
    """
    middle = 0.5 * (pair.p + pair.q)
    nats = 0.5 * pair.total(rel_entr(pair.p, middle) + rel_entr(pair.q, middle))
    # Rounding may leave the ends of the range by a few ulp.
    return np.clip(nats / math.log(2.0), 0.0, 1.0)
