"""A pipeline that takes on other settings: what is counted in the same places goes on, without any I/O."""

from dataclasses import replace

import numpy as np
import pytest

from detector import pipeline as module
from detector.batch import ModelKey
from detector.drift.policy import DecisionPolicy
from detector.pipeline import Pipeline
from detector.runs import AlertPolicy
from detector.watched import Monitored
from detector.windows.slices import Slices
from tests.support.factories import KEY, SPEC, START_S, Rig, baseline_of, decoder_of, event, training_rows


@pytest.fixture(scope="module")
def baseline():
    return baseline_of(training_rows(np.random.default_rng(1), 3000), slices=("country",))


@pytest.fixture
def rig(baseline, rng):
    """Five minutes of events, four of them closed, and an alert that fires."""
    rig = Rig(baseline)
    for minute in range(5):
        rig.feed(_events(rng, minute, country="XX"))
    assert len(rig.pipeline.firing) > 0
    return rig


def _events(rng, minute, n=200, **changed):
    return [event({**row, **changed}, START_S + 60 * minute) for row in training_rows(rng, n)]


def _monitored(rig, **changes):
    return replace(rig.models[KEY], **changes)


def _go_on(rig, monitored, spec=SPEC, alerts=None):
    rig.decoder = decoder_of({KEY: monitored})
    return rig.pipeline.go_on_as(Pipeline(spec, {KEY: monitored}, alerts))


def test_without_a_change_nothing_changes(baseline):
    """Evaluations and alerts are those of a pipeline that was left alone."""
    alone, rng = Rig(baseline), np.random.default_rng(3)
    minutes = [_events(rng, minute, country="XX" if minute < 7 else "DE") for minute in range(15)]
    rig = Rig(baseline)
    for events in minutes:
        alone.feed(events)
        rig.feed(events)
        assert _go_on(rig, _monitored(rig)) == ()

    assert [o.transitions for o in rig.outcomes] == [o.transitions for o in alone.outcomes]
    assert [o.judged[0].evaluation.excess.tobytes() for o in rig.outcomes] == [
        o.judged[0].evaluation.excess.tobytes() for o in alone.outcomes
    ]


def test_another_policy_judges_the_same_window(rig, rng):
    """`min_samples` above what the window holds: it is insufficient from the next pane on."""
    assert _go_on(rig, _monitored(rig, policy=DecisionPolicy(min_samples=10_000))) == ()
    [outcome] = rig.feed(_events(rng, 5))

    assert outcome.judged[0].evaluation.n[0] == 1000
    assert outcome.judged[0].evaluation.state.max() == -1


def test_another_alert_policy_counts_on(rig, rng):
    """The alert that fires goes on, and ends after as many calm windows as it says now."""
    fired = {t.id for t in rig.pipeline.firing}
    _go_on(rig, _monitored(rig), alerts=AlertPolicy(3, 1, 0.0))
    for minute in range(5, 12):
        rig.feed(_events(rng, minute))
    ended = {t.id for o in rig.outcomes for t in o.transitions if t.status == "resolved"}

    assert fired <= ended


def test_an_alert_goes_on_when_its_baseline_is_replaced_with_the_same_bins(rig, baseline):
    """A schema, a label: no reason to call it over."""
    fired = rig.pipeline.firing
    assert _go_on(rig, _monitored(rig, baseline=replace(baseline, label="repaid"))) == ()
    assert rig.pipeline.firing == fired


@pytest.mark.parametrize(
    "change",
    [
        {"baseline": baseline_of(training_rows(np.random.default_rng(7), 2000))},
        {"slices": Slices({"country": ("DE",)})},
    ],
    ids=["other bins", "other slices"],
)
def test_what_counts_elsewhere_begins_with_empty_windows(rig, rng, change):
    """Its alerts end at the last pane that was closed; what comes is judged as of a new version."""
    fired = {t.id for t in rig.pipeline.firing}
    ended = _go_on(rig, _monitored(rig, **change))
    assert {t.id for t in ended} == fired
    assert {(t.status, t.ends_at_s) for t in ended} == {("resolved", START_S + 240)}
    assert rig.pipeline.firing == ()
    assert rig.pipeline.latest == {}

    rig.feed(_events(rng, 5, n=150) + _events(rng, 6, n=1))
    assert rig.outcomes[-1].judged[0].evaluation.n[0] == 150
    assert rig.pipeline.counters.accepted[KEY] == 1151


def test_windows_that_begin_late_take_no_events_from_before(rig, rng):
    """Of panes that no window reached by then: late, and counted as such."""
    _go_on(rig, _monitored(rig), spec=replace(SPEC, lengths_s=(120.0,)))
    rig.feed(_events(rng, 8, n=10) + _events(rng, 9, n=1))
    rig.feed(_events(rng, 0, n=10))

    assert rig.pipeline.counters.rejected["events", "late"] == 10


def test_more_lateness_amends_what_is_closed_and_closes_nothing_twice(rig, rng):
    """The watermark steps back; evaluations do not."""
    n = len(rig.outcomes)
    _go_on(rig, _monitored(rig), spec=replace(SPEC, lateness_s=120.0))
    rig.feed(_events(rng, 5) + _events(rng, 3, n=50) + _events(rng, 7, n=1))
    ends = [o.end_s for o in rig.outcomes]

    assert len(ends) > n
    assert ends == sorted(set(ends))
    assert rig.outcomes[-1].judged[0].evaluation.n[0] == 5 * 200 + 50


def test_what_was_learned_from_the_stream_is_kept(rig):
    """Two weeks are not thrown away for another `min_effect`."""
    learner = rig.pipeline.watched[KEY].learner
    assert learner is not None
    _go_on(rig, _monitored(rig, policy=DecisionPolicy(min_samples=100, min_effect=0.2)))

    assert rig.pipeline.watched[KEY].learner is learner


def test_counters_of_versions_that_left_are_kept_but_not_without_end(baseline, rng, monkeypatch):
    """Those that left last stay; one that comes back goes on counting."""
    monkeypatch.setattr(module, "MAX_GONE", 3)
    keys = [ModelKey("credit", str(i)) for i in range(6)]
    pipeline = Pipeline(SPEC, {keys[0]: Monitored(baseline)})
    for key in keys:
        pipeline.go_on_as(Pipeline(SPEC, {key: Monitored(baseline)}))
        pipeline.counters.accepted[key] += 1
    assert sorted(key.version for key in pipeline.counters.accepted) == ["2", "3", "4", "5"]

    pipeline.go_on_as(Pipeline(SPEC, {keys[3]: Monitored(baseline)}))
    pipeline.counters.accepted[keys[3]] += 1
    assert pipeline.counters.accepted[keys[3]] == 2


def test_no_model_at_all_is_ended_cleanly(rig):
    """Books and pictures are empty; nothing fires that nobody watches."""
    ended = rig.pipeline.go_on_as(Pipeline(SPEC, {ModelKey("other", "1"): rig.models[KEY]}))

    assert len(ended) > 0
    assert rig.pipeline.alerts.drifting(KEY) == frozenset()
    assert not rig.pipeline.alerts._memory
    assert not rig.pipeline.anomalies._broken_until_s
