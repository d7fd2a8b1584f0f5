"""Which events are still in time, and how far event time has come.

Lateness is a matter of an event's own partition: an event is late when its pane has already closed
for the largest event time seen *in its partition* less `lateness`. So what a pane holds depends only
on each partition's own order, not on how partitions happened to be read against each other, and a
replay gives identical state.

    partition max          --------------------------x
    its watermark          ----------------x            (max - lateness)
    panes                  |---|---|---|---|---|---|
    an event in here       ^^^ late         ^^^ in time

Panes are *emitted* when the smallest watermark of the partitions that are not idle has passed them.
Events stamped in the future are turned away before they come here, so they never move a watermark.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

from detector.batch import Bools, Floats, Ints, Partition
from detector.tree import Tree, dict_of, float_of, list_of, record_of
from detector.windows.spec import WindowSpec


class _Reached(NamedTuple):
    topic: str
    number: int
    max_time_s: float | None


class Watermark:
    """The largest event time of each partition, and the event time all of them have reached."""

    def __init__(self, spec: WindowSpec) -> None:
        self._spec = spec
        self._partitions: frozenset[Partition] = frozenset()
        self._max_time_s: dict[Partition, float] = {}
        self._idle: frozenset[Partition] = frozenset()
        self._advanced_to_s = -np.inf

    def use(self, spec: WindowSpec) -> None:
        """Go by other settings from now on."""
        self._spec = spec

    def admit(self, time_s: Floats, partition: Ints, partitions: tuple[Partition, ...]) -> Bools:
        """Take note of n event times, in offset order, and say which of them are late.

        `time_s` is NaN for records that are no events; those are not late. An event is judged by
        what its partition had seen *before* it.
        """
        late = np.zeros(len(time_s), dtype=bool)
        self._partitions |= frozenset(partitions)
        for i, key in enumerate(partitions):
            here = np.flatnonzero((partition == i) & ~np.isnan(time_s))
            if not len(here):
                continue
            times = time_s[here]
            start = self._max_time_s.get(key, -np.inf)
            reached = np.maximum.accumulate(np.append(start, times))
            pane_end = (np.floor(times / self._spec.pane_s) + 1.0) * self._spec.pane_s
            late[here] = pane_end <= reached[:-1] - self._spec.lateness_s
            self._max_time_s[key] = float(reached[-1])
        return late

    def remember(self) -> Tree:
        """Return how far each partition has come; which are idle is asked again."""
        return {
            "partitions": [[*p, self._max_time_s.get(p)] for p in sorted(self._partitions)],
            "advanced_to_s": float(self._advanced_to_s),
        }

    def recall(self, tree: Tree) -> None:
        """Take on what was remembered.

        Raises:
            ValueError: the tree is nothing such.
        """
        read = dict_of(tree)
        reached = [record_of(_Reached, item) for item in list_of(read["partitions"])]
        self._partitions = frozenset(Partition(r.topic, r.number) for r in reached)
        self._max_time_s = {
            Partition(r.topic, r.number): r.max_time_s for r in reached if r.max_time_s is not None
        }
        self._idle = frozenset()
        self._advanced_to_s = float_of(read["advanced_to_s"])

    def begin(self, max_time_s: Mapping[Partition, float | None]) -> None:
        """Begin with partitions that have come so far; None before their first event."""
        self._partitions |= frozenset(max_time_s)
        self._max_time_s |= {p: time_s for p, time_s in max_time_s.items() if time_s is not None}

    def set_idle(self, idle: Iterable[Partition]) -> None:
        """Say which partitions have nothing to read; they no longer hold the others back."""
        self._idle = frozenset(idle)

    def advance_to(self, time_s: float) -> None:
        """Let event time pass without events: a silent stream still closes its windows."""
        self._advanced_to_s = max(self._advanced_to_s, time_s)

    @property
    def max_time_s(self) -> float:
        """Largest event time seen in any partition; -inf before the first event."""
        return max(self._max_time_s.values(), default=-np.inf)

    @property
    def time_s(self) -> float:
        """Event time that every active partition has passed by `lateness`; -inf before the first event.

        A partition of which nothing has come yet is waited for too: catching up, a client reads one
        partition after the other, and windows of the first alone would mean nothing.
        """
        active = [self._max_time_s.get(key, -np.inf) for key in self._partitions - self._idle]
        # If all are idle nobody is waited for.
        reached = min(active, default=self.max_time_s) - self._spec.lateness_s
        return max(reached, self._advanced_to_s)

    def time_of(self, partition: Partition) -> float | None:
        """Return the largest event time of one partition, None before its first event."""
        return self._max_time_s.get(partition)
