"""kill -9 at any moment, again and again: nothing is lost, nothing counted twice, nobody told what is not so.

100,000 events and more flow meanwhile over four partitions of a real Apache Kafka.
"""

import shutil
import signal

import numpy as np
import pytest

from detector.assembly import assemble
from detector.config import load_config
from detector.pipeline import Pipeline
from detector.sources.memory import MemorySource
from tests.faults.form import SEED, either
from tests.faults.killing import Killer
from tests.faults.running import Detector, finish
from tests.faults.sending import Stream
from tests.faults.setting import CUT_EVERY, write_setting
from tests.faults.workload import N_PARTITIONS, Workload
from tests.support.factories import START_S
from tests.support.processes import wait_until
from tests.support.receiver import Inbox, receiver

N_EVENTS = either(120_000, 1_200_000)
N_KILLS = either(30, 500)
N_RESTARTS = either(4, 20)
FROZEN_S = either(11, 330)
"""A group waits 10 to 45 s for a member's heartbeat, and 300 s for its next poll."""

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(either(300, 7200))]


def keys_of(inbox: Inbox) -> list[str]:
    """The key of every alert that was delivered, in order, and once more where it was delivered again."""
    return [a["annotations"]["idempotency_key"] for r in list(inbox.requests) for a in r.body["alerts"]]


@pytest.fixture
def detector_of(kafka, home):
    """Make the detector that reads a topic and tells a webhook; it is killed at the end."""
    made = []

    def make(topic, baseline, webhook):
        source = {"kind": "kafka", "bootstrap_servers": [kafka], "topics": [topic], "start": "earliest"}
        state = {"kind": "directory", "directory": str(home / "state"), "every": CUT_EVERY}
        made.append(Detector(write_setting(home, baseline, source, webhook, state=state)))
        return made[-1]

    yield make
    for detector in made:
        if detector.program is not None:
            detector.program.kill()


def test_after_any_number_of_kills_everything_is_as_without(kafka, make_topic, expected, detector_of, tell):
    """Counts, windows, evaluations and alerts of a service that was killed are those of one that was not.

    An alert may be delivered again, with its key; none may be missing, and none come that is not so.
    """
    stream = expected(N_EVENTS)
    topic = make_topic(N_PARTITIONS)
    with receiver() as inbox:
        detector = detector_of(topic, stream.baseline, inbox.url)
        killer = Killer(detector, np.random.default_rng(SEED))

        def share() -> float:
            return (killer.kills.total() + 1) / N_KILLS

        with Stream(kafka, topic, stream.work, 20 * N_KILLS, share) as sending:
            while killer.kills.total() < N_KILLS:
                killer.live_once()
        detector.start()
        found = finish(detector, stream.right, stream.like)
    told = keys_of(inbox)
    wrong = set(told) ^ set(stream.like.keys)
    resumed = detector.log.read_text().count("going on from sequence=")
    tell(
        events=sending.sent, kills=killer.kills.total(), **killer.kills, resumed=resumed,
        evaluations=stream.right.evaluations,
        alerts=len(set(told)), repeats=len(told) - len(set(told)), mismatches=len(found) + len(wrong),
    )  # fmt: skip

    assert found == []
    assert wrong == set()
    # All of it read again from the beginning would be right as well, and no use.
    assert resumed >= N_KILLS // 2


def test_a_restart_in_good_order_tells_nobody_twice(kafka, make_topic, expected, detector_of, tell):
    """SIGTERM and a new start, amid the stream and while alerts fire: each alert is delivered once."""
    stream = expected(either(24_000, 120_000))
    topic = make_topic(N_PARTITIONS)
    restarts, ready_s = 0, []
    with receiver() as inbox:
        detector = detector_of(topic, stream.baseline, inbox.url)
        detector.start()
        with Stream(kafka, topic, stream.work, 40, lambda: (restarts + 1) / (N_RESTARTS + 1)) as sending:
            for restarts in range(1, N_RESTARTS + 1):
                detector.wait_for(len(stream.work) * restarts // (N_RESTARTS + 2))
                detector.stop()
                ready_s.append(detector.start_and_wait())
        found = finish(detector, stream.right, stream.like)
    tell(
        events=sending.sent, restarts=N_RESTARTS, slowest_exit_s=round(max(detector.stops_s), 2),
        slowest_ready_s=round(max(ready_s), 2), alerts=len(keys_of(inbox)), mismatches=len(found),
    )  # fmt: skip

    assert found == []
    assert sorted(keys_of(inbox)) == sorted(stream.like.keys)


def test_a_service_that_is_frozen_goes_on_where_it_was(kafka, make_topic, expected, detector_of, tell):
    """SIGSTOP, SIGCONT, in the long form for longer than brokers wait for a poll: as if nothing had been."""
    stream = expected(either(24_000, 120_000))
    topic = make_topic(N_PARTITIONS)
    with receiver() as inbox:
        detector = detector_of(topic, stream.baseline, inbox.url)
        program = detector.start()
        with Stream(kafka, topic, stream.work, 40, lambda: 1.0):
            detector.wait_for(len(stream.work) // 4)
            program.signal(signal.SIGSTOP)
        detector.live(FROZEN_S)
        program.signal(signal.SIGCONT)
        found = finish(detector, stream.right, stream.like)
    tell(events=len(stream.work), frozen_s=FROZEN_S, mismatches=len(found))

    assert found == []
    assert sorted(keys_of(inbox)) == sorted(stream.like.keys)


def test_without_its_disk_windows_are_built_again(kafka, make_topic, expected, detector_of, tell):
    """The directory is gone with the machine: from what the group has committed the same windows come out."""
    stream = expected(24_000)
    topic = make_topic(N_PARTITIONS)
    with receiver() as inbox:
        detector = detector_of(topic, stream.baseline, inbox.url)
        detector.start()
        with Stream(kafka, topic, stream.work, 40, lambda: 1.0):
            detector.wait_for(len(stream.work) // 2)
            detector.stop()
            shutil.rmtree(detector.state)
            detector.start()
        wait_until(
            lambda: detector.consumed and not detector.metric("drift_consumer_lag_records"), 60, "read"
        )
        n_read = detector.consumed
        detector.stop()
    found = windows_of(recalled(detector))
    right = windows_of(undisturbed(detector, stream.work))
    tell(events=len(stream.work), read_again=n_read, windows=len(right), mismatches=int(found != right))

    assert "building windows again" in detector.log.read_text()
    assert found == right


def recalled(detector: Detector) -> Pipeline:
    """The pipeline in the newest cut."""
    pipeline = assemble(load_config(detector.directory / "detector.yaml", allow_replay=True)).pipeline
    pipeline.recall(detector.last_cut().tree)
    return pipeline


def undisturbed(detector: Detector, work: Workload) -> Pipeline:
    """A pipeline that was given everything, partition after partition, in this process."""
    assembly = assemble(load_config(detector.directory / "detector.yaml", allow_replay=True))
    source = MemorySource(N_PARTITIONS, "predictions")
    for part in work.slices(40):
        for partition, values in enumerate(part):
            for value in values:
                source.append(value, partition)
        while len(records := source.poll(0.0)):
            for _ in assembly.pipeline.feed(assembly.decoder.decode(records), START_S):
                pass
    return assembly.pipeline


def windows_of(pipeline: Pipeline) -> dict:
    """End and counts of every window."""
    return {
        place: (judged.evaluation.window.end_s, judged.evaluation.window.profile.counts.tolist())
        for place, judged in pipeline.latest.items()
    }
