"""Sums of windows stay those of their events: at the start, after silence, in polls of any size."""

import numpy as np
import pytest

from detector.drift.policy import DecisionPolicy
from detector.windows.spec import WindowSpec
from tests.support.factories import KEY, START_S, Rig, baseline_of, event, training_rows

SPEC = WindowSpec(pane_s=60, lengths_s=(300, 1800), lateness_s=120)


@pytest.fixture(scope="module")
def baseline():
    return baseline_of(training_rows(np.random.default_rng(1), 4000))


def _events(rng, times, factor=1.0):
    rows = training_rows(rng, len(times))
    return [event({**r, "amount": r["amount"] * factor}, float(t)) for r, t in zip(rows, times, strict=True)]


def _n(rig):
    """Events of each window at each end of a pane."""
    return [(o.end_s, [int(j.evaluation.n[0]) for j in o.judged]) for o in rig.outcomes]


def test_an_event_of_a_pane_before_the_first_poll_is_counted_once(baseline, rng):
    """It is in time; it leaves its windows as it came, and no count falls below 0."""
    rig = Rig(baseline, SPEC)
    rig.feed(_events(rng, [START_S + 90.0]))
    rig.feed(_events(rng, [START_S + 30.0]))
    rig.feed(_events(rng, START_S + 400.0 + 60.0 * np.arange(40)))

    counted = dict(_n(rig))
    assert counted[START_S + 60.0] == [1, 1]
    assert counted[START_S + 120.0] == [2, 2]
    assert all((j.evaluation.window.profile.counts >= 0).all() for o in rig.outcomes for j in o.judged)
    assert _n(rig)[-1][1] == [5, 30]


def test_events_that_a_producer_kept_back_while_all_was_silent_are_counted_once(baseline, rng):
    """Event time has gone on by the clock; what windows reach is still counted, and older events are late."""
    rig = Rig(baseline, SPEC)
    rig.feed(_events(rng, [START_S]))
    list(rig.pipeline.quiet([], 36_000.0))
    closed_s = rig.pipeline.watermark_s // 60.0 * 60.0
    rig.feed(_events(rng, [closed_s - 7200.0, closed_s - 200.0]))
    rig.feed(_events(rng, closed_s + 180.0 + 60.0 * np.arange(40)))

    assert rig.pipeline.counters.rejected["events", "late"] == 1
    assert dict(_n(rig))[closed_s + 60.0] == [1, 1]
    assert all((j.evaluation.window.profile.counts >= 0).all() for o in rig.outcomes for j in o.judged)


@pytest.mark.parametrize("poll", [1, 37, 500])
def test_windows_and_alerts_do_not_depend_on_the_size_of_polls(baseline, poll):
    """Two days out of order by less than `lateness`, a change among them, with learning and onsets."""

    def run(size):
        rng = np.random.default_rng(8)
        spec = WindowSpec(pane_s=1800, lengths_s=(7200,), lateness_s=3600)
        rig = Rig(baseline, spec, DecisionPolicy(min_samples=100))
        times = START_S + np.sort(rng.random(5000)) * 2 * 86400.0 - rng.random(5000) * 3000.0
        values = _events(rng, times[:4000]) + _events(rng, times[4000:], 20.0)
        for i in range(0, len(values), size):
            rig.feed(values[i : i + size])
        rig.finish()
        told = [(t.id, t.status, t.onset_s, t.shape) for o in rig.outcomes for t in o.transitions]
        counts = [j.evaluation.window.profile.counts.tobytes() for o in rig.outcomes for j in o.judged]
        return told, counts, rig.pipeline.knowledge[KEY].days

    told, counts, days = run(poll)

    assert told
    assert days > 0
    assert (told, counts, days) == run(5000)


def test_numbers_near_the_largest_float_do_not_stop_the_stream(rng):
    """Their sums and squares are beyond all floats."""
    rows = [{"flag": i % 2, "x": float(x)} for i, x in enumerate(rng.normal(size=2000))]
    rig = Rig(baseline_of(rows), SPEC)
    for minute in range(6):
        large = [{"flag": sign * 1e308, "x": sign * 1e200} for sign in (1.0, 1.0, -1.0, -1.0)] * 50
        rig.feed([event(row, START_S + 60.0 * minute + i / 10) for i, row in enumerate(large)])
    outcomes = rig.finish()

    assert outcomes[-1].judged[0].evaluation.n[0] == 1000
    assert {t.feature for o in rig.outcomes for t in o.transitions} >= {"flag"}
