"""All windows of one model version: open panes, rings of closed ones, sliding sums."""

import math
from functools import cached_property
from itertools import pairwise

import numpy as np

from detector.batch import Columns, Floats, Ints, Sighting
from detector.profile import Binning, Fit, Layout, Profile, count, forget_untold, shape_tree
from detector.tree import Frozen, Tree, dict_of, int_of, list_of, pair_of
from detector.windows.history import PaneHistory
from detector.windows.latest import LatestPanes
from detector.windows.news import NewsRing
from detector.windows.panes import PaneRing
from detector.windows.series import Level, PaneSeries, series_of
from detector.windows.slices import Slices
from detector.windows.sliding import SlidingWindow, WindowProfile
from detector.windows.spec import WindowSpec

EVENTS_A_RUN = 100
"""Runs of events of one pane are counted apart from each other where they are at least so long on average."""

MAX_CELLS = 4_000_000
"""Counters made at once while a batch is counted (32 MB); a batch over many panes is cut into parts."""


class Windows:
    """What one model version remembers of its events."""

    def __init__(self, spec: WindowSpec, binning: Binning, centers: Floats, slices: Slices) -> None:
        self._spec = spec
        self._binning = binning
        self.layout = Layout.of(binning)
        self._centers = centers
        self.slices = slices
        self._open: dict[int, Profile] = {}
        self._rings: dict[int, PaneRing] = {}
        self._windows: list[SlidingWindow] = []
        self._news = NewsRing()
        self._latest = LatestPanes()
        self._history = PaneHistory(spec, self.layout.width)
        for length_s in sorted(spec.lengths_s):
            factor = spec.coarseness(length_s)
            ring = self._rings.setdefault(factor, PaneRing(factor, self.layout, len(slices)))
            self._windows.append(SlidingWindow(spec, length_s, ring, self.layout, len(slices)))

    def add(self, columns: Columns, time_s: Floats, closed_before: int | None) -> None:
        """Count n events into their panes.

        Panes below `closed_before` have been evaluated already: events for them (from a partition
        that lags behind the others) are added to what is still kept of them. Events older than
        `first_pane` are lost, so the caller sorts them out.
        """
        if not columns.n:
            return
        pane = np.floor(time_s / self._spec.pane_s).astype(np.int64)
        runs = np.concatenate(([0], np.flatnonzero(np.diff(pane)) + 1, [len(pane)]))
        if len(self.slices) == 1 and len(runs) <= 2 + columns.n // EVENTS_A_RUN:
            for first, end in pairwise(runs.tolist()):
                part = columns if len(runs) == 2 else columns.between(first, end)
                counted = self._count(part, np.zeros(part.n, dtype=np.int64), 1)
                self._put(int(pane[first]), counted, closed_before)
            return
        panes, group = np.unique(pane, return_inverse=True)
        at_once = max(1, MAX_CELLS // (len(self.slices) * self.layout.width))
        if len(panes) > at_once:
            for some in np.array_split(panes, len(panes) // at_once + 1):
                chosen = np.isin(pane, some)
                self.add(columns.take(chosen), time_s[chosen], closed_before)
            return
        counted = self._count(columns, group, len(panes))
        for i, index in enumerate(panes.tolist()):
            self._put(index, _rows(counted, i * len(self.slices), len(self.slices)), closed_before)

    def note(self, sighting: Sighting, time_s: float) -> None:
        """Keep what an event at `time_s` said of its columns."""
        self._news.add(math.floor(time_s / self._spec.pane_s), sighting)

    def take_unnamed(self) -> int:
        """Return how often a new column was left out, for there were too many, since this was asked last."""
        return self._news.take_shed()

    def _put(self, pane: int, profile: Profile, closed_before: int | None) -> None:
        if closed_before is not None and pane < closed_before:
            self._amend(pane, profile)
        elif pane in self._open:
            self._open[pane].merge(profile)
        else:
            # A copy: it may be some rows of the counts of many panes, which they would keep in memory.
            self._open[pane] = profile.copy()

    def _count(self, columns: Columns, pane: Ints, n_panes: int) -> Profile:
        """Count events into a row for each pane and slice; `pane` (n) says which pane, from 0."""
        events, row = self.slices.contributions(columns.slices, columns.n)
        group = row + (pane if events is None else pane[events]) * len(self.slices)
        n_groups = n_panes * len(self.slices)
        profile = count(self._binning, self.layout, self._centers, columns, events, group, n_groups)
        if columns.only is not None:
            forget_untold(profile, self.layout, columns.only)
        return profile

    def _amend(self, pane: int, profile: Profile) -> None:
        self._history.add(pane, profile.counts[0])
        for ring in self._rings.values():
            ring.add(pane, profile)
        for window in self._windows:
            if window.reaches(pane):
                window.add(profile)
        self._forget()

    def close(self, pane: int, lost_until_s: float = -math.inf) -> list[WindowProfile]:
        """Close fine pane `pane`, later than the last one; return every window, shortest first.

        Nothing is returned where there was nothing before and nothing has come. Panes before
        `lost_until_s` lack events.
        """
        profile = self._open.pop(pane, None)
        was_empty = self.is_empty
        for window in self._windows:
            window.slide_to(pane)
        if profile is not None:
            self._history.add(pane, profile.counts[0])
            for ring in self._rings.values():
                ring.add(pane, profile)
            for window in self._windows:
                window.add(profile)
            self._latest.add(pane, profile)
        self._forget()
        return [] if was_empty and profile is None else self._current(lost_until_s)

    @cached_property
    def _shape(self) -> Frozen:
        """What it takes to read the counts later: always the same, and digests of all bins take time."""
        return Frozen(shape_tree(self._binning, self._centers, self.slices.names))

    def remember(self) -> Tree:
        """Return all of it; what is closed is handed out as it is, and copied before it changes."""
        # So that what is remembered does not tell whether anybody has looked at it before.
        self._news.settle(self._windows[0].end_pane)
        return {
            "shape": self._shape,
            "end": self._windows[0].end_pane,
            "open": [[pane, self._open[pane].copy().remember()] for pane in sorted(self._open)],
            "rings": [[factor, ring.remember()] for factor, ring in sorted(self._rings.items())],
            "latest": self._latest.remember(),
            "news": self._news.remember(),
            "history": self._history.remember(),
        }

    def recall(self, tree: Tree) -> tuple[Fit, bool]:
        """Take on what was remembered with the same panes and lengths; return what fits, and if history does.

        Raises:
            ValueError: the tree is nothing such; what is here must not be used any more.
        """
        read = dict_of(tree)
        fit = Fit.of(read["shape"], self._shape)
        opened = [pair_of(item) for item in list_of(read["open"])]
        self._open = {int_of(pane): Profile.recall(profile, fit) for pane, profile in opened}
        rings = {int_of(factor): ring for factor, ring in map(pair_of, list_of(read["rings"]))}
        if rings.keys() != self._rings.keys():
            raise ValueError("has panes of other lengths")
        for factor, ring in self._rings.items():
            ring.recall(rings[factor], fit)
        self._latest.recall(read["latest"], fit)
        self._news.recall(read["news"])
        is_history_kept = self._history.recall(read["history"], fit)
        end = int_of(read["end"])
        for window in self._windows:
            window.stand_at(end)
        return fit, is_history_kept

    def as_they_are(self, lost_until_s: float = -math.inf) -> list[WindowProfile]:
        """Return every window as it stands, shortest first; nothing where no closed pane is left."""
        return [] if self.is_empty else self._current(lost_until_s)

    def _current(self, lost_until_s: float) -> list[WindowProfile]:
        latest = self._latest.profile
        return [window.current(latest, self._news, lost_until_s) for window in self._windows]

    def open_counts(self, pane: int) -> Ints | None:
        """Return the flat vector of all events of a pane that is not closed; None where it has none."""
        profile = self._open.get(pane)
        return None if profile is None else profile.counts[0]

    @property
    def first_pane(self) -> int:
        """Index of the oldest pane that any window still reaches."""
        return min(window.first_pane for window in self._windows)

    def series(self, row: int, positions: Ints) -> PaneSeries:
        """Return C counters of a slice over time: of `all` as far back as anything is remembered.

        `positions` (C) are places in the flat vector of a profile. Of other slices no more is known than
        what windows hold.
        """
        columns = np.append(positions, self.layout.events)
        levels = []
        if row == 0:
            history = [(i, counts[columns]) for i, counts in self._history.items()]
            levels.append(Level(self._history.factor, history[0][0] if history else 0, history))
        end = self._windows[0].end_pane
        for factor, ring in self._rings.items():
            first = self._first_pane_of(factor)
            kept = ring.items_between(first, end)
            levels.append(Level(factor, first, [(i, pane.counts[row, columns]) for i, pane in kept]))
        levels.sort(key=lambda level: level.first)
        return series_of(levels, end, self._spec.pane_s)

    def _first_pane_of(self, factor: int) -> int:
        """Return the index of the oldest pane that is needed of a ring."""
        return min(w.first_pane for w in self._windows if self._spec.coarseness(w.length_s) == factor)

    def _forget(self) -> None:
        for factor, ring in self._rings.items():
            ring.drop_before(self._first_pane_of(factor))
        self._news.drop_before(self.first_pane)
        self._latest.drop_before(self.first_pane)

    @property
    def pane_bytes(self) -> int:
        """Bytes that an open pane takes."""
        return self.layout.profile_bytes(len(self.slices))

    @property
    def open_panes(self) -> list[int]:
        """Indices of the panes that have events and are not closed, in order."""
        return sorted(self._open)

    @property
    def is_empty(self) -> bool:
        """Whether no closed pane with events is left."""
        return not any(self._rings.values())


def _rows(profile: Profile, first: int, n: int) -> Profile:
    rows = slice(first, first + n)
    return Profile(
        profile.counts[rows], profile.sums[rows], profile.squares[rows], profile.low[rows], profile.high[rows]
    )
