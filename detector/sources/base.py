"""What a source of events is.

A source reads records in order from partitions and says where it stands; it decodes nothing. One
contract suite (tests/sources) holds every source to the same promises, so what the in-memory source
shows in a test, Kafka does too.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from detector.batch import Loss, Partition, Records
from detector.kinds import Kind
from detector.registry import Registry
from detector.view import SourceStatus


class Mark(NamedTuple):
    """What a group has committed for a partition: an offset, and words for whoever reads it."""

    offset: int
    metadata: str = ""


class Source(Protocol):
    """Delivers records; used by one thread."""

    def poll(self, timeout_s: float) -> Records:
        """Return records that were not returned before, waiting at most about `timeout_s` for some.

        Never raises for what the far side does: lost connections and unreadable records are counted
        in `status`, and the source goes on by itself.

        Raises:
            SourceError: going on makes no sense; starting again after a change may.
        """
        ...

    def status(self) -> SourceStatus:
        """Say whether the source is connected, and how far it has read."""
        ...

    def idle(self) -> Sequence[Partition]:
        """Return the partitions in which everything there is has been read."""
        ...

    def positions(self) -> Mapping[Partition, int]:
        """Return the offset of the next record of each partition."""
        ...

    def seek(self, positions: Mapping[Partition, int], topic_ids: Mapping[str, str]) -> None:
        """Go on at `positions` with the next poll; partitions of these topics without one begin at the start.

        A topic that has another id now than in `topic_ids` was created again: it is read from its
        beginning, and what may have been missed is a loss.
        """
        ...

    def take_losses(self) -> Sequence[Loss]:
        """Return what was lost since last asked; losses of a partition for one reason may be told as one."""
        ...

    def topic_ids(self) -> Mapping[str, str]:
        """Return the id of each topic, as far as known; one created again has another."""
        ...

    def cluster_id(self) -> str | None:
        """Return the name that the brokers give themselves, if known."""
        ...

    def committed(self) -> Mapping[Partition, Mark] | None:
        """Return what `commit` left, also in an earlier run; None: nobody can tell now, ask again."""
        ...

    def commit(self, marks: Mapping[Partition, Mark]) -> None:
        """Leave marks for a later run, soon and if possible; waits for nothing. Metadata: 4,000 bytes."""
        ...

    def close(self) -> None:
        """Let go of everything, in 3 seconds at most."""
        ...


SourceKind = Kind[Source]
"""A kind of source: its settings, and how one is opened from them."""

sources: Registry[SourceKind] = Registry("source kind")
