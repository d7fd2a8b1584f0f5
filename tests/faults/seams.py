"""The parts under test as the world of crashes uses them: a topic in memory, and cuts in a directory."""

from collections.abc import Sequence
from pathlib import Path

from detector.batch import Loss, Partition
from detector.pipeline import Pipeline
from detector.sources.memory import MemorySource
from detector.state import Cut, DirectoryStore
from detector.state.encoding import Encoder

NAME = "memory"


class Topic:
    """A topic that outlives its readers; `source` is the one that reads now."""

    def __init__(self, n_partitions: int) -> None:
        self.source = MemorySource(n_partitions, NAME)
        self._begin: dict[tuple[str, Partition], int] = {}
        self._end: dict[tuple[str, Partition], int] = {}

    @property
    def id(self) -> str:
        """What tells it from another of its name."""
        return self.source.topic_id

    @property
    def partitions(self) -> Sequence[Partition]:
        """Those that there are."""
        return self.source.partitions

    def append(self, value: bytes | None, partition: Partition) -> int:
        """Add a record; return its offset."""
        offset = self.source.append(value, partition.number)
        self._end[self.id, partition] = offset + 1
        return offset

    def range_of(self, partition: Partition) -> tuple[int, int]:
        """Return the offset of the first record that is still there, and the one after the last."""
        log = self.id, partition
        return self._begin.get(log, 0), self._end.get(log, 0)

    def truncate(self, partition: Partition, first: int) -> None:
        """Let the records before an offset be gone."""
        self._begin[self.id, partition] = first
        self.source.truncate(partition.number, first)

    def recreate(self) -> None:
        """Delete the topic and make it again."""
        self.source.recreate()

    def add_partition(self) -> None:
        """Let it have one more."""
        self.source.add_partition()

    def take_losses(self) -> Sequence[Loss]:
        """Return what was lost since this was last asked."""
        return self.source.take_losses()

    def restart(self, cut: Cut | None) -> None:
        """Let a new reader begin: where a cut says, or with the first record of all."""
        self.source.take_losses()
        if cut is None:
            self.source.seek({}, {})
        else:
            self.source.seek(cut.positions, cut.topic_ids)


class Files:
    """Cuts in a directory."""

    def __init__(self, path: Path) -> None:
        self._store = DirectoryStore(path)

    def newest(self) -> Cut | None:
        """Return the newest cut that is whole."""
        return next(self._store.load(), None)

    def save(self, pipeline: Pipeline, topic: Topic, sequence: int, now_s: float) -> None:
        """Take a cut and write it."""
        positions, ids = dict(topic.source.positions()), dict(topic.source.topic_ids())
        self._store.save(Cut(pipeline.remember(), positions, ids, sequence=sequence, saved_s=now_s))

    def close(self) -> None:
        """As at the end of the process."""
        self._store.close()


def encoded(pipeline: Pipeline) -> bytes:
    """Return all that a pipeline knows, as bytes: equal where all is equal."""
    return b"".join(Encoder().encode(Cut(pipeline.remember(), {})))


def lose(pipeline: Pipeline, loss: Loss) -> None:
    """Tell a pipeline of records that cannot be read."""
    pipeline.lose([loss])
