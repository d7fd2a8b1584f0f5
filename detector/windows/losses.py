"""Which windows lack events that nobody can read any more.

What was lost belongs somewhere between the last event of its partition and the next one. So a loss leaves
a hole that stays open until the next event of the partition comes, or until there is nothing more to read:

    partition     x  x  x [lost] . . . . . x  x
    incomplete          ^------------------^

Every pane in the hole that has not closed is incomplete. All windows end with the same pane, so the end
of the last incomplete one says of each window whether it reaches any.
"""

import math
from collections.abc import Collection, Iterable

from detector.batch import Partition
from detector.tree import Tree, dict_of, float_of, list_of, record_of
from detector.windows.spec import WindowSpec


class Holes:
    """Where events were lost; one number, and the partitions of which nothing has come since."""

    def __init__(self, spec: WindowSpec) -> None:
        self._spec = spec
        self._until_s = -math.inf
        self._open: set[Partition] = set()

    def use(self, spec: WindowSpec) -> None:
        """Go by other settings from now on."""
        self._spec = spec

    def begin(self, partition: Partition, times_s: Iterable[float]) -> None:
        """Note that records of a partition are lost; the panes of `times_s` lack events for sure."""
        self._open.add(partition)
        self._reach(times_s)

    def end(self, partitions: Collection[Partition], time_s: float) -> None:
        """Note that what comes at `time_s` is the next of these partitions."""
        if not self._open.isdisjoint(partitions):
            self._open.difference_update(partitions)
            self._reach([time_s])

    def _reach(self, times_s: Iterable[float]) -> None:
        pane_s = self._spec.pane_s
        ends_s = ((math.floor(time_s / pane_s) + 1) * pane_s for time_s in times_s if math.isfinite(time_s))
        self._until_s = max(self._until_s, *ends_s, -math.inf)

    @property
    def open(self) -> frozenset[Partition]:
        """Partitions of which nothing has come since their loss."""
        return frozenset(self._open)

    @property
    def until_s(self) -> float:
        """Event time up to which windows lack events: one is incomplete if it begins before that."""
        return math.inf if self._open else self._until_s

    def remember(self) -> Tree:
        """Return all of it."""
        return {"until_s": self._until_s, "open": [[*partition] for partition in sorted(self._open)]}

    def recall(self, tree: Tree) -> None:
        """Take on what was remembered.

        Raises:
            ValueError: the tree is nothing such.
        """
        read = dict_of(tree)
        self._until_s = float_of(read["until_s"])
        self._open = {record_of(Partition, item) for item in list_of(read["open"])}
