"""When cuts are kept: beside the loop, one at a time, less often when large; a bad disk stops nothing."""

import logging
import threading

import pytest

from detector.clock import ManualClock
from detector.errors import StateError
from detector.state import Cut, Keeper

EVERY_S = 10.0
TIMEOUT_S = 30


class GatedStore:
    """Keeps cuts in memory, when `gate` is open; how long that takes and how large they are it is told."""

    def __init__(self, clock):
        self._clock = clock
        self.gate, self.entered = threading.Event(), threading.Event()
        self.gate.set()
        self.kept, self.n_damaged, self.is_closed = [], 2, False
        self.takes_s, self.size, self.error = 0.0, 100, None

    def load(self):
        return iter(self.kept[::-1])

    def save(self, cut):
        self.entered.set()
        assert self.gate.wait(TIMEOUT_S)
        self._clock.advance(self.takes_s)
        if self.error is not None:
            raise self.error
        self.kept.append(cut.sequence)
        return self.size

    def close(self):
        self.is_closed = True


@pytest.fixture
def clock():
    return ManualClock(1000.0)


@pytest.fixture
def store(clock):
    store = GatedStore(clock)
    yield store
    store.gate.set()


@pytest.fixture
def keeper(store, clock, monkeypatch):
    # A busy machine is no hanging disk.
    monkeypatch.setattr("detector.state.keeper.LAST_TIMEOUT_S", TIMEOUT_S)
    keeper = Keeper(store, EVERY_S, clock)
    yield keeper
    store.gate.set()
    assert keeper.finish()


@pytest.fixture
def told(caplog):
    """What the keeper logs, whatever levels others have set and threads of theirs say."""
    caplog.set_level(logging.INFO, "detector.state.keeper")
    return lambda: [record for record in caplog.records if record.name == "detector.state.keeper"]


def keep(keeper):
    """Have the next cut written; return it."""
    cut = Cut(None, {}, sequence=keeper.next_sequence)
    keeper.keep(cut)
    return cut


def test_a_cut_is_durable_when_it_is_written_and_is_told_once(keeper, store):
    """Not before: what is committed elsewhere must never be ahead of it."""
    store.gate.clear()
    cut = keep(keeper)
    assert store.entered.wait(TIMEOUT_S)
    assert keeper.take_durable() is None
    assert keeper.status().last_s is None

    store.gate.set()
    assert keeper.finish()
    assert keeper.take_durable() is cut
    assert keeper.take_durable() is None


def test_the_loop_goes_on_while_one_is_written_and_the_next_waits(keeper, store, clock):
    """However long it takes."""
    store.gate.clear()
    clock.advance(EVERY_S)
    assert keeper.is_due
    keep(keeper)
    clock.advance(100 * EVERY_S)
    assert not keeper.is_due

    store.gate.set()
    assert keeper.finish()
    assert store.kept == [1]


def test_the_first_is_due_after_the_interval_and_so_is_each(keeper, store, clock):
    due = []
    for second in range(1, 36):
        clock.advance(1.0)
        if keeper.is_due:
            due.append(second)
            keep(keeper)
            assert keeper.finish()
    assert due == [10, 20, 30]
    assert store.kept == [1, 2, 3]


@pytest.mark.parametrize(
    ("size", "takes_s", "then_s"),
    [
        (1 << 20, 0.25, 10.0),  # ten times as much would be allowed
        (40 << 20, 0.25, 40.0),  # a megabyte a second
        (1 << 20, 2.0, 40.0),  # a twentieth of the time
        (40 << 20, 3.0, 60.0),  # the longer of both
    ],
)
def test_a_large_or_slow_one_is_kept_less_often(keeper, store, clock, size, takes_s, then_s):
    store.size, store.takes_s = size, takes_s
    clock.advance(EVERY_S)
    keep(keeper)
    assert keeper.finish()
    clock.advance(then_s - takes_s - 0.01)
    assert not keeper.is_due
    clock.advance(0.02)
    assert keeper.is_due


def test_a_store_that_fails_is_counted_told_once_and_tried_again(keeper, store, clock, told):
    store.error = StateError("cut-1: cannot be written (No space left on device)")
    for _ in range(3):
        clock.advance(EVERY_S)
        assert keeper.is_due
        keep(keeper)
        assert keeper.finish()
    assert keeper.status().n_failed == 3
    assert keeper.take_durable() is None
    assert [record.getMessage() for record in told()] == [
        "state is not kept: cut-1: cannot be written (No space left on device); going on, and trying again"
    ]

    store.error = None
    cut = keep(keeper)
    assert keeper.finish()
    assert keeper.take_durable() is cut
    assert told()[-1].getMessage() == "state is kept again"
    assert (keeper.status().n_failed, keeper.status().last_s) == (3, clock.now_s())


def test_a_failure_that_takes_long_is_not_tried_again_at_once(keeper, store, clock):
    """Writing in vain is writing too."""
    store.error, store.takes_s = StateError("no"), 2.0
    keep(keeper)
    assert keeper.finish()
    clock.advance(37.9)
    assert not keeper.is_due
    clock.advance(0.2)
    assert keeper.is_due


def test_whatever_a_store_raises_the_service_goes_on(keeper, store, told):
    """With its traceback, once."""
    store.error = MemoryError()
    for _ in range(2):
        keep(keeper)
        assert keeper.finish()
    assert keeper.status().n_failed == 2
    [record] = told()
    assert record.exc_info[0] is MemoryError


def test_a_failure_leaves_the_cut_before_durable(keeper, store):
    cut = keep(keeper)
    assert keeper.finish()
    store.error = StateError("no")
    keep(keeper)
    assert keeper.finish()
    assert keeper.take_durable() is cut


def test_the_status_tells_of_the_last_that_was_kept(keeper, store, clock):
    store.size, store.takes_s = 4096, 0.5
    keep(keeper)
    assert keeper.finish()
    status = keeper.status()
    assert (status.last_s, status.duration_s, status.size_bytes) == (1000.5, 0.5, 4096.0)
    assert (status.n_failed, status.n_damaged) == (0, 2)


def test_the_end_waits_for_the_one_that_is_being_written(keeper, store):
    store.gate.clear()
    keep(keeper)
    assert store.entered.wait(TIMEOUT_S)
    opener = threading.Thread(target=store.gate.set)
    opener.start()
    assert keeper.finish()
    opener.join()
    assert store.kept == [1]
    keeper.close()
    assert store.is_closed


def test_the_end_does_not_wait_for_ever_and_closes_nothing_that_is_used(keeper, store, monkeypatch):
    """A disk that hangs: the end of the program lets go of the store."""
    monkeypatch.setattr("detector.state.keeper.LAST_TIMEOUT_S", 0.01)
    store.gate.clear()
    keep(keeper)
    assert store.entered.wait(TIMEOUT_S)
    assert not keeper.finish()
    keeper.close()
    assert not store.is_closed
    monkeypatch.setattr("detector.state.keeper.LAST_TIMEOUT_S", TIMEOUT_S)


def test_numbers_go_on_from_what_was_read(keeper):
    """And never back."""
    keeper.begin_after(41)
    keeper.begin_after(7)
    assert keep(keeper).sequence == 42
    assert keeper.finish()
    assert keeper.next_sequence == 43
