"""The loop: poll, decode, feed, send, publish.

One thread owns everything that changes; the HTTP thread reads the published view. The loop never
stops for what an event or the far side does; it ends when it is told to, or when the source says
that going on makes no sense.
"""

import gc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from detector.alerts import Transition
from detector.baseline import Baseline
from detector.batch import ModelKey, Partition
from detector.clock import Clock
from detector.formats import Decoder, decode_all
from detector.notice import notices_of
from detector.pipeline import Judged, Outcome, Pipeline
from detector.resume import Memory
from detector.sinks import Sink, close_all
from detector.sources import Source
from detector.view import ConfigStatus, SinkStatus, View, view_of

POLL_TIMEOUT_S = 0.5

PUBLISH_EVERY_S = 0.5
"""Counters and lag are republished this often between evaluations."""

COLLECT_EVERY_S = 10.0
"""Garbage is collected this often, between polls: a collection amid a batch would cost it a third."""


MAX_RETIRED = 100
"""Names of sinks that are no more of which it is known what they told: those that went last."""


class Publisher(Protocol):
    """Where views go, and how long evaluations took."""

    def publish(self, view: View) -> None:
        """Show `view` from now on."""
        ...

    def observe_evaluation(self, key: ModelKey, seconds: float) -> None:
        """Note how long one window took to judge."""
        ...


@dataclass(frozen=True, slots=True)
class Change:
    """What a service goes on with when its configuration has changed."""

    pipeline: Pipeline
    """A new one, whose settings and model versions the running one takes on."""
    decoder: Decoder
    baselines: Mapping[ModelKey, Baseline]
    sinks: Sequence[Sink]
    new_sinks: Sequence[Sink]
    """Those that have not been told yet what fires."""
    idle_after_s: float


class Changes(Protocol):
    """Where changes of the configuration come from; asked by the loop between polls."""

    def take(self) -> Change | None:
        """Return what to go on with, once, if there is something; never waits."""
        ...

    def made(self) -> None:
        """Note that the change last taken is made."""
        ...

    def status(self) -> ConfigStatus:
        """Say which configuration is in force."""
        ...


class NoChanges:
    """A configuration that stays as it is."""

    def __init__(self, status: ConfigStatus | None = None) -> None:
        self._status = status or ConfigStatus()

    def take(self) -> None:
        """Return nothing, ever."""

    def made(self) -> None:
        """Never called."""

    def status(self) -> ConfigStatus:
        """Say what is in force."""
        return self._status


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
    ) -> None:
        self._source = source
        self._decoder = decoder
        self._pipeline = pipeline
        self._baselines = baselines
        self._sinks = sinks
        self._publisher = publisher
        self._clock = clock
        self._silence = _Silence(idle_after_s)
        self._changes = changes or NoChanges()
        self._memory = memory or Memory(clock)
        self._started_s = clock.monotonic_s()
        self._retired: dict[str, SinkStatus] = {}
        self._revision = 0
        self._has_polled = False
        self._last_evaluation_s: float | None = None
        self._published_s = self._collected_s = -float("inf")
        self._stopping = False
        self.beat_s = clock.monotonic_s()
        self._begin()

    def _begin(self) -> None:
        """Go on where an earlier run stood, and show it."""
        begun = self._memory.begin(self._pipeline, self._source, self._sinks)
        self._pipeline = begun.pipeline
        self._tell(self._sinks, begun.ended)
        self._publish()

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
        """Run until `stop`; then say goodbye to sinks and source.

        Raises:
            SourceError: the source cannot go on.
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
            self._keep_last()
            close_all(self._sinks)
            if any(status.queued or status.failed for status in self._sink_statuses()):
                self._keep_last()
        finally:
            self._memory.close()
            self._source.close()

    def _keep_last(self) -> None:
        self._memory.last(self._pipeline, self._source, self._sinks, self._changes.status().sha256)

    def step(self) -> int:
        """Do one round; return the number of records it brought."""
        change = self._changes.take()
        if change is not None:
            self._go_on_with(change)
        records = self._source.poll(POLL_TIMEOUT_S)
        self.beat_s = self._clock.monotonic_s()
        self._has_polled = True
        spoke: set[int] = set()
        for decoded in decode_all(self._decoder, records):
            self._take(self._pipeline.feed(decoded, self._clock.now_s()))
            # Events, not records: a partition that brings nothing usable must not hold the others back.
            spoke.update(np.unique(decoded.partition[~np.isnan(decoded.time_s)]).tolist())
        idle, silent_for_s = self._silence.after(
            {records.partitions[i] for i in spoke}, self._source.idle(), len(records.partitions), self.beat_s
        )
        self._take(self._pipeline.quiet(idle, silent_for_s))
        self._memory.after_round(self._pipeline, self._source, self._sinks, self._changes.status().sha256)
        if self.beat_s - self._published_s >= PUBLISH_EVERY_S:
            self._publish()
        if self.beat_s - self._collected_s >= COLLECT_EVERY_S:
            self._collected_s = self.beat_s
            gc.collect()
        return len(records)

    def finish(self) -> None:
        """Judge the panes that are still open: for a stream that has an end."""
        self._take(self._pipeline.finish())
        self._publish()

    def _go_on_with(self, change: Change) -> None:
        """Make a change of the configuration, between two polls: no event is lost by it."""
        ended = self._pipeline.go_on_as(change.pipeline)
        # Sinks that go now, too: who was told that an alert fires is told that it ends.
        self._tell(self._sinks, ended)
        self._retire([sink for sink in self._sinks if all(sink is not other for other in change.sinks)])
        self._decoder, self._baselines, self._sinks = change.decoder, change.baselines, change.sinks
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
        if not transitions:
            return
        notices = notices_of(transitions, judged, self._pipeline.firing, self._baselines)
        for sink in sinks:
            sink.send(notices)

    def _retire(self, gone: Iterable[Sink]) -> None:
        """Remember what sinks have told that go: one of the same name may take their place."""
        for sink in gone:
            told = sink.status()
            before = self._retired.pop(told.name, SinkStatus(told.name))
            sent, failed = before.sent + told.sent, before.failed + told.failed
            self._retired[told.name] = SinkStatus(told.name, sent, failed, before.dropped + told.dropped)
        for name in list(self._retired)[:-MAX_RETIRED]:
            del self._retired[name]

    def _sink_statuses(self) -> tuple[SinkStatus, ...]:
        statuses = tuple(sink.status() for sink in self._sinks)
        names = {status.name for status in statuses}
        return statuses + tuple(status for name, status in self._retired.items() if name in names)

    def _take(self, outcomes: Iterator[Outcome]) -> None:
        evaluated = False
        before_s = self._clock.monotonic_s()
        for outcome in outcomes:
            after_s = self._clock.monotonic_s()
            for judged in outcome.judged:
                self._publisher.observe_evaluation(
                    judged.evaluation.key, (after_s - before_s) / len(outcome.judged)
                )
            self._tell(self._sinks, outcome.transitions, outcome.judged)
            evaluated = True
            before_s = self._clock.monotonic_s()
        if evaluated:
            self._revision += 1
            self._last_evaluation_s = self._clock.now_s()
            self._publish()

    def _publish(self) -> None:
        self._published_s = self._clock.monotonic_s()
        source = self._source.status()
        self._publisher.publish(
            view_of(
                self._pipeline,
                self._baselines,
                source,
                revision=self._revision,
                last_evaluation_s=self._last_evaluation_s,
                ready=self._has_polled and source.connected,
                sinks=self._sink_statuses(),
                config=self._changes.status(),
                published_s=self._clock.now_s(),
                uptime_s=self._published_s - self._started_s,
                state=self._memory.status(),
            )
        )


def _settle() -> None:
    """Collect garbage once, and look at what is left no more: it stays."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


class _Silence:
    """Which partitions have had nothing to read for a while, and for how long none has."""

    def __init__(self, idle_after_s: float) -> None:
        self.idle_after_s = idle_after_s
        self._idle_since_s: dict[Partition, float] = {}

    def after(
        self,
        spoke: AbstractSet[Partition],
        at_end: Sequence[Partition],
        n_partitions: int,
        now_s: float,
    ) -> tuple[list[Partition], float]:
        """Take note of the partitions that brought events; return the idle ones and the seconds of silence.

        Only a partition that is read to its end counts: one that cannot be read is not idle.
        """
        before = self._idle_since_s
        self._idle_since_s = {p: now_s if p in spoke else before.get(p, now_s) for p in at_end}
        idle = [p for p, since_s in self._idle_since_s.items() if now_s - since_s >= self.idle_after_s]
        all_idle = n_partitions > 0 and len(idle) == n_partitions
        return idle, now_s - max(self._idle_since_s.values()) if all_idle else 0.0
