"""What people read of an alert: the record, the line in the log, and the page say the same."""

from dataclasses import replace

import pytest

from detector.alerts import Transition
from detector.drift.contributors import Contributor
from detector.drift.size import Size
from detector.report.records import alert_record
from detector.sinks.log import describe
from detector.view import SourceStatus, view_of
from tests.support.drawn import overview_text
from tests.support.factories import KEY, START_S, Rig, baseline_of

FIRING = Transition(
    "firing", "DriftFeatureDrifted", KEY, "all", "amount", 600.0, "hellinger", 0.25, 0.1, START_S,
    onset_s=START_S - 1200.0, shape="sudden", size=Size(0.3, 0.125, 0.5, START_S + 60.0),
)  # fmt: skip
RESOLVED = replace(FIRING, status="resolved", ends_at_s=START_S + 3600.0)
UNKNOWN = replace(FIRING, onset_s=None, shape="unknown", size=Size(None, None, None, START_S))


def _page(alert):
    rig = Rig(baseline_of([{"amount": float(i)} for i in range(200)]))
    rig.pipeline.alerts.firing[alert.key, alert.slice, alert.feature] = alert
    view = view_of(rig.pipeline, {}, SourceStatus(), revision=1, last_evaluation_s=None, ready=True)
    assert view.firing == (alert,)
    return overview_text(view)


def test_the_record_of_a_resolved_alert_tells_its_numbers_at_first_now_and_at_most():
    """`value` and `threshold` are those it began with."""
    record = alert_record(RESOLVED)

    assert (record["value"], record["value_now"], record["peak"]) == (0.25, 0.3, 0.5)
    assert (record["threshold"], record["threshold_now"]) == (0.1, 0.125)
    assert (record["onset"][-6:], record["shape"]) == ("40:00Z", "sudden")


def test_the_log_tells_since_when_and_how():
    """Both lines; how large it was when it ends."""
    began, ended = describe(FIRING), describe(RESOLVED)

    assert "since=" in began
    assert "shape=sudden" in began
    assert "peak" not in began
    assert " peak=0.5 " in ended
    assert ended.split("since=")[1].split()[0] == began.split("since=")[1].split()[0]


def test_the_log_is_one_line_whatever_categories_hold():
    """A line break inside a value of the training data breaks no line; names with commas stay apart."""
    changes = (Contributor("line\nbreak", 0.25, 0.5),)
    line = describe(replace(FIRING, contributors=changes, moved_with=("a,b", "c")))

    assert "\n" not in line
    assert "contributors=[line\ufffdbreak: 25.0% -> 50.0%]" in line
    assert 'moved_with=["a,b", c]' in line


def test_the_page_tells_since_when_how_and_how_large():
    """An alert that fires, with its window, its size now and at most."""
    page = _page(FIRING)

    assert "10m window" in page
    assert ":40 UTC</time></span>, sudden" in page
    assert "hellinger 0.3, threshold 0.125, at most 0.5" in page


@pytest.mark.parametrize("text", [describe(UNKNOWN), _page(UNKNOWN).partition("<main")[2]])
def test_what_is_not_known_is_not_said(text):
    """No onset, no shape, no size: not even a word of it."""
    for word in ("since=", "the change", "unknown", "now", "None", "nan"):
        assert word not in text


def test_the_record_of_what_is_not_known_has_nulls():
    """The keys are there."""
    record = alert_record(UNKNOWN)

    assert (record["onset"], record["shape"], record["peak"], record["value_now"]) == (
        None,
        "unknown",
        None,
        None,
    )
