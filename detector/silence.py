"""Which partitions have been silent for how long."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from detector.batch import Partition


class Silence:
    """Which partitions have had nothing to read for a while, and for how long none has."""

    def __init__(self, idle_after_s: float) -> None:
        self.idle_after_s = idle_after_s
        self._idle_since_s: dict[Partition, float] = {}

    def after(
        self,
        spoke: AbstractSet[Partition],
        at_end: Sequence[Partition],
        n_partitions: int,
        now_s: float,
    ) -> tuple[list[Partition], float]:
        """Take note of the partitions that brought events; return the idle ones and the seconds of silence.

        Only a partition that is read to its end counts: one that cannot be read is not idle.
        """
        before = self._idle_since_s
        self._idle_since_s = {p: now_s if p in spoke else before.get(p, now_s) for p in at_end}
        idle = [p for p, since_s in self._idle_since_s.items() if now_s - since_s >= self.idle_after_s]
        all_idle = n_partitions > 0 and len(idle) == n_partitions
        return idle, now_s - max(self._idle_since_s.values()) if all_idle else 0.0
