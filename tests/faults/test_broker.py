"""What may happen to Apache Kafka while the service reads: it goes on by itself, and everything adds up.

The broker is real and this test's own; each fault has a bound within which it must be over.
"""

from collections.abc import Iterator

import pytest
from kafka import TopicPartition

from tests.faults.conftest import Expected
from tests.faults.form import either
from tests.faults.running import Detector, finish
from tests.faults.sending import send_parts
from tests.faults.setting import CUT_EVERY, write_setting
from tests.faults.workload import N_PARTITIONS
from tests.support.kafka_broker import KafkaBroker, create_topic
from tests.support.processes import wait_until
from tests.support.producing import Producer

N_EVENTS = either(24_000, 120_000)
FROZEN_S = either(8, 60)
NOTICED_WITHIN_S = 60.0

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(either(240, 1200))]


@pytest.fixture(scope="module")
def broker() -> Iterator[KafkaBroker]:
    """A broker to freeze and to kill."""
    with KafkaBroker() as broker:
        yield broker


class Run:
    """A stream in two halves, a detector, and a topic that both know."""

    def __init__(self, broker: KafkaBroker, stream: Expected, home, topic: str) -> None:
        self.broker, self.stream, self.topic = broker, stream, topic
        create_topic(broker.bootstrap, topic, N_PARTITIONS)
        source = {
            "kind": "kafka", "bootstrap_servers": [broker.bootstrap], "topics": [topic], "start": "earliest"
        }  # fmt: skip
        state = {"kind": "directory", "directory": str(home / "state"), "every": CUT_EVERY}
        self.detector = Detector(write_setting(home, stream.baseline, source, state=state))
        self._halves = stream.work.slices(2)
        self.sent = 0

    def send_half(self) -> None:
        """Send the next half of every partition."""
        with Producer(self.broker.bootstrap) as producer:
            self.sent += send_parts(producer, self.topic, next(self._halves))

    def read_half(self) -> None:
        """Start the detector and let it read the first half."""
        self.send_half()
        self.detector.start()
        self.detector.wait_for(self.sent)


@pytest.fixture
def run(broker, expected, home, request) -> Iterator[Run]:
    """A run of its own for each test."""
    found = Run(broker, expected(N_EVENTS), home, request.node.name.replace("_", "-")[:60])
    yield found
    if found.detector.program is not None:
        found.detector.program.kill()


def test_a_broker_that_freezes_for_a_minute(run, tell):
    """SIGSTOP, SIGCONT: said on the page meanwhile, nothing is missing afterwards."""
    run.read_half()
    run.broker.pause()
    try:
        wait_until(
            lambda: run.detector.metric("drift_source_connected") == 0, NOTICED_WITHIN_S, "it is noticed"
        )
        run.detector.live(FROZEN_S)
    finally:
        run.broker.resume()
    run.send_half()
    found = finish(run.detector, run.stream.right, run.stream.like)
    tell(events=run.sent, frozen_s=FROZEN_S, mismatches=len(found))

    assert found == []


def test_a_broker_that_is_killed_and_started_again(run, tell):
    """SIGKILL amid the stream; the detector is ended and started while there is no broker. Both come back."""
    run.read_half()
    run.broker.kill()
    wait_until(lambda: run.detector.metric("drift_source_connected") == 0, NOTICED_WITHIN_S, "it is noticed")
    run.detector.stop()
    run.detector.start()
    wait_until(run.detector.page, 30, "it serves its page without a broker")
    run.broker.start()
    run.send_half()
    found = finish(run.detector, run.stream.right, run.stream.like)
    tell(events=run.sent, exit_without_broker_s=round(run.detector.stops_s[0], 1), mismatches=len(found))

    assert found == []


def test_a_topic_that_is_deleted_and_made_again_is_read_from_its_beginning(run, tell):
    """Offsets of the old one mean nothing in the new one: no record of it is left out, and it is said.

    What was read of it at the old offset before that was noticed is read again.
    """
    run.read_half()
    run.broker.delete_topic(run.topic)
    create_topic(run.broker.bootstrap, run.topic, N_PARTITIONS)
    before = run.sent
    run.send_half()
    run.detector.wait_for(run.sent)
    again = run.detector.metric_by("drift_source_skipped_records_total", "reason")
    run.detector.stop()
    consumed = run.detector.counters().consumed.total()
    tell(events=run.sent, before=before, told=again, consumed=consumed)

    assert run.sent <= consumed < run.sent + before
    assert "recreated" in again


def test_a_topic_that_is_made_again_while_the_detector_is_down(run, tell):
    """The same over a restart: the cut knows which topic its positions are of."""
    run.read_half()
    run.detector.stop()
    run.broker.delete_topic(run.topic)
    create_topic(run.broker.bootstrap, run.topic, N_PARTITIONS)
    run.send_half()
    run.detector.start()
    run.detector.wait_for(run.sent)
    again = run.detector.metric_by("drift_source_skipped_records_total", "reason")
    run.detector.stop()
    tell(events=run.sent, told=again)

    assert "recreated" in again


def test_retention_that_is_shorter_than_the_outage_is_told_exactly(run, tell):
    """What was deleted while the detector was down is counted as lost, record by record; the rest is read."""
    run.read_half()
    run.detector.stop()
    first = run.sent
    run.send_half()
    partition, position = TopicPartition(run.topic, 0), first // N_PARTITIONS
    with run.broker.admin() as admin:
        admin.delete_records({partition: position + 500})
    run.detector.start()
    run.detector.wait_for(run.sent - 500)
    lost = run.detector.metric_by("drift_source_skipped_records_total", "reason")
    run.detector.stop()
    tell(events=run.sent, lost=lost)

    assert lost == {"out_of_range": 500}
    assert run.detector.counters().consumed.total() == run.sent - 500
