"""L-infinity (Chebyshev) distance: the largest change of any single bin's share."""

import numpy as np

from detector.batch import Floats
from detector.distances.base import Pair, distance


def _noise_floor(pair: Pair) -> Floats:
    # The largest of k roughly normal differences; the widest bin sets their scale.
    widest = pair.largest(pair.p * (1.0 - pair.p))
    return np.sqrt(pair.s2 * widest * np.log(np.maximum(pair.k, 2.0)))


@distance(noise_floor=_noise_floor)
def l_infinity(pair: Pair) -> Floats:
    """Largest |p - q| over the bins: 0 for equal shares, 1 for two constants that differ.

    The measure TensorFlow Data Validation uses for categories (`infinity_norm`); here numeric
    features have one too, on the training data's own bins.
    """
    return pair.largest(np.abs(pair.change))
