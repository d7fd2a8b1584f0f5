"""1-Wasserstein distance over the reference's standard deviation: the same scale for every feature."""

import numpy as np

from detector.batch import Floats
from detector.distances.base import Pair, distance
from detector.distances.wasserstein import wasserstein


@distance(ordered=True, upper=None)
def wasserstein_std(pair: Pair) -> Floats:
    """Wasserstein distance in standard deviations of the reference; NaN where that has none or is constant.

    A shift of all values by one standard deviation is 1, whatever the feature's unit. Where the pair holds
    no standard deviations, all are taken for 1.
    """
    std = 1.0 if pair.reference_std is None else pair.reference_std
    with np.errstate(over="ignore"):
        return wasserstein(pair) / np.where(np.isfinite(std) & (std > 0), std, np.nan)
