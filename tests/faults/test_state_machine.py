"""Crashes by the ten thousand, in this process: the core, the in-memory source, and a disk whose power fails.

The source is held to the same contract as Kafka (tests/sources). Hypothesis chooses what happens, and
where something is wrong finds the shortest way there.
"""

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from tests.faults.disk import Disk
from tests.faults.form import IS_LONG, SEED, either
from tests.faults.world import GARBAGE, GOOD, POLICIES, STRANGE, TOMBSTONE, World

RUNS = either(30, 1_600)
STEPS = 100

shares = st.integers(0, 64).map(lambda n: n / 64)
rarely = st.integers(0, 7).map(lambda n: n == 7)
"""So that what takes everything back leaves time for something to be there."""
partitions = st.integers(0, 3)
policies = st.integers(0, len(POLICIES) - 1)
kinds_of_records = st.tuples(
    st.sampled_from([0, 0, 1, 1, 2]),
    st.sampled_from([0, 0, 90, 600]),
    st.sampled_from([GOOD] * 4 + [STRANGE, GARBAGE, TOMBSTONE]),
    st.sampled_from([0.0, 0.1, 3.0]),
    st.sampled_from(["a", "b", "new"]),
)
"""(minutes that time goes on by, seconds that every third is late, kind of every fifth, values)."""


class Crashes(RuleBasedStateMachine):
    """What may happen to a service, in any order."""

    crashes = 0
    cuts = 0
    records = 0

    def __init__(self) -> None:
        super().__init__()
        self._disk = Disk()
        self.world = World(self._disk)

    def teardown(self) -> None:
        """Read to the end, and look whether all is right."""
        try:
            self.world.poll()
            self.world.check()
        finally:
            Crashes.crashes += self.world.crashes
            Crashes.records += self.world.appended
            self._disk.__exit__(None, None, None)

    @rule(number=partitions, n=st.integers(1, 20), of=kinds_of_records)
    def append(self, number, n, of):
        """Records come; time goes on with them, and some are late."""
        self._send(number, n, of)

    @rule(rounds=st.integers(1, 4), of=kinds_of_records, save_every=st.integers(1, 9))
    def work(self, rounds, of, save_every):
        """All is well for a while."""
        for i in range(rounds):
            self._send(i, 12, of)
            self.world.poll()
            if i % save_every == save_every - 1:
                self.world.save()

    @rule(rounds=st.integers(2, 6), x=st.sampled_from([0.0, 3.0]))
    def work_without_oddities(self, rounds, x):
        """All is very well, or everything has drifted."""
        for i in range(rounds):
            self._send(i, 20, (1, 0, GOOD, x, "a"))
            self.world.poll()
        self.world.save()

    def _send(self, number, n, of):
        minutes, late, kind, x, c = of
        for i in range(n):
            delta_s = 7.0 * (i % 9) - late * (i % 3 == 2)
            self.world.append(number + i % 2, kind if i % 5 == 4 else GOOD, delta_s, x + 0.1 * i, c)
        self.world.event_s += 60.0 * minutes

    @rule()
    def poll(self):
        """The service reads."""
        self.world.poll()

    @rule(silent_for_s=st.sampled_from([0.0, 30.0, 200.0]))
    def quiet(self, silent_for_s):
        """Nothing comes for a while."""
        self.world.quiet(silent_for_s)

    @rule()
    def save(self):
        """A cut is written."""
        self.world.save()

    @rule()
    def crash(self):
        """kill -9."""
        self.world.crash()

    @rule(kept=st.sampled_from([0.0, 0.3, 0.99, 1.0]), is_renamed=st.booleans())
    def crash_while_saving(self, kept, is_renamed):
        """The power fails while a cut is written."""
        self.world.crash_while_saving(kept, is_renamed)

    @rule(n=st.integers(1, 20))
    def crash_again_and_again(self, n):
        """A crash before the first poll, and one amid the work, some times over."""
        for i in range(n):
            self.world.crash()
            if i % 3 == 1:
                self.world.poll()
            if i % 5 == 4:
                self.world.save()

    @rule(where=shares, now=rarely)
    def rot(self, where, now):
        """The newest cut is damaged."""
        if now:
            self.world.rot(where)

    @rule(policy=policies)
    def restart_with_other_settings(self, policy):
        """The configuration changed while the service was down."""
        self.world.crash(policy)

    @rule(policy=policies)
    def reload(self, policy):
        """The configuration changes while it runs."""
        self.world.use(policy)

    @rule(number=partitions, share=shares)
    def truncate(self, number, share):
        """Retention takes the head of a partition."""
        self.world.truncate(number, share)

    @rule(now=rarely)
    def recreate(self, now):
        """The topic is deleted and made again."""
        if now:
            self.world.topic.recreate()

    @rule(now=rarely)
    def add_partition(self, now):
        """The topic grows."""
        if now:
            self.world.topic.add_partition()

    @rule(seconds=st.sampled_from([-90000.0, -3600.0, 1.0, 3600.0, 90000.0]))
    def clock_jump(self, seconds):
        """Somebody sets the clock."""
        self.world.wall_s += seconds


@pytest.mark.timeout(either(120, 7200))
def test_the_core_survives_any_history_of_crashes(tell):
    """After any of them it is what an undisturbed one would be; nothing is lost but what is reported."""
    how = settings(
        max_examples=RUNS,
        stateful_step_count=STEPS,
        deadline=None,
        report_multiple_bugs=False,
        database=None,
        # Looking for the shortest way to a failure takes minutes.
        phases=[Phase.generate, Phase.shrink] if IS_LONG else [Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    Crashes.crashes = Crashes.records = 0
    run_state_machine_as_test(seed(SEED)(Crashes), settings=how)
    tell(runs=RUNS, records=Crashes.records, crashes=Crashes.crashes, mismatches=0)

    assert Crashes.crashes >= either(1_500, 100_000)
