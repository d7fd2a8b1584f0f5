"""Events from Kafka, by kafka-python.

All partitions of all topics are assigned by hand, and the source's own positions count: they move
only with records that were handed out, so after any trouble it goes on exactly there. Whatever the
client raises, the loop above never sees it:

- no broker, lost connection: try again for ever, with growing pauses, on a thread of its own;
- a batch that cannot be read is passed over and counted (`kafka_guard`);
- offsets that no longer exist: what is lost is counted, and reading goes on where the log is;
- a topic that was created again, seen by its id: it is read from its beginning;
- anything else that the client raises: it is thrown away, for kafka-python 3.0 *never returns* from the
  poll after an exception, and the partitions are searched one by one (`kafka_probe`).
"""

import logging
import random
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from detector.batch import Loss, Partition, Records
from detector.brokers import renewed
from detector.clock import Clock
from detector.kinds import Kind
from detector.sources import kafka_client
from detector.sources.base import Mark, sources
from detector.sources.kafka_client import name_of, partition_of, topic_partition
from detector.sources.kafka_commits import Committer
from detector.sources.kafka_contact import (
    CLOSE_TIMEOUT_S,
    Contacts,
    close_client,
    is_refusal,
    remedy,
)
from detector.sources.kafka_guard import BatchGuard
from detector.sources.kafka_losses import LossBook
from detector.sources.kafka_opening import Opening, Survey, survey
from detector.sources.kafka_places import Places
from detector.sources.kafka_probe import Prober
from detector.sources.kafka_records import RecordHeaders, speed_up
from detector.sources.kafka_settings import KafkaSettings, start_time_s
from detector.sources.kafka_stall import StallWatch
from detector.view import SourceStatus

log = logging.getLogger(__name__)

REFRESH_EVERY_S = 5.0
"""Ends of the partitions, new partitions and the topics' ids are looked up this often."""

REFRESH_TIMEOUT_MS = 3_000
"""The loop does not come round while it waits."""

OPEN_TIMEOUT_S = 30.0
"""After so long a client that is still being made is given up."""

RETRY_FIRST_S, RETRY_MAX_S = 0.2, 30.0
DENIED_RETRY_S = 15.0
"""After a refused password or permission: no storm of attempts that locks the account."""


class KafkaSource:
    """Reads topics from all their partitions."""

    def __init__(self, settings: KafkaSettings, clock: Clock) -> None:
        kafka_client.check_codecs()
        self._settings = settings
        self._options = renewed(settings.client_options)
        self._clock = clock
        self._rng = random.Random()  # noqa: S311 - spreads retries, no secret
        self._guard = BatchGuard(settings.max_batch_bytes)
        self._losses = LossBook(clock)
        self._places = Places(settings.topics, self._losses)
        self._stalls = StallWatch()
        self._committer = Committer(self._options, settings.group_id, settings.topics)
        self._contacts = Contacts()
        self._client: Any = None
        self._opening: Opening | None = None
        self._opened_s = 0.0
        self._connected = False
        self._suspicious = False
        self._restarts = 0
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
        self._places.pass_over(self._guard.take_passed_over())
        return self._records({}) if records is None else records

    def _fetch(self, timeout_s: float) -> Records:
        if self._suspicious:
            return self._records(self._probe_all())
        if self._guard.has_paused:
            self._client.resume(*self._client.paused())
        self._guard.begin()
        fetched = self._client.poll(timeout_ms=int(timeout_s * 1000))
        # Before the records move the positions: what lies between them is new to the book.
        self._places.pass_over(self._guard.take_passed_over())
        if fetched:
            self._connected = not self._places.gone
        return self._records(fetched)

    def status(self) -> SourceStatus:
        """Say whether the last contact was fine, and how far each partition is read."""
        return SourceStatus(
            connected=self._connected and bool(self._places.partitions),
            partitions=self._places.statuses(),
            skipped=dict(self._losses.totals),
            restarts=self._restarts,
        )

    def idle(self) -> Sequence[Partition]:
        """Return the partitions read to their end, as far as the end is known for sure."""
        return self._places.idle() if self._connected else ()

    def positions(self) -> Mapping[Partition, int]:
        """Return the offset of the next record of each partition."""
        return dict(self._places.positions)

    def seek(self, positions: Mapping[Partition, int], topic_ids: Mapping[str, str]) -> None:
        """Go on at `positions` with the next poll."""
        self._let_go()
        self._connected = False
        self._places.seek(positions, topic_ids)
        self._retry_at_s = self._clock.monotonic_s()

    def take_losses(self) -> Sequence[Loss]:
        """Return what was lost since last asked."""
        return self._losses.take()

    def topic_ids(self) -> Mapping[str, str]:
        """Return the id of each topic, as far as known."""
        return dict(self._places.topic_ids)

    def cluster_id(self) -> str | None:
        """Return the brokers' name for their cluster."""
        return self._places.cluster_id

    def committed(self) -> Mapping[Partition, Mark] | None:
        """Return what the group has committed; None: the brokers do not tell."""
        return self._committer.committed()

    def commit(self, marks: Mapping[Partition, Mark]) -> None:
        """Commit marks in the group, soon and if possible."""
        self._committer.commit(marks)

    def close(self) -> None:
        """Close the connections, also to brokers that do not answer."""
        end_s = self._clock.monotonic_s() + CLOSE_TIMEOUT_S + 0.5
        self._committer.end()
        self._let_go()
        self._committer.close(max(0.0, end_s - self._clock.monotonic_s()))

    # Connecting

    def _connect(self, timeout_s: float) -> None:
        """Make a client once it is time to, and take up all partitions that there are."""
        now_s = self._clock.monotonic_s()
        if self._opening is None:
            if now_s < self._retry_at_s:
                self._clock.sleep(min(timeout_s, self._retry_at_s - now_s))
                return
            self._opening = Opening(self._options(), self._survey)
            self._opened_s = now_s
        self._contacts = self._opening.contacts
        opened = self._opening.wait(timeout_s)
        if opened is None:
            if now_s - self._opened_s > OPEN_TIMEOUT_S:
                self._let_go()
                self._wait(self._unreachable("it takes too long"))
            return
        self._opening = None
        self._client, found = opened
        self._adopt(found)

    def _adopt(self, found: Survey) -> None:
        """Begin to read with a client that was just made."""
        missing = set(self._settings.topics) - {p.topic for p in found.partitions}
        if missing - self._places.known_topics:
            self._drop_client()
            self._wait(f"no topic {', '.join(sorted(missing))} yet; it is not created, waiting for it")
            return
        speed_up(self._client, self._guard)
        self._places.take_up(found)
        self._assign()
        self._refresh_at_s = 0.0
        self._failures = 0
        log.info("connected topics=%s partitions=%d", ",".join(self._settings.topics), len(found.partitions))

    def _survey(self, client: Any) -> Survey:
        return survey(client, self._settings.topics, self._starts)

    def _starts(
        self,
        client: Any,
        partitions: Sequence[Partition],
        begins: Mapping[Partition, int],
        ends: Mapping[Partition, int],
    ) -> Mapping[Partition, int]:
        """Return where partitions begin: topics not read before by policy, new partitions at their start."""
        start, known = self._settings.start, self._places.known_topics
        new = [p for p in partitions if p.topic not in known]
        if start == "earliest" or not new:
            return begins
        at_s = start_time_s(start, self._clock.now_s())
        since = {} if at_s is None else kafka_client.since(client, new, at_s)
        return {p: since.get(p, ends[p]) if p in set(new) else begins[p] for p in partitions}

    def _assign(self) -> None:
        there = self._places.there
        self._client.assign([topic_partition(p) for p in there])
        for p in there:
            self._client.seek(topic_partition(p), self._places.positions[p])

    def _refresh(self) -> None:
        """Look up ends and new partitions now and then; what fails here says that the broker is away."""
        now_s = self._clock.monotonic_s()
        if now_s < self._refresh_at_s:
            return
        self._refresh_at_s = now_s + REFRESH_EVERY_S
        from kafka.errors import KafkaError

        there = kafka_client.partitions_of(self._client, self._settings.topics)
        if self._places.note_gone(there):
            self._assign()
        topic_ids = kafka_client.topic_ids_of(self._client, self._settings.topics)
        try:
            self._places.ends |= kafka_client.ends(self._client, self._places.there, REFRESH_TIMEOUT_MS)
            if self._places.has_changed(there, topic_ids):
                self._places.take_up(self._survey(self._client))
                self._assign()
        except KafkaError as error:
            self._refresh_at_s = self._clock.monotonic_s() + REFRESH_EVERY_S
            self._lose_contact(error)
            return
        if not self._connected and not self._places.gone:
            log.info("in contact with the brokers")
        self._connected = not self._places.gone
        self._failures = 0
        self._pass_markers()
        self._restart_if_stalled(now_s)

    def _lose_contact(self, error: Exception) -> None:
        refusal = self._contacts.refusal or error
        if is_refusal(refusal):
            raise refusal
        if self._connected:
            log.warning("lost contact with the brokers (%s); going on when they are back", name_of(error))
        self._connected = False

    def _pass_markers(self) -> None:
        """Move past what is in the log but no record: markers of transactions, gaps that compaction left.

        Without it such a partition would never count as read to its end, and hold the windows open.
        """
        for p in self._places.partitions:
            if p.topic not in self._places.gone and self._places.positions[p] < self._places.ends.get(p, 0):
                reached = kafka_client.position(self._client, p)
                self._places.positions[p] = max(self._places.positions[p], reached or 0)

    def _restart_if_stalled(self, now_s: float) -> None:
        places = self._places
        ends = {p: places.ends[p] for p in places.there if p in places.ends}
        stalled = self._stalls.look(places.positions, ends, now_s)
        if stalled:
            named = ", ".join(f"{p.topic}-{p.number}" for p in stalled[:5])
            log.warning("no progress in %s though there are records; connecting anew", named)
            self._restarts += 1
            self._drop_client()

    # Records

    def _records(self, fetched: Mapping[Any, Sequence[Any]]) -> Records:
        """Turn what the client returned into columns, and move on."""
        index = {p: i for i, p in enumerate(self._places.partitions)}
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
            self._places.positions[p] = max(self._places.positions[p], records[-1].offset + 1)
            end = self._client.highwater(tp) if self._client is not None else None
            if end is not None:
                self._places.ends[p] = max(end, self._places.positions[p])
        return Records(
            values,
            np.array(partition, dtype=np.int64),
            np.array(offsets, dtype=np.int64),
            np.array(times, dtype=np.int64),
            self._places.partitions,
            RecordHeaders(headers),
        )

    # Trouble

    def _take_error(self, error: Exception) -> None:
        """Decide what an exception of the client means. Afterwards nothing of that client is used."""
        from kafka import errors

        self._connected = False
        self._let_go()
        if isinstance(error, errors.LogTruncationError):
            self._places.truncate(error.divergent_offsets)
            self._wait(None)
        elif isinstance(error, (errors.OffsetOutOfRangeError, errors.CorruptRecordError)):
            # The first is mended with the next client; the second is read once more with it.
            self._wait(None)
        elif is_refusal(error):
            topics, group = self._settings.topics, self._settings.group_id
            log.error("refused by the brokers (%s): %s", name_of(error), remedy(error, topics, group))
            self._retry_at_s = self._clock.monotonic_s() + DENIED_RETRY_S
        elif getattr(error, "retriable", False):
            self._wait(self._unreachable(name_of(error)))
        else:
            log.warning("the client failed (%s); looking for the record that made it", name_of(error))
            self._suspicious = bool(self._places.partitions)
            self._wait(None)

    def _unreachable(self, why: str) -> str:
        servers = self._settings.bootstrap_servers
        return f"no connection to {', '.join(servers)} ({self._contacts.words(servers) or why})"

    def _wait(self, reason: str | None) -> None:
        """Put off the next attempt, longer each time and never all at once."""
        pause_s = min(RETRY_MAX_S, RETRY_FIRST_S * 2**self._failures) * self._rng.uniform(0.5, 1.0)
        # Said at once, and then only when the pause grows: not once an attempt for hours.
        if reason is not None and self._failures < 8:
            log.warning("%s; trying again", reason)
        self._failures = min(self._failures + 1, 8)
        self._retry_at_s = self._clock.monotonic_s() + pause_s

    def _let_go(self) -> None:
        opening, self._opening = self._opening, None
        if opening is not None:
            opening.abandon()
        self._drop_client()

    def _drop_client(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            close_client(client)

    def _probe_all(self) -> dict[Any, Sequence[Any]]:
        """Ask each partition alone; move the one that cannot be read past what is in the way."""
        self._drop_client()
        delivered: dict[Any, Sequence[Any]] = {}
        prober = Prober(self._new_client)
        try:
            for p in self._places.partitions:
                at, end = self._places.positions[p], self._places.ends.get(p, 0)
                if at >= end or p.topic in self._places.gone:
                    continue
                good, records = prober.first_readable(p, at, end)
                if good > at:
                    cause = name_of(prober.error) if prober.error is not None else ""
                    self._losses.add(Loss(p, "poison", good - at, at, good - 1), cause)
                    self._places.positions[p] = good
                if records:
                    delivered[topic_partition(p)] = records
        finally:
            prober.close()
        self._suspicious = False
        return delivered

    def _new_client(self) -> Any:
        """Return a client to search with, made in a bounded time, too."""
        from kafka.errors import KafkaTimeoutError

        opening = Opening(self._options(), self._survey)
        opened = opening.wait(OPEN_TIMEOUT_S)
        if opened is None:
            opening.abandon()
            raise KafkaTimeoutError
        speed_up(opened[0], self._guard)
        return opened[0]


sources.add("kafka", Kind(KafkaSettings, KafkaSource))
