"""The pipeline: every event once, in the right window, whatever the order of partitions and polls."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.batch import Partition
from detector.drift.evaluation import State
from detector.drift.policy import DecisionPolicy
from detector.runs import AlertPolicy
from detector.windows.slices import Slices
from detector.windows.spec import MAX_OPEN_PANES, WindowSpec
from tests.support.factories import KEY, SPEC, START_S, Rig, baseline_of, event, training_rows

N_TRAINING = 4000


@pytest.fixture(scope="module")
def baseline():
    return baseline_of(training_rows(np.random.default_rng(1), N_TRAINING), slices=("country",))


def _events(rng, n, start_s=START_S, seconds=60.0, **changed):
    rows = training_rows(rng, n)
    times = start_s + np.sort(rng.random(n)) * seconds
    return [event({**row, **changed}, float(t)) for row, t in zip(rows, times, strict=True)]


def _windows(rig):
    return [
        (o.end_s, j.evaluation.window.length_s, j.evaluation.window.profile.counts.tobytes())
        for o in rig.outcomes
        for j in o.judged
    ]


def test_each_event_is_in_the_window_of_its_own_time(baseline, rng):
    """Five minutes of events, one-minute panes: each window holds what fell into its five panes."""
    rig = Rig(baseline)
    per_minute = [30, 10, 0, 25, 7, 3, 40]
    for i, n in enumerate(per_minute):
        rig.feed(_events(rng, n, START_S + 60 * i))
    rig.finish()

    found = [o.judged[0].evaluation.n[0] for o in rig.outcomes]
    assert found == [sum(per_minute[max(0, i - 4) : i + 1]) for i in range(len(per_minute))]


@settings(max_examples=25, deadline=None, derandomize=True, database=None)
@given(st.integers(0, 2**32 - 1), st.randoms())
def test_state_does_not_depend_on_how_partitions_were_interleaved(baseline, seed, shuffle):
    """The same partitions read against each other in any order, in polls of any size: the same windows."""
    rng = np.random.default_rng(seed)
    per_partition = [_events(rng, 60, seconds=400.0) for _ in range(3)]

    def run(order):
        rig = Rig(baseline, WindowSpec(pane_s=60, lengths_s=(60, 180), lateness_s=600))
        cursors = [iter(p) for p in per_partition]
        while order:
            poll, order = order[:17], order[17:]
            rig.feed([next(cursors[p]) for p in poll], poll, 3)
        rig.finish()
        return _windows(rig)

    order = [p for p in range(3) for _ in range(60)]
    expected = run(order)
    shuffle.shuffle(order)

    assert run(order) == expected


def test_late_events_are_counted_and_left_out(baseline, rng):
    """After the watermark has passed a pane, events for it are late."""
    rig = Rig(baseline)
    rig.feed(_events(rng, 10) + _events(rng, 1, START_S + 300))
    rig.feed(_events(rng, 4))

    assert rig.pipeline.counters.rejected["events", "late"] == 4
    assert rig.pipeline.counters.accepted[KEY] == 11


def test_one_event_from_the_future_does_not_close_the_windows_of_today(baseline, rng):
    """It is rejected before it can move the watermark."""
    rig = Rig(baseline)
    rig.feed([*_events(rng, 10), *_events(rng, 1, START_S + 1e6), *_events(rng, 5)], now_s=START_S + 60)

    assert rig.pipeline.counters.rejected["events", "future"] == 1
    assert rig.pipeline.counters.rejected["events", "late"] == 0
    assert rig.pipeline.counters.accepted[KEY] == 15


def test_a_partition_that_lags_is_waited_for_until_it_is_idle(baseline, rng):
    """Its events still reach their windows; idle, it holds nobody back."""
    rig = Rig(baseline)
    both = [*_events(rng, 1), *_events(rng, 5), *_events(rng, 5, START_S + 600)]
    assert rig.feed(both, [1] + [0] * 10, 2) == []

    assert list(rig.pipeline.quiet([Partition("events", 1)], 0.0)) != []


def test_a_partition_that_has_not_spoken_yet_is_waited_for(baseline, rng):
    """Catching up, a client reads one partition after the other; windows of the first alone mean nothing."""
    rig = Rig(baseline)
    first, second = ([*_events(rng, 30), *_events(rng, 1, START_S + 600)] for _ in range(2))

    assert rig.feed(first, [0] * 31, 2) == []
    assert rig.feed(second, [1] * 31, 2)[0].judged[0].evaluation.n[0] == 60


def test_a_lagging_partition_is_not_waited_for_without_end(baseline, rng):
    """At most `MAX_OPEN_PANES` panes stay open; what comes later amends the windows that still hold it."""
    rig = Rig(baseline)
    rig.feed(_events(rng, 1), [1], 2)
    for i in range(MAX_OPEN_PANES + 50):
        rig.feed(_events(rng, 1, START_S + 60 * i), [0], 2)

    assert len(rig.pipeline._open_panes()) <= MAX_OPEN_PANES
    assert len(rig.outcomes) >= 49
    assert rig.pipeline.counters.shed["open_panes"] == len(rig.outcomes)


def test_panes_that_close_by_themselves_are_not_given_up(baseline, rng):
    """Nothing lags: nothing is shed, however far the events reach."""
    rig = Rig(baseline)
    rig.feed([e for i in range(MAX_OPEN_PANES + 50) for e in _events(rng, 1, START_S + 60 * i)])

    assert rig.outcomes
    assert rig.pipeline.counters.shed.total() == 0


def test_new_columns_beyond_those_that_are_named_are_counted(baseline, rng):
    """An event may name 20; what it has beyond that is counted, at each event that is looked at."""
    rig = Rig(baseline)
    more = {f"new{i}": 1 for i in range(25)}
    rig.feed([event(row | more) for row in training_rows(rng, 1)])

    assert rig.pipeline.counters.shed["new_columns"] == 5


def test_a_silent_stream_runs_empty_and_says_so(baseline, rng):
    """Windows do not stay `ok` while nothing comes: event time goes on, and they become insufficient."""
    rig = Rig(baseline)
    rig.feed(_events(rng, 500))
    outcomes = list(rig.pipeline.quiet([Partition("events", 0)], 400.0))

    assert outcomes[0].judged[0].evaluation.state[0, 0] == State.OK
    assert outcomes[-1].judged[0].evaluation.state[0, 0] == State.INSUFFICIENT


def test_a_gap_of_a_year_is_skipped_not_walked_through(baseline, rng):
    """Panes are evaluated until the windows are empty, and again from the next event."""
    rig = Rig(baseline)
    rig.feed(_events(rng, 10))
    rig.feed(_events(rng, 10, START_S + 365 * 86400), now_s=START_S + 366 * 86400)
    rig.finish()

    assert len(rig.outcomes) < 10


def test_drift_fires_once_and_resolves(baseline, rng):
    """Three drifting evaluations raise one alert with its reasons; calm ones end it."""
    rig = Rig(baseline, alerts=AlertPolicy(3, 3))
    for i in range(24):
        broken = {"country": "XX"} if 5 <= i < 12 else {}
        rig.feed(_events(rng, 300, START_S + 60 * i, **broken))
    rig.finish()
    transitions = [t for o in rig.outcomes for t in o.transitions if t.slice == "all" and t.feature]

    assert [(t.status, t.feature) for t in transitions] == [("firing", "country"), ("resolved", "country")]
    assert transitions[0].contributors[0].bin == "values never seen in training"
    assert transitions[0].id == transitions[1].id
    assert transitions[0].kind == "ENUM_TYPE_UNEXPECTED_STRING_VALUES"
    assert rig.pipeline.counters.alerts_fired[KEY, "DriftSchemaAnomaly"] == 1


def test_slices_are_judged_each_against_its_own_reference(baseline, rng):
    """A change inside one country shows there though the whole hardly moves."""
    slices = Slices({"country": ("DE", "FR", "IT")})
    rig = Rig(baseline, SPEC, DecisionPolicy(min_samples=50), slices)
    values = []
    for row in training_rows(rng, 3000):
        if row["country"] == "IT":
            row["age"] = 18
        values.append(event(row, START_S + 1))
    rig.feed(values)
    rig.finish()
    judged = rig.outcomes[-1].judged[0].evaluation
    age = judged.features.names.index("age")

    assert judged.slices == ("all", "country=DE", "country=FR", "country=IT")
    assert judged.state[1, age] == judged.state[2, age] == State.OK
    assert judged.state[3, age] == State.DRIFT


def test_a_poll_that_spans_many_panes_stays_bounded(baseline, rng):
    """A backlog read at once is taken in piece by piece: open panes stay few."""
    rig = Rig(baseline)
    values = [e for i in range(500) for e in _events(rng, 1, START_S + 60 * i)]
    decoded = rig.feed(values)

    assert len(decoded) == 499
    assert rig.pipeline.counters.accepted[KEY] == 500
