"""Two-sample chi-square statistic."""

import numpy as np
from scipy.special import chdtrc

from detector.batch import Floats
from detector.distances.base import Pair, distance


def _p_value(pair: Pair, value: Floats) -> Floats:
    p: Floats = chdtrc(np.maximum(pair.degrees, 1.0), value)
    return p


@distance(upper=None, noise_floor=lambda pair: pair.degrees, p_value=_p_value)
def chi_square(pair: Pair) -> Floats:
    """Sum of (sqrt(n/m) b - sqrt(m/n) c)² / (b + c) over occupied bins, b and c the counts.

    Grows with the number of events; without drift chi-square with (occupied bins - 1) degrees of
    freedom, well kept where about five events are expected in a bin.
    Source: Press et al. (2007), Numerical Recipes, 14.3.3.
    """
    # sqrt(n/m) b - sqrt(m/n) c = sqrt(n m) (p - q)
    return pair.n * pair.m * pair.total(pair.change * pair.change / np.maximum(pair.both, 1))
