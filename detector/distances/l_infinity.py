"""L-infinity (Chebyshev) distance: the largest change of any single bin's share."""

import math

import numpy as np
from scipy.special import ndtri

from detector.batch import Floats
from detector.distances.base import Pair, distance

ABOVE_MEAN = math.exp(-np.euler_gamma)
"""So many of many bins are expected to lie above the mean of their largest (Gumbel's law)."""


def _widest(pair: Pair) -> tuple[Floats, Floats]:
    """Return the largest binomial variance p (1 - p), and how many bins as wide would do as all."""
    variance = pair.p * (1.0 - pair.p)
    widest = pair.largest(variance)
    # Narrow bins hardly ever hold the largest difference, and two bins differ by the same: so count
    # how many bins as wide as the widest, and independent of each other, would do. Both by trial.
    as_wide = pair.total(variance * variance) / np.maximum(widest * widest, np.finfo(np.float64).tiny)
    return widest, np.maximum((1.0 - 2.0 / np.maximum(pair.k, 1.0) ** 2) * as_wide, 1.0)


def _noise_floor(pair: Pair) -> Floats:
    """Mean of the largest of k normal differences, within 15 % for laws from equal shares to Zipf's."""
    widest, n_like = _widest(pair)
    deviations = -ndtri(-0.5 * np.expm1(-ABOVE_MEAN / n_like))
    return np.sqrt(pair.s2 * widest) * deviations


def _critical(pair: Pair, _floor: Floats, alpha: float) -> Floats:
    # Shared out over the bins that matter; the second term is the skewness of small counts
    # (Cornish and Fisher, 1937).
    widest, n_like = _widest(pair)
    deviations = -ndtri(alpha / (2.0 * n_like))
    return np.minimum(np.sqrt(pair.s2 * widest) * deviations + deviations**2 / 6.0 * pair.s2, 1.0)


@distance(noise_floor=_noise_floor, critical=_critical)
def l_infinity(pair: Pair) -> Floats:
    """Largest |p - q| over the bins: 0 for equal shares, 1 for two constants that differ.

    The measure TensorFlow Data Validation uses for categories (`infinity_norm`); here numeric
    features have one too, on the training data's own bins.
    """
    return pair.largest(np.abs(pair.change))
