"""Records from memory: for tests and for the demonstration, held to the same contract as Kafka."""

from collections.abc import Mapping, Sequence

import numpy as np

from detector.batch import Loss, Partition, Records
from detector.sources.base import Mark
from detector.view import PartitionStatus, SourceStatus

MAX_POLL_RECORDS = 5000


class MemorySource:
    """A source over lists that may grow while it is read."""

    def __init__(self, n_partitions: int = 1, topic: str = "memory") -> None:
        self.partitions = tuple(Partition(topic, i) for i in range(n_partitions))
        self._logs: list[list[tuple[bytes | None, int]]] = [[] for _ in self.partitions]
        self._read = [0] * n_partitions
        self._begin = [0] * n_partitions
        self._topic = topic
        self.topic_id = self._read_id = "1"
        self._losses: list[Loss] = []
        self._marks: dict[Partition, Mark] = {}

    def append(self, value: bytes | None, partition: int = 0, time_ms: int = -1) -> int:
        """Add a record and return its offset."""
        self._logs[partition].append((value, time_ms))
        return len(self._logs[partition]) - 1

    def poll(self, timeout_s: float) -> Records:  # noqa: ARG002 - nothing here to wait for
        """Return the next records, partition by partition."""
        values: list[bytes | None] = []
        partition: list[int] = []
        offset: list[int] = []
        time_ms: list[int] = []
        self._begin_again_if_new()
        for i, log in enumerate(self._logs):
            self._mend(i)
            first, end = self._read[i], min(len(log), self._read[i] + MAX_POLL_RECORDS - len(values))
            for at in range(first, end):
                values.append(log[at][0])
                time_ms.append(log[at][1])
            partition += [i] * (end - first)
            offset += range(first, end)
            self._read[i] = end
        return Records(
            values,
            np.array(partition, dtype=np.int64),
            np.array(offset, dtype=np.int64),
            np.array(time_ms, dtype=np.int64),
            self.partitions,
        )

    def status(self) -> SourceStatus:
        """Say how far the lists have been read."""
        return SourceStatus(
            connected=True,
            partitions=tuple(
                PartitionStatus(p, self._read[i], len(self._logs[i])) for i, p in enumerate(self.partitions)
            ),
        )

    def idle(self) -> Sequence[Partition]:
        """Return the partitions that are read to their end."""
        return [p for i, p in enumerate(self.partitions) if self._read[i] == len(self._logs[i])]

    def positions(self) -> Mapping[Partition, int]:
        """Return the offset of the next record of each partition."""
        return dict(zip(self.partitions, self._read, strict=True))

    def seek(self, positions: Mapping[Partition, int], topic_ids: Mapping[str, str]) -> None:
        """Go on at `positions`; what was cut off in front is lost."""
        self._read_id = topic_ids.get(self._topic, self.topic_id)
        self._read = [positions.get(p, self._begin[i]) for i, p in enumerate(self.partitions)]
        self._begin_again_if_new()
        for i in range(len(self.partitions)):
            self._mend(i)

    def topic_ids(self) -> Mapping[str, str]:
        """Return the id of the topic that the positions are of."""
        return {self._topic: self._read_id}

    def take_losses(self) -> Sequence[Loss]:
        """Return what was lost since this was last asked."""
        losses, self._losses = self._losses, []
        return losses

    def truncate(self, partition: int, first: int) -> None:
        """Forget the records before offset `first`, as retention does."""
        self._begin[partition] = max(self._begin[partition], first)

    def recreate(self) -> None:
        """Begin with other lists of the same name."""
        self.topic_id = f"{self.topic_id}'"
        self._logs = [[] for _ in self.partitions]
        self._begin = [0] * len(self.partitions)

    def add_partition(self) -> None:
        """Have one list more."""
        self.partitions += (Partition(self._topic, len(self.partitions)),)
        self._logs.append([])
        self._read.append(0)
        self._begin.append(0)

    def _begin_again_if_new(self) -> None:
        """Go to the first records of a topic that is another one than was read so far."""
        if self._read_id == self.topic_id:
            return
        self._read_id = self.topic_id
        self._losses += [
            Loss(p, "recreated", 0, at, at) for p, at in zip(self.partitions, self._read, strict=True)
        ]
        self._read = [0] * len(self.partitions)

    def _mend(self, i: int) -> None:
        """Go on where there are records, and count those that there are not."""
        begin, end, at = self._begin[i], len(self._logs[i]), self._read[i]
        if at < begin:
            self._losses.append(Loss(self.partitions[i], "out_of_range", begin - at, at, begin - 1))
            self._read[i] = begin
        elif at > end:
            self._losses.append(Loss(self.partitions[i], "truncated", at - end, end, at - 1))
            self._read[i] = end

    def cluster_id(self) -> str:
        """Return a name for the memory."""
        return "memory"

    def committed(self) -> Mapping[Partition, Mark]:
        """Return the marks."""
        return dict(self._marks)

    def commit(self, marks: Mapping[Partition, Mark]) -> None:
        """Keep marks."""
        self._marks |= marks

    def close(self) -> None:
        """Nothing to let go of."""
