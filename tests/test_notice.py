"""What surrounds an alert when sinks are told of it."""

import re
from dataclasses import replace

import numpy as np
import pytest

from detector.alerts import PREDICTION_ALERT
from detector.drift.evaluation import State
from detector.notice import MAX_FEATURES, notices_of
from detector.report.records import alert_record
from tests.support.factories import KEY, START_S, Rig, baseline_of, event, training_rows
from tests.support.notices import dataset_alert, ended, feature_alert, notice, schema_alert


@pytest.fixture(scope="module")
def drifted():
    """A pipeline that has just raised an alert on `country`: (outcome, rig, baseline)."""
    rng = np.random.default_rng(11)
    baseline = replace(baseline_of(training_rows(rng, 3000)), digest="ab" * 32)
    rig = Rig(baseline)
    for minute in range(6):
        rows = training_rows(rng, 1200)
        rig.feed([event({**row, "country": "XX"}, START_S + 60 * minute) for row in rows])
    rig.finish()
    outcome = next(o for o in rig.outcomes if any(t.feature == "country" for t in o.transitions))
    return outcome, rig, baseline


def test_a_notice_holds_the_window_the_features_and_the_baseline(drifted):
    """Everything that somebody who gets only this one message needs."""
    outcome, _, baseline = drifted
    [told] = notices_of(outcome.transitions[:1], outcome.judged, outcome.transitions, {KEY: baseline})

    assert told.baseline_sha256 == baseline.digest
    assert told.window_end_s == outcome.end_s
    assert told.window_start_s == outcome.end_s - 300
    assert told.n_features == 4
    assert "country" in [f.name for f in told.features if f.state >= State.WARNING]
    country = next(f for f in told.features if f.name == "country")
    assert country.contributors == next(t for t in outcome.transitions if t.feature == "country").contributors
    assert len(told.features) <= MAX_FEATURES


def test_an_alert_without_an_evaluation_at_hand_is_told_all_the_same(drifted):
    """Of another model, or of a window that is not judged."""
    outcome, _, baseline = drifted
    odd = [replace(feature_alert(), slice="country=DE"), replace(feature_alert(), window_s=7.0)]
    told = notices_of(odd, outcome.judged, (), {KEY: baseline})

    assert [n.features for n in told] == [(), ()]
    assert [n.baseline_sha256 for n in told] == [baseline.digest] * 2


def test_idempotency_keys_tell_alerts_and_their_ends_apart():
    """The same for every repeat; good as the name of a run, of a workflow and as a header."""
    began = feature_alert("age")
    all_of = [began, ended(began), feature_alert("amount"), dataset_alert(), schema_alert("age"),
              schema_alert("age", "UNEXPECTED_DATA_TYPE"), replace(began, starts_at_s=began.starts_at_s + 60),
              feature_alert("\ud800")]  # fmt: skip
    keys = [notice(t).idempotency_key for t in all_of]

    assert len(set(keys)) == len(all_of)
    assert all(re.fullmatch("drift-[0-9a-f]{32}", key) for key in keys)
    assert notice(replace(began, value=0.9, kind="unit_change")).idempotency_key == keys[0]


def test_the_severity_of_an_alert_is_in_its_record():
    """What the model answers, or most of what it sees, before a single feature."""
    prediction = feature_alert("score", alert=PREDICTION_ALERT)
    alerts = (dataset_alert(), prediction, feature_alert(), schema_alert())

    assert [alert_record(t)["severity"] for t in alerts] == ["critical", "critical", "warning", "warning"]
