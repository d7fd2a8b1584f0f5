"""Changes that begin at a known time, through real windows, histories and fits.

Six days of panes of five minutes with about 1,000 events each of one feature, normal with a mean that
wobbles; a step, a ramp or a pulse begins in the first half of the fourth day. An alert fires after three
windows of an hour whose Kolmogorov-Smirnov distance, less its noise, is above 0.05.
"""

from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter

from detector.baseline import Baseline, Provenance
from detector.drift.onset import Onset
from detector.drift.scores import AlertTimes, onset_of, positions_of
from detector.windows.slices import Slices
from detector.windows.spec import WindowSpec
from detector.windows.windows import Windows
from tests.support.worlds import EVENTS, PANE_S, PANES_A_DAY, START_S, WINDOW, Model, shares

DAYS = 6
LIMIT = 0.05
MEAN_SQUARE = 0.822
"""Of the Kolmogorov-Smirnov distance of n events from an exact reference, times n."""


@dataclass(frozen=True)
class Change:
    """What happens to the mean, in standard deviations; lengths in panes."""

    kind: str
    size: float
    length: int = 0
    wobble: float = 0.0

    def __str__(self):
        hours = f" over {self.length / 12:g} h" if self.length else ""
        return f"{self.kind} of {self.size}{hours}, wobble {self.wobble}"

    def mean(self, rng, onset):
        """Return the mean of each pane."""
        t = np.arange(DAYS * PANES_A_DAY)
        noise = rng.normal(0.0, self.wobble * np.sqrt(1 - 0.92**2), len(t))
        mu = lfilter([1.0], [1.0, -0.92], noise)
        if self.kind == "ramp":
            return mu + self.size * np.clip((t + 0.5 - onset) / self.length, 0.0, 1.0)
        ended = t >= onset + self.length if self.kind == "pulse" else np.zeros(len(t), bool)
        return mu + self.size * ((t >= onset) & ~ended)


@dataclass(frozen=True)
class Told:
    """What was told when the alert fired, and a day later; errors in panes, NaN where no time was told."""

    delay: float
    first: Onset
    later: Onset
    first_error: float
    later_error: float


def exact_baseline(model):
    """Return a baseline that knows the law of the feature: ten million rows of it."""
    counts = np.rint(shares(np.zeros(model.n_features)) * 1e7).astype(np.int64)
    profile = model.profile(model.vector(counts, int(counts[0].sum())))
    provenance = Provenance((), "", int(counts[0].sum()), "2026-01-01T00:00:00Z", "0", 0)
    return Baseline(None, None, model.binning, profile, np.zeros(model.n_features), (), provenance)


class Stream:
    """One feature over time: windows of an hour, and what is told of its change."""

    def __init__(self, rng, change, events=EVENTS):
        self.model = Model(1)
        self.baseline = exact_baseline(self.model)
        spec = WindowSpec(PANE_S, (PANE_S * WINDOW,))
        self.windows = Windows(spec, self.model.binning, np.zeros(1), Slices())
        self.first = int(START_S / PANE_S)
        self.onset = 3 * PANES_A_DAY + int(rng.integers(0, PANES_A_DAY // 2))
        n = rng.poisson(events, DAYS * PANES_A_DAY)
        self.counts = rng.multinomial(n, shares(change.mean(rng, self.onset)))
        self._n = n

    def close(self, pane):
        """Take in a pane; return the distance of the window, less its noise."""
        profile = self.model.profile(self.model.vector(self.counts[pane], self._n[pane]))
        self.windows._put(self.first + pane, profile, None)
        (window,) = self.windows.close(self.first + pane)
        n_bins = self.model.layout.n_bins
        ours, whole = window.profile.counts[0, :n_bins], self.baseline.profile.counts[0, :n_bins]
        apart = np.abs(np.cumsum(ours / ours.sum() - whole / whole.sum())).max()
        return np.sqrt(max(apart**2 - MEAN_SQUARE / ours.sum(), 0.0))

    def told(self, fired, now):
        """Return the onset as it looks after pane `now`, of an alert after pane `fired`."""
        end_s = (self.first + fired + 1) * PANE_S
        times = AlertTimes(end_s - WINDOW * PANE_S, end_s, (self.first + now + 1) * PANE_S)
        positions = positions_of(self.baseline, 0)
        reference = self.baseline.profile.counts[0]
        return onset_of(self.baseline, reference, positions, self.windows.series(0, positions), times)

    def error(self, onset):
        """Return by how many panes an onset is too late."""
        return np.nan if onset.time_s is None else onset.time_s / PANE_S - self.first - self.onset

    def run(self):
        """Return what is told when the alert fires and a day later; None if it does not fire."""
        in_a_row = 0
        for fired in range(self.onset + PANES_A_DAY * 2 - 1):
            in_a_row = in_a_row + 1 if self.close(fired) > LIMIT else 0
            if in_a_row == 3:
                break
        else:
            return None
        first = self.told(fired, fired)
        now = min(fired + PANES_A_DAY, len(self.counts) - 1)
        for pane in range(fired + 1, now + 1):
            self.close(pane)
        later = self.told(fired, now)
        return Told(fired + 1 - self.onset, first, later, self.error(first), self.error(later))
