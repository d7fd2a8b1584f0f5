"""Batches as they lie in a response: what can be read is, what cannot is passed over and counted exactly."""

import struct

import pytest
from kafka import TopicPartition
from kafka.consumer.fetcher import Fetcher
from kafka.errors import CorruptRecordError
from kafka.record.default_records import DefaultRecordBatchBuilder
from kafka.record.memory_records import MemoryRecords
from kafka.record.util import calc_crc32c

from detector.sources.kafka_guard import BatchGuard, PassedOver
from detector.sources.kafka_records import RecordHeaders, _subclass

TP = TopicPartition("t", 0)
ATTRIBUTES, LAST_DELTA = 21, 23


def batch(base, values, codec=0, headers=(), **changed):
    """A batch at offset `base`; `attributes`, `last_delta` change its header, `body` what follows it."""
    builder = DefaultRecordBatchBuilder(2, codec, False, -1, -1, -1, 1 << 24)
    for i, value in enumerate(values):
        builder.append(i, 1_790_000_000_000, None, value, list(headers))
    data = bytearray(builder.build())
    struct.pack_into(">q", data, 0, base)
    if "attributes" in changed:
        struct.pack_into(">h", data, ATTRIBUTES, changed["attributes"])
    if "last_delta" in changed:
        struct.pack_into(">i", data, LAST_DELTA, changed["last_delta"])
    for name in ("header", "body"):
        old, new = changed.get(name, (b"", b""))
        at = data.find(old) if old else len(data)
        data[at : at + len(old)] = new
    if not changed.get("is_damaged"):
        struct.pack_into(">I", data, 17, calc_crc32c(bytes(data[ATTRIBUTES:])))
    return bytes(data)


def opened(data, guard=None, at=0):
    guard = guard or BatchGuard(1 << 20)
    return _subclass(Fetcher.PartitionRecords, guard)(at, TP, MemoryRecords(data)), guard


GOOD = [b"a", b"b"]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (batch(2, [b"x"] * 3, attributes=5), "poison"),
        (batch(2, [b"x" * 50] * 3, attributes=1), "poison"),
        (batch(2, [b"x" * 50] * 3, attributes=4), "poison"),
        (batch(2, [b"x" * 50] * 3, body=(b"dxx", b"\xfe\x01x")), "poison"),
        (batch(2, [bytes(600_000)] * 3, codec=1), "too_large_batch"),
    ],
    ids=["unknown codec", "no gzip", "no zstd", "no records", "too large"],
)
def test_a_batch_that_cannot_be_read_is_passed_over(bad, reason):
    """Its neighbours arrive, and reading goes on behind it."""
    records, guard = opened(batch(0, GOOD) + bad + batch(5, GOOD))
    found = records.take(100)

    assert [(r.offset, r.value) for r in found] == [(0, b"a"), (1, b"b"), (5, b"a"), (6, b"b")]
    assert guard.take_passed_over() == [PassedOver(TP, 2, 4, 3, reason)]
    assert records.next_fetch_offset == 7


def test_a_wrong_checksum_ends_the_poll_first_and_is_passed_over_then():
    """The first time it is to be fetched again: the bytes may have suffered on the way."""
    data = batch(0, GOOD) + batch(2, [b"x" * 50] * 3, body=(b"xxx", b"xyx"), is_damaged=True) + batch(5, GOOD)
    records, guard = opened(data)
    assert [r.offset for r in records.take(100)] == [0, 1]
    with pytest.raises(CorruptRecordError):
        records.take(100)
    assert guard.take_passed_over() == []

    again, _ = opened(data, guard)
    assert [r.offset for r in again.take(100)] == [0, 1, 5, 6]
    assert guard.take_passed_over() == [PassedOver(TP, 2, 4, 3, "poison")]


def test_a_header_without_checksum_is_not_believed():
    """How many records it says it has means nothing where its two counts differ."""
    data = batch(0, [b"x"] * 3, last_delta=1_000_000, is_damaged=True)
    guard = BatchGuard(1 << 20)
    for _ in range(3):
        with pytest.raises(CorruptRecordError):
            opened(data, guard)[0].take(100)

    assert guard.take_passed_over() == []


def test_of_a_batch_read_from_within_only_the_rest_is_lost():
    """After a restart in its middle."""
    records, guard = opened(batch(0, [b"x"] * 10, attributes=5), at=7)

    assert records.take(100) == []
    assert guard.take_passed_over() == [PassedOver(TP, 7, 9, 3, "poison")]


def test_a_name_of_a_header_that_is_no_text_costs_nothing():
    """The client itself would hang on it."""
    data = batch(0, GOOD, headers=[("name", b"1")], body=(b"name", b"n\xffme"))
    found = opened(data)[0].take(100)

    assert [r.value for r in found] == GOOD
    assert list(RecordHeaders([found[0].headers])[0].values()) == [b"1"]


def test_what_compaction_took_away_is_no_loss():
    """The last offsets of a batch may be gone: reading goes on behind them."""
    records, guard = opened(batch(0, GOOD, last_delta=9) + batch(10, GOOD))

    assert [r.offset for r in records.take(100)] == [0, 1, 10, 11]
    assert guard.take_passed_over() == []


def test_a_poll_ends_with_the_batch_that_makes_it_full():
    """What is left comes with the next one; the limit holds over partitions."""
    guard = BatchGuard(1000)
    paused = []
    guard.pause = lambda: paused.append(True)
    records, _ = opened(b"".join(batch(2 * i, [bytes(300)] * 2) for i in range(5)), guard)
    guard.begin()
    assert [r.offset for r in records.take(100)] == [0, 1, 2, 3]
    assert paused
    assert guard.has_paused
    guard.begin()

    assert [r.offset for r in records.take(3)] == [4, 5, 6]
    assert [r.offset for r in records.take(100)] == [7]
    guard.begin()

    assert [r.offset for r in records.take(100)] == [8, 9]
    assert records.take(100) == []
