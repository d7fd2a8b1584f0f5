"""Watermarks: lateness is a matter of an event's own partition, emission of all of them."""

import numpy as np

from detector.batch import Partition
from detector.windows.spec import WindowSpec
from detector.windows.watermark import Watermark

P = (Partition("t", 0), Partition("t", 1))
SPEC = WindowSpec(pane_s=10, lengths_s=(10,), lateness_s=5)


def _admit(watermark: Watermark, times: list[float], partition: list[int] | None = None) -> list[bool]:
    numbers = np.array(partition or [0] * len(times))
    return watermark.admit(np.array(times, dtype=np.float64), numbers, P).tolist()


def test_an_event_is_late_once_its_pane_closed_for_its_partition():
    """Pane [0, 10) closes when the partition has seen 15: 10 plus the lateness of 5.

    events    1    14    9    15    9.9   10
                              |--- pane 0 closed for what follows
    """
    assert _admit(Watermark(SPEC), [1, 14, 9, 15, 9.9, 10]) == [False, False, False, False, True, False]


def test_a_fast_partition_does_not_make_the_events_of_a_slow_one_late():
    """Partition 1 is still at time 1 while partition 0 is at 1000."""
    assert _admit(Watermark(SPEC), [1000, 1, 2], [0, 1, 1]) == [False, False, False]


def test_the_slowest_partition_holds_the_watermark_until_it_is_idle():
    """Panes wait for a partition that lags, not for one that has nothing to say."""
    watermark = Watermark(SPEC)
    _admit(watermark, [1000, 1], [0, 1])
    assert watermark.time_s == 1 - 5

    watermark.set_idle([P[1]])
    assert watermark.time_s == 1000 - 5


def test_records_that_are_no_events_move_nothing():
    """NaN is the time of a record that was rejected."""
    watermark = Watermark(SPEC)

    assert _admit(watermark, [np.nan, 3, np.nan]) == [False, False, False]
    assert watermark.max_time_s == 3


def test_before_the_first_event_there_is_no_event_time():
    """Nothing is closed before anything has come."""
    watermark = Watermark(SPEC)

    assert watermark.time_s == -np.inf
    assert watermark.time_of(P[0]) is None


def test_silence_lets_event_time_go_on():
    """A stream that has stopped still closes its windows."""
    watermark = Watermark(SPEC)
    _admit(watermark, [100, 100], [0, 1])
    watermark.advance_to(500)

    assert watermark.time_s == 500
