"""What every source promises: the same suite runs over memory and over Apache Kafka."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from detector.batch import Loss, Partition
from detector.clock import SystemClock
from detector.sources import Mark, Source, sources
from detector.sources.memory import MemorySource
from tests.support.kafka_broker import create_topic, delete_records
from tests.support.processes import wait_until
from tests.support.producing import Producer

N_PARTITIONS = 3


@dataclass
class Reader:
    """A source, and how records get into what it reads."""

    source: Source
    topic: str
    send: Callable[[int, list[bytes | None]], None]
    delete: Callable[[int, int], None]
    """(partition, offset): the records before the offset are gone."""
    again: Callable[[], Source]
    """Return another source over the same, as after a restart."""

    def restart(self) -> None:
        """Let another source take over that knows nothing."""
        self.source.close()
        self.source = self.again()

    def read(self, n: int) -> list[tuple[int, int, bytes | None]]:
        """Return the next n records as (partition, offset, value)."""
        found: list[tuple[int, int, bytes | None]] = []

        def enough() -> bool:
            records = self.source.poll(0.2)
            for value, partition, offset in zip(
                records.values, records.partition.tolist(), records.offset.tolist(), strict=True
            ):
                found.append((records.partitions[partition].number, offset, value))
            return len(found) >= n

        wait_until(enough, 60, f"{n} records are read, {len(found)} so far")
        return found


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.kafka)])
def reader(request: pytest.FixtureRequest) -> Iterator[Reader]:
    """Each kind of source over three empty partitions, read from the beginning."""
    if request.param == "memory":
        source = MemorySource(N_PARTITIONS)

        def append(partition: int, values: list[bytes | None]) -> None:
            for value in values:
                source.append(value, partition)

        yield Reader(source, "memory", append, source.truncate, lambda: source)
        return
    bootstrap = request.getfixturevalue("kafka")
    topic = create_topic(bootstrap, f"contract-{uuid.uuid4().hex[:8]}", N_PARTITIONS)
    kind = sources.get("kafka")
    settings = kind.Settings(bootstrap_servers=[bootstrap], topics=[topic], start="earliest")

    def opened() -> Source:
        return kind.open(settings, SystemClock())

    with Producer(bootstrap) as producer:
        reader = Reader(
            opened(),
            topic,
            lambda p, values: producer.send(topic, values, p),
            lambda p, before: delete_records(bootstrap, topic, p, before),
            opened,
        )
        yield reader
    reader.source.close()


def test_every_record_comes_once_and_in_order_within_its_partition(reader):
    """Whatever the polls, offsets of a partition are 0, 1, 2, ... with the values as sent."""
    for partition in range(N_PARTITIONS):
        reader.send(partition, [f"{partition}-{i}".encode() for i in range(500)])
    found = reader.read(1500)

    for partition in range(N_PARTITIONS):
        mine = [(offset, value) for p, offset, value in found if p == partition]
        assert mine == [(i, f"{partition}-{i}".encode()) for i in range(500)]


def test_null_values_are_delivered_as_such(reader):
    """A tombstone is a record; what it means is the decoder's business."""
    reader.send(0, [b"a", None, b""])

    assert [value for _, _, value in reader.read(3)] == [b"a", None, b""]


def test_an_empty_poll_brings_no_records_but_all_partitions(reader):
    """Nothing to read is no error."""
    wait_until(lambda: len(reader.source.poll(0.1).partitions) == N_PARTITIONS, 30)
    records = reader.source.poll(0.0)

    assert len(records) == 0
    assert records.partitions == tuple(Partition(reader.topic, i) for i in range(N_PARTITIONS))


def test_the_status_follows_what_is_read(reader):
    """Positions move with records handed out; lag is what is left; read to the end is idle."""
    reader.send(1, [b"x"] * 10)
    reader.read(10)
    wait_until(lambda: reader.source.poll(0.1) is not None and len(reader.source.idle()) == N_PARTITIONS, 30)
    status = reader.source.status()
    by_number = {s.partition.number: s for s in status.partitions}

    assert status.connected
    assert (by_number[1].position, by_number[1].end, by_number[1].lag) == (10, 10, 0)
    assert reader.source.positions()[Partition(reader.topic, 1)] == 10


def test_reading_goes_on_with_what_comes_later(reader):
    """A source has no end."""
    reader.send(0, [b"first"])
    reader.read(1)
    reader.send(0, [b"second"])

    assert reader.read(1) == [(0, 1, b"second")]


def test_a_restart_goes_on_at_the_stored_positions(reader):
    """Nothing comes twice and nothing is left out, in each partition."""
    for partition in range(N_PARTITIONS):
        reader.send(partition, [b"%d" % i for i in range(10)])
    reader.read(30)
    positions = {Partition(reader.topic, p): 4 + p for p in range(N_PARTITIONS)}
    reader.restart()
    reader.source.seek(positions, reader.source.topic_ids())
    found = reader.read(6 + 5 + 4)

    for partition in range(N_PARTITIONS):
        assert [offset for p, offset, _ in found if p == partition] == list(range(4 + partition, 10))
    assert list(reader.source.take_losses()) == []


def test_what_was_deleted_before_it_was_read_is_a_loss(reader):
    """Its range is told exactly, once, and counted; reading goes on with the first record there is."""
    reader.send(0, [b"%d" % i for i in range(20)])
    reader.read(20)
    reader.delete(0, 12)
    reader.restart()
    reader.source.seek({Partition(reader.topic, 0): 5}, {})
    found = reader.read(8)

    assert [offset for _, offset, _ in found] == list(range(12, 20))
    assert list(reader.source.take_losses()) == [Loss(Partition(reader.topic, 0), "out_of_range", 7, 5, 11)]
    assert list(reader.source.take_losses()) == []


def test_a_position_behind_the_end_is_a_log_that_was_truncated(reader):
    """What was read and is no more is told; reading goes on at the end."""
    reader.send(0, [b"a", b"b"])
    reader.source.seek({Partition(reader.topic, 0): 7}, {})
    wait_until(lambda: reader.source.poll(0.1) is None or reader.source.positions().get(P(reader)) == 2, 30)
    reader.send(0, [b"c"])

    assert reader.read(1) == [(0, 2, b"c")]
    assert list(reader.source.take_losses()) == [Loss(P(reader), "truncated", 5, 2, 6)]


def P(reader: Reader) -> Partition:
    return Partition(reader.topic, 0)


def test_another_topic_of_the_same_name_is_read_from_its_beginning(reader):
    """A stored position means nothing in a topic with another id, though the offset may exist."""
    reader.send(0, [b"%d" % i for i in range(6)])
    reader.source.seek({P(reader): 4}, {reader.topic: "the id of a topic that is no more"})
    found = reader.read(6)

    assert [offset for _, offset, _ in found] == list(range(6))
    losses = {loss.partition: loss for loss in reader.source.take_losses()}
    assert losses[P(reader)] == Loss(P(reader), "recreated", 0, 4, 4)


def test_marks_are_there_after_a_restart(reader):
    """Offsets and their metadata come back as they were left."""
    reader.send(0, [b"a"])
    reader.read(1)
    marks = {
        P(reader): Mark(1, '{"max_event_time_s": 1790000000.25}'),
        Partition(reader.topic, 2): Mark(0, ""),
    }
    reader.source.commit(marks)
    wait_until(lambda: reader.source.committed() == marks, 30, "the marks are written")
    reader.restart()

    assert reader.source.committed() == marks


def test_topics_and_cluster_have_an_id(reader):
    """Both are known once the source is connected."""
    wait_until(lambda: reader.source.poll(0.1) is not None and reader.source.topic_ids(), 30)

    assert list(reader.source.topic_ids()) == [reader.topic]
    assert reader.source.cluster_id()
