"""A column in the slices by it: it has one value there whatever the data do, so it decides nothing."""

import numpy as np
import pytest

from detector.drift.evaluation import State
from detector.drift.policy import DecisionPolicy, FeaturePolicy
from detector.runs import AlertPolicy
from detector.windows.slices import Slices
from tests.support.factories import SPEC, START_S, Rig, baseline_of, event, training_rows

BY = ("country", "member", "verdict")
"""A text, a flag and a prediction."""
SLICES = Slices({"country": ("DE", "FR", "IT"), "member": ("true", "false"), "verdict": ("yes", "no")})
POLICY = DecisionPolicy(min_samples=50)
N = 6000


def _rows(rng, n):
    verdicts = rng.choice(["yes", "no"], n).tolist()
    return [{**row, "verdict": v} for row, v in zip(training_rows(rng, n), verdicts, strict=True)]


@pytest.fixture(scope="module", params=[(), BY], ids=["held against all", "held against their own"])
def baseline(request):
    return baseline_of(_rows(np.random.default_rng(5), 20_000), slices=request.param, prediction=("verdict",))


def _rig(baseline, rows, policy=POLICY, slices=SLICES):
    rig = Rig(baseline, SPEC, policy, slices, AlertPolicy(raise_after=1))
    values = []
    for row in rows:
        features = {name: value for name, value in row.items() if name != "verdict"}
        values.append(event(features, START_S + 1, prediction={"verdict": row["verdict"]}))
    rig.feed(values)
    rig.finish()
    return rig


def _evaluation(rig):
    return rig.outcomes[-1].judged[0].evaluation


def _alerts(rig):
    return {(t.slice, t.feature) for outcome in rig.outcomes for t in outcome.transitions}


def _own(evaluation):
    """Return (row, feature) of every column in the slices by it."""
    names = evaluation.features.names
    return [
        (row, names.index(name.split("=")[0])) for row, name in enumerate(evaluation.slices) if "=" in name
    ]


def test_clean_data_raise_no_alert_in_any_slice(baseline, rng):
    """Every event of country=DE is from DE: that is what the slice is, and no constant value."""
    rig = _rig(baseline, _rows(rng, N))

    assert _alerts(rig) == set()
    assert not (_evaluation(rig).state == State.DRIFT).any()


def test_it_is_measured_there_and_held_against_nothing(baseline, rng):
    """Its statistics are there to be looked at and exported, without a threshold, even one the user set."""
    fixed = FeaturePolicy(thresholds={"hellinger": 1e-6, "psi": 1e-6})
    policy = DecisionPolicy(min_samples=50, thresholds={"psi": 1e-6}, features={"country": fixed})
    found = _evaluation(_rig(baseline, _rows(rng, N), policy))

    for row, f in _own(found):
        assert np.isfinite(found.statistics["hellinger"].value[row, f])
        assert all(np.isnan(s.threshold[row, f]) for s in found.statistics.values())
        assert not found.excess[:, row, f].any()
        assert found.state[row, f] == State.OK


def test_it_is_no_part_of_the_share_that_drifts_there(baseline, rng):
    """Five features, four of them judged in a slice by the fifth: one that drifts is a quarter."""
    rows = [{**row, "age": 18} for row in _rows(rng, N)]
    found = _evaluation(_rig(baseline, rows))

    assert found.drifted_ratio[0] == pytest.approx(1 / 5)
    assert found.drifted_ratio[1:] == pytest.approx(1 / 4)


def test_the_only_other_feature_is_a_whole_there():
    """Where nothing else is judged, one feature is all that a slice can drift by."""
    rng = np.random.default_rng(6)
    rows = [{"country": row["country"], "age": row["age"]} for row in training_rows(rng, 20_000)]
    slices = Slices({"country": ("DE", "FR", "IT")})
    rig = Rig(baseline_of(rows), SPEC, POLICY, slices)
    rig.feed([event({**row, "age": 18}, START_S + 1) for row in rows[:N]])
    rig.finish()

    assert _evaluation(rig).dataset_state.tolist() == [State.WARNING] + 3 * [State.DRIFT]


def test_another_feature_that_changes_in_a_slice_is_found_there(baseline, rng):
    """The ages of one country alone: an alert in its slice, on nothing but the age."""
    rows = _rows(rng, N)
    rig = _rig(baseline, [{**row, "age": 18} if row["country"] == "IT" else row for row in rows])

    assert ("country=IT", "age") in _alerts(rig)
    assert {feature for slice_name, feature in _alerts(rig) if slice_name.startswith("country=")} == {"age"}


@pytest.mark.parametrize(("column", "value"), [("country", "DE"), ("member", True), ("verdict", "yes")])
def test_its_change_is_found_in_all_events_and_in_slices_by_others(baseline, rng, column, value):
    """Nobody is told less where the column says something."""
    rig = _rig(baseline, [{**row, column: value} for row in _rows(rng, N)])
    f = _evaluation(rig).features.names.index(column)
    told = {slice_name for slice_name, feature in _alerts(rig) if feature == column}

    assert "all" in told
    assert {name.split("=")[0] for name in told} == {"all", *BY} - {column}
    assert _evaluation(rig).state[0, f] == State.DRIFT


def test_a_slice_by_what_is_no_feature_leaves_all_judged(baseline, rng):
    """Its column has no distribution that could be known beforehand."""
    rows = _rows(rng, N)
    slices = Slices({"region": ("north", "south")})
    whole, sliced = (_evaluation(_rig(baseline, rows, slices=s)) for s in (Slices(), slices))
    own = sliced.statistics["hellinger"].threshold

    assert not slices.are_by(whole.features.names).any()
    assert np.isfinite(own[0]).all()
    assert np.array_equal(whole.state[0], sliced.state[0])


def test_slices_know_which_are_by_a_column():
    """Of `all` and each value, also of flags, which have two ways to be written."""
    assert SLICES.are_by(("age", "member", "country")).tolist() == [
        [False, False, False],
        *3 * [[False, False, True]],
        *2 * [[False, True, False]],
        *2 * [[False, False, False]],
    ]
