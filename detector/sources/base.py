"""What a source of events is.

A source reads records in order from partitions and says where it stands; it decodes nothing. One
contract suite (tests/sources) holds every source to the same promises, so what the in-memory source
shows in a test, Kafka does too.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from detector.batch import Loss, Partition, Records
from detector.kinds import Kind
from detector.registry import Registry
from detector.view import SourceStatus


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
        """Go on at `positions` instead of where the configuration says; asked before a poll.

        Partitions that have none begin with their first record. Where the id of a topic is another than
        in `topic_ids` it is a new topic of that name, which begins with its first record, too.
        """
        ...

    def topic_ids(self) -> Mapping[str, str]:
        """Return what tells each topic from another of its name, where that is known."""
        ...

    def take_losses(self) -> Sequence[Loss]:
        """Return what was lost since this was last asked."""
        ...

    def close(self) -> None:
        """Let go of everything, in a few seconds at most."""
        ...


SourceKind = Kind[Source]
"""A kind of source: its settings, and how one is opened from them."""

sources: Registry[SourceKind] = Registry("source kind")
