"""The smallest sudden change that would be seen: the training data, changed on their own bins, judged.

No formula of a law is used: the counts of the training data are moved by so many standard deviations
(numbers), or from one value to another (categories), mixed into a window as far as it reaches into the
change, and shown to the real judge at the sizes that windows had in the history.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from detector.baseline import Baseline
from detector.batch import Bools, Floats
from detector.drift.evaluation import State
from detector.drift.judge import Judge
from detector.profile import NumericBinning, Profile
from detector.runs import AlertPolicy
from detector.windows.sliding import WindowProfile
from detector.windows.spec import WindowSpec

SHIFTS = np.geomspace(0.01, 4.0, 44)
"""Shifts in standard deviations that are tried: each is 15 % above the one before."""

SHARES = np.geomspace(0.005, 1.0, 44)
"""Shares of events that are tried, of categories: each is 13 % above the one before."""

HORIZONS_S = (3600.0, 86400.0, np.inf)
"""Seen within an hour, within a day, and once windows hold nothing else."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What a version's windows are looked at with: the judge, its windows, and the events they hold."""

    judge: Judge
    spec: WindowSpec
    alerts: AlertPolicy
    events: Mapping[float, int]
    """Usual events by window length."""

    def smallest(self) -> Floats:
        """Return by horizon and feature (3, F) the smallest change that would be seen, NaN for none.

        In standard deviations of numbers, in either direction; as a share of all events of categories.
        """
        baseline = self.judge.baseline
        seen = np.ones((len(SHIFTS), len(HORIZONS_S), len(baseline.features)), dtype=bool)
        for i, (shift, share) in enumerate(zip(SHIFTS.tolist(), SHARES.tolist(), strict=True)):
            for signed in (shift, -shift):
                changed = _changed(baseline, signed, share)
                for h, horizon_s in enumerate(HORIZONS_S):
                    seen[i, h] &= self._sees(changed, horizon_s)
        sizes = np.where(_is_numeric(baseline)[:, None], SHIFTS, SHARES)
        # From the smallest on which, and on all larger ones, it is seen.
        missed = np.where(seen.any(axis=0), len(SHIFTS) - np.argmin(seen[::-1], axis=0), 0)
        missed = np.where(seen.all(axis=0), 0, np.where(seen[-1], missed, len(SHIFTS)))
        padded = np.concatenate((sizes, np.full((len(sizes), 1), np.nan)), axis=1)
        found: Floats = np.stack([padded[np.arange(len(sizes)), at] for at in missed])
        return found

    def _sees(self, changed: Floats, horizon_s: float) -> Bools:
        """Whether any window drifts in time (F) that begins to fill with changed counts (width)."""
        seen = np.zeros(len(self.judge.baseline.features), dtype=bool)
        # An alert takes some windows in a row, the change may come just after a pane has begun, and
        # events out of order are waited for.
        first_s = horizon_s - self.spec.lateness_s - self.alerts.raise_after * self.spec.pane_s
        if first_s <= 0:
            return seen
        before = _shares(self.judge.baseline, self.judge.reference(0).counts[0])
        for length_s, n in self.events.items():
            part = min(1.0, first_s / length_s)
            window = self._window(length_s, n, part * changed + (1.0 - part) * before)
            seen |= self.judge.evaluate(window).state[0] == State.DRIFT
        return seen

    def _window(self, length_s: float, n: int, shares: Floats) -> WindowProfile:
        """Return the window of n events with these shares of each feature's cells, in every slice."""
        baseline = self.judge.baseline
        layout = baseline.layout
        profile = Profile.zeros(layout, len(self.judge.slices))
        # Rounding what is summed up, not each bin, keeps every bin within one event and the sum exact.
        bins = shares[: layout.n_bins] * n
        starts, lengths = layout.segments.starts, layout.segments.lengths
        summed = np.cumsum(bins)
        before = np.concatenate(([0.0], summed))[starts]
        within = np.rint(summed - np.repeat(before, lengths))
        whole = np.diff(within, prepend=0.0)
        whole[starts] = within[starts]
        counts = np.rint(shares * n).astype(np.int64)
        counts[: layout.n_bins] = whole.astype(np.int64)
        counts[layout.events] = n
        profile.counts[:] = counts
        reference = self.judge.reference(0)
        n_numeric = layout.n_numeric_bins
        held = reference.counts[0, :n_numeric]
        means = reference.sums[0] / np.maximum(held, 1)
        profile.sums[:] = means * counts[:n_numeric]
        return WindowProfile(length_s, 0.0, length_s, profile)


def _is_numeric(baseline: Baseline) -> Bools:
    n_numeric = len(baseline.features.numeric)
    return np.arange(len(baseline.features)) < n_numeric


def _shares(baseline: Baseline, counts: "np.ndarray[tuple[int, ...], np.dtype[np.int64]]") -> Floats:
    """Return every counter as a share of all events."""
    shares: Floats = counts / max(int(counts[baseline.layout.events]), 1)
    return shares


def _changed(baseline: Baseline, shift: float, share: float) -> Floats:
    """Return the training data's shares with every feature changed (width)."""
    layout = baseline.layout
    counts = baseline.profile.counts[0]
    changed = _shares(baseline, counts)
    starts, lengths = layout.segments.starts.tolist(), layout.segments.lengths.tolist()
    for f, (feature, start, length) in enumerate(zip(baseline.features.all, starts, lengths, strict=True)):
        own = slice(start, start + length)
        if feature.is_numeric:
            by = shift * float(baseline.std[f])
            move = moved_whole if feature.type == "int" else moved
            changed[own] = move(baseline.binning.numeric[f], changed[own], by)
        else:
            changed[own] = swapped(changed[own], share)
    return changed


def moved(binning: NumericBinning, shares: Floats, by: float) -> Floats:
    """Return the shares of the bins (k) after all values are larger by `by`; their sum is the same.

    Values lie evenly within a bin. Single frequent values, which have a bin of their own, stay: a zero
    remains a zero when the rest moves.
    """
    if not np.isfinite(by):
        return shares
    edges = binning.edges
    alone = np.zeros(len(shares), dtype=bool)
    alone[1:-1] = np.nextafter(edges[:-1], np.inf) == edges[1:]
    return np.where(alone, shares, 0.0) + _spread(edges, np.where(alone, 0.0, shares), by)


def moved_whole(binning: NumericBinning, shares: Floats, by: float) -> Floats:
    """Return the same of whole numbers: as many move a step further as it takes for a mean of `by`."""
    if not np.isfinite(by):
        return shares
    low = np.floor(by)
    part = by - low
    edges = binning.edges
    found: Floats = (1.0 - part) * _stepped(edges, shares, low) + part * _stepped(edges, shares, low + 1.0)
    return found


def _stepped(edges: Floats, shares: Floats, by: float) -> Floats:
    """Move whole numbers, which lie evenly on those of their bin, by a whole number."""
    # An edge counts from halfway before the next whole number on. Where two do so at the same place, the
    # bin between them holds no whole number: what the group holds lies in its last bin.
    halves = np.ceil(edges) - 0.5
    is_first = np.concatenate(([True], np.diff(halves) > 0))
    groups = np.flatnonzero(np.concatenate(([True], is_first)))
    last = np.append(groups[1:], len(shares)) - 1
    out = np.zeros_like(shares)
    out[last] = _spread(halves[is_first], np.add.reduceat(shares, groups), by)
    return out


def _spread(edges: Floats, shares: Floats, by: float) -> Floats:
    """Move what lies evenly within bins by `by`; what lies outside all edges stays there."""
    below = np.cumsum(shares)
    # The cumulative share at x is what it was at x - by; beyond the edges there is only what is outside.
    moved_below = np.interp(edges - by, edges, below[:-1])
    return np.diff(np.concatenate(([0.0], moved_below, below[-1:])))


def swapped(shares: Floats, share: float) -> Floats:
    """Return the shares of categories (k) after `share` of all events left the first value for the second.

    First and second by frequency; at most all that the first has.
    """
    if len(shares) < 2:
        return shares
    first, second = np.argsort(-shares, kind="stable")[:2].tolist()
    changed = shares.copy()
    moving = min(share, float(shares[first]))
    changed[first] -= moving
    changed[second] += moving
    return changed
