"""Worlds with categories and rates beside the numbers of `tests.support.worlds`, and what happens in them.

A *day* holds, for each of 288 panes, everything that the events are drawn from. A change is a function of a
day and of `on` (T): the days since it set in, above 0 once it has. Numbers are drawn on a grid that is finer
than our bins, so that rules with bins of equal width see the same events as rules with our bins do.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr

from detector.profile.binning import N_BUCKETS
from tests.support.worlds import EDGES, PANES_A_DAY, World

GRID = np.arange(-6.0, 6.01, 0.5)
"""Edges of bins of equal width. Sturges' rule gives 24 bins to eight million normal values, over a range of
10.6 standard deviations: as wide as these."""
FINE = np.union1d(EDGES, GRID)

N_VALUES = 20
"""Values of a categorical feature that training data have often."""
TAIL, NEW, CATEGORIES = slice(N_VALUES, N_VALUES + N_BUCKETS), N_VALUES + N_BUCKETS, N_VALUES + N_BUCKETS + 1
"""Cells of a categorical feature: the values; values that come once and never again, by the bucket they are
hashed to; one new value."""
ZIPF = 1.1


@dataclass(frozen=True)
class Kind:
    """What a world is made of: how means move, how many features of each kind, whether shares swing."""

    means: str
    n_numeric: int
    n_categorical: int
    swings: bool = False


KINDS = {
    "iid": Kind("iid", 100, 0),
    "day": Kind("day", 100, 0),
    "season": Kind("season", 100, 0),
    "t3": Kind("t3", 100, 0),
    "mixed": Kind("iid", 50, 50),
    "swing": Kind("day", 50, 50, swings=True),
}
"""`mixed`: numbers with missing values and a few outside the range, categories with a tail of new values, all
constant. `swing`: the same, but the shares of everything are others every day."""


@dataclass(frozen=True)
class Day:
    """What the events of one day are drawn from (T panes, N numeric and C categorical features)."""

    n: np.ndarray
    """Events a pane (T)."""
    mean: np.ndarray
    """(T, N), in standard deviations of the training data."""
    scale: np.ndarray
    outside: np.ndarray
    """Share of values far out (T, N); training data have none, for they set the range."""
    categories: np.ndarray
    """Shares of the cells (T, C, CATEGORIES)."""
    missing: np.ndarray
    """Share of events without a value (T, N + C)."""

    def numeric_shares(self):
        """Return the shares of the fine bins (T, N, len(FINE) + 1), then of missing."""
        n = self.mean.shape[1]
        cdf = ndtr((FINE - self.mean[..., None]) / self.scale[..., None])
        p = np.diff(cdf, prepend=0.0, append=1.0, axis=-1) * (1.0 - self.outside[..., None])
        p[..., 0] += self.outside / 2
        p[..., -1] += self.outside / 2
        return _with_missing(p, self.missing[:, :n])

    def categorical_shares(self):
        """Return the shares of the cells (T, C, CATEGORIES), then of missing."""
        return _with_missing(self.categories, self.missing[:, self.mean.shape[1] :])


def _with_missing(p, missing):
    p = np.concatenate((p * (1.0 - missing[..., None]), missing[..., None]), axis=-1)
    # Binomials are drawn one cell after another: rounding must not make more than 1 of them.
    return np.maximum(p, 0.0) / p.sum(axis=-1, keepdims=True)


class Days:
    """A world day by day; the same generator draws what it is and what the events are."""

    def __init__(self, name, rng):
        self.kind, self.rng = KINDS[name], rng
        n, c = self.kind.n_numeric, self.kind.n_categorical
        self.means = World(self.kind.means, rng, n)
        has_shares = c > 0
        self.missing = _log_uniform(rng, 0.005, 0.1, n + c) if has_shares else np.zeros(n + c)
        self.outside = _log_uniform(rng, 0.0001, 0.001, n) if has_shares else np.zeros(n)
        self.tail = _log_uniform(rng, 0.001, 0.05, c)
        # Standard deviation from day to day, as a part of the mean share; and how firm the categories are.
        self.spread = rng.uniform(0.1, 0.5, n + c)
        self.firm = _log_uniform(rng, 300.0, 5000.0, c)
        ranks = np.arange(1, N_VALUES + 1) ** -ZIPF
        self.values = ranks / ranks.sum()

    def day(self, training=False):
        """Draw one day."""
        mean, n = self.means.day()
        numeric, c = self.kind.n_numeric, self.kind.n_categorical
        tail, missing, outside = self.tail, self.missing, self.outside
        values = np.tile(self.values, (c, 1))
        if self.kind.swings:
            missing = _beta(self.rng, missing, self.spread)
            outside = _beta(self.rng, outside, self.spread[:numeric])
            tail = _beta(self.rng, tail, self.spread[numeric:])
            gamma = self.rng.gamma(values * self.firm[:, None])
            values = gamma / gamma.sum(axis=1, keepdims=True)
        cells = np.zeros((c, CATEGORIES))
        cells[:, :N_VALUES] = values * (1.0 - tail[:, None])
        cells[:, TAIL] = tail[:, None] / N_BUCKETS
        return Day(
            n,
            mean,
            np.ones_like(mean),
            _all_day(np.zeros(numeric) if training else outside),
            _all_day(cells),
            _all_day(missing),
        )


def _log_uniform(rng, low, high, n):
    return np.exp(rng.uniform(np.log(low), np.log(high), n))


def _beta(rng, mean, spread):
    """Shares around their means, with a standard deviation of `spread` means."""
    firm = (1.0 - mean) / (mean * spread**2) - 1.0
    return rng.beta(mean * firm, (1.0 - mean) * firm)


def _all_day(x):
    return np.broadcast_to(x, (PANES_A_DAY, *x.shape)).copy()


def step(size):
    """The mean moves by `size` standard deviations at once."""
    return lambda day, on: replace(day, mean=day.mean + size * (on > 0)[:, None])


def ramp(size):
    """The mean moves by `size` within a day, evenly."""
    return lambda day, on: replace(day, mean=day.mean + size * np.clip(on, 0.0, 1.0)[:, None])


def variance(factor):
    """The variance grows."""
    return lambda day, on: replace(day, scale=np.where((on > 0)[:, None], np.sqrt(factor), day.scale))


def unit(factor):
    """All values come in another unit."""

    def change(day, on):
        is_on = (on > 0)[:, None]
        return replace(
            day,
            mean=np.where(is_on, day.mean * factor, day.mean),
            scale=np.where(is_on, day.scale * factor, day.scale),
        )

    return change


def constant(value):
    """All values are the same."""

    def change(day, on):
        is_on = (on > 0)[:, None]
        return replace(day, mean=np.where(is_on, value, day.mean), scale=np.where(is_on, 1e-9, day.scale))

    return change


def swap(share):
    """So much of all events moves from the third most frequent value to the fourth."""

    def change(day, on):
        cells = day.categories.copy()
        moved = np.minimum(cells[..., 2], share) * (on > 0)[:, None]
        cells[..., 2] -= moved
        cells[..., 3] += moved
        return replace(day, categories=cells)

    return change


def new_category(share):
    """So much of all events has one value that training data never had."""

    def change(day, on):
        part = share * (on > 0)[:, None, None]
        cells = day.categories * (1.0 - part)
        cells[..., NEW] += part[..., 0]
        return replace(day, categories=cells)

    return change


def missing(share):
    """So many values more are missing."""
    return lambda day, on: replace(day, missing=day.missing + share * (on > 0)[:, None])


def outside(share):
    """So many values more lie outside the training range."""
    return lambda day, on: replace(day, outside=day.outside + share * (on > 0)[:, None])


@dataclass(frozen=True)
class Change:
    """What happens a day after the stream began, and within how many hours it should be found."""

    apply: object
    hours: float
    features: str
    """`numeric`, `categorical` or `all`: which features it happens to."""


CHANGES = {
    ".1 s": Change(step(0.1), 24, "numeric"),
    ".25 s": Change(step(0.25), 2, "numeric"),
    ".5 s": Change(step(0.5), 1, "numeric"),
    "variance x 1.5": Change(variance(1.5), 24, "numeric"),
    "ramp to .5 s": Change(ramp(0.5), 24, "numeric"),
    "unit x 100": Change(unit(100.0), 1, "numeric"),
    "constant": Change(constant(0.1), 1, "numeric"),
    "swap 5 %": Change(swap(0.05), 2, "categorical"),
    "new value 2 %": Change(new_category(0.02), 2, "categorical"),
    "missing + 4 %": Change(missing(0.04), 2, "all"),
    "outside + 1 %": Change(outside(0.01), 2, "numeric"),
}
"""By what the tables call them."""
