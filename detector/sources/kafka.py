"""Events from Kafka, by kafka-python.

All partitions of all topics are assigned by hand, and the source's own positions count: they move
only with records that were handed out, so after any trouble it goes on exactly there. Whatever the
client raises, the loop above never sees it:

- no broker, lost connection: try again for ever, with growing pauses;
- a record or batch that cannot be read: the client of kafka-python 3.0 *never returns* from the poll
  after the exception, so it is thrown away. A new one asks the partitions one by one; the one that
  raises again is moved past the unreadable offsets, which are counted;
- offsets that no longer exist: the lost range is counted, and reading goes on where the log begins.
"""

import logging
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from detector.batch import Loss, Partition, Records
from detector.clock import Clock
from detector.kinds import Kind
from detector.sources import kafka_client
from detector.sources.base import sources
from detector.sources.kafka_client import first_readable, name_of, partition_of, topic_partition
from detector.sources.kafka_records import RecordHeaders, speed_up
from detector.sources.kafka_settings import KafkaSettings, start_time_s
from detector.view import PartitionStatus, SourceStatus

log = logging.getLogger(__name__)

CLOSE_TIMEOUT_MS = 2_000
PROBE_TIMEOUT_MS = 1_000

REFRESH_EVERY_S = 5.0
"""Ends of the partitions, and new partitions, are looked up this often."""

MAX_LOSSES = 1000

RETRY_FIRST_S, RETRY_MAX_S = 0.2, 30.0
DENIED_RETRY_S = 15.0
"""After a refused password or permission: no storm of attempts that locks the account."""


class KafkaSource:
    """Reads topics from all their partitions."""

    def __init__(self, settings: KafkaSettings, clock: Clock) -> None:
        kafka_client.check_codecs()
        self._settings = settings
        self._options = settings.client_options()
        self._clock = clock
        self._rng = random.Random()  # noqa: S311 - spreads retries, no secret
        self._client: Any = None
        self._partitions: tuple[Partition, ...] = ()
        self._positions: dict[Partition, int] = {}
        self._topic_ids: dict[str, str] = {}
        """As they were when the positions were told; of the topics whose ids are known."""
        self._losses: list[Loss] = []
        self._ends: dict[Partition, int] = {}
        self._skipped: Counter[str] = Counter()
        self._connected = False
        self._suspicious = False
        self._failures = 0
        self._retry_at_s = self._refresh_at_s = clock.monotonic_s()

    def poll(self, timeout_s: float) -> Records:
        """Return the next records, at most `max_poll_records`; none while there is no connection."""
        records: Records | None = None
        try:
            if self._client is None:
                self._connect(timeout_s)
            if self._client is not None:
                records = self._fetch(timeout_s)
                # Afterwards, so that what was fetched is handed out whatever becomes of the look-ups.
                self._refresh()
        except Exception as error:  # noqa: BLE001 - a bad record may raise anything
            self._take_error(error)
        return self._records({}) if records is None else records

    def _fetch(self, timeout_s: float) -> Records:
        if self._suspicious:
            return self._records(self._probe_all())
        fetched = self._client.poll(timeout_ms=int(timeout_s * 1000))
        if fetched:
            self._connected = True
        return self._records(fetched)

    def status(self) -> SourceStatus:
        """Say whether the last contact was fine, and how far each partition is read."""
        return SourceStatus(
            connected=self._connected and bool(self._partitions),
            partitions=tuple(
                PartitionStatus(p, self._positions[p], self._ends.get(p)) for p in self._partitions
            ),
            skipped=dict(self._skipped),
        )

    def idle(self) -> Sequence[Partition]:
        """Return the partitions read to their end, as far as the end is known for sure."""
        if not self._connected:
            return ()
        return [p for p in self._partitions if self._positions[p] >= self._ends.get(p, 1 << 62)]

    def positions(self) -> Mapping[Partition, int]:
        """Return the offset of the next record of each partition."""
        return dict(self._positions)

    def seek(self, positions: Mapping[Partition, int], topic_ids: Mapping[str, str]) -> None:
        """Go on at `positions` instead of where the configuration says."""
        self._drop_client()
        self._partitions = ()
        self._positions = {p: at for p, at in positions.items() if p.topic in self._settings.topics}
        self._topic_ids = dict(topic_ids)

    def topic_ids(self) -> Mapping[str, str]:
        """Return what tells each topic from another of its name, where the brokers say it."""
        return dict(self._topic_ids)

    def take_losses(self) -> Sequence[Loss]:
        """Return what was lost since this was last asked."""
        losses, self._losses = self._losses, []
        return losses

    def close(self) -> None:
        """Close the connection."""
        self._drop_client()

    # Connecting

    def _connect(self, timeout_s: float) -> None:
        """Make a client once it is time to, and take up all partitions that there are."""
        now_s = self._clock.monotonic_s()
        if now_s < self._retry_at_s:
            self._clock.sleep(min(timeout_s, self._retry_at_s - now_s))
            return
        self._client = self._new_client()
        found = kafka_client.partitions_of(self._client, self._settings.topics)
        missing = set(self._settings.topics) - {p.topic for p in found}
        if missing:
            self._drop_client()
            self._wait(f"no topic {', '.join(sorted(missing))} yet; it is not created, waiting for it")
            return
        self._take_up(found)
        self._assign(self._partitions)
        self._refresh_at_s = 0.0
        self._failures = 0
        log.info("connected topics=%s partitions=%d", ",".join(self._settings.topics), len(found))

    def _new_client(self) -> Any:
        from kafka import KafkaConsumer

        client = KafkaConsumer(**self._options)
        speed_up(client)
        return client

    def _take_up(self, found: tuple[Partition, ...]) -> None:
        """Find a position for partitions that have none: by policy at first, later from their beginning."""
        self._forget_recreated()
        new = [p for p in found if p not in self._positions]
        is_first = not self._positions
        if new:
            self._positions |= (
                self._start_positions(new) if is_first else kafka_client.beginnings(self._client, new)
            )
        self._partitions = tuple(sorted({*self._partitions, *found}))
        if new and not is_first:
            log.info("new partitions: %s", ", ".join(f"{p.topic}-{p.number}" for p in new))

    def _forget_recreated(self) -> None:
        """Begin with the first record of topics that are others by now, though their names are the same."""
        for topic, found in kafka_client.topic_ids(self._client, self._settings.topics).items():
            before, self._topic_ids[topic] = self._topic_ids.get(topic), found
            if before in (None, found):
                continue
            log.warning("topic %s was made anew: reading it from its first record", topic)
            old = [p for p in self._positions if p.topic == topic]
            begins = kafka_client.beginnings(self._client, old)
            for p in old:
                self._lose(p, "recreated", 0, self._positions[p], self._positions[p])
                self._positions[p] = begins.get(p, 0)

    def _lose(self, p: Partition, reason: str, n: int, first: int, last: int) -> None:
        """Note a loss; of very many the last ones are told."""
        self._skipped[reason] += max(n, 1)
        self._losses = [*self._losses, Loss(p, reason, n, first, last)][-MAX_LOSSES:]

    def _start_positions(self, partitions: Sequence[Partition]) -> dict[Partition, int]:
        start = self._settings.start
        if start == "earliest":
            return kafka_client.beginnings(self._client, partitions)
        at_s = start_time_s(start, self._clock.now_s())
        ends = kafka_client.ends(self._client, partitions)
        return ends if at_s is None else ends | kafka_client.since(self._client, partitions, at_s)

    def _assign(self, partitions: Sequence[Partition]) -> None:
        self._client.assign([topic_partition(p) for p in partitions])
        for p in partitions:
            self._client.seek(topic_partition(p), self._positions[p])

    def _refresh(self) -> None:
        """Look up ends and new partitions now and then; what fails here says that the broker is away."""
        now_s = self._clock.monotonic_s()
        if now_s < self._refresh_at_s:
            return
        self._refresh_at_s = now_s + REFRESH_EVERY_S
        from kafka.errors import KafkaError

        try:
            self._ends = kafka_client.ends(self._client, self._partitions)
        except KafkaError as error:
            if self._connected:
                log.warning("lost contact with the brokers (%s); going on when they are back", name_of(error))
            self._connected = False
            return
        if not self._connected:
            log.info("in contact with the brokers")
        self._connected = True
        self._failures = 0
        self._pass_markers()
        found = kafka_client.partitions_of(self._client, self._settings.topics)
        ids = kafka_client.topic_ids(self._client, self._settings.topics)
        if set(found) - set(self._partitions) or any(self._topic_ids.get(t, i) != i for t, i in ids.items()):
            self._take_up(found)
            self._assign(self._partitions)

    def _pass_markers(self) -> None:
        """Move past what is in the log but no record: markers of transactions, gaps that compaction left.

        Without it such a partition would never count as read to its end, and hold the windows open.
        """
        for p in self._partitions:
            if self._positions[p] < self._ends.get(p, 0):
                reached = kafka_client.position(self._client, p)
                self._positions[p] = max(self._positions[p], reached or 0)

    # Records

    def _records(self, fetched: Mapping[Any, Sequence[Any]]) -> Records:
        """Turn what the client returned into columns, and move on."""
        index = {p: i for i, p in enumerate(self._partitions)}
        values: list[bytes | None] = []
        offsets: list[int] = []
        times: list[int] = []
        partition: list[int] = []
        headers: list[Any] = []
        for tp, records in fetched.items():
            p = partition_of(tp)
            values += [r.value for r in records]
            offsets += [r.offset for r in records]
            times += [r.timestamp for r in records]
            headers += [r.headers for r in records]
            partition += [index[p]] * len(records)
            self._positions[p] = records[-1].offset + 1
            end = self._client.highwater(tp) if self._client is not None else None
            if end is not None:
                self._ends[p] = max(end, self._positions[p])
        return Records(
            values,
            np.array(partition, dtype=np.int64),
            np.array(offsets, dtype=np.int64),
            np.array(times, dtype=np.int64),
            self._partitions,
            RecordHeaders(headers),
        )

    # Trouble

    def _take_error(self, error: Exception) -> None:
        """Decide what an exception of the client means. Afterwards nothing of that client is used."""
        from kafka import errors

        self._connected = False
        self._drop_client()
        if isinstance(error, errors.OffsetOutOfRangeError):
            self._suspicious = True
            self._retry_at_s = self._clock.monotonic_s()
        elif isinstance(error, (errors.AuthorizationError, errors.SaslAuthenticationFailedError)):
            log.error(
                "refused by the brokers (%s): check the user, and its READ and DESCRIBE on topics %s",
                name_of(error),
                ", ".join(self._settings.topics),
            )
            self._retry_at_s = self._clock.monotonic_s() + DENIED_RETRY_S
        elif getattr(error, "retriable", False):
            self._wait(f"no connection to {', '.join(self._settings.bootstrap_servers)} ({name_of(error)})")
        else:
            log.warning("the client failed (%s); looking for the record that made it", name_of(error))
            self._suspicious = bool(self._partitions)
            self._wait(None)

    def _wait(self, reason: str | None) -> None:
        """Put off the next attempt, longer each time and never all at once."""
        pause_s = min(RETRY_MAX_S, RETRY_FIRST_S * 2**self._failures) * self._rng.uniform(0.5, 1.0)
        # Said at once, and then only when the pause grows: not once an attempt for hours.
        if reason is not None and self._failures < 8:
            log.warning("%s; trying again", reason)
        self._failures = min(self._failures + 1, 8)
        self._retry_at_s = self._clock.monotonic_s() + pause_s

    def _drop_client(self) -> None:
        client, self._client = self._client, None
        if client is None:
            return
        try:
            client.close(autocommit=False, timeout_ms=CLOSE_TIMEOUT_MS)
        except Exception as error:  # noqa: BLE001 - it is thrown away, whatever it says
            log.debug("closing the client failed: %s", name_of(error))

    def _probe_all(self) -> dict[Any, Sequence[Any]]:
        """Ask each partition alone; move the one that cannot be read past what is in the way."""
        delivered: dict[Any, Sequence[Any]] = {}
        self._mend_ranges()
        for p in self._partitions:
            records, error = self._try(p, self._positions[p])
            if error is not None:
                records = self._skip(p, error)
            if records:
                delivered[topic_partition(p)] = records
        self._assign_after(delivered)
        self._suspicious = False
        return delivered

    def _assign_after(self, delivered: Mapping[Any, Sequence[Any]]) -> None:
        if self._client is None:
            self._client = self._new_client()
        for tp, records in delivered.items():
            self._positions[partition_of(tp)] = records[-1].offset + 1
        self._assign(self._partitions)

    def _mend_ranges(self) -> None:
        """Move positions that lie outside the log, and count what is lost by it."""
        begins, ends = (
            look_up(self._client, self._partitions)
            for look_up in (kafka_client.beginnings, kafka_client.ends)
        )
        self._ends = ends
        for p in self._partitions:
            at, begin, end = self._positions[p], begins[p], ends[p]
            if begin <= at <= end:
                continue
            reason, to = ("out_of_range", begin) if at < begin else ("truncated", end)
            self._lose(p, reason, max(begin - at, 0), min(at, to), max(begin - 1, at))
            log.warning(
                "offsets gone topic=%s partition=%d position=%d log=%d..%d reason=%s; going on at %d",
                p.topic, p.number, at, begin, end, reason, to,
            )  # fmt: skip
            self._positions[p] = to

    def _try(self, p: Partition, offset: int) -> tuple[Sequence[Any] | None, Exception | None]:
        """Read one partition at `offset`; after a failure the client is gone."""
        from kafka.errors import RetriableError

        if self._client is None:
            self._client = self._new_client()
        tp = topic_partition(p)
        self._client.assign([tp])
        self._client.seek(tp, offset)
        try:
            return self._client.poll(timeout_ms=PROBE_TIMEOUT_MS).get(tp, ()), None
        except RetriableError:
            raise
        except Exception as error:  # noqa: BLE001 - a bad record may raise anything
            self._drop_client()
            return None, error

    def _skip(self, p: Partition, error: Exception) -> Sequence[Any]:
        """Find the first offset behind the unreadable ones that can be read, and go there."""
        at = self._positions[p]
        good, records = first_readable(at, self._ends.get(p, at + 1), lambda offset: self._try(p, offset)[0])
        self._lose(p, "poison", good - at, at, good - 1)
        self._positions[p] = good
        log.warning(
            "unreadable records skipped topic=%s partition=%d offsets=%d..%d cause=%s",
            p.topic, p.number, at, good - 1, name_of(error),
        )  # fmt: skip
        return records or ()


sources.add("kafka", Kind(KafkaSettings, KafkaSource))
