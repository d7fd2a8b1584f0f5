"""Several services over one topic and one store, of which one is active: who it is, a test says."""

import numpy as np
import pytest

from detector.clock import ManualClock
from detector.metrics import Metrics
from detector.pipeline import Pipeline
from detector.resume import GENERATIONS, Memory, term_after
from detector.service import Service
from detector.sources import Term
from detector.sources.memory import MemorySource
from detector.state import StateAwayError
from detector.watched import Monitored
from tests.support.factories import KEY, baseline_of, decoder_of, training_rows
from tests.test_resume import SPEC, Told, filled, keys


@pytest.fixture(scope="module")
def baseline():
    return baseline_of(training_rows(np.random.default_rng(4), 3000))


class Chair:
    """A duty that a test gives and takes."""

    def __init__(self):
        self.group = "three"
        self.term, self.committed, self.is_closed, self.is_member = None, [], False, True
        self.asked = 0
        self.until_asked = None
        """The duty ends when it was asked for so many times."""

    def check(self):
        self.asked += 1
        if self.until_asked is not None and self.asked > self.until_asked:
            self.term = None
        return self.term

    def commit(self, points):
        self.committed.append(points)
        return True

    def close(self):
        self.is_closed = True


class Shared:
    """A store that all replicas have: the newest cut of the highest term, as a topic does it."""

    def __init__(self):
        self.cuts, self.n_damaged, self.is_away = [], 0, False

    @property
    def highest_term(self):
        return max((cut.term for cut in self.cuts), default=0)

    def load(self):
        if self.is_away:
            raise StateAwayError("no broker")
        return iter(sorted(self.cuts, key=lambda cut: (-cut.term, -cut.sequence)))

    def save(self, cut):
        self.cuts.append(cut)
        return 1000

    def close(self):
        pass


class Replica:
    """One of the services; its source stands where it likes in the topic that all read."""

    def __init__(self, baseline, store, told, log):
        models = {KEY: Monitored(baseline)}
        self.source = MemorySource(len(log.partitions))
        self.source._logs = log._logs
        self.clock, self.chair, self.metrics = ManualClock(2e9), Chair(), Metrics()
        self.memory = Memory(self.clock, store, every_s=10)
        self.service = Service(
            self.source, decoder_of(models), Pipeline(SPEC, models), {KEY: baseline}, [told], self.metrics,
            self.clock, SPEC.idle_after_s, memory=self.memory, duty=self.chair,
        )  # fmt: skip

    def step(self, n=1, at_once=1500):
        import detector.sources.memory as module

        before, module.MAX_POLL_RECORDS = module.MAX_POLL_RECORDS, at_once
        for _ in range(n):
            self.clock.advance(4.0)
            self.service.step()
            assert self.memory._keeper.finish()
        module.MAX_POLL_RECORDS = before

    @property
    def view(self):
        return self.metrics.view

    @property
    def page(self):
        return self.metrics.page()[0].decode()


class World:
    """Replicas, and the sink that all of them tell."""

    def __init__(self, baseline, n=2):
        self.told, self.store, log = Told(), Shared(), filled(26)
        self.replicas = [Replica(baseline, self.store, self.told, log) for _ in range(n)]

    def elect(self, i, number):
        """Give the duty to one; the others do not have it."""
        for j, replica in enumerate(self.replicas):
            replica.chair.term = Term(number) if i == j else None


@pytest.fixture(scope="module")
def alone(baseline):
    world = World(baseline, 1)
    world.elect(0, 1)
    world.replicas[0].step(8)
    world.replicas[0].service.finish()
    return world


def test_a_standby_reads_nothing_tells_nothing_and_is_ready(baseline):
    world = World(baseline)
    world.elect(0, 1)
    active, standby = world.replicas
    for _ in range(12):
        active.step()
        standby.step()

    assert set(standby.source.positions().values()) == {0}
    assert standby.view.ready
    assert not standby.view.is_active
    assert standby.view.counters.consumed.total() == 0
    assert {notice.idempotency_key for notice in world.told.notices}
    assert active.view.is_active


def test_a_standby_that_is_in_no_group_is_not_ready(baseline):
    """It could not take over."""
    world = World(baseline)
    world.replicas[0].chair.is_member = False
    world.replicas[0].step()
    assert not world.replicas[0].view.ready


def test_a_standby_exports_that_it_is_one_and_no_judgement_nor_count(baseline):
    world = World(baseline)
    world.elect(0, 1)
    active, standby = world.replicas
    active.step(12)
    standby.step(12)

    assert "drift_active 0.0" in standby.page
    assert "drift_ready 1.0" in standby.page
    assert 'drift_replica_info{group="three"} 1.0' in standby.page
    names = {line.split("{")[0].split(" ")[0] for line in standby.page.splitlines() if line[0] != "#"}
    for name in ("drift_feature_state", "drift_events_consumed_total", "drift_alerts_firing",
                 "drift_consumer_lag_records", "drift_watermark_timestamp_seconds"):  # fmt: skip
        assert name not in names
        assert f"\n{name}" in active.page


@pytest.mark.parametrize("turns", [(1, 1, 1), (2, 5, 1, 3), (7, 2, 8), (3, 3, 3, 3, 3, 3)])
def test_whoever_is_active_counts_evaluations_and_alerts_are_those_of_one_alone(baseline, alone, turns):
    """The duty goes round at any moment; what the one before had not kept is read again by the next."""
    world = World(baseline, 3)
    for number, n in enumerate(turns, start=1):
        world.elect(number % 3, number)
        for replica in world.replicas:
            replica.step(n)
    world.elect(0, 99)
    last = world.replicas[0]
    last.step(8)
    last.service.finish()

    assert last.view.counters == alone.replicas[0].view.counters
    assert keys(world.told.notices) == keys(alone.told.notices)


@pytest.mark.parametrize("answers", [1, 2, 4, 7, 12, 20, 33, 54, 88])
def test_duty_that_ends_amid_a_round_leaves_nothing_told_or_saved_after_it(baseline, alone, answers):
    """A frozen replica may wake anywhere: from the first answer that its term is over nothing leaves it."""
    world = World(baseline)
    world.elect(0, 1)
    zombie, other = world.replicas
    zombie.chair.until_asked = answers
    zombie.step(10)
    n_told, n_cuts = len(world.told.notices), len(world.store.cuts)
    # The term comes back, as where a lease ended and nobody else was there: what was left out is not lost.
    zombie.chair.until_asked = None
    zombie.chair.term = Term(1)
    world.elect(1, 2)
    zombie.step(1)
    assert (len(world.told.notices), len(world.store.cuts)) == (n_told, n_cuts)
    other.step(8)
    other.service.finish()

    assert other.view.counters == alone.replicas[0].view.counters
    assert keys(world.told.notices) == keys(alone.told.notices)


def test_a_term_that_was_over_once_is_not_gone_on_with(baseline, alone):
    """It begins anew from what was kept, though the number is the same."""
    world = World(baseline, 1)
    [replica] = world.replicas
    for _ in range(4):
        replica.chair.term = Term(1)
        replica.step(3)
        replica.chair.term = None
        replica.step(1)
    replica.chair.term = Term(1)
    replica.step(8)
    replica.service.finish()

    assert replica.view.counters == alone.replicas[0].view.counters
    assert keys(world.told.notices) == keys(alone.told.notices)


def test_state_that_cannot_be_read_is_waited_for(baseline, alone):
    """To begin without it would be to forget everything."""
    world = World(baseline)
    world.elect(0, 1)
    world.replicas[0].step(8)
    world.store.is_away = True
    world.elect(1, 2)
    other = world.replicas[1]
    other.step(3)
    assert not other.view.is_active
    assert set(other.source.positions().values()) == {0}

    world.store.is_away = False
    other.step(8)
    other.service.finish()
    assert other.view.counters == alone.replicas[0].view.counters


def test_what_is_durable_is_committed_and_never_more(baseline):
    world = World(baseline, 1)
    world.elect(0, 1)
    [replica] = world.replicas
    replica.step(12)

    kept = [cut.positions for cut in world.store.cuts]
    assert replica.chair.committed
    for points, positions in zip(replica.chair.committed, kept, strict=False):
        assert all(at <= positions[p] for p, (at, _) in points.items())


def test_the_end_keeps_a_last_cut_before_the_duty_is_handed_over(baseline):
    world = World(baseline, 1)
    world.elect(0, 1)
    [replica] = world.replicas
    replica.step(2)
    n = len(world.store.cuts)
    replica.service.stop()
    replica.service.run()

    assert len(world.store.cuts) == n + 1
    assert replica.chair.is_closed


def test_the_end_of_a_standby_keeps_nothing(baseline):
    world = World(baseline)
    standby = world.replicas[1]
    standby.step(2)
    standby.service.stop()
    standby.service.run()

    assert world.store.cuts == []
    assert standby.chair.is_closed


def test_terms_in_the_store_grow_though_the_brokers_count_anew():
    """And two generations never have the same, whatever they found."""
    assert term_after(0, 5) == 5
    assert term_after(7, 9) == 9
    again = term_after(7, 1)
    assert again > 7
    assert term_after(7, 2) != again
    assert term_after(again, 2) == again + 1
    assert term_after(again, 1) == again + GENERATIONS
