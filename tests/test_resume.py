"""A service that is ended anywhere goes on as if it had not been: nothing lost, nothing counted twice."""

import itertools

import numpy as np
import pytest

from detector.clock import ManualClock
from detector.errors import StateError
from detector.metrics import Metrics
from detector.pipeline import Pipeline
from detector.resume import Memory
from detector.service import Service
from detector.sinks import PromptSink
from detector.sources import Mark
from detector.sources.memory import MemorySource
from detector.state import DirectoryStore
from detector.view import SinkStatus
from detector.watched import Monitored
from detector.windows.spec import WindowSpec
from tests.support.factories import KEY, START_S, baseline_of, decoder_of, event, training_rows

SPEC = WindowSpec(pane_s=60, lengths_s=(300, 600), lateness_s=60, idle_after_s=1e9)
N_PARTITIONS = 2
N_MINUTES = 40


@pytest.fixture(scope="module")
def baseline():
    return baseline_of(training_rows(np.random.default_rng(4), 3000))


class Told(PromptSink):
    """A sink whose receiver is there for every run: what it was told, run by run."""

    def __init__(self):
        self.notices = []

    def send(self, notices):
        self.notices += notices

    def status(self):
        return SinkStatus("told", sent=len(self.notices))

    def recall(self, tree):
        raise AssertionError("nothing was remembered")


def filled(n_minutes=N_MINUTES, seed=1):
    """A topic with drift in the middle, late events and broken ones."""
    rng, source = np.random.default_rng(seed), MemorySource(N_PARTITIONS)
    for minute in range(n_minutes):
        for row in training_rows(rng, 200):
            if 12 <= minute < 24:
                row["country"] = "XX"
            time_s = START_S + 60 * (minute + rng.normal(0, 0.5) - (9 if rng.random() < 0.02 else 0))
            payload = b"{" if rng.random() < 0.01 else event(row, time_s)
            source.append(payload, int(rng.integers(0, N_PARTITIONS)))
    return source


class Runs:
    """A service that is started again and again over one topic and one directory."""

    def __init__(self, baseline, directory, source):
        self.models = {KEY: Monitored(baseline)}
        self.directory, self.source = directory, source
        self.clock = ManualClock(START_S + 36_000)
        self.told = Told()
        self.store = None

    def start(self):
        """Begin a run; the source knows nothing of earlier ones."""
        if self.store is not None:
            self.store.close()
        self.source.seek(dict.fromkeys(self.source.partitions, 0), {})
        self.store = DirectoryStore(self.directory)
        self.memory = Memory(self.clock, self.store, every_s=10)
        self.metrics = Metrics()
        self.service = Service(
            self.source,
            decoder_of(self.models),
            Pipeline(SPEC, self.models),
            {KEY: self.models[KEY].baseline},
            [self.told],
            self.metrics,
            self.clock,
            SPEC.idle_after_s,
            memory=self.memory,
        )
        return self

    def step(self, n=1, seconds=4.0, at_once=1500):
        """Go round, some records at a time; a cut is due each third time, and written before the next."""
        import detector.sources.memory as module

        before, module.MAX_POLL_RECORDS = module.MAX_POLL_RECORDS, at_once
        for _ in range(n):
            self.clock.advance(seconds)
            self.service.step()
            assert self.memory._keeper.finish()
        module.MAX_POLL_RECORDS = before

    def end(self):
        self.service.stop()
        self.service.run()
        self.store = None

    @property
    def view(self):
        return self.metrics.view


@pytest.fixture(scope="module")
def alone(baseline, tmp_path_factory):
    """A run that nobody disturbs, over all of the topic."""
    runs = Runs(baseline, tmp_path_factory.mktemp("alone"), filled())
    runs.start().step(20)
    runs.service.finish()
    assert any(n.transition.status == "resolved" for n in runs.told.notices)
    return runs


def keys(notices):
    return {notice.idempotency_key: notice.transition for notice in notices}


@pytest.mark.parametrize("killed_after", [(1,), (2, 5), (3, 1, 4), tuple([2] * 8), (7, 7)])
def test_killed_anywhere_counts_evaluations_and_alerts_are_the_same(baseline, tmp_path, alone, killed_after):
    """What was told after the last cut is told again, under the same keys and with the same words."""
    runs = Runs(baseline, tmp_path, filled())
    for n in killed_after:
        runs.start().step(n)
    runs.start().step(20)
    runs.service.finish()
    runs.store.close()

    assert runs.view.counters == alone.view.counters
    assert runs.view.counters.evaluation_digest == alone.view.counters.evaluation_digest
    assert keys(runs.told.notices) == keys(alone.told.notices)


@pytest.mark.parametrize("rounds", [1, 3, 5, 9])
def test_ended_in_good_order_nothing_is_told_twice(baseline, tmp_path, alone, rounds):
    runs = Runs(baseline, tmp_path, filled())
    for _ in range(3):
        runs.start().step(rounds)
        runs.end()
    runs.start().step(20)
    runs.service.finish()
    runs.store.close()

    told = [notice.idempotency_key for notice in runs.told.notices]
    assert len(told) == len(set(told))
    assert keys(runs.told.notices) == keys(alone.told.notices)
    assert runs.view.counters == alone.view.counters


def test_a_restart_shows_what_fires_before_it_reads_anything(baseline, tmp_path):
    runs = Runs(baseline, tmp_path, filled(20))
    runs.start().step(12)
    firing = {alert.id for alert in runs.view.firing}
    runs.end()
    runs.start()

    assert firing
    assert {alert.id for alert in runs.view.firing} == firing
    assert runs.view.judged.keys() == {(KEY, 300), (KEY, 600)}


def test_a_damaged_cut_is_made_up_for_by_reading_further_back(baseline, tmp_path, alone):
    """The older one is taken, and what came since is read again."""
    runs = Runs(baseline, tmp_path, filled())
    runs.start().step(10)
    newest = max(tmp_path.glob("cut-*"), key=lambda path: path.stat().st_mtime_ns)
    newest.write_bytes(newest.read_bytes()[:-100])
    runs.start().step(20)
    runs.service.finish()
    runs.store.close()

    assert runs.view.state.n_damaged == 1
    assert runs.view.counters == alone.view.counters


@pytest.mark.parametrize("rounds", [4, 7, 11])
def test_without_a_disk_windows_are_built_again_from_the_topic(baseline, tmp_path, alone, rounds):
    """From what the group has committed: every window from then on has the counts that it should have."""
    runs = Runs(baseline, tmp_path, filled())
    runs.start().step(rounds)
    assert runs.source.committed()
    n_told = len(runs.told.notices)
    for path in tmp_path.glob("cut-*"):
        path.unlink()
    runs.start()
    begun_at = [offset for offset, _ in runs.source.committed().values()]
    assert sum(runs.source.positions().values()) == sum(begun_at)
    runs.step(20)
    runs.service.finish()
    runs.store.close()

    assert len(runs.told.notices) >= n_told
    for place, judged in runs.view.judged.items():
        expected = alone.view.judged[place].evaluation.window
        assert judged.evaluation.window.end_s == expected.end_s
        assert judged.evaluation.window.profile.counts.tolist() == expected.profile.counts.tolist()


def test_what_is_lost_is_counted_and_windows_say_so(baseline, tmp_path):
    """Retention was faster while nobody read."""
    runs = Runs(baseline, tmp_path, filled())
    runs.start().step(4)
    runs.end()
    at = runs.source.positions()[runs.source.partitions[0]]
    runs.source.truncate(0, at + 100)
    runs.start().step(20)
    runs.service.finish()
    runs.store.close()

    assert runs.view.counters.lost["memory", "out_of_range"] >= 100


def test_without_any_whole_cut_it_begins_anew(baseline, tmp_path):
    runs = Runs(baseline, tmp_path, filled())
    runs.start().step(10)
    for path in tmp_path.glob("cut-*"):
        path.write_bytes(b"")
    runs.source.commit(dict.fromkeys(runs.source.partitions, Mark(5, "of somebody else")))
    runs.start()

    assert runs.view.counters.consumed.total() == 0
    assert runs.view.state.n_damaged == 2
    runs.store.close()


def test_a_cut_of_a_newer_version_stops_the_start(baseline, tmp_path):
    from detector.state.encoding import HEAD, VERSION, head_of

    runs = Runs(baseline, tmp_path, filled())
    runs.start().step(10)
    for path in tmp_path.glob("cut-*"):
        body = path.read_bytes()[HEAD.size :]
        path.write_bytes(head_of(body, VERSION + 1) + body)
    with pytest.raises(StateError, match="newer"):
        runs.start()
    runs.store.close()


def test_a_disk_that_cannot_be_written_to_does_not_stop_the_service(baseline, tmp_path):
    """It says so, and goes on; when it can be written to again the next cut is kept."""
    runs = Runs(baseline, tmp_path, filled())
    runs.start().step(5)
    kept_s = runs.view.state.last_s
    blocked = tmp_path / "cut.tmp"
    blocked.mkdir()
    runs.step(5)
    assert runs.view.state.n_failed >= 1
    assert runs.view.state.last_s == kept_s
    assert runs.view.counters.consumed.total() > 0
    blocked.rmdir()
    runs.step(4)
    assert runs.view.state.last_s > kept_s
    runs.store.close()


def test_cuts_come_as_often_as_the_configuration_says(baseline, tmp_path):
    """The first one at once: where to begin may not be found twice."""
    runs = Runs(baseline, tmp_path, filled())
    runs.start()
    sequences = []
    for _ in range(12):
        runs.step()
        sequences.append(max((cut.sequence for cut in runs.store.load()), default=0))
    runs.store.close()
    assert [len(list(group)) for _, group in itertools.groupby(sequences)] == [3, 3, 3, 3]


class Slow(Told):
    """A sink that tells only when it is closed, in the last moment; it remembers what is still to be told."""

    def __init__(self):
        super().__init__()
        self.waiting = []

    def send(self, notices):
        self.waiting += notices

    def status(self):
        return SinkStatus("slow", sent=len(self.notices), queued=len(self.waiting))

    def remember(self):
        return len(self.waiting)

    def recall(self, tree):
        self.recalled = tree

    def close(self):
        self.notices += self.waiting
        self.waiting = []


def test_what_is_told_at_the_very_end_is_not_told_again(baseline, tmp_path):
    """The last cut is written before the sinks are closed, lest a slow one cost it; and once more behind."""
    runs = Runs(baseline, tmp_path, filled())
    runs.told = Slow()
    runs.start().step(12)
    assert runs.told.waiting
    runs.end()
    told = len(runs.told.notices)
    runs.start()

    assert told > 0
    assert runs.told.recalled == 0
