"""The events that came last, where a single pane may have too few to tell anything."""

from functools import reduce

from detector.profile import Fit, Profile
from detector.tree import Tree, int_of, list_of, pair_of

MIN_LATEST = 20
"""Events that are enough to tell that a column is gone."""


class LatestPanes:
    """The last closed pane that had events, with as many before it as make up `MIN_LATEST` events.

    Empty panes change nothing: a producer that pauses has not mended anything.
    """

    def __init__(self) -> None:
        self._panes: list[tuple[int, Profile]] = []

    def add(self, pane: int, profile: Profile) -> None:
        """Take in a pane with events, later than all before."""
        self._panes.append((pane, profile))
        n = sum(profile.n_events for _, profile in self._panes)
        while n - self._panes[0][1].n_events >= MIN_LATEST:
            n -= self._panes.pop(0)[1].n_events

    def drop_before(self, first: int) -> None:
        """Forget the panes with an index below `first`."""
        if self._panes and self._panes[0][0] < first:
            self._panes = [(pane, profile) for pane, profile in self._panes if pane >= first]

    def remember(self) -> Tree:
        """Return the panes with their indices; they never change."""
        return [[pane, profile.remember()] for pane, profile in self._panes]

    def recall(self, tree: Tree, fit: Fit) -> None:
        """Take on what was remembered.

        Raises:
            ValueError: the tree is nothing such.
        """
        pairs = [pair_of(item) for item in list_of(tree)]
        self._panes = [(int_of(pane), Profile.recall(profile, fit)) for pane, profile in pairs]

    @property
    def profile(self) -> Profile | None:
        """All of them together; None where there are none."""
        if not self._panes:
            return None
        return reduce(_sum, (profile for _, profile in self._panes))


def _sum(a: Profile, b: Profile) -> Profile:
    merged = Profile(a.counts.copy(), a.sums.copy(), a.squares.copy(), a.low.copy(), a.high.copy())
    merged.merge(b)
    return merged
