"""Rejected records on Apache Kafka: they arrive as they were, with the reason, and hold nothing up."""

import numpy as np
import pytest
from kafka import KafkaConsumer

from detector.cli.run import build_service
from detector.clock import ManualClock
from detector.config import load_config
from detector.metrics import Metrics
from detector.store import write_baseline
from tests.cli.running import write_config
from tests.support.factories import START_S, baseline_of, event, training_rows
from tests.support.kafka_broker import create_topic
from tests.support.processes import wait_until
from tests.support.producing import send

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(180)]

GOOD = [event(row, START_S + i) for i, row in enumerate(training_rows(np.random.default_rng(1), 100))]
BAD = {
    b"\xff not json": "undecodable",
    b"[1, 2]": "not_an_object",
    b"": "undecodable",
    event({"amount": 1.0}, START_S, more="x" * 300_000): "too_large",
    event({"amount": 1.0}, START_S + 90_000): "future",
    event({"amount": 1.0}, START_S - 90_000): "late",
    b'{"model": "nobody", "version": "1", "features": {}}': "unknown_model",
}


@pytest.fixture
def begin(kafka, make_topic, tmp_path):
    """A function that begins to read a new topic and send on what is rejected; (service, topic, letters)."""
    running = []

    def begun(**settings):
        n = len(running)
        topic = make_topic()
        letters = f"{topic}-letters"
        baseline = tmp_path / "baseline.json"
        write_baseline(baseline, baseline_of(training_rows(np.random.default_rng(2), 3000)))
        config = write_config(
            tmp_path / f"run-{n}.yaml",
            baseline,
            source={
                "kind": "kafka", "bootstrap_servers": [kafka], "topics": [topic],
                "start": "earliest",
            },
            event={"max_bytes": "200KiB"},
            dead_letter={"topic": letters, **settings},
            windows={"pane": "1m", "lengths": ["5m"], "lateness": "0s"},
        )  # fmt: skip
        clock = ManualClock(START_S + 200)
        service, _ = build_service(load_config(config, {}), {}, Metrics(), clock)
        running.append(service)
        return service, topic, letters

    yield begun
    for service in running:
        service._end()


def read_until(service, n):
    """Read until so many records were taken in."""
    wait_until(lambda: service.step() is not None and service.n_consumed >= n, 60)


def letters_of(bootstrap, topic, n):
    """Return the first letters: payload, and the headers by name."""
    consumer = KafkaConsumer(topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    found = []
    try:
        wait_until(
            lambda: found.extend(m for some in consumer.poll(200).values() for m in some) or len(found) >= n,
            30,
        )
    finally:
        consumer.close()
    return [(m.value, {name: value.decode() for name, value in m.headers}) for m in found]


def test_what_is_rejected_arrives_as_it_was_with_its_reason(kafka, begin):
    service, topic, letters = begin()
    create_topic(kafka, letters)
    send(kafka, topic, [*GOOD, *BAD, *GOOD[-5:]])
    read_until(service, len(GOOD) + len(BAD) + 5)
    found = letters_of(kafka, letters, len(BAD))
    counters = service._pipeline.counters

    assert {value: headers["drift.reason"] for value, headers in found} == BAD
    places = {headers["drift.offset"]: value for value, headers in found}
    assert places == {str(len(GOOD) + i): value for i, value in enumerate(BAD)}
    assert {headers["drift.topic"] for _, headers in found} == {topic}
    assert {headers["drift.partition"] for _, headers in found} == {"0"}
    assert counters.rejected.total() == len(BAD)
    assert counters.accepted.total() == len(GOOD) + 5
    wait_until(lambda: service._dead_letters.status().sent == len(BAD), 20)


def test_only_wanted_reasons_are_sent(kafka, begin):
    service, topic, letters = begin(only=["late", "future"])
    create_topic(kafka, letters)
    send(kafka, topic, [*GOOD, *BAD])
    read_until(service, len(GOOD) + len(BAD))
    found = letters_of(kafka, letters, 2)

    assert sorted(headers["drift.reason"] for _, headers in found) == ["future", "late"]


def test_without_its_topic_nothing_is_held_up_and_the_first_letters_wait(kafka, begin, caplog):
    """What is more than the queue holds is dropped and counted; once there is a topic, the rest arrives."""
    service, topic, letters = begin(queue=20)
    send(kafka, topic, [*(b"bad %d" % i for i in range(50)), *GOOD])
    read_until(service, 50 + len(GOOD))
    status = service._dead_letters.status()

    assert (status.queued, status.dropped, status.sent) == (20, 30, 0)
    assert service._pipeline.counters.accepted.total() == len(GOOD)
    wait_until(lambda: "dead letters: topic" in caplog.text, 60)
    create_topic(kafka, letters)
    found = letters_of(kafka, letters, 20)
    assert [value for value, _ in found[:20]] == [b"bad %d" % i for i in range(20)]
    assert "bad " not in caplog.text, "no payload in the log"


def test_what_the_brokers_do_not_take_is_given_up(kafka, begin):
    """The one is counted as failed, the others arrive."""
    service, topic, letters = begin()
    create_topic(kafka, letters, max_message_bytes="100000")
    large = event({"amount": 1.0}, START_S, more="x" * 300_000)
    send(kafka, topic, [b"one", large, b"two", *GOOD])
    read_until(service, 3 + len(GOOD))
    found = letters_of(kafka, letters, 2)
    wait_until(lambda: service._dead_letters.status().queued == 0, 30)

    assert {value for value, _ in found} == {b"one", b"two"}
    assert service._dead_letters.status().failed == 1


def test_it_ends_whatever_waits(kafka, begin):
    """There is no topic to take them: the end waits for a moment, and lets them go."""
    service, topic, _ = begin()
    send(kafka, topic, [b"bad"] * 100)
    read_until(service, 100)
    service._dead_letters.close()

    assert service._dead_letters.status().queued == 100
