"""The loop: whatever the events are, it goes on, publishes, and ends in good order."""

import threading
from dataclasses import replace

import numpy as np
import pytest

from detector.clock import ManualClock, SystemClock
from detector.drift.evaluation import State
from detector.kinds import open_part
from detector.metrics import Metrics
from detector.pipeline import Pipeline
from detector.service import Service
from detector.sinks import PromptSink, sinks
from detector.sources.memory import MemorySource
from detector.view import SinkStatus
from detector.watched import Monitored
from detector.windows.spec import WindowSpec
from tests.support.factories import KEY, START_S, baseline_of, decoder_of, event, training_rows
from tests.support.receiver import receiver

SPEC = WindowSpec(pane_s=60, lengths_s=(300,), lateness_s=0)


@pytest.fixture(scope="module")
def baseline():
    return baseline_of(training_rows(np.random.default_rng(4), 3000))


class _Sink(PromptSink):
    def __init__(self):
        self.sent, self.closed = [], False

    def send(self, notices):
        self.sent += [notice.transition for notice in notices]

    def status(self):
        return SinkStatus("bench", sent=len(self.sent))

    def close(self):
        self.closed = True


class Bench:
    """A service over an in-memory source, with a clock that moves when told to."""

    def __init__(self, baseline, n_partitions=1, sink=None):
        self.clock = ManualClock(START_S + 3600)
        self.source = MemorySource(n_partitions)
        self.metrics = Metrics()
        self.sink = sink or _Sink()
        models = {KEY: Monitored(baseline)}
        self.pipeline = Pipeline(SPEC, models)
        self.service = Service(
            self.source,
            decoder_of(models),
            self.pipeline,
            {KEY: baseline},
            [self.sink],
            self.metrics,
            self.clock,
        )

    def send(self, rng, n, minute, partition=0, **changed):
        for row in training_rows(rng, n):
            self.source.append(event({**row, **changed}, START_S + 60 * minute), partition)

    def step(self, seconds=0.0):
        self.clock.advance(seconds)
        self.service.step()

    @property
    def view(self):
        return self.metrics.view


def test_ready_means_baselines_are_loaded_and_the_source_was_read(baseline):
    """Before the first poll it is not."""
    bench = Bench(baseline)
    assert not bench.view.ready

    bench.step(1)
    assert bench.view.ready


def test_what_was_judged_is_published_at_once(baseline, rng):
    """The view after the poll that closed a window holds its evaluation."""
    bench = Bench(baseline)
    bench.send(rng, 1200, 0)
    bench.send(rng, 1, 1)
    bench.step()

    judged = bench.view.judged[KEY, 300.0]
    assert judged.evaluation.n[0] == 1200
    assert bench.view.counters.accepted[KEY] == 1201
    assert bench.view.last_evaluation_s == START_S + 3600


def test_a_published_view_never_changes(baseline, rng):
    """Readers on other threads hold a picture, not the workings."""
    bench = Bench(baseline)
    bench.send(rng, 10, 0)
    bench.step()
    before = bench.view
    accepted = dict(before.counters.accepted)
    bench.send(rng, 10, 5)
    bench.step(1)

    assert dict(before.counters.accepted) == accepted
    assert bench.view is not before


def test_alerts_reach_the_sinks(baseline, rng):
    """Drift over several panes: the sink is told when it begins."""
    bench = Bench(baseline)
    for minute in range(6):
        bench.send(rng, 1200, minute, country="XX")
    bench.step()

    assert [t.feature for t in bench.sink.sent if t.feature] == ["country"]
    assert bench.view.sinks == (SinkStatus("bench", sent=len(bench.sink.sent)),)


def test_an_alert_of_the_stream_reaches_a_real_receiver(baseline, rng):
    """From events to a webhook, with the digest of the baseline and what changed."""
    baseline = replace(baseline, digest="ab" * 32)
    with receiver() as inbox:
        settings = sinks.get("webhook").Settings(url=inbox.url)
        bench = Bench(baseline, sink=open_part(sinks, settings, SystemClock()))
        for minute in range(6):
            bench.send(rng, 1200, minute, country="XX")
        bench.step()
        bench.sink.close()
        alerts = [alert for request in inbox.requests for alert in request.body["alerts"]]

    [told] = [alert for alert in alerts if alert["labels"].get("feature") == "country"]
    assert told["annotations"]["baseline_sha256"] == baseline.digest
    assert "DE" in told["annotations"]["description"]
    assert bench.sink.status().sent == len(alerts)


def test_a_silent_stream_becomes_insufficient_after_a_while(baseline, rng):
    """Nothing to read for long: event time goes on at the clock's pace, and the windows run empty."""
    bench = Bench(baseline)
    bench.send(rng, 1200, 0)
    bench.send(rng, 1, 1)
    bench.step()
    assert bench.view.judged[KEY, 300.0].state[0, 0] == State.OK
    for _ in range(30):
        bench.step(30)

    assert bench.view.judged[KEY, 300.0].state[0, 0] == State.INSUFFICIENT


def test_a_partition_that_brings_only_rubbish_holds_nobody_back(baseline, rng):
    """It has records all the time but never an event: after `idle_after` the others go on alone."""
    bench = Bench(baseline, 2)
    for minute in range(8):
        bench.send(rng, 1200, minute)
        bench.source.append(b"rubbish", 1)
        bench.step(10)

    assert bench.view.judged[KEY, 300.0].evaluation.n[0] > 0
    assert bench.view.counters.rejected["memory", "undecodable"] == 8


def test_the_loop_ends_when_told_to_and_closes_everything(baseline):
    """`stop` from a signal handler; sinks are closed."""
    bench = Bench(baseline)
    bench.sink.send = lambda _: None
    original = bench.source.poll

    def poll(timeout_s):
        bench.service.stop()
        return original(timeout_s)

    bench.source.poll = poll
    bench.service.run()

    assert bench.sink.closed


def test_sinks_are_closed_at_the_same_time(baseline):
    """Each waits for its receiver for a few seconds; one after the other they would outlast the patience of
    whoever sent SIGTERM. And they are closed though the source cannot be.
    """
    both = threading.Barrier(2)
    bench = Bench(baseline)
    others = [_Sink(), _Sink()]
    for sink in others:
        sink.close = lambda sink=sink: setattr(sink, "closed", both.wait(20) >= 0)
    bench.service._telling.sinks = others

    def close():
        raise OSError("lost")

    bench.source.close = close
    bench.service.stop()
    with pytest.raises(OSError, match="lost"):
        bench.service.run()

    assert [sink.closed for sink in others] == [True, True]


def test_the_beat_shows_when_the_loop_came_round(baseline):
    """Its age grows while nothing happens and starts anew with each round."""
    bench = Bench(baseline)
    bench.clock.advance(100)
    assert bench.service.beat_age_s() == 100

    bench.step()
    assert bench.service.beat_age_s() == 0
