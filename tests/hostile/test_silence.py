"""What went silent alarms no longer, through the whole pipeline."""

import json

import numpy as np

from detector.runs import AlertPolicy
from detector.windows.slices import Slices
from detector.windows.spec import WindowSpec
from tests.support.factories import START_S, Rig, baseline_of, event, training_rows

SPEC = WindowSpec(pane_s=60, lengths_s=(300, 600), lateness_s=0)


def _rig(slices=None):
    rng = np.random.default_rng(4)
    return rng, Rig(baseline_of(training_rows(rng, 4000)), SPEC, slices=slices, alerts=AlertPolicy(2, 2, 0.0))


def _minute(rig, rows, minute):
    rig.feed([event(row, START_S + 60.0 * minute) for row in rows])


def _said(rig):
    return [(t.status, t.slice, t.feature) for outcome in rig.outcomes for t in outcome.transitions]


def test_the_alert_of_a_slice_ends_with_the_last_window_that_holds_an_event_of_it():
    """A country that drifts and then sends nothing any more: others go on."""
    rng, rig = _rig(Slices({"country": ("DE", "FR")}))
    for minute in range(30):
        rows = training_rows(rng, 400)
        for row in rows:
            if row["country"] == "DE":
                row["amount"] *= 30.0
        _minute(rig, rows if minute < 8 else [row for row in rows if row["country"] != "DE"], minute)
    rig.finish()

    of_slice = [(status, feature) for status, name, feature in _said(rig) if name == "country=DE"]
    assert ("firing", "amount") in of_slice
    assert ("resolved", "amount") in of_slice
    assert not [t for t in rig.pipeline.firing if t.slice == "country=DE"]
    ends = [
        t.ends_at_s for o in rig.outcomes for t in o.transitions if t.slice == "country=DE" and t.ends_at_s
    ]
    # The last event is of the eighth minute; ten minutes later no window holds it.
    assert max(ends) == START_S + 60.0 * 18


def test_a_stream_that_ends_in_drift_does_not_alarm_for_ever():
    """The windows run empty, and the alert ends with them."""
    rng, rig = _rig()
    for minute in range(8):
        _minute(rig, [{**row, "amount": 30.0 * row["amount"]} for row in training_rows(rng, 400)], minute)
    assert rig.pipeline.firing
    rig._take(rig.pipeline.quiet([], 3600.0))

    assert rig.pipeline.firing == ()
    assert json.dumps(sorted(_said(rig), key=str)).count("firing") == json.dumps(_said(rig)).count("resolved")
