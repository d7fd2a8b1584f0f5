"""Judging a window: states, thresholds, and that settings do what they say."""

import numpy as np
import pytest

from detector.drift.contributors import contributors
from detector.drift.evaluation import State
from detector.drift.policy import DecisionPolicy, FeaturePolicy
from tests.support.factories import START_S, Rig, baseline_of, event, training_rows

N = 2000


@pytest.fixture(scope="module")
def baseline():
    return baseline_of(training_rows(np.random.default_rng(2), 20_000))


def _judge(baseline, rows, policy=None):
    rig = Rig(baseline, policy=policy or DecisionPolicy(min_samples=100))
    rig.feed([event(row, START_S + 1) for row in rows])
    rig.finish()
    return rig.outcomes[-1].judged[0].evaluation


def _states(evaluation):
    return {f.name: State(int(s)) for f, s in zip(evaluation.features.all, evaluation.state[0], strict=True)}


def test_events_like_the_training_data_are_ok(baseline, rng):
    """All four features are calm."""
    assert set(_states(_judge(baseline, training_rows(rng, N))).values()) == {State.OK}


BREAKS = {
    "shifted": ("amount", lambda row: {**row, "amount": row["amount"] * 2.5}, "hellinger"),
    "unit change": ("amount", lambda row: {**row, "amount": row["amount"] * 100}, "outside"),
    "constant": ("age", lambda row: {**row, "age": 40}, "hellinger"),
    "missing": ("age", lambda row: {**row, "age": None if row["age"] % 5 == 0 else row["age"]}, "missing"),
    "wrong type": ("age", lambda row: {**row, "age": str(row["age"])}, "type_mismatch"),
    "not finite": ("amount", lambda row: {**row, "amount": float("nan")}, "non_finite"),
    "new category": ("country", lambda row: {**row, "country": row["country"].lower()}, "unseen"),
    "category share": ("country", lambda row: {**row, "country": "DE"}, "l_infinity"),
    "flag": ("member", lambda row: {**row, "member": not row["member"]}, "l_infinity"),
}


@pytest.mark.parametrize(("feature", "change", "statistic"), BREAKS.values(), ids=BREAKS)
def test_each_way_to_break_is_found_in_its_own_feature_only(baseline, rng, feature, change, statistic):
    """The broken feature drifts, the statistic made for it is over its threshold, the others stay calm."""
    found = _judge(baseline, [change(row) for row in training_rows(rng, N)])
    states = _states(found)
    f = found.features.names.index(feature)
    own = found.statistics[statistic]

    assert states.pop(feature) == State.DRIFT
    assert set(states.values()) == {State.OK}
    assert own.value[0, f] > own.threshold[0, f]


def test_too_few_events_decide_nothing(baseline, rng):
    """A window below `min_samples` is insufficient, whatever is in it."""
    rows = [{**row, "country": "XX"} for row in training_rows(rng, 99)]

    assert set(_states(_judge(baseline, rows)).values()) == {State.INSUFFICIENT}


def test_a_small_window_is_not_held_to_more_than_its_noise_allows(baseline):
    """The threshold grows with sampling noise: 200 clean windows of 200 events stay below it.

    Error rate: the noise floor is the mean of the null, and min_effect 0.1 lies 4 standard errors above
    it for these sizes; fewer than 1 in 1,000 clean windows exceed it.
    """
    rng = np.random.default_rng(7)
    evaluations = [_judge(baseline, training_rows(rng, 200)) for _ in range(200)]
    drifting = sum((e.state == State.DRIFT).any() for e in evaluations)

    assert drifting <= 4


def test_a_fixed_threshold_replaces_the_rule(baseline, rng):
    """Set by the user, it holds as written, for all features or one."""
    rows = training_rows(rng, N)
    policy = DecisionPolicy(
        min_samples=100,
        thresholds={"l_infinity": 1e-6},
        features={"age": FeaturePolicy(thresholds={"l_infinity": 0.9})},
    )
    found = _judge(baseline, rows, policy)
    threshold = dict(zip(found.features.names, found.statistics["l_infinity"].threshold[0], strict=True))

    assert threshold["amount"] == 1e-6
    assert threshold["age"] == 0.9
    assert _states(found)["amount"] == State.DRIFT


def test_a_gate_that_is_off_decides_nothing(baseline, rng):
    """Its value is still there, its threshold is not."""
    off = dict.fromkeys(("hellinger", "l_infinity", "kolmogorov_smirnov"))
    rows = [{**row, "country": "DE"} for row in training_rows(rng, N)]
    found = _judge(baseline, rows, DecisionPolicy(min_samples=100, thresholds=off))
    f = found.features.names.index("country")

    assert _states(found)["country"] == State.OK
    assert found.statistics["l_infinity"].value[0, f] > 0.4
    assert np.isnan(found.statistics["l_infinity"].threshold).all()


def test_an_ignored_feature_is_measured_but_not_judged(baseline, rng):
    """Patterns ignore whole families of features; the whole leaves them out of its share."""
    rows = [{**row, "country": "XX", "member": None} for row in training_rows(rng, N)]
    policy = DecisionPolicy(min_samples=100, features={"c*": FeaturePolicy(ignore=True)})
    found = _judge(baseline, rows, policy)

    assert _states(found)["country"] == State.OK
    assert found.drifted_ratio[0] == pytest.approx(1 / 3)
    assert found.dataset_state[0] == State.WARNING


def test_later_entries_win(baseline, rng):
    """Everything ignored but one feature: that one is judged."""
    rows = [{**row, "country": "XX", "age": None} for row in training_rows(rng, N)]
    features = {"*": FeaturePolicy(ignore=True), "country": FeaturePolicy(ignore=False)}
    found = _judge(baseline, rows, DecisionPolicy(min_samples=100, features=features))

    assert (_states(found)["country"], _states(found)["age"]) == (State.DRIFT, State.OK)


def test_a_constant_has_no_standard_deviation(rng):
    """What rounding leaves of it is not taken for one: there is no scale to measure a shift in."""
    baseline = baseline_of([{"x": 12.1} for _ in range(5000)])
    found = _judge(baseline, [{"x": 13.1} for _ in range(500)])

    assert baseline.std.tolist() == [0.0]
    assert np.isnan(found.statistics["wasserstein_std"].value).all()


def test_values_of_the_distances_are_bounded_whatever_comes(baseline):
    """An empty and a constant window leave no NaN thresholds that decide, and no value outside its range."""
    for rows in ([{}] * 150, [{"amount": 1e308, "age": -5, "country": "", "member": None}] * 150):
        found = _judge(baseline, rows)
        for name in ("hellinger", "l_infinity", "total_variation"):
            value = found.statistics[name].value
            assert np.all((value[np.isfinite(value)] >= 0) & (value[np.isfinite(value)] <= 1))
        assert not np.isin(found.state, [State.INSUFFICIENT]).any()


def test_contributors_name_what_changed_most_and_add_up(baseline, rng):
    """Shares of a side add up to 1 over all bins; the renamed category leads the list."""
    rig = Rig(baseline, policy=DecisionPolicy(min_samples=100))
    rows = [{**r, "country": "FRA" if r["country"] == "FR" else r["country"]} for r in training_rows(rng, N)]
    rig.feed([event(row, START_S + 1) for row in rows])
    rig.finish()
    window = rig.outcomes[-1].judged[0].evaluation.window
    f = baseline.features.names.index("country")
    found = contributors(baseline, baseline.profile.row(0), window.profile.row(0), f, most=100)
    by_name = {c.bin: c for c in found}

    assert {found[0].bin, found[1].bin} == {"FR", "values never seen in training"}
    assert by_name["FR"].current == 0.0
    assert by_name["values never seen in training"].current == pytest.approx(0.3, abs=0.05)
    assert sum(c.current - c.reference for c in found) == pytest.approx(0.0, abs=1e-12)
