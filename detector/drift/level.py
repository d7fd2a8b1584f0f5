"""From a budget of false alarms to the chances that single decisions may take.

A budget of b false alarms per model and 30 days is shared out over everything that is decided in 30 days.
Half of it is for sampling noise, which is new at every evaluation: shared evenly (Bonferroni) over features,
statistics, windows, slices and evaluations. Overlapping windows make that a little too strict: 2 to 6 % in
thresholds. The other half is for excursions of the data themselves. They last, so they are asked for only
as often as they end; all distances of a feature see the same one; and where an excursion that is large enough
to matter (`min_effect`) is out of the ordinary anyway, a feature leaves its share to those that move more.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import betainc, nbdtrik, stdtr, stdtrit

from detector.baseline.variation import DAY_S, TAIL_SHARE, Tail, Variation
from detector.batch import Floats

MONTH_S = 30.0 * DAY_S

WELL_KNOWN = 400.0
"""Independent windows that tell a tail by themselves."""

LEAST_FREEDOM = 4.0

MIN_LOOKS = 30.0
"""An excursion is asked for at least once a day."""

NATURAL_SHARE = 0.5
"""Part of the budget that excursions may use up."""

LARGEST_CHANCE = TAIL_SHARE
"""An excursion that is more common than this is no excursion: no tail is known of it."""


LEAST_SAMPLING = 1e-15
"""A smaller chance is not told from none: next to 1 it is lost in rounding."""

MOST_SAMPLING = 0.5
"""However large the budget is."""


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
        """Return the chance one statistic of one feature may take in one evaluation, against sampling.

        Between `LEAST_SAMPLING` and `MOST_SAMPLING`: beyond these quantiles are not numbers, and nothing
        would decide any more.
        """
        evaluations = MONTH_S / self.pane_s * self.n_windows * self.n_slices
        share = (1.0 - NATURAL_SHARE) * self.budget / (self.n_features * n_statistics * evaluations)
        return min(max(share, LEAST_SAMPLING), MOST_SAMPLING)

    @property
    def natural(self) -> float:
        """Excursions of windows of one length in 30 days, of all features together, that may alarm."""
        return NATURAL_SHARE * self.budget / (self.n_windows * self.n_slices)


@dataclass(frozen=True, slots=True)
class Excursions:
    """How far the windows of one length reach by themselves, in root mean squares, for F features.

    By the tail that all features showed together, where that was told from many windows: each was held
    against the root mean square of other days, so what that is off by is in it. Else by the larger of it and
    of Student's t, which knows from how many independent windows the root mean square comes.
    """

    tail: Tail
    freedom: Floats
    """Independent windows less one (F)."""

    @classmethod
    def of_distances(cls, variation: Variation, at: int) -> "Excursions":
        """Return those of the distances, which are all moved by the same."""
        return cls(variation.tails[at], np.maximum(variation.effective[at] - 1.0, LEAST_FREEDOM))

    @classmethod
    def of_rates(cls, variation: Variation, at: int) -> "Excursions":
        """Return those of the rates: no more of them are independent than there are days."""
        if not variation.rate_tails:
            return cls.of_distances(variation, at)
        days = variation.windows[at] * variation.lengths_s[at] / DAY_S
        freedom = np.minimum(variation.effective[at], max(days, 1.0)) - 1.0
        return cls(variation.rate_tails[at], np.maximum(freedom, LEAST_FREEDOM))

    def chance(self, units: Floats) -> Floats:
        """Return the chance of one beyond `units` (F)."""
        found = self.tail.chance(units)
        if self.tail.independent < WELL_KNOWN:
            found = np.maximum(found, 2.0 * np.asarray(stdtr(self.freedom, -units), dtype=np.float64))
        return found

    def reach(self, alpha: float) -> Floats:
        """Return what one exceeds with chance `alpha` (F): the inverse of `chance`."""
        found = np.full(len(self.freedom), self.tail.reach(np.array(alpha)))
        if self.tail.independent < WELL_KNOWN:
            beyond = -np.asarray(stdtrit(self.freedom, alpha / 2.0), dtype=np.float64)
            found = np.maximum(found, beyond)
        return found


def common_chance(looks: Floats, guarded: Sequence[tuple[Excursions, Floats]], budget: float) -> float:
    """Return the chance that any single excursion may take, so that `budget` alarm in 30 days.

    `looks` (F) are the independent windows in 30 days. `guarded` has for each kind of excursion how large it
    must be to matter, by feature (F), in root mean squares: smaller ones alarm nobody, however common.
    """
    looks = np.maximum(looks, MIN_LOOKS)
    matters = np.stack([excursions.chance(units) for excursions, units in guarded])
    low, high = np.log(1e-12), np.log(LARGEST_CHANCE)
    for _ in range(50):
        middle = (low + high) / 2.0
        alarms = float((looks * np.minimum(np.exp(middle), matters)).sum())
        low, high = (low, middle) if alarms > budget else (middle, high)
    return float(np.exp(low))


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
