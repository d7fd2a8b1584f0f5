"""What the batches of one client are held to, and which of them were passed over.

A batch that cannot be read is passed over while it is taken apart: after an exception the client of
kafka-python 3.0 never returns from the next poll. What its header says of the offsets is covered by the
checksum. Where that is wrong the bytes may have suffered on the way, so they are fetched once more first.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

MAX_SUSPECTS = 1000


class PassedOver(NamedTuple):
    """Records that nobody will see."""

    partition: Any
    """As the client names it."""
    first: int
    last: int
    n: int
    """Records that the batch says it has; where it was read from within, at most those."""
    reason: str


@dataclass(slots=True)
class BatchGuard:
    """Limits of size, and what came of them; outlives the clients that it guards."""

    max_bytes: int
    """A batch may become so large, and so much a poll may bring before it ends with the batch at hand."""
    passed_over: list[PassedOver] = field(default_factory=list)
    taken_bytes: int = 0
    """Bytes of the batches opened since the poll began."""
    pause: Callable[[], None] = lambda: None
    """Makes the poll under way end."""
    has_paused: bool = False
    suspects: set[tuple[Any, int]] = field(default_factory=set)
    """Partition and first offset of batches whose checksum was wrong once."""

    def begin(self) -> None:
        """Note that a poll begins."""
        self.taken_bytes = 0
        self.has_paused = False

    def take(self, n_bytes: int) -> None:
        """Note that a batch of this size was opened."""
        self.taken_bytes += n_bytes

    def end_if_full(self) -> bool:
        """End the poll if it has brought enough."""
        if self.taken_bytes < self.max_bytes:
            return False
        self.has_paused = True
        self.pause()
        return True

    def was_suspect(self, partition: Any, offset: int) -> bool:
        """Tell whether the checksum of a batch was wrong before; from now on it was."""
        suspect = (partition, offset)
        if suspect in self.suspects:
            self.suspects.discard(suspect)
            return True
        if len(self.suspects) >= MAX_SUSPECTS:
            self.suspects.clear()
        self.suspects.add(suspect)
        return False

    def pass_over(self, partition: Any, wanted: int, batch: Any, reason: str) -> None:
        """Note that a batch is passed over from offset `wanted` on."""
        first, last = max(wanted, batch.base_offset), batch.last_offset
        if first <= last:
            n = min(max(batch.records_count, 1), last - first + 1)
            self.passed_over.append(PassedOver(partition, first, last, n, reason))

    def take_passed_over(self) -> list[PassedOver]:
        """Return what was passed over since last asked."""
        found, self.passed_over = self.passed_over, []
        return found
