"""One active replica of several, elected by the consumer group.

The member lives next to the client that reads the events, on a thread of its own, and fetches nothing
(`OneActive`). Its lease ends one session timeout after the last heartbeat *sent* that was answered: the
brokers count from when it arrived, so nobody else is active before this replica knows that it is not.
While the coordinator is away the lease runs on; it is the clock that ends it, not the lost connection.

A term goes on through a rebalance only if the next generation follows at once and the lease never
ended; otherwise another replica may have been active in between, and a new term begins.
"""

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from detector.batch import Partition
from detector.brokers import ClientOptions
from detector.clock import Clock
from detector.sources.base import Mark
from detector.sources.duty import Term
from detector.sources.kafka_client import commit_marks, name_of

log = logging.getLogger(__name__)

POLL_MS = 200
HEARTBEAT_MS = 1_000
"""A standby hears with its next heartbeat that the active one has left: a third of a session is too long."""

RETRY_S = 1.0
COMMIT_TIMEOUT_MS = 2_000
LEAVE_TIMEOUT_MS = 2_000
CLOSE_TIMEOUT_S = 3.0
NEVER = -float("inf")


@dataclass(frozen=True, slots=True)
class _Seat:
    """What is known of this member's place in the group; replaced as a whole, so readers need no lock."""

    term: Term | None = None
    generation: int = 0
    until_s: float = NEVER


class KafkaElection:
    """A `Duty` held by a member of a consumer group."""

    def __init__(
        self,
        options: ClientOptions,
        topics: tuple[str, ...],
        group_id: str,
        session_timeout_s: float,
        clock: Clock,
        instance_id: str | None = None,
    ) -> None:
        """Join in the background; `options` are those of the client that reads, with address and security."""
        self._options = options
        self._own_options = {
            "group_id": group_id,
            "group_instance_id": instance_id,
            "session_timeout_ms": int(session_timeout_s * 1000),
            "heartbeat_interval_ms": min(HEARTBEAT_MS, int(session_timeout_s * 1000 / 3)),
            # Longer than a lease: who is sent away for not polling has not been active for long.
            "max_poll_interval_ms": int(max(30.0, 2 * session_timeout_s) * 1000),
            "enable_auto_commit": False,
        }
        self._topics = topics
        self.group = group_id
        self._session_timeout_s = session_timeout_s
        self._clock = clock
        self._seat = _Seat()
        self._joining_s = NEVER
        self._marks: Mapping[Partition, Mark] | None = None
        self._is_member = False
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="kafka-election", daemon=True)
        self._thread.start()

    def check(self) -> Term | None:
        """Return the term under way; None for a standby, and as soon as the lease has ended."""
        seat = self._seat
        if seat.term is None or self._closing.is_set() or self._clock.monotonic_s() >= seat.until_s:
            return None
        return seat.term

    @property
    def is_member(self) -> bool:
        """Whether this replica is in the group, as far as the last word of the coordinator goes."""
        return self._is_member

    def commit(self, marks: Mapping[Partition, Mark]) -> bool:
        """Commit the newest marks given, as soon as the thread comes round."""
        self._marks = dict(marks)
        return True

    def close(self) -> None:
        """Leave the group, so that another takes over at once."""
        self._closing.set()
        self._thread.join(CLOSE_TIMEOUT_S)

    def _run(self) -> None:
        while not self._closing.is_set():
            client = None
            try:
                client = self._join()
                while not self._closing.is_set():
                    client.poll(timeout_ms=POLL_MS)
                    self._is_member = client._coordinator.generation_if_stable() is not None  # noqa: SLF001
                    self._renew(client)
                    self._commit(client)
            except Exception as error:  # noqa: BLE001 - whatever it is, a new client joins again
                log.warning("member of the group failed: %s; joining again", name_of(error))
                self._closing.wait(RETRY_S)
            finally:
                self._leave(client)

    def _join(self) -> Any:
        from kafka import KafkaConsumer

        from detector.sources.kafka_one import OneActive

        assignor = OneActive(self._claim, self._assigned)
        options = {**self._options(), **self._own_options}
        client = KafkaConsumer(**options, partition_assignment_strategy=[assignor])
        client.subscribe(list(self._topics))
        return client

    def _claim(self) -> int:
        """Return the generation of the duty held as this member joins; 0 for none."""
        self._joining_s = self._clock.monotonic_s()
        return self._seat.generation if self.check() is not None else 0

    def _assigned(self, is_active: bool, generation: int) -> None:
        """Take the outcome of a rebalance; called by the client, on its own thread."""
        seat, until_s = self._seat, self._joining_s + self._session_timeout_s
        if not is_active:
            self._seat = _Seat()
            return
        goes_on = self.check() is not None and generation == seat.generation + 1
        term = seat.term if goes_on else Term(generation)
        if goes_on:
            until_s = max(seat.until_s, until_s)
        elif until_s - self._clock.monotonic_s() < self._session_timeout_s / 2:
            # The join waited long for a dead member: the lease begins with the first heartbeat, lest it
            # end before that, and the duty is taken over twice.
            until_s = NEVER
        self._seat = _Seat(term, generation, until_s)
        log.info("active term=%d generation=%d", term.number if term else 0, generation)

    def _renew(self, client: Any) -> None:
        """Lengthen the lease by the last heartbeat that was answered."""
        seat, coordinator = self._seat, client._coordinator  # noqa: SLF001 - no public way to its times
        beat = coordinator.heartbeat
        if seat.term is None or beat.last_receive < beat.last_send:
            return
        stable = coordinator.generation_if_stable()
        if stable is None or stable.generation_id != seat.generation:
            return
        until_s = max(seat.until_s, beat.last_send + self._session_timeout_s)
        # The same generation: there was no rebalance, so nobody else was active, even if the lease ended.
        if self._seat is seat:
            self._seat = _Seat(seat.term, seat.generation, until_s)

    def _commit(self, client: Any) -> None:
        marks, self._marks = self._marks, None
        if not marks or self.check() is None:
            return
        try:
            commit_marks(client, marks, COMMIT_TIMEOUT_MS)
        except Exception as error:  # noqa: BLE001 - the next cut commits again
            log.warning("offsets not committed: %s", name_of(error))

    def _leave(self, client: Any) -> None:
        # Before the group hears of it: then another may be active at once.
        self._seat = _Seat()
        self._is_member = False
        if client is None:
            return
        try:
            client.close(autocommit=False, timeout_ms=LEAVE_TIMEOUT_MS)
        except Exception as error:  # noqa: BLE001 - it is thrown away
            log.debug("leaving the group failed: %s", name_of(error))
