"""Alerts: runs of evaluations, one alert for a feature, the same id for both ends."""

from dataclasses import replace

import numpy as np
import pytest

from detector.alerts import AlertBook
from detector.batch import Feature, FeatureSet
from detector.drift.evaluation import Evaluation, State, Statistic
from detector.drift.explanation import NO_EXPLANATION
from detector.profile import Layout, Profile
from detector.runs import AlertPolicy
from detector.windows.sliding import WindowProfile
from tests.support.factories import KEY
from tests.support.made import BINNING

FEATURES = FeatureSet.of([Feature("x", "float"), Feature("k", "int"), Feature("c", "string")])

OK, WARN, DRIFT, FEW = State.OK, State.WARNING, State.DRIFT, State.INSUFFICIENT


def _evaluation(states, length_s=60.0, end_s=0.0, whole=State.OK):
    window = WindowProfile(length_s, end_s - length_s, end_s, Profile.zeros(Layout.of(BINNING)))
    state = np.array([states], dtype=np.int8)
    value = np.where(state == State.DRIFT, 0.5, 0.1)
    found = Statistic(value, np.full(value.shape, 0.2), value, value)
    return Evaluation(
        KEY, FEATURES, ("all",), window, np.array([1000]), {"hellinger": found}, state, ("hellinger",),
        (value / 0.2)[None], np.array([whole], dtype=np.int8), np.array([0.0]),
    )  # fmt: skip


def _run(book, sequence, **more):
    """Feed one state of feature x an evaluation; return the transitions of each as text."""
    said = []
    for i, state in enumerate(sequence):
        found = book.update([_evaluation([state, OK, OK], end_s=60.0 * i, **more)], lambda *_: NO_EXPLANATION)
        said.append("".join("F" if t.status == "firing" else "R" for t in found) or "-")
    return "".join(said)


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        pytest.param([DRIFT] * 2 + [OK] * 3, "-----", id="two are not enough"),
        pytest.param([DRIFT] * 3 + [OK] * 3, "--F--R", id="three raise, three clear"),
        pytest.param([DRIFT, DRIFT, OK, DRIFT, DRIFT, OK] * 3, "-" * 18, id="wavering never raises"),
        pytest.param([DRIFT] * 3 + [OK, OK, DRIFT] * 3, "--F" + "-" * 9, id="wavering never clears"),
        pytest.param([DRIFT] * 3 + [WARN] * 9, "--F" + "-" * 9, id="a warning keeps what is raised"),
        pytest.param([DRIFT] * 3 + [OK, WARN, OK, WARN, OK], "--F----R", id="a warning is no drift"),
        pytest.param([WARN] * 9, "-" * 9, id="a warning raises nothing"),
        pytest.param([DRIFT, FEW, DRIFT, FEW, DRIFT], "----F", id="too few events change nothing"),
        pytest.param([DRIFT] * 3 + [FEW] * 9, "--F" + "-" * 9, id="an empty window does not clear"),
        pytest.param([DRIFT] * 9, "--F------", id="it fires once"),
    ],
)
def test_runs_of_evaluations_raise_and_clear(states, expected):
    """The table of what raises and what clears, with three of each."""
    assert _run(AlertBook(AlertPolicy(3, 3)), states) == expected


@pytest.mark.parametrize(
    ("length_s", "clear_for_s", "expected"),
    [
        pytest.param(600.0, 3600.0, 12, id="as long as the window"),
        pytest.param(86400.0, 600.0, 12, id="no longer than the limit"),
        pytest.param(600.0, 0.0, 4, id="not at all"),
    ],
)
def test_a_window_stays_calm_for_as_long_as_it_is_itself(length_s, clear_for_s, expected):
    """Raised in the first of evaluations a minute apart, ok from the second on: ended so many later."""
    said = _run(AlertBook(AlertPolicy(1, 3, clear_for_s)), [DRIFT] + [OK] * 20, length_s=length_s)

    assert said.index("R") + 1 == expected


def test_what_comes_and_goes_is_one_alert():
    """Drift, and five minutes without it, again and again: one alert for a window of an hour."""
    said = _run(AlertBook(AlertPolicy(3, 3)), ([DRIFT] * 3 + [OK] * 5) * 10, length_s=3600.0)

    assert said.count("F") == 1
    assert "R" not in said


def test_drift_of_a_prediction_has_a_name_of_its_own():
    """So that it can be routed elsewhere: the model, not its inputs."""
    features = FeatureSet.of(
        [Feature("x", "float", "prediction"), Feature("k", "int"), Feature("c", "string")]
    )
    evaluation = replace(_evaluation([DRIFT, DRIFT, OK]), features=features)
    began = AlertBook(AlertPolicy(1, 1)).update([evaluation], lambda *_: NO_EXPLANATION)

    assert [(t.alert, t.feature) for t in began] == [
        ("DriftPredictionDrifted", "x"),
        ("DriftFeatureDrifted", "k"),
    ]


def test_one_alert_for_a_feature_however_many_windows_are_raised():
    """It fires with the first window and ends with the last."""
    book = AlertBook(AlertPolicy(1, 1, 0.0))

    def both(short, long):
        evaluations = [_evaluation([short, OK, OK]), _evaluation([long, OK, OK], 600.0)]
        return [(t.status, t.window_s) for t in book.update(evaluations, lambda *_: NO_EXPLANATION)]

    assert both(DRIFT, OK) == [("firing", 60.0)]
    assert both(DRIFT, DRIFT) == []
    assert both(OK, DRIFT) == []
    assert both(OK, OK) == [("resolved", 60.0)]


def test_an_alert_carries_its_numbers_and_reasons():
    """Statistic, value, threshold, time; `resolved` repeats them with an end."""
    book = AlertBook(AlertPolicy(1, 1, 0.0))
    (began,) = book.update([_evaluation([OK, DRIFT, OK], end_s=120.0)], lambda *_: NO_EXPLANATION)
    (ended,) = book.update([_evaluation([OK, OK, OK], end_s=180.0)], lambda *_: NO_EXPLANATION)

    assert (began.feature, began.statistic, began.value, began.threshold) == ("k", "hellinger", 0.5, 0.2)
    assert (began.starts_at_s, began.ends_at_s) == (120.0, None)
    assert (ended.starts_at_s, ended.ends_at_s) == (120.0, 180.0)
    assert began.id == ended.id


def test_the_model_as_a_whole_has_an_alert_of_its_own():
    """It names no feature, and its statistic is the share of drifted features."""
    book = AlertBook(AlertPolicy(1, 1, 0.0))
    (began,) = book.update([_evaluation([OK, OK, OK], whole=DRIFT)], lambda *_: NO_EXPLANATION)

    assert (began.alert, began.feature, began.statistic) == (
        "DriftDatasetDrifted",
        None,
        "drifted_features_ratio",
    )


def test_unconfirmed_drift_is_shown_as_a_warning():
    """What people see is what alerts see: drift only once raised, until cleared."""
    book = AlertBook(AlertPolicy(2, 2, 0.0))
    shown = []
    for state in (DRIFT, DRIFT, OK, OK):
        evaluation = _evaluation([state, OK, OK])
        book.update([evaluation], lambda *_: NO_EXPLANATION)
        shown.append(State(int(book.confirmed(evaluation)[0][0, 0])))

    assert shown == [WARN, DRIFT, DRIFT, OK]


def test_policies_that_make_no_sense_are_refused():
    """At least one evaluation is needed either way."""
    with pytest.raises(ValueError, match="at least 1"):
        AlertPolicy(0, 1)


def _silenced(evaluation, subject):
    """The same without any event, or without one that tells of a feature."""
    if subject is None:
        return replace(evaluation, n=np.zeros_like(evaluation.n))
    found = evaluation.statistics["hellinger"]
    value = found.value.copy()
    value[0, subject] = np.nan
    return replace(evaluation, statistics={"hellinger": replace(found, value=value)})


@pytest.mark.parametrize("subject", [None, 0])
def test_an_alert_ends_when_no_window_holds_an_event_of_it(subject):
    """Of a slice or a feature that went silent it would fire for ever; while a window has events it stays."""
    book = AlertBook(AlertPolicy(3, 3))
    short, long = (
        [_evaluation([DRIFT, OK, OK], length_s, end_s=60.0 * i) for i in range(6)]
        for length_s in (60.0, 600.0)
    )
    few = [_evaluation([FEW, OK, OK], length_s, end_s=900.0) for length_s in (60.0, 600.0)]

    def told(*evaluations):
        return [(t.status, t.feature) for t in book.update(evaluations, lambda *_: NO_EXPLANATION)]

    assert [told(short[i], long[i]) for i in range(3)] == [[], [], [("firing", "x")]]
    assert told(_silenced(few[0], subject), few[1]) == []
    assert told(*(_silenced(evaluation, subject) for evaluation in few)) == [("resolved", "x")]
    assert told(*few) == []
    # It has to be raised anew.
    assert [told(short[i], long[i]) for i in range(3)] == [[], [], [("firing", "x")]]
