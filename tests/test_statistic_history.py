"""How statistics went: what is kept of a day, through restarts and in how much memory."""

from dataclasses import replace

import numpy as np
import pytest

from detector.drift.evaluation import State
from detector.drift.policy import DecisionPolicy
from detector.pipeline import Pipeline
from detector.statistic_history import MAX_BYTES, MIN_SLOTS, Slots, history_bytes, slot_bytes
from detector.windows.slices import Slices
from detector.windows.spec import WindowSpec
from tests.support.factories import KEY, START_S, Rig, baseline_of, event, training_rows

SPEC = WindowSpec(pane_s=60, lengths_s=(300.0, 3600.0), lateness_s=0)


@pytest.fixture(scope="module")
def baseline():
    return baseline_of(training_rows(np.random.default_rng(1), 3000), slices=("country",))


@pytest.fixture(scope="module")
def rig(baseline):
    """Three hours of events; those of minutes 17 to 25 are from elsewhere."""
    rig = Rig(baseline, SPEC, DecisionPolicy(min_samples=100), Slices({"country": ("DE", "FR")}))
    rng = np.random.default_rng(2)
    for minute in range(180):
        rows = training_rows(rng, 100)
        if 17 <= minute < 26:
            rows = [{**row, "amount": row["amount"] * 30} for row in rows]
        rig.feed([event(row, START_S + 60.0 * minute) for row in rows])
    rig.finish()
    return rig


def histories(pipeline):
    """Return what a pipeline knows, by model version and window length."""
    return {
        (key, length_s): history
        for key, watched in pipeline.watched.items()
        for length_s, history in watched.history.show().items()
    }


def test_a_slot_shows_the_worst_of_its_evaluations(rig, baseline):
    """Held against all outcomes, window by window."""
    f = baseline.features.names.index("amount")
    for (_, length_s), history in histories(rig.pipeline).items():
        judged = [j for o in rig.outcomes for j in o.judged if j.evaluation.window.length_s == length_s]
        assert history.slot_s == 300.0
        before_s = START_S
        for slot in history.slots:
            inside = [j for j in judged if before_s < j.evaluation.window.end_s <= slot.end_s]
            excess = [float(j.evaluation.excess[:, 0, f].max(initial=0.0)) for j in inside]
            worst = inside[len(excess) - 1 - int(np.argmax(excess[::-1]))].evaluation
            assert slot.excess[0, f] == np.float32(max(excess))
            assert slot.state[0, f] == max(j.state[0, f] for j in inside)
            for name, figures in slot.figures.items():
                if name in worst.worst:
                    assert figures[0, f] == pytest.approx(worst.statistics[name].value[0, f], nan_ok=True)
                    assert figures[1, f] == pytest.approx(worst.statistics[name].threshold[0, f], nan_ok=True)
            before_s = slot.end_s
        assert before_s == START_S + 180 * 60


def test_a_series_tells_of_one_statistic(rig, baseline):
    history = histories(rig.pipeline)[KEY, 300.0]
    f = baseline.features.names.index("amount")
    series = history.series("hellinger", f)
    over = series.value > series.threshold

    assert over.any()
    assert not over.all()
    assert np.all(np.diff(series.time_s) > 0)
    assert np.array_equal(history.states(0, f) == State.DRIFT, history.states(0, f) > State.WARNING)
    assert np.isnan(history.series("no such statistic", f).value).all()


def test_a_restart_keeps_the_day_and_the_alerts_that_are_over(rig):
    other = Pipeline(SPEC, rig.models)
    recalled = other.recall(rig.pipeline.remember())

    assert recalled.dropped == []
    assert rig.pipeline.past.all
    assert other.past.all == rig.pipeline.past.all
    for place, history in histories(rig.pipeline).items():
        again = histories(other)[place]
        assert again.statistics == history.statistics
        assert len(again.slots) == len(history.slots)
        for mine, its in zip(history.slots, again.slots, strict=True):
            assert (mine.end_s, mine.n.tolist()) == (its.end_s, its.n.tolist())
            assert np.array_equal(mine.state, its.state)
            assert np.array_equal(mine.excess, its.excess)
            for name in mine.figures:
                assert np.array_equal(mine.figures[name], its.figures[name], equal_nan=True)


def test_another_feature_set_keeps_what_fits(rig, baseline):
    """A feature whose bins changed begins anew, in time as in its windows; the others go on."""
    rows = [{**row, "amount": row["amount"] / 2} for row in training_rows(np.random.default_rng(1), 3000)]
    changed = baseline_of(rows, slices=("country",))
    monitored = replace(rig.models[KEY], baseline=changed)
    other = Pipeline(SPEC, {KEY: monitored})
    other.recall(rig.pipeline.remember())
    before, after = histories(rig.pipeline)[KEY, 300.0], histories(other)[KEY, 300.0]
    amount, age = (changed.features.names.index(name) for name in ("amount", "age"))

    assert np.array_equal(before.excess(0, age), after.excess(0, age))
    assert not after.excess(0, amount).any()
    assert np.isnan(after.series("hellinger", amount).value).all()


def test_what_was_shown_does_not_change_with_what_comes(baseline):
    rig = Rig(baseline, SPEC)
    rng = np.random.default_rng(3)
    rig.feed([event(row, START_S) for row in training_rows(rng, 200)])
    rig.feed([event(row, START_S + 60) for row in training_rows(rng, 200)])
    shown = histories(rig.pipeline)[KEY, 300.0]
    n, excess = len(shown.slots), shown.slots[-1].excess.copy()
    rig.feed([event({**row, "amount": 1e6}, START_S + 130) for row in training_rows(rng, 500)])
    rig.finish()

    assert len(shown.slots) == n
    assert np.array_equal(shown.slots[-1].excess, excess)
    assert histories(rig.pipeline)[KEY, 300.0] is histories(rig.pipeline)[KEY, 300.0]


@pytest.mark.parametrize("n_features", [1, 200, 10_000])
@pytest.mark.parametrize("n_slices", [1, 20])
@pytest.mark.parametrize("pane_s", [10.0, 60.0, 7200.0])
def test_slots_hold_a_day_in_bounded_memory(n_features, n_slices, pane_s):
    """Where even hours are too many bytes, hours it is: the bound then grows with the features."""
    spec = WindowSpec(pane_s=pane_s, lengths_s=(pane_s * 5, pane_s * 60, pane_s * 1440))
    slots = Slots.of(spec, n_slices, n_features)
    least = 3 * MIN_SLOTS * slot_bytes(n_slices, n_features)

    assert slots.n * slots.factor * pane_s >= 86400.0
    assert slots.n >= MIN_SLOTS
    assert 3 * slots.n * slot_bytes(n_slices, n_features) <= max(MAX_BYTES, least)
    assert history_bytes(spec, n_slices, n_features) > 0


def test_old_slots_go(baseline):
    rig = Rig(baseline, replace(SPEC, pane_s=3600, lengths_s=(3600.0,)), DecisionPolicy(min_samples=1))
    row = training_rows(np.random.default_rng(4), 1)[0]
    for hour in range(400):
        rig.feed([event(row, START_S + 3600.0 * hour)], now_s=START_S + 4e6)
    rig.finish()
    history = histories(rig.pipeline)[KEY, 3600.0]

    assert len(history.slots) == Slots.of(rig.pipeline.spec, 1, len(baseline.features)).n == 288
    assert history.slots[-1].end_s == START_S + 400 * 3600.0
