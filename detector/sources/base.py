"""What a source of events is.

A source reads records in order from partitions and says where it stands; it decodes nothing. One
contract suite (tests/sources) holds every source to the same promises, so what the in-memory source
shows in a test, Kafka does too.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from detector.batch import Partition, Records
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

    def close(self) -> None:
        """Let go of everything, in a few seconds at most."""
        ...


SourceKind = Kind[Source]
"""A kind of source: its settings, and how one is opened from them."""

sources: Registry[SourceKind] = Registry("source kind")
