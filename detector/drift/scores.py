"""How far each pane lies in the direction of a change: the series that onsets are told from.

With shares c of a pane, p of the training data and q of the time that shows the change, cell by cell
(bins, and cells without a value; the cells of a rate, and the rest as one):

    d = (q - p) / ((q + p) / 2)          score = sum of (c - p) d

It is about 0 for panes like the training data and grows in proportion to the part of a pane's events that
follow q. The mean below the line, not p alone, keeps a value that training never had from drowning the
rest. A pane's own events are left out of the q that it is held against: else every pane of that time would
look changed, by chance alone. Half an event is added to each cell. Of seasonal features p is what the pane's
own hours had in training.
"""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from detector.baseline import Baseline
from detector.baseline.variation import Season
from detector.batch import Bools, Floats, Ints
from detector.drift.onset import UNKNOWN, Onset, ScoreSeries, find_onset
from detector.times import N_HOURS, kind_of_hour
from detector.windows.series import PaneSeries

HOUR_S = 3600.0

Numbers = TypeVar("Numbers", Floats, Ints)


@dataclass(frozen=True, slots=True)
class AlertTimes:
    """Start of the window that raised an alert, its end, and now, in epoch seconds of event time."""

    since_s: float
    fired_s: float
    now_s: float


@dataclass(frozen=True, slots=True)
class Expected:
    """Training shares of C cells and the rest as one, half an event added to each.

    The same for all panes (1, C + 1), or by pane (T, C + 1).
    """

    shares: Floats

    @classmethod
    def of(cls, baseline: Baseline, reference: Ints, positions: Ints, series: PaneSeries) -> "Expected":
        """Return what to expect of one feature, whose counters lie at `positions` (C).

        `reference` (width) are the training counts; the season's are taken instead where it has the
        feature and `reference` is that of all training data.
        """
        counts = reference[positions][None, :].astype(np.float64)
        size = np.array([float(reference[baseline.layout.events])])
        season = baseline.season
        is_whole = np.array_equal(reference, baseline.profile.counts[0])
        if season is not None and is_whole and positions[0] in season.positions:
            shares, sizes = _of(season, positions).expected(_hours(series))
            counts = np.where(sizes[:, None] > 0, shares * sizes[:, None], counts)
            size = np.where(sizes > 0, sizes, size)
        return cls(_smoothed(_with_rest(counts, size), size))


def onset_of(
    baseline: Baseline, reference: Ints, positions: Ints, series: PaneSeries, alert: AlertTimes
) -> Onset:
    """Return the onset and the shape of the change of one feature that an alert tells of.

    `series` has the feature's counters, which lie at `positions` (C); `reference` (width) are the training
    counts that it is held against.
    """
    if not len(series.n):
        # A slice that has gone: windows no longer hold anything of it.
        return UNKNOWN
    expected = Expected.of(baseline, reference, positions, series)
    scores = score_panes(series, expected, alert.since_s, alert.now_s)
    return find_onset(scores, alert.since_s, alert.fired_s)


def positions_of(baseline: Baseline, feature: int, statistic: str | None = None) -> Ints:
    """Return where the cells of a feature lie in the flat vector: its bins, then those without a value.

    Of a rate only its own cells: what else a feature does by itself must not blur a column that is gone.
    """
    layout = baseline.layout
    start = int(layout.segments.starts[feature])
    bins = np.arange(start, start + int(layout.segments.lengths[feature]))
    if statistic in layout.odd:
        return np.array([layout.odd[statistic].start + feature])
    if statistic == "unseen":
        return np.array([layout.unseen.start + feature])
    if statistic == "outside":
        return bins[[0, -1]]
    return np.append(bins, [block.start + feature for block in layout.odd.values()])


def score_panes(series: PaneSeries, expected: Expected, since_s: float, until_s: float) -> ScoreSeries:
    """Score every pane in the direction that the panes between two moments have gone."""
    n, p = series.n.astype(np.float64), expected.shares
    shows: Bools = (series.end_s > since_s) & (series.start_s < until_s)
    counts = _with_rest(series.counts, series.n)
    own = np.where(shows[:, None], counts, 0)
    rest, size = own.sum(axis=0) - own, own.sum(axis=0).sum() - own.sum(axis=1)
    if shows.sum() == 1:
        # Nothing else shows it.
        rest, size = rest + own, size + own.sum(axis=1)
    q = _smoothed(rest.astype(np.float64), size.astype(np.float64))
    shown = np.broadcast_to(p, q.shape)[shows]
    # What was to expect while it showed; by hour where there is a season.
    usual = (shown * n[shows, None]).sum(axis=0) / max(float(n[shows].sum()), 1.0)
    direction = (q - usual) / ((q + usual) / 2.0)
    score = ((counts / n[:, None] - p) * direction).sum(axis=1)
    return ScoreSeries(series.start_s, series.end_s, score, n)


def _with_rest(counts: Numbers, n: Numbers) -> Numbers:
    """Return counts (T, C) with those of n (T) events that are in none of the cells."""
    return np.column_stack((counts, np.maximum(n - counts.sum(axis=1), 0)))


def _smoothed(counts: Floats, size: Floats) -> Floats:
    smoothed: Floats = (counts + 0.5) / (size[:, None] + 0.5 * counts.shape[1])
    return smoothed


def _of(season: Season, positions: Ints) -> Season:
    """Return the season of one feature alone; of cells that it has nothing of, nothing."""
    at = np.searchsorted(season.positions, positions)
    return Season(season.counts[:, at], positions, season.events)


def _hours(series: PaneSeries) -> Floats:
    """Return the part of each pane (T) that lies in each kind of hour (48), as if events came evenly."""
    hours = np.zeros((len(series.n), N_HOURS))
    for t, (start_s, end_s) in enumerate(zip(series.start_s.tolist(), series.end_s.tolist(), strict=True)):
        pieces = max(1, round((end_s - start_s) / HOUR_S))
        for i in range(pieces):
            hours[t, kind_of_hour(start_s + (i + 0.5) * (end_s - start_s) / pieces)] += 1.0
    return hours
