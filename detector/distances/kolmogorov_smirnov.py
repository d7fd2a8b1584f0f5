"""Two-sample Kolmogorov–Smirnov distance on the bins' edges."""

import math

import numpy as np
from scipy.special import kolmogi, kolmogorov

from detector.batch import Floats
from detector.distances.base import Pair, distance


def _noise_floor(pair: Pair) -> Floats:
    # E[D²] = pi²/12 (1/n + 1/m) for continuous data.
    return np.sqrt(math.pi**2 / 12.0 * pair.s2)


def _p_value(pair: Pair, value: Floats) -> Floats:
    # Conservative on bins: the edges see at most the supremum over the line.
    p: Floats = kolmogorov(value / np.sqrt(pair.s2))
    return p


def _critical(pair: Pair, _floor: Floats, alpha: float) -> Floats:
    return np.minimum(kolmogi(alpha) * np.sqrt(pair.s2), 1.0)


@distance(ordered=True, noise_floor=_noise_floor, p_value=_p_value, critical=_critical)
def kolmogorov_smirnov(pair: Pair) -> Floats:
    """Largest difference of the two cumulative distributions at any bin edge, 0 to 1.

    Below the distance of the raw samples by no more than the share of one bin: at most 1/32 with 64
    equal-mass bins, where over nine test laws the median loss is .0004 and the largest .012 (a law
    that begins sharply, moved by part of a bin).
    Source: Smirnov (1939); asymptotic law of Kolmogorov for the p-value.
    """
    return pair.largest(np.abs(pair.cumulative_change))
