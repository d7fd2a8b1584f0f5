"""A baseline without timestamps on data that move from day to day: what is learned while events come."""

import json

import numpy as np
import pytest

from detector.alerts import UNSURE
from detector.baseline.variation import DAY_S
from detector.drift.policy import DecisionPolicy
from detector.sinks.log import describe
from detector.times import format_time
from detector.view import SourceStatus, view_of
from detector.windows.spec import WindowSpec
from tests.support.drawn import overview_text
from tests.support.factories import KEY, Rig, baseline_of
from tests.support.worlds import START_S, rng_of

HOUR_S = 3600.0
SPEC = WindowSpec(pane_s=HOUR_S, lengths_s=(2 * HOUR_S,), lateness_s=0)
EVENTS = 200
"""An hour: two make a window."""
DAY_SD = 0.25
"""Days move by themselves: a mean that lies .5 off is a distance of .2, twice what matters."""


@pytest.fixture(scope="module")
def baseline():
    rng = rng_of("learning", "training")
    values = rng.normal(np.repeat(rng.normal(0, DAY_SD, 100), 200)).round(3)
    return baseline_of([{"x": x} for x in values.tolist()])


def _rig(baseline, learn=True):
    return Rig(baseline, SPEC, DecisionPolicy(min_samples=100, learn=learn))


def _hour(hour, mean, rng):
    times = START_S + hour * HOUR_S + np.sort(rng.random(EVENTS)) * HOUR_S
    values = rng.normal(mean, 1.0, EVENTS).round(3)
    return [
        json.dumps(
            {"model": KEY.model, "version": KEY.version, "features": {"x": x}, "timestamp": t}
        ).encode()
        for x, t in zip(values.tolist(), map(format_time, times.tolist()), strict=True)
    ]


def _run(rig, days, seed, change=lambda _hour: 0.0, first_day=0):
    """Feed days that move by themselves and by a change; return the alerts as (day, transition)."""
    rng = rng_of("learning", seed)
    means = np.repeat(rng.normal(0, DAY_SD, days), 24)
    for i, mean in enumerate(means.tolist()):
        hour = first_day * 24 + i
        rig.feed(_hour(hour, mean + change(hour), rng), now_s=START_S + 1e9)
    return [
        ((t.starts_at_s - START_S) / DAY_S, t)
        for o in rig.outcomes
        for t in o.transitions
        if t.feature == "x" and t.status == "firing"
    ]


def test_days_that_move_by_themselves_alarm_no_more_once_that_is_known(baseline):
    """Twelve days: with chance alone they alarm again and again; after the first day nothing does.

    Error rate: the budget is one alert in 30 days, so one in six seeds might have one; chance alone
    gives one on every third day.
    """
    learning, chance = _rig(baseline), _rig(baseline, learn=False)

    assert not [day for day, _ in _run(learning, 12, "quiet") if day > 1]
    assert len(_run(chance, 12, "quiet")) >= 3
    assert learning.pipeline.knowledge[KEY].is_enough
    assert learning.pipeline.knowledge[KEY].days == pytest.approx(11, abs=0.1)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("step", lambda hour: 3.0 * (hour >= 9 * 24)),
        ("ramp", lambda hour: 4.0 * np.clip((hour - 9 * 24) / 48, 0, 1)),
    ],
)
def test_a_change_after_the_first_week_is_found_and_stays_found(baseline, name, change):
    """A step of three standard deviations at day nine, a ramp to four in two days: firing to the end."""
    rig = _rig(baseline)
    alerts = _run(rig, 13, name, change)

    assert [int(day) for day, _ in alerts if day >= 9] in ([9], [10])
    assert [t.feature for t in rig.pipeline.alerts.firing.values() if t.feature] == ["x"]
    assert not alerts[-1][1].unsure


def test_an_alert_in_the_first_week_says_that_it_rests_on_a_guess(baseline):
    """In the log line and on the page; the page also says how far learning is."""
    rig = _rig(baseline)
    alerts = _run(rig, 4, "early", lambda hour: 3.0 * (hour >= 60))
    page = overview_text(
        view_of(rig.pipeline, {KEY: baseline}, SourceStatus(), revision=1, last_evaluation_s=None, ready=True)
    )

    assert alerts[-1][1].unsure
    assert f'note="{UNSURE}"' in describe(alerts[-1][1])
    assert UNSURE in page
    assert "variation: learned from the stream, 3 of 7 days" in page


def test_learning_does_not_depend_on_how_events_are_polled(baseline):
    """By the hour, or half a day at a time: the same thresholds at the end."""
    rng = rng_of("learning", "polls")
    hours = [_hour(h, float(rng.normal(0, DAY_SD)), rng) for h in range(60)]
    thresholds = []
    for at_once in (1, 12):
        rig = _rig(baseline)
        for i in range(0, len(hours), at_once):
            rig.feed([e for hour in hours[i : i + at_once] for e in hour], now_s=START_S + 1e9)
        rig.finish()
        last = rig.outcomes[-1].judged[0].evaluation
        thresholds.append({name: s.threshold.tolist() for name, s in last.statistics.items()})

    assert repr(thresholds[0]) == repr(thresholds[1])


def test_a_model_that_appears_late_begins_then(baseline):
    """A first event on the twentieth day of the others' time: its own first day is the first."""
    rig = _rig(baseline)
    _run(rig, 3, "late", first_day=20)

    assert rig.pipeline.knowledge[KEY].days == pytest.approx(2, abs=0.1)


def test_off_leaves_thresholds_to_chance(baseline):
    """Nothing is learned, and that is said."""
    rig = _rig(baseline, learn=False)
    _run(rig, 2, "off")

    assert rig.pipeline.knowledge[KEY].days == 0
    assert rig.pipeline.knowledge[KEY].text == "variation: not known"
