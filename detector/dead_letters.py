"""Rejected records, sent on as they are to a topic of their own: for people who look into why.

The bytes are the record's own; what it was rejected for, and where it lay, stands in headers (`REASON`, ...).
Nobody waits for this: records queue up to a limit of number and of bytes, and what comes on top is dropped
and counted. A record that is read again after a crash is sent again.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from detector.batch import Records
from detector.brokers import ClientOptions, discard
from detector.memory import LETTERS_BYTES
from detector.view import SinkStatus

log = logging.getLogger(__name__)

REASON, TOPIC, PARTITION, OFFSET = "drift.reason", "drift.topic", "drift.partition", "drift.offset"

MAX_BYTES = LETTERS_BYTES
"""Of all records that wait."""

HEADERS_BYTES = 500
"""Of one record, with the objects that hold it; its bytes come on top."""

AT_ONCE = 200
TIMEOUT_S = 10.0
PAUSE_S = 5.0
"""After a failure; meanwhile the queue fills."""
LAST_S = 2.0
"""At the end what waits has so long to be taken."""


class DeadLetters(Protocol):
    """Takes rejected records."""

    def take(self, records: Records, reasons: Mapping[int, str]) -> None:
        """Take the records of a poll that were rejected: position -> reason."""
        ...

    def status(self) -> SinkStatus | None:
        """Say what became of them; None where nobody takes any."""
        ...

    def close(self) -> None:
        """Send what waits, for a moment, and let go."""
        ...


class NoDeadLetters:
    """Rejected records are counted, and that is all."""

    def take(self, records: Records, reasons: Mapping[int, str]) -> None:
        """Let them go."""

    def status(self) -> None:
        """There is nothing to say."""

    def close(self) -> None:
        """There is nothing to let go of."""


class _Letter(NamedTuple):
    value: bytes | None
    headers: list[tuple[str, bytes]]

    @property
    def n_bytes(self) -> int:
        return len(self.value or b"") + HEADERS_BYTES


class TopicDeadLetters:
    """Sends them to a topic, in order, beside the loop; `options` are those of all clients of its brokers."""

    def __init__(
        self, options: ClientOptions, topic: str, only: Collection[str] | None, max_queued: int
    ) -> None:
        self._options, self._topic, self._only, self._max_queued = options, topic, only, max_queued
        self._queue: deque[_Letter] = deque()
        self._n_bytes = 0
        self._sent = self._failed = self._dropped = 0
        self._changed = threading.Condition()
        self._closing = self._is_failing = False
        self._client: Any = None
        self._thread = threading.Thread(target=self._run, name="dead-letters", daemon=True)
        self._thread.start()

    def take(self, records: Records, reasons: Mapping[int, str]) -> None:
        """Queue what is wanted of them, as far as there is room."""
        wanted = [i for i, reason in reasons.items() if self._only is None or reason in self._only]
        if not wanted:
            return
        with self._changed:
            for i in wanted:
                letter = _letter(records, i, reasons[i])
                if len(self._queue) >= self._max_queued or self._n_bytes + letter.n_bytes > MAX_BYTES:
                    self._dropped += 1
                else:
                    self._queue.append(letter)
                    self._n_bytes += letter.n_bytes
            self._changed.notify()

    def status(self) -> SinkStatus:
        """Say what became of them."""
        with self._changed:
            return SinkStatus(self._topic, self._sent, self._failed, self._dropped, len(self._queue))

    def close(self) -> None:
        """Send what waits, for a moment; what is left is let go."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(LAST_S)

    def _run(self) -> None:
        pause_s = 0.0
        while some := self._next(pause_s):
            pause_s = 0.0 if self._deliver(some) else PAUSE_S
        self._forget_client()

    def _next(self, pause_s: float) -> list[_Letter]:
        """Wait for letters; none at the end."""
        with self._changed:
            if pause_s:
                self._changed.wait_for(lambda: self._closing, pause_s)
            self._changed.wait_for(lambda: self._queue or self._closing)
            return [] if self._closing and pause_s else [*self._queue][:AT_ONCE]

    def _deliver(self, some: Sequence[_Letter]) -> bool:
        """Send the first letters of the queue; return whether they are done with."""
        from kafka.errors import MessageSizeTooLargeError, RecordListTooLargeError

        try:
            if self._client is None:
                self._client = _producer(self._options())
            sent = [self._send(letter) for letter in some]
            for i, wait in enumerate(sent):
                try:
                    wait()
                except (MessageSizeTooLargeError, RecordListTooLargeError):
                    self._done(some[i], is_sent=False)
                else:
                    self._done(some[i], is_sent=True)
        except Exception as error:  # noqa: BLE001 - as the writer of state: whatever it is, they are not there
            if not self._is_failing:
                why = type(error).__name__
                log.warning("dead letters: topic %s: %s; what waits is tried again", self._topic, why)
            self._is_failing = True
            self._forget_client()
            return False
        self._is_failing = False
        return True

    def _send(self, letter: _Letter) -> Callable[[], None]:
        """Begin to send a letter; return what waits until it is taken."""
        from kafka.errors import MessageSizeTooLargeError

        try:
            future = self._client.send(self._topic, letter.value, headers=letter.headers)
        except MessageSizeTooLargeError as error:
            refused = error

            def fail() -> None:
                raise refused

            return fail
        return lambda: future.get(timeout=TIMEOUT_S)

    def _done(self, letter: _Letter, *, is_sent: bool) -> None:
        with self._changed:
            self._queue.popleft()
            self._n_bytes -= letter.n_bytes
            self._sent += is_sent
            self._failed += not is_sent

    def _forget_client(self) -> None:
        client, self._client = self._client, None
        discard(client)


def _letter(records: Records, i: int, reason: str) -> _Letter:
    partition = records.partitions[records.partition[i]]
    about = {
        REASON: reason, TOPIC: partition.topic, PARTITION: partition.number, OFFSET: records.offset[i],
    }  # fmt: skip
    return _Letter(records.values[i], [(name, str(value).encode()) for name, value in about.items()])


def _producer(options: Mapping[str, Any]) -> Any:
    from kafka import KafkaProducer

    timeout_ms = int(TIMEOUT_S * 1000)
    return KafkaProducer(
        **dict(options) | {"request_timeout_ms": timeout_ms},
        acks="all",
        enable_idempotence=False,
        allow_auto_create_topics=False,
        max_block_ms=timeout_ms,
        delivery_timeout_ms=timeout_ms,
        linger_ms=0,
        # What the source could read is not to fail here; the brokers' limit counts.
        max_request_size=2 * MAX_BYTES,
    )
