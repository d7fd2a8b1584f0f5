"""The book of what was lost: for the log, for the counters, and for whoever judges the windows."""

import logging
from collections import Counter
from collections.abc import Sequence

from detector.batch import Loss, Partition
from detector.clock import Clock

log = logging.getLogger(__name__)

SAY_EVERY_S = 60.0
"""A partition's losses for one reason are logged this often at most."""


class LossBook:
    """Losses since last asked, one a partition and reason, and how many there were in all."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._new: dict[tuple[Partition, str], Loss] = {}
        self._said_s: dict[tuple[Partition, str], float] = {}
        self.totals: Counter[str] = Counter()

    def add(self, loss: Loss, cause: str = "") -> None:
        """Enter a loss."""
        key = (loss.partition, loss.reason)
        self.totals[loss.reason] += max(loss.n, 1)
        before = self._new.get(key)
        self._new[key] = loss if before is None else _joined(before, loss)
        now_s = self._clock.monotonic_s()
        if now_s - self._said_s.get(key, -float("inf")) >= SAY_EVERY_S:
            self._said_s[key] = now_s
            log.warning(
                "records lost topic=%s partition=%d reason=%s records=%d offsets=%d..%d cause=%s",
                *loss.partition, loss.reason, loss.n, loss.first, loss.last, cause or loss.reason,
            )  # fmt: skip

    def take(self) -> Sequence[Loss]:
        """Return the losses since last asked."""
        found, self._new = tuple(self._new.values()), {}
        return found


def _joined(a: Loss, b: Loss) -> Loss:
    return Loss(a.partition, a.reason, a.n + b.n, min(a.first, b.first), max(a.last, b.last))
