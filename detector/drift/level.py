"""From a budget of false alarms to the chances that single decisions may take.

A budget of b false alarms per model and 30 days is shared out evenly (Bonferroni) over everything
that is decided in 30 days: features, statistics, windows, slices, evaluations. Overlapping windows make
that a little too strict: 2 to 6 % in thresholds. Sampling noise is new at every evaluation; an
excursion of the data themselves lasts, so it is asked for only as often as such excursions end.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import betainc, nbdtrik, stdtrit

from detector.baseline.variation import DAY_S, Variation
from detector.batch import Floats

MONTH_S = 30.0 * DAY_S

WELL_KNOWN = 400.0
"""Independent windows that tell a tail by themselves."""

MIN_LOOKS = 30.0
"""An excursion is asked for at least once a day."""


@dataclass(frozen=True, slots=True)
class Level:
    """What the decisions of one model version share between them."""

    budget: float
    """False alarms in 30 days."""
    n_features: int
    n_slices: int = 1
    n_windows: int = 1
    pane_s: float = 60.0

    def sampling(self, n_statistics: int) -> float:
        """Return the chance one statistic of one feature may take in one evaluation, against sampling."""
        evaluations = MONTH_S / self.pane_s * self.n_windows * self.n_slices
        return self.budget / (self.n_features * n_statistics * evaluations)

    def natural(self, n_statistics: int, looks: Floats) -> Floats:
        """Return the same against excursions, of which there are so many independent ones in 30 days."""
        share = self.n_features * n_statistics * self.n_windows * self.n_slices
        level: Floats = self.budget / (share * np.maximum(looks, MIN_LOOKS))
        return level


def reach(variation: Variation, at: int, alpha: Floats) -> Floats:
    """Return how many root mean squares an excursion exceeds with chance `alpha` (F).

    The tail that the model's features showed together, where that was told from many windows: each was
    held against the root mean square of other days, so what that is off by is in it. Else the larger of
    it and of Student's t, which knows from how many independent windows the root mean square comes.
    """
    tail = variation.tails[at]
    found = tail.reach(alpha)
    if tail.independent < WELL_KNOWN:
        freedom = np.maximum(variation.effective[at] - 1.0, 4.0)
        found = np.maximum(found, -np.asarray(stdtrit(freedom, alpha / 2.0), dtype=np.float64))
    return found


def most_events(expected: Floats, n: Floats, m: Floats, alpha: float) -> Floats:
    """Return the count of n that chance exceeds with probability `alpha`, where m had `expected`.

    Exact: given their sum, the two counts are binomial, so the count of n is negative binomial.
    Source: Przyborowski and Wilenski (1940), Biometrika 31:313-323.
    """
    cases = np.stack(np.broadcast_arrays(expected, n, m))
    # Most features have the same rate: none. Each different case is worked out once.
    different, which = np.unique(cases.reshape(3, -1), axis=1, return_inverse=True)
    expected, n, m = different
    with np.errstate(divide="ignore", invalid="ignore"):
        count = np.asarray(nbdtrik(1.0 - alpha, expected + 1.0, m / (n + m)), dtype=np.float64)
    most: Floats = np.ceil(count)[which.ravel()].reshape(cases.shape[1:])
    return most


def rate_p_value(count: Floats, n: Floats, expected: Floats, m: Floats) -> Floats:
    """Return the chance of at least `count` of n where m had `expected`."""
    with np.errstate(divide="ignore", invalid="ignore"):
        p = betainc(np.maximum(count, 1e-300), expected + 1.0, n / (n + m))
    return np.where(count > 0, np.asarray(p, dtype=np.float64), 1.0)
