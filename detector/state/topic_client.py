"""A topic read by offsets and written by keys, each call bounded in time; kafka-python underneath.

Whatever the client raises becomes one of two errors: what is there cannot be read or written now
(`StateAwayError`), or never will be until somebody sees to it (`StateError`).
"""

import logging
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, Self

from detector.brokers import discard
from detector.clock import Clock
from detector.errors import StateError
from detector.state.base import StateAwayError

log = logging.getLogger(__name__)

READ_TIMEOUT_S = 20.0
"""Reading all keys, and reading one cut, may each take so long; then it is tried again, from where it was."""

WRITE_TIMEOUT_MS = 15_000
CLOSE_TIMEOUT_MS = 1_000
POLL_MS = 500

MAX_UNREADABLE = 100
"""Unreadable records that are passed over in one reading."""

MAX_AHEAD_BYTES = 8 << 20
"""What is fetched ahead while reading: the memory that reading takes, beside the cut itself."""

SETTINGS = {
    "cleanup.policy": "compact",
    "min.compaction.lag.ms": "600000",
    # Only closed segments are compacted, so what is written in a day must not stay in an open one.
    "segment.ms": "600000",
    "segment.bytes": "67108864",
    "min.cleanable.dirty.ratio": "0.1",
}
"""Of the topic, where it is made here."""


class TopicReader:
    """Reads partition 0 of a topic, which is made where it is not there."""

    def __init__(self, options: Mapping[str, Any], topic: str, clock: Clock, deadline_s: float) -> None:
        """Nothing is read behind `deadline_s` of the monotonic clock."""
        self._options, self._topic, self._clock, self._deadline_s = options, topic, clock, deadline_s
        self._client: Any = None

    def __enter__(self) -> Self:
        try:
            self._connect()
            if not self._client.partitions_for_topic(self._topic):
                self._make()
                self._connect()
            self._client.assign([self._partition])
        except StateError:
            self._close()
            raise
        except Exception as error:  # noqa: BLE001 - whatever the client raises
            self._close()
            raise self._error_of(error) from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def range(self) -> tuple[int, int]:
        """Return the offset of the first record, and the one behind the last."""
        try:
            [begin] = self._client.beginning_offsets([self._partition], timeout_ms=self._left_ms()).values()
            [end] = self._client.end_offsets([self._partition], timeout_ms=self._left_ms()).values()
        except StateError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever the client raises
            raise self._error_of(error) from None
        return begin, end

    def records(self, begin: int, end: int) -> Iterator[tuple[int, bytes | None, int, bytes | None]]:
        """Return (offset, key, bytes of the value or -1, value) of each record from `begin` to before `end`.

        Raises:
            StateAwayError: not all could be read in time.
        """
        at, n_unreadable = begin, 0
        self._seek(at)
        while at < end:
            try:
                found = self._client.poll(timeout_ms=min(POLL_MS, self._left_ms())).get(self._partition, ())
                reached = self._client.position(self._partition, timeout_ms=self._left_ms())
            except Exception as error:  # noqa: BLE001 - whatever the client raises
                n_unreadable += 1
                if _is_passing(error) or n_unreadable > MAX_UNREADABLE:
                    raise self._error_of(error) from None
                log.warning(
                    "unreadable record topic=%s offset=%d cause=%s", self._topic, at, type(error).__name__
                )
                at += 1
                self._connect()  # a client that raised returns nothing any more
                self._seek(at)
                continue
            for record in found:
                if record.offset >= end:
                    return
                size = -1 if record.value is None else len(record.value)
                yield record.offset, record.key, size, record.value
            at = max(at, reached or 0)

    def pieces(self, wanted: Mapping[int, str]) -> dict[int, bytes]:
        """Return the values of the records at some offsets that have the key that is named; others lack."""
        if not wanted:
            return {}
        # They lie one behind the other as they were written, so one reading brings them all.
        return {
            offset: value
            for offset, key, _, value in self.records(min(wanted), max(wanted) + 1)
            if value is not None and key == wanted.get(offset, "").encode()
        }

    @property
    def _partition(self) -> Any:
        from kafka import TopicPartition

        return TopicPartition(self._topic, 0)

    def _seek(self, offset: int) -> None:
        try:
            self._client.assign([self._partition])
            self._client.seek(self._partition, offset)
        except Exception as error:  # noqa: BLE001 - whatever the client raises
            raise self._error_of(error) from None

    def _connect(self) -> None:
        from kafka import KafkaConsumer

        self._close()
        self._client = KafkaConsumer(
            **self._options,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="none",
            allow_auto_create_topics=False,
            fetch_max_bytes=MAX_AHEAD_BYTES,
            max_partition_fetch_bytes=MAX_AHEAD_BYTES,
            fetch_max_wait_ms=100,
        )

    def _close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            try:
                client.close(autocommit=False, timeout_ms=CLOSE_TIMEOUT_MS)
            except Exception as error:  # noqa: BLE001 - it is thrown away
                log.debug("closing failed: %s", type(error).__name__)

    def _left_ms(self) -> int:
        left_s = self._deadline_s - self._clock.monotonic_s()
        if left_s <= 0:
            raise StateAwayError(f"topic {self._topic}: not read in {READ_TIMEOUT_S:.0f} s")
        return max(1, int(left_s * 1000))

    def _make(self) -> None:
        """Make the topic.

        Raises:
            StateError: this user may not; it says what to make.
        """
        from kafka import KafkaAdminClient
        from kafka.errors import AuthorizationError, TopicAlreadyExistsError

        wanted = {"num_partitions": 1, "configs": SETTINGS}
        options = {name: value for name, value in self._options.items() if name != "metrics_enabled"}
        admin = KafkaAdminClient(**options)
        try:
            admin.create_topics({self._topic: wanted}, timeout_ms=10_000, wait_for_metadata=True)
            log.info("made topic %s for the state", self._topic)
        except TopicAlreadyExistsError:
            pass  # another replica was faster
        except AuthorizationError:
            raise StateError(self.to_make) from None
        finally:
            admin.close()

    @property
    def to_make(self) -> str:
        """What to do where the topic is not there and may not be made."""
        settings = " ".join(f"--config {name}={value}" for name, value in SETTINGS.items())
        return (
            f"topic {self._topic}: not there, or not for this user to see, and this user may not make "
            f"it; make it with `kafka-topics --create --topic {self._topic} --partitions 1 {settings}` "
            "and allow this user DESCRIBE, READ and WRITE on it"
        )

    def _error_of(self, error: Exception) -> StateError:
        from kafka.errors import AuthorizationError

        if isinstance(error, StateError):
            return error
        if isinstance(error, AuthorizationError):
            why = f"refused ({type(error).__name__}); allow this user DESCRIBE, READ and WRITE"
            return StateAwayError(f"topic {self._topic}: {why}")
        return StateAwayError(f"topic {self._topic}: {type(error).__name__}")


class TopicWriter:
    """Writes to partition 0 of a topic; thrown away after a failure, so nothing waits in it to come late."""

    def __init__(self, options: Mapping[str, Any], topic: str) -> None:
        self._options, self._topic = options, topic
        self._client: Any = None

    def write(self, records: Mapping[str, bytes | None]) -> None:
        """Write records in order, None for a tombstone; return when all replicas in sync have them.

        Raises:
            StateError: not all of them were taken in time.
        """
        from kafka import KafkaProducer

        try:
            if self._client is None:
                self._client = KafkaProducer(
                    **dict(self._options) | {"request_timeout_ms": WRITE_TIMEOUT_MS},
                    acks="all",
                    enable_idempotence=False,
                    max_in_flight_requests_per_connection=1,
                    allow_auto_create_topics=False,
                    max_block_ms=WRITE_TIMEOUT_MS,
                    delivery_timeout_ms=WRITE_TIMEOUT_MS,
                    linger_ms=0,
                )
            sent = [
                self._client.send(self._topic, value, key.encode(), partition=0)
                for key, value in records.items()
            ]
            for each in sent:
                each.get(timeout=WRITE_TIMEOUT_MS / 1000)
        except Exception as error:  # noqa: BLE001 - whatever it is, the cut is not there
            raise StateError(f"topic {self._topic}: not written ({type(error).__name__})") from None

    def close(self) -> None:
        """Let go of the connection, and of what was not written."""
        client, self._client = self._client, None
        discard(client)


def _is_passing(error: Exception) -> bool:
    """Whether a failure says nothing of the record that was read."""
    from kafka.errors import AuthorizationError, KafkaConnectionError, KafkaTimeoutError

    passing = (StateError, AuthorizationError, KafkaConnectionError, KafkaTimeoutError, OSError)
    return isinstance(error, passing) or bool(getattr(error, "retriable", False))
