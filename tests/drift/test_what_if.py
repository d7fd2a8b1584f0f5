"""What would be drift at another `min_effect` is what a judge with that `min_effect` says."""

import numpy as np
import pytest

from detector.drift.evaluation import State
from detector.drift.judge import Judge
from detector.drift.policy import DecisionPolicy, FeaturePolicy
from detector.drift.what_if import beyond_noise, with_effect
from tests.support.factories import KEY, SPEC, START_S, Rig, baseline_of, event, training_rows
from tests.support.worlds import Model, World, judge_of, live, rng_of

GRID = (0.03, 0.08, 0.1, 0.2, 0.5)

POLICIES = {
    "plain": DecisionPolicy(min_samples=100),
    "fixed": DecisionPolicy(
        min_samples=100,
        thresholds={"hellinger": 0.12, "population_stability": 0.05, "missing": None},
        features={"a*": FeaturePolicy(min_effect=0.3), "member": FeaturePolicy(ignore=True)},
    ),
}

CHANGES = {
    "none": lambda row: row,
    "scaled": lambda row: {**row, "amount": row["amount"] * 1.15, "age": row["age"] + 1},
    "missing": lambda row: {**row, "age": None if row["age"] % 12 == 0 else row["age"]},
    "new values": lambda row: {**row, "country": "XX" if row["age"] % 16 == 0 else row["country"]},
    "broken": lambda row: {**row, "amount": "text", "country": "DE"},
}


@pytest.fixture(scope="module")
def baseline():
    return baseline_of(training_rows(np.random.default_rng(2), 20_000))


@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_states_at_any_effect_are_those_of_a_judge_that_measures_itself(baseline, rng, policy, change):
    """All features, warnings too, with thresholds that are derived, set by hand and switched off."""
    rig = Rig(baseline, policy=policy)
    rig.feed([event(change(row), START_S + 1) for row in training_rows(rng, 1500)])
    rig.finish()
    measured = rig.outcomes[-1].judged[0].evaluation
    for level in GRID:
        judge = Judge(KEY, baseline, with_effect(policy, level), level=rig.models[KEY].level(SPEC))

        assert np.array_equal(judge.states_of(measured), judge.evaluate(measured.window).state), level


def test_natural_variation_and_season_hold_at_any_effect():
    """Windows of a day of a world that varies by itself and with the hour, and has moved a little."""
    model, world = Model(10), World("season", rng_of("what if"), 10)
    baseline = model.train(world)
    judges = [judge_of(baseline, min_effect=level) for level in GRID]
    seen = set()
    moved = live(model, world, judges[2], days=1, change=lambda _, mu: (mu + 0.2, 1.0))
    for _, _, measured in list(moved)[::12]:
        for judge in judges:
            expected = judge.evaluate(measured.window).state
            seen |= set(expected.ravel().tolist())
            assert np.array_equal(judge.states_of(measured), expected)

    assert seen == {State.OK, State.WARNING, State.DRIFT}


def test_too_few_events_are_too_few_at_any_effect(baseline, rng):
    """Insufficient stays insufficient."""
    rig = Rig(baseline, policy=DecisionPolicy(min_samples=2000))
    rig.feed([event(row, START_S + 1) for row in training_rows(rng, 500)])
    rig.finish()
    measured = rig.outcomes[-1].judged[0].evaluation
    judge = Judge(KEY, baseline, with_effect(DecisionPolicy(min_samples=2000), 0.01))

    assert np.all(judge.states_of(measured) == State.INSUFFICIENT)


def test_beyond_noise_is_nothing_where_noise_explains_all():
    """And what is left of squares elsewhere."""
    assert beyond_noise(np.array([0.1, 0.5]), np.array([0.2, 0.3])).tolist() == pytest.approx([0.0, 0.4])
