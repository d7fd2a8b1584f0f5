"""The loop: poll, decode, feed, send, publish.

One thread owns everything that changes; the HTTP thread reads the published view. The loop never
stops for what an event or the far side does; it ends when it is told to, or when the source says
that going on makes no sense.

Of several replicas one is active (`Duty`). The others stand by: they read nothing and tell nothing, and
who loses the duty drops everything that is not kept. A term ends for good with the first answer that it
is over, so nothing is left out in the middle of one.
"""

import gc
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

import numpy as np

from detector.alerts import Transition
from detector.baseline import Baseline
from detector.batch import ModelKey
from detector.changes import Change, Changes, NoChanges
from detector.clock import Clock
from detector.dead_letters import DeadLetters, NoDeadLetters
from detector.formats import Decoder, decode_all
from detector.notice import notices_of
from detector.pipeline import Judged, Outcome, Pipeline
from detector.resume import Memory
from detector.silence import Silence
from detector.sinks import Sink, close_all
from detector.sources import AlwaysOnDuty, Duty, Source, Term
from detector.state import StateAwayError
from detector.telling import Telling
from detector.view import View, view_of

log = logging.getLogger(__name__)

POLL_TIMEOUT_S = 0.5

PUBLISH_EVERY_S = 0.5
"""Counters and lag are republished this often between evaluations."""

COLLECT_EVERY_S = 10.0
"""Garbage is collected this often, between polls: a collection amid a batch would cost it a third."""

STANDBY_PAUSE_S = 0.1
"""A standby asks this often whether it is the active one by now."""

RETRY_S = 2.0
"""Pause after state could not be read when the duty was taken over."""


class Publisher(Protocol):
    """Where views go, and how long evaluations took."""

    def publish(self, view: View) -> None:
        """Show `view` from now on."""
        ...

    def observe_evaluation(self, key: ModelKey, seconds: float) -> None:
        """Note how long one window took to judge."""
        ...


class Service:
    """Runs one pipeline over one source."""

    def __init__(
        self,
        source: Source,
        decoder: Decoder,
        pipeline: Pipeline,
        baselines: Mapping[ModelKey, Baseline],
        sinks: Sequence[Sink],
        publisher: Publisher,
        clock: Clock,
        idle_after_s: float = 30.0,
        changes: Changes | None = None,
        memory: Memory | None = None,
        duty: Duty | None = None,
        dead_letters: DeadLetters | None = None,
    ) -> None:
        self._source = source
        self._decoder = decoder
        self._pipeline = pipeline
        self._baselines = baselines
        self._publisher = publisher
        self._clock = clock
        self._silence = Silence(idle_after_s)
        self._changes = changes or NoChanges()
        self._memory = memory or Memory(clock)
        self._duty = duty or AlwaysOnDuty()
        self._dead_letters = dead_letters or NoDeadLetters()
        self._term: Term | None = None
        """The term that the pipeline is of; None for a standby."""
        self._is_lost = False
        """Whether that term was found to be over."""
        self._telling = Telling(sinks, self._holds)
        self._started_s = clock.monotonic_s()
        self._revision = 0
        self._has_polled = False
        self._last_evaluation_s: float | None = None
        self._published_s = self._collected_s = self._retry_s = -float("inf")
        self._stopping = False
        self.beat_s = clock.monotonic_s()
        self._attend()
        self._publish()

    # Duty

    def _holds(self) -> bool:
        """Whether the term under way is still this replica's; any thread asks."""
        term = self._term
        if term is None:
            return False
        if not self._is_lost:
            now = self._duty.check()
            self._is_lost = now is None or now.number != term.number
        return not self._is_lost

    def _attend(self) -> None:
        """Stand down or take over, where that is due."""
        if self._term is not None and not self._holds():
            self._stand_down()
        if self._term is None and self._clock.monotonic_s() >= self._retry_s and self._memory.is_free:
            term = self._duty.check()
            if term is not None:
                self._take_over(term)

    def _take_over(self, term: Term) -> None:
        """Go on where an earlier run or another replica stood, and show it.

        Raises:
            StateError: what was kept must not be touched.
        """
        self._term, self._is_lost = term, False
        try:
            begun = self._memory.begin(self._pipeline, self._source, self._telling.sinks, term.number)
        except StateAwayError as error:
            log.warning("state cannot be read now: %s; trying again", error)
            self._retry_s = self._clock.monotonic_s() + RETRY_S
            self._term = None
            self._telling.forget()
            return
        self._pipeline = begun.pipeline
        self._tell(self._telling.sinks, begun.ended)
        self._revision += 1
        self._publish()

    def _stand_down(self) -> None:
        """Drop everything: what is kept is the next active one's."""
        log.warning("not active any more: another replica goes on from what was kept last")
        self._term = None
        self._pipeline = self._pipeline.anew()
        self._silence = Silence(self._silence.idle_after_s)
        self._telling.forget()
        self._memory.drop()
        self._last_evaluation_s = None
        self._has_polled = False
        self._revision += 1
        self._publish()

    # Life

    def stop(self) -> None:
        """Ask the loop to end; safe to call from a signal handler or another thread."""
        self._stopping = True

    def beat_age_s(self) -> float:
        """Return the seconds since the loop last came round."""
        return self._clock.monotonic_s() - self.beat_s

    @property
    def n_consumed(self) -> int:
        """Records read so far."""
        return self._pipeline.counters.consumed.total()

    def run(self) -> None:
        """Run until `stop`; then say goodbye to sinks, group and source.

        Raises:
            SourceError: the source cannot go on.
            StateError: what was kept must not be touched.
        """
        _settle()
        gc.disable()
        try:
            while not self._stopping:
                self.step()
        finally:
            gc.enable()
            self._publish()
            self._end()

    def _end(self) -> None:
        """Keep what is known, tell what is left to tell, and keep what could not be told."""
        try:
            before = self._telling.statuses()
            if not self._keep_last():
                self._telling.forget()
            close_all(self._telling.sinks)
            # What was told meanwhile stands in the first cut as still to be told, and what was not is let go.
            if self._telling.statuses() != before or any(status.queued for status in before):
                self._keep_last()
        finally:
            # Only now, so that whoever takes over finds the last cut and is not told of anything twice.
            self._duty.close()
            self._memory.close()
            self._dead_letters.close()
            self._source.close()

    def _keep_last(self) -> bool:
        """Keep what is known, if it is this replica's to keep; return whether it is."""
        if not self._holds():
            return False
        self._memory.last(self._pipeline, self._source, self._telling.sinks, self._changes.status().sha256)
        return True

    def step(self) -> int:
        """Do one round; return the number of records it brought."""
        change = self._changes.take()
        self._attend()
        if change is not None:
            self._go_on_with(change)
        n = self._stand_by() if self._term is None else self._read()
        if self.beat_s - self._published_s >= PUBLISH_EVERY_S:
            self._publish()
        if self.beat_s - self._collected_s >= COLLECT_EVERY_S:
            self._collected_s = self.beat_s
            gc.collect()
        return n

    def _stand_by(self) -> int:
        self._clock.sleep(STANDBY_PAUSE_S)
        self.beat_s = self._clock.monotonic_s()
        return 0

    def _read(self) -> int:
        """Read and judge what there is; return the number of records."""
        records = self._source.poll(POLL_TIMEOUT_S)
        self.beat_s = self._clock.monotonic_s()
        self._has_polled = True
        self._pipeline.lose(self._source.take_losses())
        spoke: set[int] = set()
        first = 0
        for decoded in decode_all(self._decoder, records):
            self._take(self._pipeline.feed(decoded, self._clock.now_s()))
            if decoded.reasons:
                self._dead_letters.take(records, {first + i: why for i, why in decoded.reasons.items()})
            first += len(decoded)
            # Events, not records: a partition that brings nothing usable must not hold the others back.
            spoke.update(np.unique(decoded.partition[~np.isnan(decoded.time_s)]).tolist())
        idle, silent_for_s = self._silence.after(
            {records.partitions[i] for i in spoke}, self._source.idle(), len(records.partitions), self.beat_s
        )
        self._take(self._pipeline.quiet(idle, silent_for_s))
        if self._holds():
            durable = self._memory.after_round(
                self._pipeline, self._source, self._telling.sinks, self._changes.status().sha256
            )
            if durable and not self._duty.commit(durable):
                self._source.commit(durable)
        return len(records)

    def finish(self) -> None:
        """Judge the panes that are still open: for a stream that has an end."""
        self._take(self._pipeline.finish())
        self._publish()

    def _go_on_with(self, change: Change) -> None:
        """Make a change of the configuration, between two polls: no event is lost by it."""
        ended = self._pipeline.go_on_as(change.pipeline)
        # Sinks that go now, too: who was told that an alert fires is told that it ends.
        self._tell(self._telling.sinks, ended)
        self._telling.replace(change.sinks)
        self._decoder, self._baselines = change.decoder, change.baselines
        self._silence.idle_after_s = change.idle_after_s
        self._tell(change.new_sinks, self._pipeline.firing, tuple(self._pipeline.latest.values()))
        self._changes.made()
        self._revision += 1
        self._publish()
        if not gc.isenabled():
            _settle()

    def _tell(
        self, sinks: Iterable[Sink], transitions: Sequence[Transition], judged: Sequence[Judged] = ()
    ) -> None:
        if transitions:
            notices = notices_of(transitions, judged, self._pipeline.firing, self._baselines)
            self._telling.tell(sinks, notices)

    def _take(self, outcomes: Iterator[Outcome]) -> None:
        evaluated = False
        before_s = self._clock.monotonic_s()
        for outcome in outcomes:
            if not self._holds():
                return
            after_s = self._clock.monotonic_s()
            for judged in outcome.judged:
                self._publisher.observe_evaluation(
                    judged.evaluation.key, (after_s - before_s) / len(outcome.judged)
                )
            self._tell(self._telling.sinks, outcome.transitions, outcome.judged)
            evaluated = True
            before_s = self._clock.monotonic_s()
        if evaluated:
            self._revision += 1
            self._last_evaluation_s = self._clock.now_s()
            self._publish()

    def _publish(self) -> None:
        self._published_s = self._clock.monotonic_s()
        source = self._source.status()
        is_active = self._holds()
        ready = self._has_polled and source.connected if is_active else self._duty.is_member
        self._publisher.publish(
            view_of(
                self._pipeline,
                self._baselines,
                source,
                revision=self._revision,
                last_evaluation_s=self._last_evaluation_s,
                ready=ready,
                sinks=self._telling.statuses(),
                config=self._changes.status(),
                published_s=self._clock.now_s(),
                uptime_s=self._published_s - self._started_s,
                state=self._memory.status(),
                is_active=is_active,
                group=self._duty.group,
                dead_letters=self._dead_letters.status(),
            )
        )


def _settle() -> None:
    """Collect garbage once, and look at what is left no more: it stays."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()
