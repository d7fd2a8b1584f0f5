"""What every source promises: the same suite runs over memory and over Apache Kafka."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from detector.batch import Partition
from detector.clock import SystemClock
from detector.sources import Source, sources
from detector.sources.memory import MemorySource
from tests.support.kafka_broker import create_topic
from tests.support.processes import wait_until
from tests.support.producing import Producer

N_PARTITIONS = 3


@dataclass
class Reader:
    """A source, and how records get into what it reads."""

    source: Source
    topic: str
    send: Callable[[int, list[bytes | None]], None]

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

        yield Reader(source, "memory", append)
        return
    bootstrap = request.getfixturevalue("kafka")
    topic = create_topic(bootstrap, f"contract-{uuid.uuid4().hex[:8]}", N_PARTITIONS)
    kind = sources.get("kafka")
    settings = kind.Settings(bootstrap_servers=[bootstrap], topics=[topic], start="earliest")
    opened = kind.open(settings, SystemClock())
    with Producer(bootstrap) as producer:
        yield Reader(opened, topic, lambda p, values: producer.send(topic, values, p))
    opened.close()


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
