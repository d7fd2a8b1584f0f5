"""What a pipeline remembers, another one goes on with as if nothing had happened."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.batch import ModelKey
from detector.drift.policy import DecisionPolicy
from detector.pipeline import Pipeline
from detector.tree import Frozen
from detector.watched import Monitored
from detector.windows.slices import Slices
from detector.windows.spec import WindowSpec
from tests.support.factories import KEY, START_S, baseline_of, decoder_of, event, records, training_rows

OTHER = ModelKey("churn", "7")
SPEC = WindowSpec(pane_s=60, lengths_s=(300.0, 600.0, 36_000.0), lateness_s=60)
N_PARTITIONS = 3
POLICY = DecisionPolicy(min_samples=50)


@pytest.fixture(scope="module")
def baseline():
    return baseline_of(training_rows(np.random.default_rng(1), 3000), slices=("country",))


def models_of(known, **changes):
    slices = Slices({"country": ("DE", "FR")})
    return {
        KEY: replace(Monitored(known, POLICY, slices), **changes),
        OTHER: Monitored(replace(known, model="churn", version="7"), POLICY),
    }


def polls(rng, n=40):
    """Polls of a stream with drift in its middle; some events are late, far ahead, broken or of no model."""
    found = []
    for i in range(n):
        values, partitions = [], []
        for row in training_rows(rng, int(rng.integers(0, 120))):
            minute = i * 0.7 + rng.normal(0, 0.8) - (9 if rng.random() < 0.02 else 0)
            if n // 3 < i < 2 * n // 3:
                row = {**row, "amount": row["amount"] * 9, "country": rng.choice(["DE", "XX"]).item()}
            key = (KEY, OTHER, ModelKey("nobody", "1"))[rng.choice(3, p=[0.7, 0.28, 0.02])]
            time_s = START_S + 60 * (minute + (1e6 if rng.random() < 0.01 else 0))
            more = {"extra": 1} if i > n // 2 and rng.random() < 0.3 else {}
            values.append(b"{" if rng.random() < 0.01 else event({**row, **more}, time_s, key))
            partitions.append(int(rng.integers(0, N_PARTITIONS)))
        found.append((values, partitions))
    return found


class Run:
    """A pipeline that is fed poll by poll, and all that came out of it."""

    def __init__(self, models, spec=SPEC):
        self.models = models
        self.decoder = decoder_of(models)
        self.pipeline = Pipeline(spec, models)
        self.outcomes = []

    def feed(self, poll):
        decoded = self.decoder.decode(records(*poll, N_PARTITIONS))
        self.outcomes += self.pipeline.feed(decoded, START_S + 7200)

    def restart(self, models=None, spec=SPEC):
        """Go on with a new pipeline that knows only what the last one remembered."""
        tree = self.pipeline.remember()
        self.models = models or self.models
        self.decoder = decoder_of(self.models)
        self.pipeline = Pipeline(spec, self.models)
        return self.pipeline.recall(tree)

    def told(self):
        """Return everything that came out, bit for bit."""
        return [
            (
                o.end_s,
                o.transitions,
                [
                    (
                        j.state.tobytes(),
                        j.dataset_state.tobytes(),
                        j.anomalies,
                        j.evaluation.n.tobytes(),
                        j.evaluation.excess.tobytes(),
                        j.evaluation.window.profile.counts.tobytes(),
                        j.evaluation.window.profile.sums.tobytes(),
                        {name: s.threshold.tobytes() for name, s in j.evaluation.statistics.items()},
                    )
                    for j in o.judged
                ],
            )
            for o in self.outcomes
        ]


def by_id(alerts):
    return {alert.id: alert for alert in alerts}


def run_of(models, stream, cuts=(), spec=SPEC):
    run = Run(models, spec)
    for i, poll in enumerate(stream):
        if i in cuts:
            assert run.restart(spec=spec).dropped == []
        run.feed(poll)
    run.outcomes += run.pipeline.finish()
    return run


@settings(max_examples=12, deadline=None, derandomize=True)
@given(st.sets(st.integers(0, 39), max_size=12), st.integers(0, 3))
def test_wherever_it_is_cut_what_comes_is_the_same(baseline, cuts, seed):
    """Evaluations, states, thresholds, transitions, counters: bit for bit, whatever the number of cuts."""
    stream = polls(np.random.default_rng(seed))
    models = models_of(baseline)
    alone, cut = run_of(models, stream), run_of(models, stream, cuts)

    assert len(alone.outcomes) > 20
    assert any(o.transitions for o in alone.outcomes)
    assert cut.told() == alone.told()
    assert cut.pipeline.counters == alone.pipeline.counters
    assert cut.pipeline.counters.evaluation_digest
    assert by_id(cut.pipeline.firing) == by_id(alone.pipeline.firing)


def test_learning_goes_on_where_it_was(baseline):
    """Eleven days without timestamps in training, cut again and again, also amid a measurement."""
    assert baseline.variation is None
    spec = WindowSpec(pane_s=3600, lengths_s=(3600.0, 21_600.0), lateness_s=0)
    rng = np.random.default_rng(3)
    stream = []
    for hour in range(24 * 11):
        rows = training_rows(rng, 30)
        shift = 1 + 0.3 * np.sin(hour / 24 * 2 * np.pi) + (3 if 120 < hour < 130 else 0)
        values = [event({**r, "amount": r["amount"] * shift}, START_S + 3600 * hour) for r in rows]
        stream.append((values, [0] * len(values)))
    models = {KEY: Monitored(baseline, POLICY)}

    def learned(cuts):
        run = Run(models, spec)
        known = []
        for i, poll in enumerate(stream):
            if i in cuts:
                assert run.restart(spec=spec).dropped == []
            decoded = run.decoder.decode(records(poll[0]))
            run.outcomes += run.pipeline.feed(decoded, START_S + 1e7)
            known.append(run.pipeline.knowledge[KEY].days)
        return run.told(), known

    told, known = learned(())
    assert known[-1] > 7
    cuts = {5, 60, 200, *range(24 * 8 - 6, 24 * 8 + 24)}
    assert learned(cuts) == (told, known)


def test_what_is_remembered_never_changes_afterwards(baseline):
    """Another thread writes it down while the pipeline goes on."""

    def snapshot(tree):
        if isinstance(tree, Frozen):
            return snapshot(tree.value)
        if isinstance(tree, dict):
            return {name: snapshot(item) for name, item in tree.items()}
        if isinstance(tree, list):
            return [snapshot(item) for item in tree]
        return tree.tobytes() if isinstance(tree, np.ndarray) else tree

    run, stream = Run(models_of(baseline)), polls(np.random.default_rng(5))
    for poll in stream[:20]:
        run.feed(poll)
    tree = run.pipeline.remember()
    before = snapshot(tree)
    for poll in stream[20:]:
        run.feed(poll)
    assert snapshot(tree) == before


def test_closed_panes_are_handed_out_once(baseline):
    """So that they are encoded once: the second time they are the same objects, but for what was added to."""

    def frozen(tree):
        if isinstance(tree, Frozen):
            return {tree}
        parts = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ()
        return set().union(*map(frozen, parts))

    run, stream = Run(models_of(baseline)), polls(np.random.default_rng(5))
    for poll in stream[:25]:
        run.feed(poll)
    first = frozen(run.pipeline.remember())
    for poll in stream[25:27]:
        run.feed(poll)
    again = frozen(run.pipeline.remember())
    assert len(first) > 30
    assert len(first - again) <= 12


def test_a_restart_shows_what_was_known(baseline):
    """Gauges and page do not wait for the next pane."""
    run, stream = Run(models_of(baseline)), polls(np.random.default_rng(5))
    for poll in stream[:25]:
        run.feed(poll)
    before, firing = run.pipeline.latest, run.pipeline.firing
    run.restart()

    assert firing
    assert by_id(run.pipeline.firing) == by_id(firing)
    assert run.pipeline.latest.keys() == before.keys()
    for place, judged in run.pipeline.latest.items():
        assert judged.dataset_state.tolist() == before[place].dataset_state.tolist()
        assert judged.state.tolist() == before[place].state.tolist()


@pytest.fixture
def drifting(baseline):
    """A run in whose middle alerts fire."""
    run = Run(models_of(baseline))
    for poll in polls(np.random.default_rng(5))[:25]:
        run.feed(poll)
    assert any(t.feature == "amount" for t in run.pipeline.firing)
    return run


def test_a_feature_with_other_bins_begins_anew_and_the_others_go_on(baseline, drifting):
    rows = training_rows(np.random.default_rng(1), 3000)
    changed = baseline_of([{**row, "age": row["age"] * 2} for row in rows], slices=("country",))
    counts = drifting.pipeline.latest[KEY, 300.0].evaluation.window.profile.counts[0]
    n_age = _cells(baseline, counts, "age")
    assert n_age > 0
    recalled = drifting.restart(models_of(baseline, baseline=changed))
    after = drifting.pipeline.latest[KEY, 300.0].evaluation.window.profile.counts[0]

    assert "model credit 1: feature age begins anew, its bins are others now" in recalled.dropped
    assert _cells(changed, after, "age") == 0
    assert _cells(changed, after, "amount") == _cells(baseline, counts, "amount")
    assert {t.feature for t in recalled.ended} <= {"age"}
    assert any(t.feature == "amount" for t in drifting.pipeline.firing)
    for poll in polls(np.random.default_rng(6))[25:]:
        drifting.feed(poll)
    assert (
        _cells(changed, drifting.pipeline.latest[KEY, 300.0].evaluation.window.profile.counts[0], "age") > 0
    )


def _cells(baseline, counts, name):
    f = baseline.features.names.index(name)
    return int(baseline.layout.cells(counts[None])[0, f])


def test_a_column_that_is_gone_takes_its_alert_along(baseline, drifting):
    rows = [
        {k: v for k, v in row.items() if k != "amount"}
        for row in training_rows(np.random.default_rng(1), 3000)
    ]
    changed = baseline_of(rows, slices=("country",))
    recalled = drifting.restart(models_of(baseline, baseline=changed))

    assert any("amount is no more" in text for text in recalled.dropped)
    ended = [t for t in recalled.ended if t.feature == "amount"]
    assert ended
    assert all(t.status == "resolved" and t.ends_at_s >= t.starts_at_s for t in ended)
    assert not any(t.feature == "amount" for t in drifting.pipeline.firing)


def test_another_slice_begins_and_the_rest_goes_on(baseline, drifting):
    n = drifting.pipeline.latest[KEY, 300.0].evaluation.n
    recalled = drifting.restart(models_of(baseline, slices=Slices({"country": ("FR", "IT")})))
    after = drifting.pipeline.latest[KEY, 300.0].evaluation

    assert after.slices == ("all", "country=FR", "country=IT")
    assert after.n.tolist() == [n[0], n[2], 0]
    assert [text for text in recalled.dropped if "slice" in text] == [
        "model credit 1: slice country=IT begins, it is new",
        "model credit 1: slice country=DE is no more",
    ]


def test_a_model_version_that_is_gone_ends_its_alerts(baseline, drifting):
    models = models_of(baseline)
    fired = {t.id for t in drifting.pipeline.firing if t.key == KEY}
    accepted = drifting.pipeline.counters.accepted[KEY]
    recalled = drifting.restart({OTHER: models[OTHER]})

    assert {t.id for t in recalled.ended} == fired
    assert drifting.pipeline.counters.accepted[KEY] == accepted


def test_other_windows_begin_anew_but_counters_go_on(baseline, drifting):
    """And no event is counted into a pane that was closed before."""
    before = drifting.pipeline.counters.copy()
    fired = {t.id for t in drifting.pipeline.firing}
    recalled = drifting.restart(spec=replace(SPEC, lengths_s=(300.0,)))

    assert all("other lengths" in text for text in recalled.dropped)
    assert len(recalled.dropped) == 2
    assert {t.id for t in recalled.ended} == fired
    assert drifting.pipeline.counters == before
    assert drifting.pipeline.latest == {}
    for poll in polls(np.random.default_rng(6))[25:]:
        drifting.feed(poll)
    assert drifting.pipeline.latest


def test_nonsense_is_refused(baseline, drifting):
    """Each part of the tree replaced in turn: it is refused with a ValueError, or it does no harm."""
    tree = _plain(drifting.pipeline.remember())
    for path in _paths(tree):
        for nonsense in (None, -1, "x", [], {}, np.zeros(3), float("nan")):
            damaged = _with(tree, path, nonsense)
            pipeline = Pipeline(SPEC, models_of(baseline))
            try:
                pipeline.recall(damaged)
            except ValueError:
                continue


def _plain(tree):
    if isinstance(tree, Frozen):
        return _plain(tree.value)
    if isinstance(tree, dict):
        return {name: _plain(item) for name, item in tree.items()}
    if isinstance(tree, list):
        return [_plain(item) for item in tree[:2]]
    return tree


def _paths(tree, at=(), depth=6):
    yield at
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    if len(at) < depth:
        for name, item in items:
            yield from _paths(item, (*at, name), depth)


def _with(tree, path, value):
    if not path:
        return value
    copied = tree.copy()
    copied[path[0]] = _with(tree[path[0]], path[1:], value)
    return copied
