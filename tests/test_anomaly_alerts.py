"""From anomalies to alerts: they begin at once, end in calm, and one cause has one."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.alerts import AlertBook, is_explained
from detector.anomaly import Anomaly
from detector.anomaly_alerts import AnomalyBook, statistic_of
from detector.baseline.live_feature import MAX_NEW_COLUMNS, new_columns
from detector.batch import ModelKey
from detector.drift.explanation import NO_EXPLANATION
from detector.drift.judge import Judge
from detector.drift.policy import DecisionPolicy
from detector.runs import AlertPolicy
from detector.schema.validate import new_column
from detector.windows.sliding import WindowProfile
from tests.support.factories import KEY, baseline_of, training_rows

CLEAR_AFTER = 3
NONE = frozenset()


@pytest.fixture(scope="module")
def evaluate():
    """Make evaluations: `evaluate(minute, length_s)` of a window that ends then, of n events."""
    baseline = baseline_of(training_rows(np.random.default_rng(1), 500))
    judge = Judge(KEY, baseline, DecisionPolicy(min_samples=100))

    def make(minute, length_s=300.0, n=None, key=KEY):
        window = WindowProfile(length_s, 60.0 * minute - length_s, 60.0 * minute, baseline.profile)
        found = judge.evaluate(window)
        return replace(found, key=key, n=found.n if n is None else np.array([n]))

    return make


def _explain(*_):
    return NO_EXPLANATION


def _anomaly(kind, feature="age", severity="error"):
    return Anomaly(feature, kind, severity, "short", f"{feature}: {kind}")


GONE, NULL, FEW, SHAPE, TYPE, ENUM = (
    _anomaly(kind)
    for kind in (
        "SCHEMA_MISSING_COLUMN", "FEATURE_TYPE_NOT_PRESENT", "FEATURE_TYPE_LOW_FRACTION_PRESENT",
        "INVALID_FEATURE_SHAPE", "UNEXPECTED_DATA_TYPE", "ENUM_TYPE_UNEXPECTED_STRING_VALUES",
    )
)  # fmt: skip


class Story:
    """A book that is told the anomalies of one window minute by minute."""

    def __init__(self, evaluate, clear_after=CLEAR_AFTER):
        self.book = AnomalyBook(AlertPolicy(3, clear_after))
        self._evaluate = evaluate
        self.minute = 0

    def tell(self, *anomalies, drifting=NONE, **changed):
        """Return (status, feature, kind) of what begins and ends."""
        self.minute += 1
        pair = (self._evaluate(self.minute, **changed), anomalies)
        return [(t.status, t.feature, t.kind) for t in self.book.update([pair], _explain, drifting)]


def test_an_alert_begins_at_once_and_ends_after_calm_evaluations(evaluate):
    """With its message, its numbers and one id for both ends; nothing is left of it."""
    story = Story(evaluate)
    story.tell()
    (began,) = story.book.update([(evaluate(2), [TYPE])], _explain, NONE)
    assert (began.status, began.kind, began.message, began.statistic) == (
        "firing", "UNEXPECTED_DATA_TYPE", "age: UNEXPECTED_DATA_TYPE", "type_mismatch"
    )  # fmt: skip
    assert began.starts_at_s == 120.0
    assert story.book.update([(evaluate(3), [])], _explain, NONE) == []
    assert story.book.update([(evaluate(4), [TYPE])], _explain, NONE) == []
    assert [story.book.update([(evaluate(i), [])], _explain, NONE) for i in (5, 6)] == [[], []]
    (ended,) = story.book.update([(evaluate(7), [])], _explain, NONE)

    assert ended == replace(began, status="resolved", ends_at_s=420.0)
    assert ended.id == began.id
    assert (story.book.firing, story.book._calm) == ({}, {})
    story.book.update([(evaluate(20), [])], _explain, NONE)
    assert story.book._broken_until_s == {}


def test_warnings_fire_nothing(evaluate):
    """Rules that nobody confirmed."""
    story = Story(evaluate)

    assert story.tell(_anomaly("FLOAT_TYPE_HAS_NAN", severity="warning")) == []
    assert story.book.covered(KEY) == {}


def test_a_window_with_too_few_events_changes_nothing_and_an_empty_one_ends_it(evaluate):
    """Nineteen events neither calm nor end an alert; none at all do."""
    story = Story(evaluate, clear_after=1)
    story.tell(TYPE)
    assert [story.tell(n=19) for _ in range(5)] == [[]] * 5
    assert story.tell(n=0) == [("resolved", "age", "UNEXPECTED_DATA_TYPE")]
    assert story.tell(TYPE) == [("firing", "age", "UNEXPECTED_DATA_TYPE")]


def test_an_empty_short_window_does_not_end_what_a_longer_one_holds(evaluate):
    """All windows of the model version must be empty."""
    story = Story(evaluate)
    story.tell(TYPE)
    pairs = [(evaluate(2, n=0), []), (evaluate(2, 3600.0, n=5), [])]

    assert story.book.update(pairs, _explain, NONE) == []
    assert len(story.book.firing) == 1


def test_the_shortest_window_that_shows_it_has_the_alert(evaluate):
    """One alert for a feature and kind, not one for each window."""
    book = AnomalyBook(AlertPolicy())
    pairs = [(evaluate(1, 300.0), [TYPE]), (evaluate(1, 3600.0), [TYPE, ENUM])]
    found = book.update(pairs, _explain, NONE)

    assert [(t.kind, t.window_s) for t in found] == [(TYPE.kind, 300.0), (ENUM.kind, 3600.0)]


def test_model_versions_are_apart(evaluate):
    """Calm evaluations of one do not end the alerts of another."""
    book, other = AnomalyBook(AlertPolicy(3, 1)), ModelKey("credit", "2")
    book.update([(evaluate(1), [TYPE])], _explain, NONE)
    book.update([(evaluate(1, key=other), [GONE])], _explain, NONE)
    ended = book.update([(evaluate(2), [])], _explain, NONE)

    assert [t.kind for t in ended] == [TYPE.kind]
    assert set(book.covered(other)) == {("age", "missing")}
    assert set(book.covered(KEY)) == {("age", "type_mismatch")}


def test_what_drift_tells_already_is_not_told_again(evaluate):
    """The rate of missing values fires: the schema's alert waits until that has ended."""
    story = Story(evaluate)
    drifting = frozenset({("age", "missing")})

    assert story.tell(GONE, TYPE, drifting=drifting) == [("firing", "age", TYPE.kind)]
    assert story.tell(GONE, TYPE) == [("firing", "age", GONE.kind)]


@pytest.mark.parametrize("few", [FEW, SHAPE])
def test_what_a_dropped_column_left_in_the_window_is_told_already(evaluate, few):
    """Too few values, while the window still holds the time without: no second alert; later one."""
    story = Story(evaluate)
    story.tell(GONE)
    told = [story.tell(few) for _ in range(6)]

    assert told == [[], [], [("resolved", "age", GONE.kind)], [], [("firing", "age", few.kind)], []]


@pytest.mark.parametrize("first", [FEW, NULL])
def test_a_column_that_goes_altogether_is_told_whatever_fires(evaluate, first):
    """Some missing values, or nulls, keep nothing silent that is more."""
    story = Story(evaluate)
    story.tell(first)

    assert story.tell(GONE) == [("firing", "age", GONE.kind)]


def test_covered_lasts_as_long_as_a_window_holds_the_time(evaluate):
    """Infinity while it fires, then the end of the last window that showed it, then nothing."""
    story = Story(evaluate, clear_after=1)
    story.tell(TYPE)
    assert story.book.covered(KEY) == {("age", "type_mismatch"): np.inf}
    story.tell()
    covered = story.book.covered(KEY)
    assert covered == {("age", "type_mismatch"): 60.0}
    evaluation = evaluate(5)
    f = evaluation.features.names.index("age")
    assert is_explained(evaluation, f, "type_mismatch", covered)
    assert not is_explained(evaluate(6), f, "type_mismatch", covered)
    for _ in range(4):
        story.tell()
    assert story.book.covered(KEY) == {}


def test_drift_that_a_window_still_holds_of_a_told_cause_has_no_alert(evaluate):
    """The book of drift asks what is covered, for each window by its own start."""
    evaluation = evaluate(10)
    f = evaluation.features.names.index("age")
    state = evaluation.state.copy()
    state[0, f] = 2
    evaluation.excess[...] = 0.0
    evaluation.excess[evaluation.worst.index("missing"), 0, f] = 9.0
    drifting = replace(evaluation, state=state)
    silent, loud = AlertBook(AlertPolicy(1, 1)), AlertBook(AlertPolicy(1, 1))

    assert silent.update([drifting], _explain, {("age", "missing"): 301.0}) == []
    assert [t.statistic for t in loud.update([drifting], _explain, {("age", "missing"): 300.0})] == [
        "missing"
    ]


def test_a_flood_of_new_columns_is_one_alert_to_its_end(evaluate):
    """Few: one each. Many: one for all, the few are over, and what is left of the many is no alert."""
    story = Story(evaluate, clear_after=1)
    few, many = new_columns(["a", "b"]), new_columns(f"n{i}" for i in range(MAX_NEW_COLUMNS + 1))

    assert story.tell(*few) == [("firing", name, "SCHEMA_NEW_COLUMN") for name in "ab"]
    assert set(story.tell(*many)) == {
        ("resolved", "a", "SCHEMA_NEW_COLUMN"), ("resolved", "b", "SCHEMA_NEW_COLUMN"),
        ("firing", None, "SCHEMA_NEW_COLUMN"),
    }  # fmt: skip
    assert story.tell(*new_columns(["n1", "n2"])) == []
    assert story.tell() == [("resolved", None, "SCHEMA_NEW_COLUMN")]
    assert story.tell(new_column("n1")) == [("firing", "n1", "SCHEMA_NEW_COLUMN")]


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(
    st.lists(
        st.sets(st.sampled_from([GONE, NULL, FEW, TYPE, ENUM, new_column("x")]), max_size=4), max_size=30
    ),
    st.integers(1, 4),
)
def test_every_alert_that_begins_ends_once_it_is_calm(evaluate, story, clear_after):
    """Whatever comes: begin and end alternate, one at a time, and calm leaves nothing behind."""
    told = Story(evaluate, clear_after)
    open_now = set()
    for anomalies in [*story, *[set()] * (clear_after + 6)]:
        for status, feature, kind in told.tell(*anomalies):
            if status == "firing":
                assert (feature, kind) not in open_now
                assert kind in {a.kind for a in anomalies}
                open_now.add((feature, kind))
            else:
                open_now.remove((feature, kind))
        firing = {(place[1], place[2]) for place in told.book.firing}
        assert firing == open_now
        said = {a.kind for a in anomalies}
        # What is broken is told, by its own alert or, too few values only, by that of the cause.
        assert said - {kind for _, kind in firing} <= {FEW.kind}

    assert (told.book.firing, told.book._calm, told.book._broken_until_s) == ({}, {}, {})


@pytest.mark.parametrize(
    ("kind", "statistic"),
    [("SCHEMA_MISSING_COLUMN", "missing"), ("INT_TYPE_SMALL_INT", "outside"),
     ("BOOL_TYPE_BIG_INT", "outside"), (ENUM.kind, "unseen"), ("SCHEMA_NEW_COLUMN", None)],
)  # fmt: skip
def test_the_statistic_that_sees_the_same(kind, statistic):
    """None where no statistic does."""
    assert statistic_of(kind) == statistic


def test_an_alert_has_numbers_or_none(evaluate):
    """A rate that a feature has not is no number: not NaN, which no sink can send."""
    book = AnomalyBook(AlertPolicy())
    (began,) = book.update([(evaluate(1), [ENUM])], _explain, NONE)

    assert (began.statistic, began.value, began.threshold) == ("unseen", None, None)
