"""Delivery to a receiver that may be slow, down or hostile: the service's loop never waits for it.

    send -> outbox (bounded) -> courier, on a thread of its own -> receiver

A courier tries one batch at a time. After a failure it pauses: one second, then twice as long each
time, a minute at most, half of that left to chance so that many detectors do not come at once; or as
long as the receiver asks for. A batch that is not taken within `give_up_after`, or that the receiver
refuses, has failed and is counted. Delivery is at least once: an answer that is lost is a repeat.
"""

import logging
import random
import threading
from collections.abc import Callable, Hashable, Iterable, Sequence

from detector.clock import Clock
from detector.notice import Notice
from detector.sinks.outbox import Batch, Outbox
from detector.sinks.settings import DeliverySettings
from detector.times import parse_duration
from detector.tree import Tree, dict_of, list_of, record_of, record_tree
from detector.view import SinkStatus

log = logging.getLogger(__name__)

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0
LONGEST_ASKED_PAUSE_S = 3600.0
"""A receiver that asks for more (`Retry-After`) does not get it."""

MAX_BATCH = 100
"""Notices in one batch."""

_LONGEST_SLEEP_S = 3600.0

_HELD_S = 0.5
"""So often a sink that may not tell looks whether it may again."""


class DeliveryError(Exception):
    """The receiver did not take something. The text is for the log: it holds no address and no secret."""

    def __init__(self, text: str, *, is_final: bool = False, pause_s: float = 0.0) -> None:
        super().__init__(text)
        self.is_final = is_final
        """The same would be refused again."""
        self.pause_s = pause_s
        """How long the receiver asks to be left alone."""


class Receiver:
    """The far side of a sink; used by one thread."""

    def deliver(self, notices: Sequence[Notice]) -> None:
        """Hand over a batch.

        Raises:
            DeliveryError: it was not taken.
        """
        raise NotImplementedError

    def delivered(self, notices: Sequence[Notice]) -> None:
        """Note that a batch was taken, and still counts."""

    def forget(self) -> None:
        """Know of nothing that was delivered."""

    def remind(self, pending: frozenset[str]) -> float:  # noqa: ARG002
        """Repeat what has to be repeated, but of the alerts `pending`; return the seconds until the next.

        Raises:
            DeliveryError: it was not taken.
        """
        return float("inf")

    def remember(self) -> Tree:
        """Return what the next run has to know; any thread asks."""
        return None

    def recall(self, tree: Tree) -> None:
        """Take on what was remembered; before the first batch.

        Raises:
            ValueError: the tree is nothing such.
        """

    def close(self) -> None:
        """Let go of everything."""


class Courier:
    """Brings what is in an outbox to one receiver, step by step; `put` and `status` from any thread."""

    def __init__(
        self,
        settings: DeliverySettings,
        receiver: Receiver,
        clock: Clock,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._name = settings.label
        self._give_up_after_s = parse_duration(settings.delivery.give_up_after)
        self._receiver = receiver
        self._clock = clock
        self._chance = chance
        self._outbox = Outbox(settings.delivery.queue)
        self._lock = threading.Lock()
        self.may_tell: Callable[[], bool] = lambda: True
        self._sent = self._failed = self._dropped = 0
        self._failures = 0
        """In a row."""
        self._resume_s = -float("inf")
        self._is_last_round = False
        self._left: list[Batch] = []
        """Tried once more at the end, in vain."""

    def remember(self) -> Tree:
        """Return what is still to be told, and what the receiver has to know."""
        with self._lock:
            batches = [*self._left, *self._outbox.batches]
            pending: list[Tree] = [[record_tree(n) for n in batch.notices] for batch in batches]
        return {"pending": pending, "receiver": self._receiver.remember()}

    def recall(self, tree: Tree) -> None:
        """Take on what was remembered; before the first step.

        Raises:
            ValueError: the tree is nothing such.
        """
        read = dict_of(tree)
        pending = [[record_of(Notice, n) for n in list_of(batch)] for batch in list_of(read["pending"])]
        self._receiver.recall(read["receiver"])
        for notices in pending:
            self.put(notices)

    def forget(self) -> None:
        """Drop everything; what is under way counts as nothing when it comes back."""
        with self._lock:
            self._outbox.clear()
            self._left.clear()
            self._receiver.forget()

    def put(self, notices: Sequence[Notice]) -> None:
        """Take in a batch."""
        with self._lock:
            dropped = self._outbox.put(notices, self._clock.monotonic_s())
            self._dropped += dropped
        if dropped:
            log.warning("sink %s: queue full, dropped=%d", self._name, dropped)

    def status(self) -> SinkStatus:
        """Say what became of everything so far."""
        with self._lock:
            return SinkStatus(self._name, self._sent, self._failed, self._dropped, len(self._outbox))

    def last_round(self) -> None:
        """From now on pause no more, and try each batch once."""
        self._is_last_round = True

    def step(self) -> float:
        """Try one batch; return the seconds until the next step makes sense, infinity without any."""
        is_last = self._is_last_round  # an attempt that began before it is not the last
        wait_s = self._resume_s - self._clock.monotonic_s()
        if wait_s > 0 and not is_last:
            return wait_s
        if not self.may_tell():
            return float("inf") if is_last else _HELD_S
        with self._lock:
            batch, pending = self._outbox.next(), self._outbox.ids
        try:
            idle_s = float("inf") if is_last else self._receiver.remind(pending)
        except DeliveryError as error:
            return self._after_failure(None, error)
        except Exception as error:  # noqa: BLE001 - as below; the batch is tried after a pause
            return self._after_failure(None, DeliveryError(f"defect: {type(error).__name__}"))
        if batch is None:
            return idle_s
        try:
            self._receiver.deliver(batch.notices)
        except DeliveryError as error:
            return self._after_failure(batch, error, is_last=is_last)
        except Exception as error:  # noqa: BLE001 - a defect here must not end deliveries for good
            defect = DeliveryError(f"defect: {type(error).__name__}", is_final=True)
            return self._after_failure(batch, defect, is_last=is_last)
        self._after_success(batch)
        return 0.0

    def _after_success(self, batch: Batch) -> None:
        with self._lock:
            if self._outbox.done(batch):
                self._receiver.delivered(batch.notices)
            self._sent += len(batch.notices)
        if self._failures:
            log.info("sink %s: delivers again", self._name)
        self._failures = 0

    def _after_failure(self, batch: Batch | None, error: DeliveryError, *, is_last: bool = False) -> float:
        now_s = self._clock.monotonic_s()
        if batch is None or not (error.is_final or self._failures):
            log.warning("sink %s: not delivered, reason=%s", self._name, error)
        if batch is not None:
            batch.attempts += 1
            is_over = is_last or now_s - batch.queued_s >= self._give_up_after_s
            self._settle(batch, error, is_over=is_over or error.is_final)
        if error.is_final:
            return 0.0
        self._failures += 1
        pause_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(self._failures - 1, 16))
        pause_s *= 0.5 + 0.5 * self._chance()
        pause_s = max(pause_s, min(error.pause_s, LONGEST_ASKED_PAUSE_S))
        self._resume_s = now_s + pause_s
        return 0.0 if self._is_last_round else pause_s

    def _settle(self, batch: Batch, error: DeliveryError, *, is_over: bool) -> None:
        """Keep a batch that was not taken for later, or give it up."""
        with self._lock:
            if not is_over:
                self._outbox.rest()
                return
            if not self._outbox.done(batch):
                return
            self._failed += len(batch.notices)
            if self._is_last_round and not error.is_final:
                # The next run tells it, where one remembers.
                self._left.append(batch)
        log.error(
            "sink %s: given up, notifications=%d attempts=%d reason=%s",
            self._name,
            len(batch.notices),
            batch.attempts,
            error,
        )

    def close(self) -> None:
        """Let go of the receiver."""
        self._receiver.close()


class _Round(threading.Thread):
    """Lets a courier step until it is told to end."""

    def __init__(self, courier: Courier, name: str) -> None:
        super().__init__(name=f"sink-{name}", daemon=True)
        self.courier = courier
        self.wake = threading.Event()
        self.ending = self.is_over = False

    def run(self) -> None:
        """Step; sleep in between."""
        while True:
            self.wake.clear()
            wait_s = self.courier.step()
            if self.is_over or (self.ending and wait_s == float("inf")):
                break
            if wait_s > 0:
                self.wake.wait(min(wait_s, _LONGEST_SLEEP_S))
        self.courier.close()


class QueuedSink:
    """A sink that delivers on threads of its own, one for each receiver: all are told the same."""

    def __init__(
        self,
        settings: DeliverySettings,
        receivers: Iterable[Receiver],
        clock: Clock,
        group: Callable[[Notice], Hashable],
    ) -> None:
        """Begin to deliver; notices for which `group` is the same go out together."""
        self._settings = settings
        self._group = group
        self._rounds = [_Round(Courier(settings, r, clock), settings.label) for r in receivers]
        self._clock = clock
        self._has_begun = False

    def send(self, notices: Sequence[Notice]) -> None:
        """Queue what this sink is for."""
        for batch in batches(notices, self._settings, self._group):
            for each in self._rounds:
                each.courier.put(batch)
        self._begin()
        for each in self._rounds:
            each.wake.set()

    def _begin(self) -> None:
        if not self._has_begun:
            self._has_begun = True
            for each in self._rounds:
                each.start()

    def remember(self) -> Tree:
        """Return what each receiver is still to be told."""
        return [each.courier.remember() for each in self._rounds]

    def recall(self, tree: Tree) -> None:
        """Go on with what a sink with these settings remembered; before anything is sent.

        Raises:
            ValueError: the tree is nothing such.
        """
        items = list_of(tree)
        if len(items) != len(self._rounds):
            raise ValueError("has other receivers")
        for each, item in zip(self._rounds, items, strict=True):
            each.courier.recall(item)
        self._begin()

    def heed(self, may_tell: Callable[[], bool]) -> None:
        """Deliver nothing while `may_tell` says no."""
        for each in self._rounds:
            each.courier.may_tell = may_tell

    def forget(self) -> None:
        """Drop what waits, and what the receivers were told."""
        for each in self._rounds:
            each.courier.forget()

    def status(self) -> SinkStatus:
        """Say what became of everything so far, over all receivers."""
        all_of = [each.courier.status() for each in self._rounds]
        return SinkStatus(
            self._settings.label,
            sum(s.sent for s in all_of),
            sum(s.failed for s in all_of),
            sum(s.dropped for s in all_of),
            sum(s.queued for s in all_of),
        )

    def close(self) -> None:
        """Try what is left once more, for as long as `flush` says, and end."""
        self._begin()
        for each in self._rounds:
            each.courier.last_round()
            each.ending = True
            each.wake.set()
        deadline_s = self._clock.monotonic_s() + self._settings.delivery.flush_s
        for each in self._rounds:
            each.join(max(0.0, deadline_s - self._clock.monotonic_s()))
            # What is under way may still end; nothing is begun that nobody counts any more.
            each.is_over = True
        left = self.status().queued
        if left:
            log.error("sink %s: ended with notifications=%d not delivered", self._settings.label, left)


def batches(
    notices: Sequence[Notice], settings: DeliverySettings, group: Callable[[Notice], Hashable]
) -> list[list[Notice]]:
    """Return the notices that a sink is for, in batches of one group, with no alert twice in one."""
    found: list[list[Notice]] = []
    open_of: dict[Hashable, list[Notice]] = {}
    for notice in notices:
        if not settings.wants(notice.transition):
            continue
        key = group(notice)
        batch = open_of.get(key)
        twice = batch is not None and any(n.transition.id == notice.transition.id for n in batch)
        if batch is None or twice or len(batch) >= MAX_BATCH:
            batch = open_of[key] = []
            found.append(batch)
        batch.append(notice)
    return found
