"""The law of a numeric feature as its bins tell it, and whether a window follows another law.

Within a bin the values are spread so that their mean comes out right: a share α evenly below the mean,
the rest evenly above, with α = (upper - mean) / (upper - lower). A law that is scaled, or that of another
column, then predicts what a window has in every bin, its mean and its spread. Part of the window may
follow the training law still: alerts come while a window holds both.
"""

from dataclasses import dataclass

import numpy as np

from detector.batch import Bools, Floats
from detector.drift.change import Change

NUDGE = 1e-9
"""Edges are moved by this part, so that rounding puts no frequent value on the wrong side."""

MIN_VALUES = 50
"""A part of a window with fewer values is not told from noise."""


@dataclass(frozen=True, slots=True)
class Law:
    """A distribution function by knots, linear between them, with its moments."""

    knots: Floats
    cdf: Floats
    mean: float
    std: float
    kurtosis: float
    """Fourth moment about the mean over the variance squared, from bin means; 3 for the normal law."""

    @property
    def low(self) -> float:
        """Smallest value."""
        return float(self.knots[0])

    @property
    def high(self) -> float:
        """Largest value."""
        return float(self.knots[-1])

    def below(self, x: Floats, *, above: Bools) -> Floats:
        """Return the share of values below x, and up to x where `above` says so."""
        nudge = NUDGE * (np.abs(x) + self.std)
        return np.interp(x + np.where(above, nudge, -nudge), self.knots, self.cdf, left=0.0, right=1.0)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a window (or training data) shows of a numeric feature."""

    edges: Floats
    above: Bools
    """Edges that lie just above a value of their own."""
    cdf: Floats
    """Share of the values below each edge."""
    counts: Floats
    sums: Floats
    """Values, and their sum, by bin."""
    n: float
    mean: float
    square: float
    """Mean squared distance from `center`."""
    center: float
    low: float
    high: float

    @classmethod
    def of(
        cls, change: Change, side: Floats, sums: Floats, squares: float, ends: tuple[float, float]
    ) -> "Seen":
        """Return what counts by bin, their sums and the squares show."""
        edges = change.baseline.binning.numeric[change.feature].edges
        above = np.append(False, np.nextafter(edges[:-1], np.inf) == edges[1:])
        above[-1] = True
        n = float(side.sum())
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            mean, square = float(np.sum(sums / n)), squares / n
        return cls(
            edges,
            above,
            np.cumsum(side)[:-1] / n,
            side,
            sums,
            n,
            mean,
            square,
            float(change.baseline.centers[change.feature]),
            *ends,
        )

    @property
    def variance(self) -> float:
        """Variance about the mean."""
        return max(self.square - (self.mean - self.center) ** 2, 0.0)


def seen(change: Change) -> tuple[Seen, Seen] | None:
    """Return what both sides of a numeric feature show, None where one has no finite values."""
    start = int(change.baseline.layout.segments.starts[change.feature])
    found = []
    for profile, counts in ((change.reference, change.before), (change.current, change.now)):
        if counts.sum() < MIN_VALUES:
            return None
        sums = profile.sums[0, start : start + len(counts)]
        ends = float(profile.low[0, change.feature]), float(profile.high[0, change.feature])
        one = Seen.of(change, counts, sums, float(profile.squares[0, change.feature]), ends)
        if not np.isfinite(one.mean) or not np.isfinite(one.square):
            return None
        found.append(one)
    return found[0], found[1]


def law_of(change: Change, side: Seen) -> Law | None:
    """Return the training law of a feature; None for a constant, or one without finite values."""
    counts, edges, start = (
        change.before,
        side.edges,
        int(change.baseline.layout.segments.starts[change.feature]),
    )
    low, high = (float(x[0, change.feature]) for x in (change.reference.low, change.reference.high))
    if not low < high or side.variance <= 0:
        return None
    ends = np.concatenate(([min(low, edges[0])], edges, [max(np.nextafter(high, np.inf), edges[-1])]))
    lower, upper = ends[:-1], ends[1:]
    sums = change.reference.sums[0, start : start + len(counts)]
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.clip(np.where(counts > 0, sums / counts, 0.5 * lower + 0.5 * upper), lower, upper)
        part = np.where(upper > lower, (upper - means) / (upper - lower), 1.0)
    shares = counts / counts.sum()
    cdf = np.concatenate(([0.0], np.cumsum(shares)))
    knots = np.append(np.stack((lower, means), axis=1).ravel(), ends[-1])
    values = np.append(np.stack((cdf[:-1], cdf[:-1] + shares * part), axis=1).ravel(), 1.0)
    std = float(np.sqrt(side.variance))
    kurtosis = float((shares * ((means - side.mean) / std) ** 4).sum())
    return Law(knots, values, side.mean, std, max(kurtosis, 1.0))


@dataclass(frozen=True, slots=True)
class Slack:
    """What a fit may be off by, beside sampling."""

    cdf: float
    """As a difference of distribution functions."""
    mean: float
    """In standard deviations of the law."""
    spread: float
    """As a part of the standard deviation."""
    left: float = 0.25
    """Of the change of the distribution function: a law that explains it leaves no more."""


MOST_OF_IT = 0.97
"""A law that lies so far in cells of its own is seen there whole."""

BLIND = 0.5
"""A spread that is known no better than to this part says nothing."""


@dataclass(frozen=True, slots=True)
class Fit:
    """How a window fits the training law with a part of another: arrays over the laws tried (A)."""

    part: Floats
    """Share of the window's values that follow the other law."""
    score: Floats
    """Largest deviation as a part of what it may be: at most 1 fits; infinite where nothing can be said."""


@dataclass(frozen=True, slots=True)
class Laws:
    """A laws at the edges of one feature: distribution functions (A, edges), moments and ends (A)."""

    cdf: Floats
    mean: Floats
    std: Floats
    low: Floats
    high: Floats
    kurtosis: float


def fit(before: Seen, now: Seen, laws: Laws, slack: Slack, *, whole: bool = False) -> Fit:
    """Hold a window against mixtures of the training law and each of A others; `whole`: of nothing else.

    The part is that of least squares, each cell weighted by its sampling variance.
    """
    off, other = now.cdf - before.cdf, laws.cdf - before.cdf
    p, q, t = (np.diff(cdf, prepend=0.0, append=1.0, axis=-1) for cdf in (before.cdf, now.cdf, laws.cdf))
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        towards = (t - p) / (0.5 * (p + q) + 1.0 / now.n)
        part = np.clip((towards @ (q - p)) / (towards * (t - p)).sum(axis=1), 0.0, 1.0)
        part = np.ones_like(part) if whole else part
        apart = np.abs(off - part[:, None] * other).max(axis=1)
        by_cdf = apart / (slack.cdf + 1.2 * np.sqrt(1.0 / now.n + 1.0 / before.n))
        own = part[:, None] * t >= 9.0 * (1.0 - part[:, None]) * p
        score = np.maximum(by_cdf, _by_moments(before, now, laws, slack, part, own & (t > 0), t))
    bad = (apart > slack.left * np.abs(off).max()) | ~np.isfinite(score) | (part * now.n < MIN_VALUES)
    return Fit(part, np.where(bad, np.inf, score))


def _by_moments(
    before: Seen, now: Seen, laws: Laws, slack: Slack, part: Floats, own: Bools, t: Floats
) -> Floats:
    """Return how far mean and spread of the part are off, as parts of what they may be.

    `own` (A, cells) are the cells that hold next to nothing of the training law: where they hold all of
    the other, its mean is seen there. Else it is what is left when the training law's share is taken off.
    """
    mean, variance, rest = laws.mean, laws.std**2, 1.0 - part
    mixed = rest * before.variance + part * variance + part * rest * (mean - before.mean) ** 2
    center = (now.mean - rest * before.mean) / part
    square = (now.square - rest * before.square) / part
    noise = np.sqrt(mixed / now.n) / part
    apart, count = (t * own).sum(axis=1) >= MOST_OF_IT, own @ now.counts
    seen_apart = (own @ now.sums) / count
    center = np.where(apart, seen_apart, center)
    noise = np.where(apart, laws.std / np.sqrt(count), noise)
    by_mean = np.abs(center - mean) / (slack.mean * laws.std + 3.0 * noise)
    spread = np.sqrt(np.maximum(square - (center - now.center) ** 2, 0.0))
    n = np.maximum(part * now.n, 1.0)
    own_error = np.sqrt(laws.kurtosis / (4.0 * n))
    taken_off = rest * before.variance * np.sqrt(laws.kurtosis / now.n) / (2.0 * part * variance)
    error = slack.spread + 3.0 * (own_error + taken_off)
    by_spread = np.abs(np.log(spread / laws.std)) / np.minimum(error, BLIND)
    # Where nothing is known of the spread, the ends at least are those of the law.
    off_low = np.where(mean < before.low, laws.low - now.low, 0.0)
    off_high = np.where(mean > before.high, now.high - laws.high, 0.0)
    by_ends = np.maximum(off_low, off_high) / (slack.mean * laws.std)
    is_blind = apart & (error > BLIND)
    return np.maximum(by_mean, np.where(is_blind, by_ends, by_spread))
