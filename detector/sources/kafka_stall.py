"""Partitions that are not read on though there is something to read and the brokers answer."""

from collections.abc import Mapping

from detector.batch import Partition

STALLED_AFTER_S = 60.0
LONGEST_STEP_S = 10.0
"""Between two looks no more time counts than this: for a while nobody may have polled."""


class StallWatch:
    """Sees which positions stand still."""

    def __init__(self) -> None:
        self._looked_s: float | None = None
        self._still: dict[Partition, tuple[int, float]] = {}
        """Position, and for how many seconds it has stood still."""

    def look(
        self, positions: Mapping[Partition, int], ends: Mapping[Partition, int], now_s: float
    ) -> list[Partition]:
        """Return the partitions that have stood still before their end for too long; they begin anew."""
        step_s = min(now_s - self._looked_s, LONGEST_STEP_S) if self._looked_s is not None else 0.0
        self._looked_s = now_s
        still: dict[Partition, tuple[int, float]] = {}
        stalled = []
        for p, end in ends.items():
            at = positions[p]
            before = self._still.get(p)
            for_s = before[1] + step_s if before is not None and before[0] == at and at < end else 0.0
            if for_s >= STALLED_AFTER_S:
                stalled.append(p)
                for_s = 0.0
            still[p] = (at, for_s)
        self._still = still
        return stalled
