"""Groups: what moved together is told together; the whole says what many have in common, by importance."""

import json
from dataclasses import replace

import numpy as np
import pytest

from detector.alerts import DATASET_ALERT
from detector.baseline.correlation import MOST_PARTNERS, find_partners
from detector.baseline.file import dump_baseline, load_baseline
from detector.drift.evaluation import State
from detector.drift.judge import Judge
from detector.drift.policy import DecisionPolicy, FeaturePolicy
from detector.errors import BaselineError
from detector.report.records import alert_record
from detector.runs import AlertPolicy
from detector.sinks.log import describe
from tests.support.factories import KEY, START_S, Rig, baseline_of, event


def _rows(rng, n, names="abcdefgh"):
    """Features a and b go together, and c against them; the others go their own way."""
    x = rng.normal(size=(n, len(names)))
    x[:, 1] = x[:, 0] + 0.2 * x[:, 1]
    x[:, 2] = -x[:, 0] + 0.5 * x[:, 2]
    return [dict(zip(names, row, strict=True)) for row in x.round(4).tolist()]


@pytest.fixture(scope="module")
def baseline():
    return baseline_of(_rows(np.random.default_rng(1), 5000))


def _firing(baseline, change, policy=None):
    rig = Rig(baseline, policy=policy or DecisionPolicy(min_samples=100), alerts=AlertPolicy(2, 2))
    rng = np.random.default_rng(3)
    for pane in range(4):
        rig.feed([event(change(row), START_S + 60 * pane) for row in _rows(rng, 500)])
    rig.finish()
    return {t.feature: t for o in rig.outcomes for t in o.transitions if t.status == "firing"}


def test_partners_are_those_that_go_together(baseline):
    """The strongest first, whichever way; no other pair of 5,000 independent rows comes near 0.5."""
    assert [name for name, _ in baseline.partners["a"]] == ["b", "c"]
    assert baseline.partners["a"][1][1] == pytest.approx(-0.88, abs=0.03)
    assert set(baseline.partners) == {"a", "b", "c"}


def test_partners_are_few_and_constants_have_none():
    """Bounded however many go together; ties, gaps and empty columns are no error."""
    x = np.arange(100.0)
    columns = {f"x{i}": x + i for i in range(20)} | {"k": np.ones(100), "n": np.full(100, np.nan)}
    found = find_partners(columns)

    assert {len(partners) for partners in found.values()} == {MOST_PARTNERS}
    assert not {"k", "n"} & set(found)
    assert find_partners({}) == {}
    assert find_partners({"a": np.empty(0)}) == {}


def test_a_baseline_keeps_partners_in_its_file_and_does_without(baseline):
    """Written and read they are the same; a file that names no partners, or nonsense, is told apart."""
    data = dump_baseline(baseline)
    again = load_baseline(data, "b.json")
    content = json.loads(data)["content"]

    assert again.partners == baseline.partners
    assert ["correlated" in f for f in content["features"]] == [True] * 3 + [False] * 5
    with pytest.raises(BaselineError, match="goes with one that does not exist"):
        load_baseline(dump_baseline(_with(baseline, {"a": (("nobody", 0.9),)})), "b.json")


def _with(baseline, partners):
    return replace(baseline, partners=partners)


def test_what_moved_together_is_told_together(baseline):
    """Correlated ones first, then those that began at the same moment; in the log and the records too."""
    moved = {"a", "c", "f"}
    found = _firing(baseline, lambda row: {k: v + 3 * (k in moved) for k, v in row.items()})

    assert found["a"].moved_with == ("c", "f")
    assert found["f"].moved_with == ("a", "c")
    assert alert_record(found["a"])["moved_with"] == ["c", "f"]
    assert "moved_with=[c, f]" in describe(found["a"])


def test_without_partners_those_that_began_together_are_told(baseline):
    """As with a baseline of an older version."""
    moved = {"a", "c"}
    found = _firing(_with(baseline, {}), lambda row: {k: v + 3 * (k in moved) for k, v in row.items()})

    assert found["a"].moved_with == ("c",)


def test_one_cause_of_many_is_told_of_the_whole(baseline):
    """A join upstream broke: half of the features lose values."""
    found = _firing(baseline, lambda row: {k: v if k > "d" or v < 0 else None for k, v in row.items()})

    assert (found[None].alert, found[None].kind) == (DATASET_ALERT, "missing")
    assert found[None].message == "4 of 8 features: missing values"
    assert set(found[None].moved_with) == set("abcd")


def test_causes_that_differ_are_not_told_as_one(baseline):
    """The whole drifts, and says in which features."""
    found = _firing(baseline, lambda row: {k: v + 2 * (k < "e") for k, v in row.items()})

    assert (found[None].kind, found[None].message) == (None, None)
    assert len(found[None].moved_with) == 4


def _whole(baseline, moved, features=None, **more):
    policy = DecisionPolicy(min_samples=100, features=features or {}, **more)
    rig = Rig(baseline, policy=policy)
    rows = _rows(np.random.default_rng(4), 1000)
    rig.feed([event({k: v + 3 * (k in moved) for k, v in row.items()}, START_S) for row in rows])
    rig.finish()
    evaluation = rig.outcomes[-1].judged[0].evaluation
    return State(int(evaluation.dataset_state[0])), float(evaluation.drifted_ratio[0])


def _important(**weights):
    return {name: FeaturePolicy(importance=weight) for name, weight in weights.items()}


@pytest.mark.parametrize(
    ("moved", "features", "share", "state", "ratio"),
    [
        pytest.param("abc", {}, 0.3, State.DRIFT, 3 / 8, id="each counts one"),
        pytest.param("de", {}, 0.3, State.WARNING, 2 / 8, id="too few of them"),
        pytest.param("de", _important(d=3.0), 0.3, State.DRIFT, 4 / 10, id="an important one"),
        pytest.param("fgh", _important(f=0.0, g=0.0, h=0.0), 0.3, State.OK, 0.0, id="they count nothing"),
        pytest.param("d", {}, 0.1, State.WARNING, 1 / 8, id="one feature's alert is not repeated"),
        pytest.param("d", _important(d=7.0), 0.3, State.DRIFT, 0.5, id="it carries the share alone"),
        pytest.param("a", _important(**{"*": 0.0, "a": 1.0}), 0.3, State.DRIFT, 1.0, id="the only one"),
        pytest.param("abc", _important(**{"*": 0.0}), 0.3, State.OK, 0.0, id="nothing counts"),
    ],
)
def test_the_whole_drifts_by_importance(baseline, moved, features, share, state, ratio):
    """The weighted share, and two features at least, unless there is one or one is made to count for all."""
    assert _whole(baseline, moved, features, dataset_share=share) == (state, pytest.approx(ratio))


def test_the_whole_never_drifts_by_more_than_half_as_often_as_features(baseline):
    """The bound that keeps it within the budget: at any state of features it takes two of them.

    All 256 states of the eight features, at the smallest share there is.
    """
    judge = Judge(KEY, baseline, DecisionPolicy(dataset_share=1e-3))
    states = np.array(np.meshgrid(*[[0, 2]] * 8)).reshape(8, -1).T.astype(np.int8)
    _, whole = judge.whole(states, np.ones(len(states), dtype=bool))

    assert ((whole == State.DRIFT) <= (states == State.DRIFT).sum(axis=1) / 2).all()
    assert (whole == State.DRIFT).sum() == 256 - 9
