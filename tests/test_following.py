"""Alerts that go on: how large, since when and how, through the pipeline in event time."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from detector.drift.onset import UNKNOWN, Onset
from detector.drift.policy import DecisionPolicy
from detector.drift.size import NO_SIZE, Size
from detector.following import told_again
from detector.runs import AlertPolicy
from detector.watched import MAX_ONSETS
from detector.windows.slices import Slices
from detector.windows.spec import MAX_OPEN_PANES, WindowSpec
from tests.support.factories import KEY, START_S, Rig, baseline_of, event, training_rows

PANE_S = 300.0
SPEC = WindowSpec(pane_s=PANE_S, lengths_s=(3600.0,), lateness_s=0)
ALERTS = AlertPolicy(3, 3)


@pytest.fixture(scope="module")
def baseline():
    return baseline_of(training_rows(np.random.default_rng(1), 20_000))


def _pane(rng, i, share=0.0, n=60):
    """Events of pane i; a share of them has three times the amount."""
    rows = training_rows(rng, n)
    times = START_S + (i + np.sort(rng.random(n))) * PANE_S
    changed = rng.random(n) < share
    return [
        event({**row, "amount": row["amount"] * (3 if c else 1)}, float(t))
        for row, t, c in zip(rows, times, changed, strict=True)
    ]


def _rig(baseline, spec=SPEC, slices=None):
    policy = DecisionPolicy(min_samples=100, schema_tolerance=None)
    return Rig(baseline, spec, policy, slices, ALERTS)


def _alerts(rig, feature="amount"):
    return [t for o in rig.outcomes for t in o.transitions if t.feature == feature]


def _at(i):
    return START_S + i * PANE_S


@pytest.fixture(scope="module")
def sudden(baseline):
    """150 calm panes, 40 changed ones, 40 calm ones."""
    rng, rig = np.random.default_rng(11), _rig(baseline)
    for i in range(230):
        rig.feed(_pane(rng, i, 1.0 if 150 <= i < 190 else 0.0))
    rig.finish()
    return rig


def test_a_sudden_change_is_told_to_the_pane(sudden):
    """When it fires and when it is resolved."""
    began, ended = _alerts(sudden)

    assert (began.onset_s, began.shape) == (_at(150), "sudden")
    assert (ended.onset_s, ended.shape) == (_at(150), "sudden")
    assert began.starts_at_s > began.onset_s


def test_a_resolved_alert_tells_how_large_the_change_was(sudden):
    """The peak is the largest value of its statistic that any window had while it fired."""
    began, ended = _alerts(sudden)
    values = [
        float(j.evaluation.statistics[began.statistic].value[0, 0])
        for o in sudden.outcomes
        for j in o.judged
        if began.starts_at_s <= o.end_s <= ended.ends_at_s
    ]

    assert ended.size.peak == max(values) > began.size.peak == began.value
    assert ended.size.value == values[-1] < ended.value
    assert (ended.value, ended.threshold) == (began.value, began.threshold)


def test_the_whole_begins_when_its_features_do(baseline):
    """The alert on the model tells the median onset of the features that drift."""
    rng, rig = np.random.default_rng(12), _rig(baseline)
    for i in range(80):
        rows = training_rows(rng, 60)
        if i >= 60:
            rows = [{**r, "amount": r["amount"] * 3, "age": 40, "country": "DE"} for r in rows]
        rig.feed([event(row, _at(i) + j) for j, row in enumerate(rows)])
    rig.finish()
    (whole,) = _alerts(rig, None)

    assert (whole.onset_s, whole.shape) == (_at(60), "sudden")


def test_onset_and_shape_do_not_depend_on_the_order_of_partitions(baseline, sudden):
    """Two partitions, one of them a hundred panes behind."""
    rng, rig = np.random.default_rng(11), _rig(baseline)
    panes = [_pane(rng, i, 1.0 if 150 <= i < 190 else 0.0) for i in range(230)]
    for i in range(330):
        ahead = panes[i][::2] if i < 230 else []
        behind = panes[i - 100][1::2] if i >= 100 else []
        rig.feed([*ahead, *behind], [0] * len(ahead) + [1] * len(behind), 2)
    rig.finish()

    assert [(t.onset_s, t.shape, t.starts_at_s) for t in _alerts(rig)] == [
        (t.onset_s, t.shape, t.starts_at_s) for t in _alerts(sudden)
    ]


def test_events_that_amend_closed_panes_are_part_of_the_history(baseline):
    """A partition so slow that panes close without it: what it brings is counted where it belongs."""
    rng, rig = np.random.default_rng(13), _rig(baseline, WindowSpec(PANE_S, (86400.0,), lateness_s=0))
    n = MAX_OPEN_PANES + 100
    for i in range(n):
        slow = _pane(rng, i - 280, n=10) if i >= 280 else []
        fast = _pane(rng, i, n=10)
        rig.feed([*fast, *slow], [0] * len(fast) + [1] * len(slow), 2)
    (watched,) = rig.pipeline._watched.values()
    kept = watched.windows.series(0, np.array([0]))
    closed = int((rig.outcomes[-1].end_s - START_S) / PANE_S)

    assert closed > n - 280
    # Ten events a pane of the fast partition, and ten of the slow one as far as it has come.
    assert kept.n.sum() == 10 * closed + 10 * min(n - 280, closed)


def test_a_gradual_change_is_gradual_once_it_can_be_known(baseline):
    """A ramp of 12 hours after 12 calm ones; told again while the alert fires, and when it is resolved."""
    rng, rig = np.random.default_rng(14), _rig(baseline)
    for i in range(330):
        share = np.clip((i - 144) / 144, 0.0, 1.0) if i < 300 else 0.0
        rig.feed(_pane(rng, i, share))
        if i == 299:
            (firing,) = rig.pipeline.alerts.firing.values()
    rig.finish()
    began, ended = _alerts(rig)

    assert firing.shape == ended.shape == "gradual"
    assert firing.onset_s == pytest.approx(_at(144), abs=36 * PANE_S)
    assert ended.onset_s == pytest.approx(_at(144), abs=36 * PANE_S)
    assert began.shape != "sudden"


def test_drift_from_the_first_event_on_has_no_onset(baseline):
    """It was there before anything that is remembered."""
    rng, rig = np.random.default_rng(15), _rig(baseline)
    for i in range(60):
        rig.feed(_pane(rng, i, 1.0))
    began = _alerts(rig)[0]

    assert (began.onset_s, began.shape) == (None, "unknown")


def test_a_slice_is_told_by_its_own_events(baseline):
    """As far back as windows hold them: the whole, which hardly moves, tells nothing of it."""
    rng = np.random.default_rng(16)
    rig = _rig(baseline, WindowSpec(PANE_S, (3600.0, 86400.0), lateness_s=0), Slices({"country": ("IT",)}))
    for i in range(120):
        rows = training_rows(rng, 60)
        for row in rows:
            if i >= 100 and row["country"] == "IT":
                row["age"] = 18
        rig.feed([event(row, _at(i) + j) for j, row in enumerate(rows)])
    alert = next(t for t in _alerts(rig, "age") if t.slice == "country=IT")

    assert (alert.onset_s, alert.shape) == (_at(100), "sudden")


def test_the_alert_of_a_slice_that_is_gone_ends_as_it_was(baseline):
    """Where no window holds any event of it, onset and size are those that it began with."""
    rng = np.random.default_rng(16)
    rig = _rig(baseline, WindowSpec(PANE_S, (3600.0,), lateness_s=0), Slices({"country": ("IT",)}))
    for i in range(72):
        rows = [row for row in training_rows(rng, 60) if i < 24 or row["country"] != "IT"]
        for row in rows:
            if row["country"] == "IT":
                row["age"] = 18
        rig.feed([event(row, _at(i) + j) for j, row in enumerate(rows)])
    began = next(t for t in _alerts(rig, "age") if t.slice == "country=IT")
    told = (t for outcome in rig.outcomes for t in outcome.transitions if t.slice == "country=IT")
    ended = next(t for t in told if t.feature == "age" and t.status == "resolved")

    assert (KEY, "country=IT", "age") not in rig.pipeline.alerts.firing
    assert ended.ends_at_s == _at(24) + 3600.0
    assert (ended.onset_s, ended.shape) == (began.onset_s, began.shape) == (None, "unknown")
    assert ended.value == began.value


def test_fits_run_at_transitions_and_at_doublings_only(sudden, baseline):
    """A calm evaluation asks for no onset; while an alert fires it is a handful in all."""
    rng, rig, asked = np.random.default_rng(14), _rig(baseline), {}
    for i in range(330):
        rig.feed(_pane(rng, i, np.clip((i - 144) / 144, 0.0, 1.0)))
        for watched in rig.pipeline._watched.values():
            asked[i] = MAX_ONSETS - watched._onsets_left
    fired = (_alerts(rig)[0].starts_at_s - START_S) / PANE_S
    used = [i for i, n in asked.items() if n]

    assert all(i >= fired for i in used)
    assert 2 <= len(used) <= 6
    assert all(later - fired >= 1.5 * (earlier - fired) for earlier, later in pairwise(used[1:]))


def _alert(sudden, shape, onset_s):
    return replace(_alerts(sudden)[0], shape=shape, onset_s=onset_s, size=NO_SIZE)


@pytest.mark.parametrize(
    ("shape", "onset_s", "found", "expected"),
    [
        pytest.param("sudden", 100.0, Onset(7.0, "gradual", 9.0), ("sudden", 100.0), id="sudden stays"),
        pytest.param("unknown", None, UNKNOWN, ("unknown", None), id="nothing new"),
        pytest.param("gradual", 100.0, UNKNOWN, ("gradual", 100.0), id="forgotten since"),
        pytest.param("gradual", 100.0, Onset(7.0), ("gradual", 100.0), id="less is known"),
        pytest.param("unknown", 100.0, Onset(7.0, "gradual", 9.0), ("gradual", 7.0), id="more is known"),
        pytest.param("unknown", 100.0, Onset(98.0, "sudden", 9.0), ("sudden", 100.0), id="the finer time"),
        pytest.param("unknown", 100.0, Onset(7.0, "sudden", 9.0), ("sudden", 7.0), id="another time"),
    ],
)
def test_what_is_told_again_is_never_less(sudden, shape, onset_s, found, expected):
    """The table of what was told, what is found now, and what is told from now on."""
    again = told_again(_alert(sudden, shape, onset_s), lambda *_: found, 1000.0)

    assert (again.shape, again.onset_s) == expected


def test_the_size_keeps_its_numbers_where_a_window_has_too_few_events(baseline, sudden):
    """An empty window says nothing of the change."""
    rig = _rig(baseline)
    rng = np.random.default_rng(17)
    for i in range(30):
        rig.feed(_pane(rng, i, 1.0, n=60 if i < 20 else 1))
    (alert,) = rig.pipeline.alerts.firing.values()
    enough = [o for o in rig.outcomes if o.judged[0].evaluation.n[0] >= 100]
    last = enough[-1].judged[0].evaluation.statistics[alert.statistic]

    assert alert.size.value == float(last.value[0, 0])
    assert alert.size.at_s == rig.outcomes[-1].end_s
    assert isinstance(alert.size, Size)


def test_an_alert_without_a_number_has_no_size(sudden):
    """Many new columns at once: an alert of the schema on no feature, and no share of drifted ones."""
    evaluation = sudden.outcomes[-1].judged[0].evaluation
    whole = NO_SIZE.after(evaluation, "drifted_features_ratio", 0, None)

    assert NO_SIZE.after(evaluation, None, 0, None) == Size(None, None, None, evaluation.window.end_s)
    assert whole.value == evaluation.drifted_ratio[0]
