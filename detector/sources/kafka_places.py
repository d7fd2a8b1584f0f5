"""Where the source stands in each partition, and what becomes of that when the brokers' log is another."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from detector.batch import Loss, Partition
from detector.sources.kafka_client import partition_of
from detector.sources.kafka_guard import PassedOver
from detector.sources.kafka_losses import LossBook
from detector.sources.kafka_opening import Survey
from detector.view import PartitionStatus

log = logging.getLogger(__name__)


class Places:
    """Positions, ends and the identity of the topics."""

    def __init__(self, topics: Sequence[str], losses: LossBook) -> None:
        self._topics = tuple(topics)
        self._losses = losses
        self.partitions: tuple[Partition, ...] = ()
        self.positions: dict[Partition, int] = {}
        self.ends: dict[Partition, int] = {}
        self.topic_ids: dict[str, str] = {}
        self.cluster_id: str | None = None
        self.gone: frozenset[str] = frozenset()
        """Topics that do not exist at the moment."""

    @property
    def known_topics(self) -> set[str]:
        """The topics that have been read, or are to go on where they were."""
        return {p.topic for p in self.positions}

    @property
    def there(self) -> list[Partition]:
        """The partitions whose topic exists."""
        return [p for p in self.partitions if p.topic not in self.gone]

    def statuses(self) -> tuple[PartitionStatus, ...]:
        """Say how far each partition is read."""
        return tuple(PartitionStatus(p, self.positions[p], self.ends.get(p)) for p in self.partitions)

    def idle(self) -> list[Partition]:
        """Return the partitions read to their end, as far as that is known."""
        return [p for p in self.partitions if self.positions[p] >= self.ends.get(p, 1 << 62)]

    def seek(self, positions: Mapping[Partition, int], topic_ids: Mapping[str, str]) -> None:
        """Forget everything and go on at `positions`."""
        self.partitions, self.ends = (), {}
        self.positions = {p: at for p, at in positions.items() if p.topic in self._topics}
        self.topic_ids = {topic: topic_ids[topic] for topic in self._topics if topic in topic_ids}

    def has_changed(self, there: Iterable[Partition], topic_ids: Mapping[str, str]) -> bool:
        """Tell whether a topic was created again or has new partitions."""
        are_other = any(self.topic_ids.get(topic) != topic_id for topic, topic_id in topic_ids.items())
        return are_other or bool(set(there) - set(self.positions))

    def note_gone(self, there: Iterable[Partition]) -> bool:
        """Take note of the topics that exist; tell whether they are others than before."""
        gone = frozenset(self._topics) - {p.topic for p in there}
        lost, back = gone - self.gone, self.gone - gone
        if lost:
            log.warning("topic %s is gone; waiting for it", ", ".join(sorted(lost)))
        if back:
            log.info("topic %s is there again", ", ".join(sorted(back)))
        self.gone = gone
        return bool(lost or back)

    def take_up(self, found: Survey) -> None:
        """Go on in each partition where that is possible, and begin in those that are new."""
        for topic, topic_id in found.topic_ids.items():
            if self.topic_ids.get(topic, topic_id) != topic_id:
                self._begin_anew(topic)
        if self.cluster_id not in (None, found.cluster_id):
            log.warning("the brokers are another cluster now: %s", found.cluster_id)
        self.cluster_id = found.cluster_id
        self.topic_ids |= found.topic_ids
        new = [p for p in found.partitions if p not in self.positions]
        if new and self.partitions:
            log.info("new partitions: %s", ", ".join(f"{p.topic}-{p.number}" for p in new))
        self.positions |= {p: found.starts[p] for p in new}
        for p in found.partitions:
            self._mend(p, found.begins[p], found.ends[p])
        # Partitions of a topic that is away wait for it; those that a topic no longer has are forgotten.
        self.note_gone(found.partitions)
        away = [p for p in self.positions if p.topic in self.gone]
        self.partitions = tuple(sorted({*found.partitions, *away}))
        self.positions = {p: self.positions[p] for p in self.partitions}
        self.ends = {p: self.ends[p] for p in away if p in self.ends} | dict(found.ends)

    def _begin_anew(self, topic: str) -> None:
        """Forget how far a topic was read that was created again."""
        for p in [p for p in self.positions if p.topic == topic]:
            at = self.positions.pop(p)
            unread = max(0, self.ends.pop(p, at) - at)
            self._losses.add(Loss(p, "recreated", unread, at, at + max(unread, 1) - 1))

    def _mend(self, p: Partition, begin: int, end: int) -> None:
        """Move a position that lies outside the log, and count what is lost by it."""
        at = self.positions[p]
        if at < begin:
            self._losses.add(Loss(p, "out_of_range", begin - at, at, begin - 1))
        elif at > end:
            self._losses.add(Loss(p, "truncated", at - end, end, at - 1))
        self.positions[p] = min(max(at, begin), end)

    def truncate(self, offsets: Mapping[Any, Any]) -> None:
        """Go back to where the log still is what was read: (the client's) partition -> offset, None: unknown.

        Where nobody can say it, reading goes on as if it were so here: one record may be another.
        """
        for tp, good in offsets.items():
            p = partition_of(tp)
            at = self.positions.get(p)
            if at is None:
                continue
            back_to = at if good is None else min(at, good.offset)
            self._losses.add(Loss(p, "truncated", at - back_to, back_to, max(at - 1, back_to)))
            self.positions[p] = back_to

    def pass_over(self, batches: Iterable[PassedOver]) -> None:
        """Count what could not be read, and go on behind it."""
        for batch in batches:
            p = partition_of(batch.partition)
            if p in self.positions and batch.last >= self.positions[p]:
                self._losses.add(Loss(p, batch.reason, batch.n, batch.first, batch.last))
                self.positions[p] = batch.last + 1
