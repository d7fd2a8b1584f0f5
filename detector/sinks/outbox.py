"""What still has to be delivered, in order: a bounded queue that forgets the superseded first."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from detector.notice import Notice


@dataclass(eq=False, slots=True)
class Batch:
    """Notices that go out together, the same at every attempt; each of another alert."""

    notices: tuple[Notice, ...]
    queued_s: float
    """Monotonic time when it was put in."""
    attempts: int = 0
    ids: frozenset[str] = field(init=False)
    """Alerts it tells of."""

    def __post_init__(self) -> None:
        self.ids = frozenset(notice.transition.id for notice in self.notices)


class Outbox:
    """Batches in the order of their coming; holds at most `limit` notices.

    What is told of one alert leaves in the order in which it came. Different alerts may overtake each
    other, so that a batch which the receiver chokes on does not hold up the rest.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._batches: list[Batch] = []
        self._in_flight: Batch | None = None

    def __len__(self) -> int:
        """Notices that wait."""
        return sum(len(batch.notices) for batch in self._batches)

    @property
    def ids(self) -> frozenset[str]:
        """Alerts of which something waits to be told."""
        return frozenset().union(*(batch.ids for batch in self._batches))

    @property
    def batches(self) -> tuple[Batch, ...]:
        """Those that wait, in order."""
        return tuple(self._batches)

    def put(self, notices: Sequence[Notice], now_s: float) -> int:
        """Take in a batch; return how many notices had to go for it."""
        self._batches.append(Batch(tuple(notices), now_s))
        dropped, n = 0, len(self)
        while n - dropped > self._limit:
            batch = self._least_missed()
            if batch is None:
                break
            self._batches.remove(batch)
            dropped += len(batch.notices)
        return dropped

    def next(self) -> Batch | None:
        """Return what is to be tried now: the least tried, then the oldest, that overtakes nothing."""
        earlier: set[str] = set()
        free = []
        for batch in self._batches:
            if earlier.isdisjoint(batch.ids):
                free.append(batch)
            earlier |= batch.ids
        self._in_flight = min(free, key=lambda batch: batch.attempts, default=None)
        return self._in_flight

    def done(self, batch: Batch) -> bool:
        """Take a batch out: it was delivered, or given up; return whether it was still there."""
        self.rest()
        is_there = batch in self._batches
        if is_there:
            self._batches.remove(batch)
        return is_there

    def clear(self) -> None:
        """Take everything out, also what is being delivered."""
        self._batches.clear()
        self.rest()

    def rest(self) -> None:
        """Note that nothing is being delivered."""
        self._in_flight = None

    def _least_missed(self) -> Batch | None:
        """Return the oldest batch of which everything is told anew later; without one, the oldest."""
        later: set[str] = set()
        oldest = superseded = None
        for batch in reversed(self._batches):
            if batch is not self._in_flight and batch is not self._batches[-1]:
                oldest = batch
                if batch.ids <= later:
                    superseded = batch
            later |= batch.ids
        return superseded or oldest
