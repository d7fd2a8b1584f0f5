"""Records from memory: for tests and for the demonstration, held to the same contract as Kafka."""

from collections.abc import Mapping, Sequence

import numpy as np

from detector.batch import Partition, Records
from detector.view import PartitionStatus, SourceStatus

MAX_POLL_RECORDS = 5000


class MemorySource:
    """A source over lists that may grow while it is read."""

    def __init__(self, n_partitions: int = 1, topic: str = "memory") -> None:
        self.partitions = tuple(Partition(topic, i) for i in range(n_partitions))
        self._logs: list[list[tuple[bytes | None, int]]] = [[] for _ in self.partitions]
        self._read = [0] * n_partitions

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
        for i, log in enumerate(self._logs):
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

    def close(self) -> None:
        """Nothing to let go of."""
