"""The Kafka source against what really happens to brokers and topics."""

import logging
import threading
import time

import numpy as np
import pytest

from detector.clock import ManualClock, SystemClock
from detector.sources import sources
from detector.times import format_time
from tests.support.kafka_broker import KafkaBroker
from tests.support.processes import free_port, wait_until
from tests.support.producing import Producer, send

pytestmark = pytest.mark.kafka

KIND = sources.get("kafka")


def _source(bootstrap, topic, start="earliest", **settings):
    made = KIND.Settings(bootstrap_servers=[bootstrap], topics=[topic], start=start, **settings)
    return KIND.open(made, SystemClock())


def _read(source, n, timeout_s=60):
    values = []

    def enough():
        values.extend(source.poll(0.2).values)
        return len(values) >= n

    wait_until(enough, timeout_s, f"{n} records")
    return values


def _connected(source):
    source.poll(0.2)
    return source.status().connected


@pytest.mark.parametrize("codec", ["gzip", "lz4", "snappy", "zstd", None])
def test_every_codec_is_read(kafka, make_topic, codec):
    """Batches in each compression that Kafka knows."""
    topic = make_topic()
    values = [f"{codec}-{i}".encode() * 20 for i in range(200)]
    send(kafka, topic, values, compression_type=codec)
    source = _source(kafka, topic)

    assert _read(source, 200) == values
    source.close()


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("earliest", [b"old", b"recent", b"new"]),
        ("latest", [b"new"]),
        ("-1h", [b"recent", b"new"]),
        ("RFC", [b"recent", b"new"]),
    ],
)
def test_reading_starts_where_the_policy_says(kafka, make_topic, start, expected):
    """From the beginning, from the end, from a time."""
    topic = make_topic()
    now_s = time.time()
    with Producer(kafka) as producer:
        producer.send(topic, [b"old"], time_ms=int((now_s - 7200) * 1000))
        producer.send(topic, [b"recent"], time_ms=int((now_s - 600) * 1000))
        source = _source(kafka, topic, format_time(now_s - 3600) if start == "RFC" else start)
        values = []
        wait_until(lambda: values.extend(source.poll(0.1).values) or source.positions(), 30)
        producer.send(topic, [b"new"])
    wait_until(lambda: values.extend(source.poll(0.2).values) or b"new" in values, 30)

    assert values == expected
    source.close()


def test_a_topic_that_does_not_exist_yet_is_waited_for(kafka):
    """It is not created, the log says so, and reading begins once it is there."""
    from tests.support.kafka_broker import create_topic

    name = f"not-yet-{free_port()}"
    source = _source(kafka, name)
    for _ in range(5):
        assert len(source.poll(0.1)) == 0
    assert not source.status().connected
    create_topic(kafka, name)
    send(kafka, name, [b"here"])

    assert _read(source, 1) == [b"here"]
    source.close()


def test_partitions_added_later_are_read_from_their_beginning(kafka, make_topic):
    """None of the events that went to a new partition before it was noticed is lost."""
    from kafka import KafkaAdminClient
    from kafka.admin import NewPartitions

    topic = make_topic()
    send(kafka, topic, [b"a"])
    source = _source(kafka, topic)
    assert _read(source, 1) == [b"a"]
    admin = KafkaAdminClient(bootstrap_servers=kafka)
    admin.create_partitions({topic: NewPartitions(3)})
    admin.close()
    with Producer(kafka) as producer:
        wait_until(lambda: len(producer._client.partitions_for(topic)) == 3, 30)
        producer.send(topic, [b"b"], 1)
        producer.send(topic, [b"c"], 2)

    assert sorted(_read(source, 2)) == [b"b", b"c"]
    source.close()


def test_records_deleted_before_they_were_read_are_counted(kafka, make_topic, caplog):
    """Out of range: the lost range is counted, and reading goes on where the log begins."""
    from kafka import KafkaAdminClient, TopicPartition

    topic = make_topic()
    send(kafka, topic, [b"%d" % i for i in range(100)])
    source = _source(kafka, topic, max_poll_records=10)
    assert len(_read(source, 10)) == 10
    position = source.positions()
    source._drop_client()
    admin = KafkaAdminClient(bootstrap_servers=kafka)
    admin.delete_records({TopicPartition(topic, 0): 60})
    admin.close()
    values = _read(source, 40)

    assert values == [b"%d" % i for i in range(60, 100)]
    (before,) = position.values()
    assert source.status().skipped == {"out_of_range": 60 - before}
    source.close()


def test_records_that_cannot_be_read_are_skipped_and_everything_else_is_read(own_kafka, caplog):
    """A batch whose bytes were damaged on disk: the readable ones before and behind it all arrive.

    The client never returns from such a batch; the source moves past it and counts it.
    """
    topic = own_kafka.create_topic("events")
    for i in range(10):
        send(own_kafka.bootstrap, topic, [b"%d-%d" % (i, j) * 10 for j in range(10)])
    own_kafka.stop()
    _damage_batch(own_kafka, topic, 4)
    own_kafka.start()
    source = _source(own_kafka.bootstrap, topic)
    with caplog.at_level(logging.WARNING):
        values = _read(source, 90)

    assert sorted(values) == sorted(b"%d-%d" % (i, j) * 10 for i in range(10) for j in range(10) if i != 4)
    assert source.status().skipped == {"poison": 10}
    assert "offsets=40..49" in caplog.text
    assert b"4-1".decode() not in caplog.text
    source.close()


def _damage_batch(broker: KafkaBroker, topic: str, number: int) -> None:
    """Flip a payload byte of one batch in the topic's log file, so that its checksum is wrong."""
    (path,) = (broker.directory / "data" / f"{topic}-0").glob("*0.log")
    data = bytearray(path.read_bytes())
    at = 0
    for _ in range(number):
        at += 12 + int.from_bytes(data[at + 8 : at + 12], "big")
    data[at + 90] ^= 0xFF
    path.write_bytes(bytes(data))


def test_the_markers_of_a_transaction_are_no_lag(kafka, make_topic):
    """Read to its end means idle, though the last offset is a commit marker; aborted records stay away."""
    from kafka import KafkaProducer

    topic = make_topic()
    producer = KafkaProducer(bootstrap_servers=kafka, transactional_id=topic)
    producer.init_transactions()
    for value, end in ((b"aborted", producer.abort_transaction), (b"kept", producer.commit_transaction)):
        producer.begin_transaction()
        producer.send(topic, value, partition=0).get(timeout=30)
        end()
    producer.close()
    source = _source(kafka, topic)

    assert _read(source, 1) == [b"kept"]
    wait_until(lambda: source.poll(0.2) is not None and source.idle(), 30, "idle")
    assert source.status().partitions[0].lag == 0
    source.close()


def test_a_look_up_that_fails_loses_nothing_that_was_fetched(kafka, make_topic, monkeypatch):
    """New partitions are looked up after a fetch; if that fails, its records are handed out all the same."""
    from kafka.errors import KafkaTimeoutError

    topic = make_topic()
    values = [b"%d" % i for i in range(100)]
    send(kafka, topic, values)
    source = _source(kafka, topic, max_poll_records=10)
    found = _read(source, 10)
    with monkeypatch.context() as patch:
        patch.setattr("detector.sources.kafka_client.ends", _raise(KafkaTimeoutError))
        source._refresh_at_s = 0.0
        found += source.poll(1.0).values
    found += _read(source, 100 - len(found))

    assert found == values
    source.close()


def _raise(error):
    def function(*_):
        raise error

    return function


def test_a_trickle_is_fetched_in_handfuls(kafka, make_topic):
    """Records that come one by one are not polled one by one: that would cost the model's pod a core."""
    topic = make_topic()
    source = _source(kafka, topic)
    wait_until(lambda: _connected(source), 30)
    sizes = []
    with Producer(kafka) as producer:
        thread = threading.Thread(target=lambda: [producer.send(topic, [b"x"]) for _ in range(400)])
        thread.start()
        wait_until(lambda: sizes.append(len(source.poll(0.5))) or sum(sizes) == 400, 60, "all are read")
        thread.join()

    assert np.mean([n for n in sizes if n]) > 5
    source.close()


def test_no_broker_at_all_is_tried_for_ever_without_an_error():
    """Nobody listens: polls come back empty, in about the time they were given."""
    source = _source(f"127.0.0.1:{free_port()}", "events")
    for _ in range(3):
        assert len(source.poll(0.1)) == 0

    assert not source.status().connected
    source.close()


def test_retries_wait_longer_each_time():
    """An absent broker is not asked in a tight loop: the pauses grow to half a minute."""
    clock = ManualClock()
    settings = KIND.Settings(bootstrap_servers=["127.0.0.1:1"], topics=["t"])
    source = KIND.open(settings, clock)
    pauses = []
    for _ in range(12):
        source._wait(None)
        pauses.append(source._retry_at_s - clock.monotonic_s())

    assert pauses[0] <= 0.2
    assert pauses[4] > pauses[0]
    assert 15.0 <= pauses[-1] <= 30.0
