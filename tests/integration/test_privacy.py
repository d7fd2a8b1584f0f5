"""What events and rare training rows hold is told to nobody: canaries in values, keys and ids."""

import json
import logging
import struct

import numpy as np
import pytest

from detector.drift.policy import DecisionPolicy, FeaturePolicy
from detector.metrics import Metrics
from detector.notice import notices_of
from detector.report.records import alert_record
from detector.sinks.log import describe
from detector.sinks.message import encode, message_of
from detector.sinks.settings import Links
from detector.sinks.slack import text_of
from detector.state.encoding import Cut, Encoder, decode
from detector.view import SourceStatus, view_of
from detector.web.status import status_record
from tests.support.drawn import every_answer, every_page
from tests.support.factories import KEY, START_S, Rig, baseline_of, event, training_rows

CANARY, NUMBER = "canary-4711", 987654.321
MIDDLE = 4321.123
RARE = "rare-canary"


def _rows(rng):
    """Training rows; three of them have a country that nobody else has."""
    rows = training_rows(rng, 2000)
    return [{**row, "country": RARE} if i < 3 else row for i, row in enumerate(rows)]


def _told(rig):
    """Everything that is told of what a rig has found, as one text."""
    view = view_of(
        rig.pipeline, {KEY: rig.models[KEY].baseline}, SourceStatus(connected=True),
        revision=1, last_evaluation_s=START_S, ready=True,
    )  # fmt: skip
    metrics = Metrics()
    metrics.publish(view)
    said = [metrics.page()[0].decode(), every_page(view), json.dumps(status_record(view)), every_answer(view)]
    for t in view.firing:
        said += [describe(t), json.dumps(alert_record(t))]
        for told in notices_of([t], list(view.judged.values()), view.firing, view.baselines):
            said += [encode(message_of(told)).decode(), text_of([told], Links())]
    said += [repr(a) for judged in view.judged.values() for a in judged.anomalies]
    return "\n".join(said), view.firing


def _kept(tree):
    """Everything that state holds: texts as they are, numbers as bytes."""
    if isinstance(tree, dict):
        return b"\n".join([*map(_kept, tree), *map(_kept, tree.values())])
    if isinstance(tree, list | tuple):
        return b"\n".join(map(_kept, tree))
    if isinstance(tree, np.ndarray):
        return tree.tobytes()
    return struct.pack("<d", tree) if isinstance(tree, float) else str(tree).encode()


def _changed(rng):
    return [{**row, "country": CANARY, "amount": NUMBER} for row in training_rows(rng, 500)]


def _rig(rng, **policy):
    rig = Rig(baseline_of(_rows(rng)), policy=DecisionPolicy(min_samples=100, **policy))
    for minute in range(6):
        rig.feed([event(row, START_S + 60 * minute) for row in _changed(rng)])
    rig.feed([b'{"password": "' + CANARY.encode() + b'"', CANARY.encode()])
    rig.finish()
    return rig


def test_values_of_events_are_told_to_nobody(rng, caplog):
    """New categories, new numbers, rejected payloads: on no page, in no alert, message or log at DEBUG."""
    caplog.set_level(logging.DEBUG)
    told, firing = _told(_rig(rng))
    assert firing
    assert "values never seen in training" in told
    for canary in (CANARY, "987654", "9.87654e+05"):
        assert canary not in told
        assert canary not in caplog.text


def test_values_of_events_are_not_in_what_is_kept(rng):
    """The state over a restart holds no category and no payload; of numbers the outermost of each pane.

    An event between others leaves no number there: `MIDDLE` is neither the smallest nor the largest.
    """
    rig = Rig(baseline_of(_rows(rng)), policy=DecisionPolicy(min_samples=100))
    for minute in range(6):
        rows = _changed(rng)
        rows[7]["amount"] = MIDDLE
        rows[8]["amount"] = 0.5
        rig.feed([event(row, START_S + 60 * minute) for row in rows])
    rig.feed([b'{"password": "' + CANARY.encode() + b'"', CANARY.encode()])
    cut = decode(b"".join(Encoder().encode(Cut(rig.pipeline.remember(), {}))))
    kept = _kept(cut.tree)

    assert b"country" in kept
    assert len(kept) > 10_000
    for canary in (CANARY.encode(), b"987654", struct.pack("<d", MIDDLE), struct.pack("<f", MIDDLE)):
        assert canary not in kept
    assert struct.pack("<d", NUMBER) in kept, "the largest: what ranges are checked by"


@pytest.mark.parametrize(("min_count", "is_named"), [(1, True), (10, False)])
def test_a_category_that_few_have_is_not_named(rng, min_count, is_named):
    """Also where it is what has changed; it counts among the rare values."""
    rig = Rig(baseline_of(_rows(rng)), policy=DecisionPolicy(min_samples=100, min_count=min_count))
    for minute in range(6):
        rows = [{**row, "country": RARE} if i % 2 else row for i, row in enumerate(training_rows(rng, 500))]
        rig.feed([event(row, START_S + 60 * minute) for row in rows])
    rig.finish()
    told, firing = _told(rig)

    assert "country" in {t.feature for t in firing}
    assert (RARE in told) == is_named
    shares = [c for t in firing if t.feature == "country" for c in t.contributors]
    assert is_named or any(c.bin == "rare values" and c.current > 0.4 for c in shares)


def test_of_a_sensitive_feature_states_and_scores_are_told(rng):
    """No contributor, no value in a message; its name, state and cause in general words are there."""
    rig = _rig(rng, features={"*": FeaturePolicy(sensitive=True)})
    told, firing = _told(rig)
    baseline = rig.models[KEY].baseline
    values = baseline.binning.of(baseline.features.names.index("country")).values

    assert {"country", "amount"} <= {t.feature for t in firing}
    assert all(t.contributors == () for t in firing)
    for value in values:
        assert not any(f"{mark}{value}{mark}" in told for mark in ("'", '"')), value
        assert f"{value}: " not in told
