"""Everything drifts, in every slice, at once: all alerts fire, and the work for each pane is bounded."""

import numpy as np
import pytest

from detector.alerts import FEATURE_ALERT, Transition, told_together
from detector.drift.groups import MOST_TOGETHER
from detector.drift.policy import DecisionPolicy
from detector.runs import AlertPolicy
from detector.watched import MAX_EXPLANATIONS
from detector.windows.slices import Slices
from tests.support.factories import KEY, SPEC, START_S, Rig, baseline_of, event

FEATURES, SLICES = 60, 20


def _rows(rng, n, shift):
    values = rng.normal(size=(n, FEATURES)) + shift
    return [
        {**{f"f{i:02}": float(v) for i, v in enumerate(row)}, "c": f"v{j % SLICES}"}
        for j, row in enumerate(values)
    ]


def _alerts(rig):
    return {
        place: alert for place, alert in rig.pipeline.alerts.firing.items() if alert.alert == FEATURE_ALERT
    }


def test_alerts_beyond_the_most_explained_at_once_are_explained_later():
    """All of them begin at one moment; a thousand are explained then, the rest with the next panes."""
    rng = np.random.default_rng(2)
    slices = Slices({"c": tuple(f"v{i}" for i in range(SLICES))})
    rig = Rig(
        baseline_of(_rows(rng, 3000, 0.0)), SPEC, DecisionPolicy(min_samples=20), slices, AlertPolicy(2, 2)
    )
    explained, work = [], []
    for minute in range(6):
        rig.feed([event(row, START_S + 60 * minute) for row in _rows(rng, 800, 3.0)])
        work.append(MAX_EXPLANATIONS - rig.pipeline.watched[KEY]._explanations_left)
        explained.append(sum(alert.is_explained for alert in _alerts(rig).values()))

    n = len(_alerts(rig))
    assert n >= FEATURES * (SLICES + 1) > MAX_EXPLANATIONS
    began = [t for outcome in rig.outcomes for t in outcome.transitions if t.alert == FEATURE_ALERT]
    assert 200 <= sum(not t.is_explained for t in began) < 300
    assert max(work) == MAX_EXPLANATIONS
    assert explained[-1] == n
    assert all(alert.contributors for alert in _alerts(rig).values())
    # What holds for all events is explained first.
    assert all(t.is_explained for t in began if t.slice == "all")


def _alert(slice_name, feature, moved_with=()):
    numbers = (60.0, "hellinger", 0.5, 0.1, 0.0)
    return Transition("firing", FEATURE_ALERT, KEY, slice_name, feature, *numbers, moved_with=moved_with)


@pytest.mark.parametrize("moved_with", [(), ("f3",), tuple(f"p{i}" for i in range(MOST_TOGETHER))])
def test_what_began_together_is_named_without_looking_at_all_pairs(moved_with):
    """The same names as by comparing each with each, for ten thousand alerts in a hundred slices."""
    started = [_alert(f"s{i % 100}", f"f{i // 100}", moved_with) for i in range(10_000)]
    told = told_together([*started, _alert("s7", None)])

    assert told[-1].moved_with == ()
    for i in (0, 307, 507, 9_999):
        alert = started[i]
        others = [t.feature for t in started if t.slice == alert.slice and t.feature != alert.feature]
        assert told[i].moved_with == tuple(dict.fromkeys([*moved_with, *others]))[:MOST_TOGETHER]
