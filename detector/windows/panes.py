"""Closed panes of one granularity, kept as long as any window needs them."""

from detector.profile import Fit, Layout, Profile
from detector.tree import Handed, Tree, int_of, list_of, pair_of


class PaneRing:
    """Profiles by the index of their first fine pane; `factor` fine panes are kept as one."""

    def __init__(self, factor: int, layout: Layout, n_slices: int) -> None:
        self.factor = factor
        self._layout = layout
        self._n_slices = n_slices
        self._panes: dict[int, Profile] = {}
        self._handed = Handed()

    def coarse(self, pane: int) -> int:
        """Return the index under which fine pane `pane` is kept."""
        return pane // self.factor * self.factor

    def add(self, pane: int, profile: Profile) -> None:
        """Add the events of `profile` to fine pane `pane`."""
        index = self.coarse(pane)
        own, was_handed = self._panes.get(index), self._handed.take_back(index)
        if own is None:
            # A copy: other rings are given the same profile and merge into it their own way.
            own = self._panes[index] = Profile.zeros(self._layout, self._n_slices)
        elif was_handed:
            own = self._panes[index] = own.copy()
        own.merge(profile)

    def between(self, first: int, end: int) -> list[Profile]:
        """Return the panes with first <= index < end, oldest first."""
        return [self._panes[i] for i in sorted(self._panes) if first <= i < end]

    def items_between(self, first: int, end: int) -> list[tuple[int, Profile]]:
        """Return the same with their indices."""
        return [(i, self._panes[i]) for i in sorted(self._panes) if first <= i < end]

    def drop_before(self, first: int) -> None:
        """Forget the panes with an index below `first`."""
        for i in [i for i in self._panes if i < first]:
            del self._panes[i]

    def remember(self) -> Tree:
        """Return every pane by its index."""
        return self._handed.out({i: pane.remember() for i, pane in self._panes.items()})

    def recall(self, tree: Tree, fit: Fit) -> None:
        """Take on the panes that were remembered.

        Raises:
            ValueError: the tree is no such ring.
        """
        self._panes = {}
        for item in list_of(tree):
            index, pane = pair_of(item)
            self._panes[self.coarse(int_of(index))] = Profile.recall(pane, fit)

    def __len__(self) -> int:
        return len(self._panes)
