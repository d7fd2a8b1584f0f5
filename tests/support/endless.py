"""A stream without an end, made as it is read: for runs of many millions of events."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from detector.batch import Loss, Partition, Records
from detector.sources import Mark
from detector.times import format_time
from detector.view import PartitionStatus, SourceStatus
from tests.support.factories import KEY, START_S

POLL_RECORDS = 2000

MARK = "@time@"


class EndlessSource:
    """Events of the given rows over and over, `rate` of them in each second of event time.

    A few bytes of each payload are put together anew, the rest was encoded once: making an event costs
    less than a tenth of what reading it does.
    """

    def __init__(self, rows: Sequence[Mapping[str, Any]], rate: float, n_partitions: int = 4) -> None:
        self.partitions = tuple(Partition("endless", i) for i in range(n_partitions))
        self.rate = rate
        self.n = 0
        self.time_s = START_S
        self._halves = [_halves(row) for row in rows]
        self._offset = [0] * n_partitions
        self._i = 0

    def poll(self, timeout_s: float) -> Records:
        """Return the next records: a part of one partition's after the other's, all of the same seconds."""
        each = POLL_RECORDS // len(self.partitions)
        values: list[bytes | None] = []
        seconds = POLL_RECORDS / self.rate
        times = [format_time(self.time_s + seconds * k / 10).encode() for k in range(10)]
        for _ in self.partitions:
            for k in range(each):
                before, after = self._halves[(self._i + k) % len(self._halves)]
                values.append(before + times[k * 10 // each] + after)
            self._i += each
        offsets = np.concatenate([at + np.arange(each) for at in self._offset])
        self._offset = [at + each for at in self._offset]
        self.n += len(values)
        self.time_s += seconds
        number = np.repeat(np.arange(len(self.partitions)), each)
        return Records(values, number, offsets, np.full(len(values), -1, np.int64), self.partitions)

    def status(self) -> SourceStatus:
        """Say how far it is read."""
        return SourceStatus(True, tuple(PartitionStatus(p, n, n) for p, n in self.positions().items()))

    def idle(self) -> Sequence[Partition]:
        """Never any."""
        return ()

    def positions(self) -> Mapping[Partition, int]:
        """Return the offset of the next record of each partition."""
        return dict(zip(self.partitions, self._offset, strict=True))

    def seek(self, positions: Mapping[Partition, int], topic_ids: Mapping[str, str]) -> None:
        """Nothing was read before: it begins where it begins."""

    def topic_ids(self) -> Mapping[str, str]:
        """There is only one."""
        return {"endless": "1"}

    def take_losses(self) -> Sequence[Loss]:
        """Never any."""
        return ()

    def cluster_id(self) -> None:
        """There are no brokers."""

    def committed(self) -> Mapping[Partition, Mark]:
        """Nothing was read before."""
        return {}

    def commit(self, marks: Mapping[Partition, Mark]) -> None:
        """There is nobody to remember them."""

    def close(self) -> None:
        """Nothing to let go of."""


def _halves(row: Mapping[str, Any]) -> tuple[bytes, bytes]:
    document = {"model": KEY.model, "version": KEY.version, "timestamp": MARK, "features": row}
    before, _, after = msgspec.json.encode(document).partition(MARK.encode())
    return before, after
