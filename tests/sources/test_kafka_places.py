"""Where the source stands when the brokers' log becomes another: without brokers."""

from kafka import OffsetAndMetadata, TopicPartition

from detector.batch import Loss, Partition
from detector.clock import ManualClock
from detector.sources.kafka_guard import BatchGuard, PassedOver
from detector.sources.kafka_losses import LossBook
from detector.sources.kafka_opening import Survey
from detector.sources.kafka_places import Places
from detector.sources.kafka_stall import STALLED_AFTER_S, StallWatch

P0, P1 = Partition("t", 0), Partition("t", 1)


def _survey(ranges, topic_id="A", starts=None):
    begins = {p: begin for p, (begin, _) in ranges.items()}
    ends = {p: end for p, (_, end) in ranges.items()}
    ids = {p.topic: topic_id for p in ranges}
    return Survey(tuple(sorted(ranges)), ids, "cluster", begins, ends, starts or begins)


def _places(positions, topic_ids=None, topics=("t",)):
    book = LossBook(ManualClock())
    places = Places(topics, book)
    places.seek(positions, topic_ids or {})
    return places, book


def test_a_truncated_log_is_read_on_where_it_was_cut():
    """The brokers say to where it is still the same: what was read behind that is told as lost."""
    places, book = _places({P0: 90, P1: 7})
    places.take_up(_survey({P0: (0, 100), P1: (0, 9)}))
    places.truncate({TopicPartition("t", 0): OffsetAndMetadata(80, "", 3), TopicPartition("x", 0): None})

    assert places.positions == {P0: 80, P1: 7}
    assert list(book.take()) == [Loss(P0, "truncated", 10, 80, 89)]


def test_a_truncation_that_nobody_can_place_is_told_and_read_on():
    """No offset is known to go back to."""
    places, book = _places({P0: 90})
    places.truncate({TopicPartition("t", 0): None})

    assert places.positions == {P0: 90}
    assert list(book.take()) == [Loss(P0, "truncated", 0, 90, 90)]


def test_a_topic_created_again_with_fewer_partitions_forgets_the_others():
    """What was unread of the old topic is lost with it."""
    places, book = _places({P0: 3, P1: 5}, {"t": "A"})
    places.take_up(_survey({P0: (0, 10), P1: (0, 5)}))
    places.take_up(_survey({P0: (0, 4)}, "B"))

    assert places.positions == {P0: 0}
    assert places.partitions == (P0,)
    assert list(book.take()) == [Loss(P0, "recreated", 7, 3, 9), Loss(P1, "recreated", 0, 5, 5)]


def test_a_topic_that_is_away_keeps_its_place():
    """Its partitions stay known, none of them idle-by-mistake; the other topic is read on."""
    other = Partition("u", 0)
    places, book = _places({P0: 3, other: 5}, {"t": "A", "u": "A"}, ("t", "u"))
    places.take_up(_survey({P0: (0, 10), other: (0, 5)}))
    assert places.note_gone([other])
    places.take_up(_survey({other: (0, 6)}))

    assert places.gone == {"t"}
    assert places.there == [other]
    assert places.positions == {P0: 3, other: 5}
    assert list(book.take()) == []


def test_a_batch_passed_over_counts_once():
    """The same batch seen again after a reconnection is not lost twice."""
    places, book = _places({P0: 4})
    places.take_up(_survey({P0: (0, 30)}))
    batch = PassedOver(TopicPartition("t", 0), 4, 9, 6, "poison")
    places.pass_over([batch])
    places.pass_over([batch])

    assert places.positions == {P0: 10}
    assert list(book.take()) == [Loss(P0, "poison", 6, 4, 9)]
    assert book.totals == {"poison": 6}


def test_losses_of_a_partition_for_one_reason_are_one():
    """However many there are, what is kept until somebody asks is bounded."""
    book = LossBook(ManualClock())
    for i in range(1000):
        book.add(Loss(P0, "poison", 2, 10 * i, 10 * i + 1))

    assert list(book.take()) == [Loss(P0, "poison", 2000, 0, 9991)]


def test_a_partition_that_stands_still_before_its_end_is_found():
    """After a minute of looks; one at its end, and one that moves, never."""
    watch, now_s = StallWatch(), 0.0
    stalled = []
    for i in range(30):
        now_s += 5.0
        stalled += watch.look({P0: 3, P1: i}, {P0: 10, P1: 100}, now_s)

    assert stalled == [P0] * int(30 * 5 / (STALLED_AFTER_S + 5))


def test_time_in_which_nobody_polled_is_no_standstill():
    """While a schema registry is away, say: the partitions could not move."""
    watch = StallWatch()

    assert watch.look({P0: 3}, {P0: 10}, 0.0) == []
    assert watch.look({P0: 3}, {P0: 10}, 1000.0) == []


def test_a_wrong_checksum_is_believed_the_second_time():
    """The bytes may have suffered on the way: they are fetched once more."""
    guard = BatchGuard(1 << 20)

    assert [guard.was_suspect("p", 5), guard.was_suspect("p", 5), guard.was_suspect("p", 5)] == [
        False,
        True,
        False,
    ]
