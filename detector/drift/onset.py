"""Since when, and how: the change point and the shape of a change in a series of pane scores.

A score says how far a pane lies in the direction of the change (`detector.drift.scores`): about 0 before
it, about its full size after it. Least squares, weighted with the panes' events, fit to the series

    a step               a pulse that has ended       a ramp, over or still going on
          ┌────                ┌───┐                         ╭────            ╱
    ──────┘              ──────┘   └────              ──────╱           ─────╱

The step has 3 parameters, the others 4. A step is called sudden only when its BIC is lower than that of
every ramp by `STRONG`, for a young ramp looks much like a step; a change is gradual unless a step is ahead
by `LEAN`. Nothing is said of a change that was there before anything that is remembered.

Source: weighted least squares, by prefix sums; BIC: Schwarz (1978), Annals of Statistics 6:461-464; what
difference of it is very strong: Kass and Raftery (1995), JASA 90:773-795.
Cost: T log T + G² for T panes and a grid of G points; one to two milliseconds for 400 panes.
"""

from dataclasses import dataclass

import numpy as np

from detector.batch import Bools, Floats, Ints
from detector.drift.explanation import Shape

MIN_PANES = 6
"""Fewer panes with events tell nothing."""

MAX_SCORE = 1e9
"""Scores beyond this are none."""

MIN_BEFORE = 3
"""Panes that must be remembered of the time before the change."""

LEAN = 6.0
"""A ramp is told unless a step's BIC is lower by this: panes that wobble together make a young ramp look like
a step by so much; a step that raises an alert is ahead by 35 and more (both measured)."""

STRONG = 10.0
"""A difference of BIC that is very strong: for a change at all, for a step and no ramp, for an end."""

CALM_SHARE = 0.5
"""Before the change the score is below this part of the score after it; else it was there already."""

MIN_GRADUAL_S = 7200.0
"""What is over sooner is sudden to people: a deployment takes its time too."""

MIN_GRADUAL_PANES = 4

GRID = 96
"""Points between which ramps are tried; then finer about the best."""

FINER = 8

MAX_PULSE_ENDS = 128
"""Boundaries between which pulses are tried."""

WITHIN_A_PANE = 15
"""Points inside a pane that is longer than the finest, at which a step is tried."""


@dataclass(frozen=True, slots=True)
class ScoreSeries:
    """Scores of T panes in the order of time; panes may differ in length, and lie apart."""

    start_s: Floats
    end_s: Floats
    score: Floats
    n: Floats
    """Events of each pane; a pane without any is left out."""

    def where(self, kept: Bools) -> "ScoreSeries":
        """Return some of the panes."""
        return ScoreSeries(self.start_s[kept], self.end_s[kept], self.score[kept], self.n[kept])


@dataclass(frozen=True, slots=True)
class Onset:
    """When a change began, in epoch seconds (None: not known, or before all that is remembered), and how."""

    time_s: float | None = None
    shape: Shape = "unknown"
    within_s: float = 0.0
    """Length of the pane that it lies in."""


UNKNOWN = Onset()


@dataclass(frozen=True, slots=True)
class _Fit:
    """The best of a family of models: where it begins and ends, its levels and how well it fits."""

    start_s: float
    end_s: float
    before: float
    after: float
    bic: float

    @property
    def is_from_calm(self) -> bool:
        """Whether the score was small before, so that the change began here."""
        return self.before < CALM_SHARE * self.after


def find_onset(series: ScoreSeries, since_s: float, until_s: float) -> Onset:
    """Return when the change began that was there at some time between `since_s` and `until_s`.

    The scores must be larger for what has changed. Between the two moments lies the window that raised
    the alert; what began later, or was over before, is another change.
    """
    kept = series.where((series.n > 0) & (np.abs(series.score) < MAX_SCORE))
    if len(kept.score) < MIN_PANES:
        return UNKNOWN
    fits = _Fits(_until_it_ended(kept, since_s, until_s))
    return fits.onset(until_s)


def _until_it_ended(series: ScoreSeries, since_s: float, until_s: float) -> ScoreSeries:
    """Leave out what came after the change, if it has ended."""
    fits = _Fits(series)
    step, pulse = fits.step(until_s), fits.pulse(since_s, until_s)
    if pulse is None or (step is not None and step.bic <= pulse.bic + STRONG):
        return series
    return series.where(series.start_s < pulse.end_s)


class _Fits:
    """Prefix sums of one series, from which any model is fitted at once."""

    def __init__(self, series: ScoreSeries) -> None:
        self._series = series
        self._middle_s = (series.start_s + series.end_s) / 2.0
        self._origin_s = float(series.start_s[0])
        w = series.n / series.n.sum()
        x, s = self._middle_s - self._origin_s, series.score
        self._mean = float(w @ s)
        self._total = float(w @ (s - self._mean) ** 2)
        self._w, self._ws = w, w * (s - self._mean)
        self._sums = [_prefix(v) for v in (w, w * x, w * x * x, self._ws, self._ws * x)]

    def onset(self, until_s: float) -> Onset:
        """Return the onset of the change and its shape."""
        sudden, ramp = self._sudden(until_s), self.ramp(until_s)
        best = ramp if sudden is None or (ramp is not None and ramp.bic < sudden.bic + LEAN) else sudden
        if best is None or best.bic > self._bic(self._total, 1) - STRONG or not best.is_from_calm:
            return UNKNOWN
        # A rise that is not over yet may become long.
        is_over = best.end_s == best.start_s or best.end_s <= self._series.start_s[-MIN_BEFORE]
        is_sure = is_over and (ramp is None or best.bic < ramp.bic - STRONG)
        shape: Shape = "gradual" if best is ramp else "sudden" if is_sure else "unknown"
        # To the finest pane: what lies between is no more than interpolated.
        unit_s = float((self._series.end_s - self._series.start_s).min())
        return Onset(round(best.start_s / unit_s) * unit_s, shape, self._length_s(best.start_s))

    def _sudden(self, until_s: float) -> _Fit | None:
        """Fit a step, or a ramp too short to be gradual where that is clearly better."""
        step = self.step(until_s)
        if step is None:
            return None
        points_s = step.start_s + np.linspace(-MIN_GRADUAL_S, MIN_GRADUAL_S, 4 * FINER + 1)
        points_s = np.minimum(points_s, self._series.end_s[-1])
        quick = self._ramps(points_s, points_s, until_s, is_long=False)
        return quick if quick is not None and quick.bic < step.bic - STRONG else step

    def _length_s(self, at_s: float) -> float:
        i = int(np.searchsorted(self._series.start_s, at_s, side="right")) - 1
        return float(self._series.end_s[i] - self._series.start_s[i])

    def step(self, until_s: float) -> _Fit | None:
        """Fit a step up, at every boundary and inside of long panes."""
        pane, part = self._step_points(until_s)
        if not len(pane):
            return None
        # The pane that the step is in is `part` before it.
        w, ws, rest = self._w[pane], self._ws[pane], 1.0 - part
        after, with_score = self._sums[0], self._sums[3]
        f = w * rest + after[-1] - after[pane + 1]
        f2 = w * rest**2 + after[-1] - after[pane + 1]
        cov = ws * rest + with_score[-1] - with_score[pane + 1]
        start_s, end_s = self._series.start_s[pane], self._series.end_s[pane]
        at_s = start_s + part * (end_s - start_s)
        return self._best(f, f2, cov, at_s, at_s, 3)

    def _step_points(self, until_s: float) -> tuple[Ints, Floats]:
        """Return the pane and the part of it that lies before the step, for every step to try."""
        length_s = self._series.end_s - self._series.start_s
        pieces = np.clip(np.rint(length_s / length_s.min()), 1, WITHIN_A_PANE).astype(np.int64)
        pieces[:MIN_BEFORE] = 0
        pieces[self._series.start_s >= until_s] = 0
        pane = np.repeat(np.arange(len(pieces)), pieces)
        part = (np.arange(len(pane)) - np.repeat(np.cumsum(pieces) - pieces, pieces)) / pieces[pane]
        return pane, part

    def pulse(self, since_s: float, until_s: float) -> _Fit | None:
        """Fit a step up with a step down after it."""
        start_s = self._series.start_s
        stride = -(-len(start_s) // MAX_PULSE_ENDS)
        at = np.arange(MIN_BEFORE, len(start_s) - 1, stride)
        first, end = (index.ravel() for index in np.meshgrid(at, at, indexing="ij"))
        possible = (first < end) & (start_s[first] < until_s) & (start_s[end] > since_s)
        first, end = first[possible], end[possible]
        if not len(first):
            return None
        f = self._sums[0][end] - self._sums[0][first]
        cov = self._sums[3][end] - self._sums[3][first]
        return self._best(f, f, cov, start_s[first], start_s[end], 4)

    def ramp(self, until_s: float) -> _Fit | None:
        """Fit a ramp up, over or still going on: on a grid, then finer about the best."""
        first_s, end_s = self._origin_s, float(self._series.end_s[-1])
        grid_s = np.linspace(first_s, end_s, GRID)
        best = self._ramps(grid_s, grid_s, until_s)
        if best is None:
            return None
        about = np.linspace(-1.0, 1.0, 2 * FINER + 1) * (grid_s[1] - grid_s[0])
        finer = self._ramps(best.start_s + about, best.end_s + about, until_s)
        return finer if finer is not None and finer.bic < best.bic else best

    def _ramps(self, start_s: Floats, end_s: Floats, until_s: float, *, is_long: bool = True) -> _Fit | None:
        """Fit every ramp from one of some points to another that is long enough to be gradual, or is not."""
        i, j = np.searchsorted(self._middle_s, start_s), np.searchsorted(self._middle_s, end_s)
        begins = (start_s >= self._series.start_s[MIN_BEFORE]) & (start_s < until_s)
        possible = begins[:, None] & (end_s <= self._series.end_s[-1])
        length, panes = np.subtract.outer(-start_s, -end_s), np.subtract.outer(-i, -j)
        gradual = (length >= MIN_GRADUAL_S) & (panes >= MIN_GRADUAL_PANES)
        possible &= gradual if is_long else ~gradual & (length > 0) & (panes > 0)
        first, last = np.nonzero(possible)
        if not len(first):
            return None
        a, b, i, j = start_s[first], end_s[last], i[first], j[last]
        w, wx, wxx, ws, wsx = (sums[j] - sums[i] for sums in self._sums)
        after, with_score = (sums[-1] - sums[j] for sums in (self._sums[0], self._sums[3]))
        x, length = a - self._origin_s, b - a
        f = (wx - x * w) / length + after
        f2 = (wxx - 2.0 * x * wx + x * x * w) / length**2 + after
        cov = (wsx - x * ws) / length + with_score
        return self._best(f, f2, cov, a, b, 4)

    def _best(
        self, f: Floats, f2: Floats, cov: Floats, start_s: Floats, end_s: Floats, parameters: int
    ) -> _Fit | None:
        """Return the best of models s = before + rise f, given the weighted sums of f, f² and f s."""
        spread = f2 - f * f
        rises = (spread > 1e-12) & (cov > 0)
        gain = np.where(rises, cov**2 / np.where(rises, spread, 1.0), 0.0)
        i = int(np.argmax(gain))
        if not gain[i] > 0:
            return None
        rise = float(cov[i] / spread[i])
        before = self._mean - rise * float(f[i])
        bic = self._bic(self._total - float(gain[i]), parameters)
        return _Fit(float(start_s[i]), float(end_s[i]), before, before + rise, bic)

    def _bic(self, rest: float, parameters: int) -> float:
        """Return the Bayesian information criterion of a model that leaves so much (weighted) variance."""
        n = len(self._w)
        # Scores that a model meets exactly are no reason for endless belief.
        return float(n * np.log(max(rest, 1e-9 * self._total, 1e-300)) + parameters * np.log(n))


def _prefix(values: Floats) -> Floats:
    return np.concatenate(([0.0], np.cumsum(values)))
