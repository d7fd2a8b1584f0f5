"""What is known of each partition: how far it has come, what was lost, from where to read it again."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from detector.batch import Bools, Floats, Ints, Loss, Partition
from detector.tree import Tree, dict_of
from detector.windows.losses import Holes
from detector.windows.rebuild import RebuildLedger, RebuildPoint
from detector.windows.spec import WindowSpec
from detector.windows.watermark import Watermark


class Arrivals:
    """The watermark, and beside it all that goes by partitions and offsets."""

    def __init__(self, spec: WindowSpec) -> None:
        self.watermark = Watermark(spec)
        self._holes = Holes(spec)
        self._ledger = RebuildLedger(spec)

    def use(self, spec: WindowSpec) -> None:
        """Go by other settings from now on."""
        self.watermark.use(spec)
        self._holes.use(spec)
        self._ledger.use(spec)

    def admit(
        self, time_s: Floats, which: Ints, offset: Ints, partitions: tuple[Partition, ...], first_s: float
    ) -> Bools:
        """Take note of n event times, in offset order, and say which of them are late.

        `time_s` is NaN for records that are no events; `which` (n) indexes `partitions`. Events before
        `first_s` are too old for any window.
        """
        with np.errstate(invalid="ignore"):
            too_old = time_s < first_s
        late = self.watermark.admit(time_s, which, partitions)
        self._ledger.note(time_s, which, offset, partitions, self.watermark.time_of, first_s)
        for partition in self._holes.open.intersection(partitions):
            times_s = time_s[which == partitions.index(partition)]
            times_s = times_s[~np.isnan(times_s)]
            if len(times_s):
                self._holes.end([partition], float(times_s[0]))
        return late | too_old

    def quiet(self, idle: Iterable[Partition], silent_for_s: float, lateness_s: float) -> None:
        """Say which partitions have nothing to read, and for how long no partition has had anything."""
        silent = frozenset(idle)
        self.watermark.set_idle(silent)
        max_time_s = self.watermark.max_time_s
        self._holes.end(silent, max_time_s)
        if silent_for_s > 0 and np.isfinite(max_time_s):
            self.watermark.advance_to(max_time_s + silent_for_s - lateness_s)

    def lose(self, loss: Loss, open_s: Sequence[float]) -> None:
        """Say which records can never be read; `open_s` are times in the panes that are open now."""
        reached_s = self.watermark.time_of(loss.partition)
        self._holes.begin(loss.partition, open_s if reached_s is None else [*open_s, reached_s])
        self._ledger.lose(loss)

    @property
    def lost_until_s(self) -> float:
        """Event time up to which windows lack events: one is incomplete if it begins before that."""
        return self._holes.until_s

    def points(self, first_s: float, closed_before_s: float | None) -> dict[Partition, RebuildPoint]:
        """Return from where to read each partition again for all its events from `first_s` on."""
        self._ledger.forget(first_s)
        return self._ledger.points(closed_before_s)

    def begin(self, points: Mapping[Partition, RebuildPoint]) -> None:
        """Begin where partitions are read again from."""
        self.watermark.begin({key: point.max_event_time_s for key, point in points.items()})
        self._ledger.begin(points)

    def remember(self) -> Tree:
        """Return all of it."""
        return {
            "watermark": self.watermark.remember(),
            "holes": self._holes.remember(),
            "ledger": self._ledger.remember(),
        }

    def recall(self, tree: Tree) -> None:
        """Take on what was remembered.

        Raises:
            ValueError: the tree is nothing such.
        """
        read = dict_of(tree)
        self.watermark.recall(read["watermark"])
        self._holes.recall(read["holes"])
        self._ledger.recall(read["ledger"])
