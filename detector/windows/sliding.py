"""One sliding window: a running sum over a ring of panes.

Pane i holds the events of [i * pane, (i + 1) * pane): membership is a pure function of the event
time. A window of many panes is kept in coarser ones, so memory is at most `MAX_PANES_A_WINDOW`
profiles however long it is. Its start is then cut to the coarse grid: it covers between
`length - one coarse pane` and `length`.

    pane         0   1   2   3   4   5   6   7   8   9
    fine ring                       [5] [6] [7] [8] [9]       window of 5 panes at the end of pane 9
    coarse ring             [3     5] [6     8] [9            window of 9 panes, factor 3: starts at 3

Counts slide: the new pane is added, what falls out is subtracted; integers make that exact. Sums
are added up afresh from the panes at each evaluation, for a subtracted float never quite leaves.
"""

import math
from dataclasses import dataclass

import numpy as np

from detector.batch import Floats
from detector.profile import Layout, Profile
from detector.times import N_HOURS, kind_of_hour
from detector.windows.news import NO_NEWS, ColumnNews, NewsRing
from detector.windows.panes import PaneRing
from detector.windows.spec import WindowSpec


@dataclass(frozen=True, slots=True)
class WindowProfile:
    """One window at one moment: what an evaluation looks at."""

    length_s: float
    start_s: float
    end_s: float
    profile: Profile
    latest: Profile | None = None
    """The last pane that had events, with those before it that make up `MIN_LATEST` events."""
    news: ColumnNews = NO_NEWS
    hours: Floats | None = None
    """Events (S, 48) by hour of the day in UTC, on working days and at weekends; None: not known."""
    covered_s: float | None = None
    """How much of the length has events: less while the window fills up, or after a gap; None: all of it."""
    is_complete: bool = True
    """Whether all its events could be read: none of them was lost, as far as is known."""


class SlidingWindow:
    """The running profile of one window length over a ring that other windows may share."""

    def __init__(
        self, spec: WindowSpec, length_s: float, ring: PaneRing, layout: Layout, n_slices: int
    ) -> None:
        self._pane_s = spec.pane_s
        self.length_s = length_s
        self._panes_in_window = spec.panes_in(length_s)
        self._ring = ring
        self._layout = layout
        self._n_slices = n_slices
        self._counts = Profile.zeros(layout, n_slices).counts
        self._end = 0

    @property
    def first_pane(self) -> int:
        """Index of the first fine pane in the window, rounded up to the ring's grid."""
        factor = self._ring.factor
        return -((self._panes_in_window - self._end) // factor) * factor

    @property
    def end_pane(self) -> int:
        """Index of the fine pane after the last one in the window."""
        return self._end

    def slide_to(self, pane: int) -> None:
        """Let the window end with fine pane `pane`; panes that fall out must still be in the ring."""
        before = self.first_pane
        self._end = pane + 1
        for gone in self._ring.between(before, self.first_pane):
            np.subtract(self._counts, gone.counts, out=self._counts)

    def stand_at(self, end: int) -> None:
        """Let the window end before fine pane `end`, of a ring that has changed: it is added up anew."""
        self._end = end
        self._counts[:] = 0
        for pane in self._ring.between(self.first_pane, end):
            np.add(self._counts, pane.counts, out=self._counts)

    def reaches(self, pane: int) -> bool:
        """Whether events of fine pane `pane` belong to the window as it stands."""
        return self.first_pane <= self._ring.coarse(pane) and pane < self._end

    def add(self, profile: Profile) -> None:
        """Add the counts of events that the window reaches."""
        np.add(self._counts, profile.counts, out=self._counts)

    @property
    def n_events(self) -> int:
        """Number of events in the window."""
        return int(self._counts[0, self._layout.events])

    def current(
        self, latest: Profile | None = None, news: NewsRing | None = None, lost_until_s: float = -math.inf
    ) -> WindowProfile:
        """Return the window as it is now, with its latest events and what they told of their columns.

        It is not complete if it reaches back to events before `lost_until_s`.
        """
        whole = Profile.zeros(self._layout, self._n_slices)
        hours = np.zeros((self._n_slices, N_HOURS))
        panes = self._ring.items_between(self.first_pane, self._end)
        for index, pane in panes:
            whole.merge_sums(pane)
            hours[:, kind_of_hour(index * self._pane_s)] += pane.counts[:, self._layout.events]
        np.copyto(whole.counts, self._counts)
        start_s = self.first_pane * self._pane_s
        found = NO_NEWS if news is None else news.between(self.first_pane, self._end)
        end_s = self._end * self._pane_s
        covered_s = min(len(panes) * self._ring.factor * self._pane_s, self.length_s)
        is_complete = lost_until_s <= start_s
        return WindowProfile(
            self.length_s, start_s, end_s, whole, latest, found, hours, covered_s, is_complete
        )
