"""Jensen–Shannon divergence in bits."""

import math

import numpy as np

from detector.batch import Floats
from detector.distances.base import Pair, distance

SMALLEST = np.finfo(np.float64).tiny
"""Far below any share; keeps 0 ln 0 at 0."""


def _noise_floor(pair: Pair) -> Floats:
    return pair.degrees * pair.s2 / (8.0 * math.log(2.0))


@distance(noise_floor=_noise_floor)
def jensen_shannon(pair: Pair) -> Floats:
    """Jensen–Shannon divergence, base 2, no square root: 0 for equal shares, 1 for disjoint ones.

    TensorFlow Data Validation's definition of the divergence; its numeric bins differ.
    Source: Lin (1991), IEEE Trans. Inf. Theory 37(1):145-151, with weights 1/2.
    """
    # Nothing at all is 0 ln(0 / SMALLEST), which is taken as 0 ln(SMALLEST) = 0 below.
    middle = np.maximum(0.5 * (pair.p + pair.q), SMALLEST)
    nats = 0.5 * pair.total(_relative(pair.p, middle) + _relative(pair.q, middle))
    # Rounding may leave the ends of the range by a few ulp.
    return np.clip(nats / math.log(2.0), 0.0, 1.0)


def _relative(p: Floats, middle: Floats) -> Floats:
    return p * np.log(np.maximum(p / middle, SMALLEST))
