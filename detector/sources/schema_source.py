"""A source whose records are handed on once their schemas are known.

While the registry is away, the records of one poll are held and nothing more is read: no event is lost, none
is taken for undecodable, and the source's position stays before them. The loop goes round meanwhile.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from detector.batch import Loss, Partition, Records
from detector.clock import Clock
from detector.formats.avro_events import HEADER_BYTES, schema_id
from detector.sources.base import Mark, Source
from detector.sources.schema_registry import SchemaRegistry
from detector.view import SourceStatus


class SchemaSource:
    """Another source, and the registry with the schemas of its records."""

    def __init__(self, source: Source, registry: SchemaRegistry, clock: Clock) -> None:
        self._source = source
        self._registry = registry
        self._clock = clock
        self._held: Records | None = None

    def poll(self, timeout_s: float) -> Records:
        """Return the next records whose schemas are all known, or known not to be there; or none."""
        records = self._held
        if records is None:
            records = self._source.poll(timeout_s)
        else:
            self._clock.sleep(min(timeout_s, self._registry.wait_s()))
        # The first bytes say it all, and are few: there is no need to look at each record's.
        starts = {value[:HEADER_BYTES] for value in records.values if value is not None}
        numbers = {number for number in map(schema_id, starts) if number is not None}
        if self._registry.provide(numbers):
            self._held = None
            return records
        self._held = records
        nothing = np.empty(0, dtype=np.int64)
        return Records([], nothing, nothing, nothing, records.partitions)

    def _first_held(self) -> dict[Partition, int]:
        """Return the offset of the first held record of each partition that has some."""
        held = self._held
        if held is None:
            return {}
        indices, first = np.unique(held.partition, return_index=True)
        return {
            held.partitions[i]: int(held.offset[at])
            for i, at in zip(indices.tolist(), first.tolist(), strict=True)
        }

    def status(self) -> SourceStatus:
        """Say where the source stands; without a registry that answers it is not connected."""
        status, first = self._source.status(), self._first_held()
        return replace(
            status,
            connected=status.connected and not self._registry.is_away,
            partitions=tuple(
                replace(p, position=first.get(p.partition, p.position)) for p in status.partitions
            ),
        )

    def idle(self) -> Sequence[Partition]:
        """Return the partitions that are read to their end and have nothing held."""
        first = self._first_held()
        return [partition for partition in self._source.idle() if partition not in first]

    def positions(self) -> Mapping[Partition, int]:
        """Return the offset of the next record of each partition: of the held ones, their first."""
        return {**self._source.positions(), **self._first_held()}

    def seek(self, positions: Mapping[Partition, int], topic_ids: Mapping[str, str]) -> None:
        """Go on there; what is held lies elsewhere and is let go."""
        self._held = None
        self._source.seek(positions, topic_ids)

    def take_losses(self) -> Sequence[Loss]:
        """Return what the source lost."""
        return self._source.take_losses()

    def topic_ids(self) -> Mapping[str, str]:
        """Return the id of each topic."""
        return self._source.topic_ids()

    def cluster_id(self) -> str | None:
        """Return the brokers' name for their cluster."""
        return self._source.cluster_id()

    def committed(self) -> Mapping[Partition, Mark] | None:
        """Return what was left for this run."""
        return self._source.committed()

    def commit(self, marks: Mapping[Partition, Mark]) -> None:
        """Leave marks for a later run."""
        self._source.commit(marks)

    def close(self) -> None:
        """Let go of the source."""
        self._source.close()
