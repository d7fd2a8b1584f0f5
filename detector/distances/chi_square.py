"""Two-sample chi-square statistic."""

import numpy as np
from scipy.special import chdtrc

from detector.batch import Floats
from detector.distances.base import Pair, distance


def _degrees(pair: Pair) -> Floats:
    return np.maximum(pair.k - 1.0, 1.0)


def _p_value(pair: Pair, value: Floats) -> Floats:
    p: Floats = chdtrc(_degrees(pair), value)
    return p


@distance(upper=None, noise_floor=lambda pair: pair.k - 1.0, p_value=_p_value)
def chi_square(pair: Pair) -> Floats:
    """Sum of (sqrt(n/m) b - sqrt(m/n) c)² / (b + c) over occupied bins, b and c the counts.

    Grows with the number of events; without drift chi-square with (occupied bins - 1) degrees of
    freedom, well kept where about five events are expected in a bin.
    Source: Press et al. (2007), Numerical Recipes, 14.3.3.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = pair.spread(np.where((pair.n > 0) & (pair.m > 0), np.sqrt(pair.n / pair.m), np.nan))
        terms = (ratio * pair.reference - pair.current / ratio) ** 2 / (pair.reference + pair.current)
    return pair.total(np.where(pair.occupied | np.isnan(ratio), terms, 0.0))
