"""A statistic over time: where it lies, where it is over its threshold, and where there is nothing."""

import numpy as np
import pytest

from detector.drawing import timeline
from detector.drawing.ticks import time_ticks, value_ticks
from detector.drawing.timeline import MOST_POINTS, PLOT, TOP
from tests.drawing.reading import HOSTILE, is_harmless, parsed, path_of, shapes, texts, titles

START_S = 1_790_035_200.0
"""22 September 2026, midnight."""


def _drawn(value, threshold=0.1, step_s=300.0, **options):
    value = np.asarray(value, dtype=float)
    times_s = START_S + np.arange(len(value)) * step_s
    flat = np.full(len(value), 1.0)
    return timeline(times_s, value, flat * threshold, flat * 0.01, **{"title": "psi of amount"} | options)


def test_values_over_the_threshold_are_marked():
    """And only these."""
    marks = shapes(_drawn([0.05, 0.2, 0.1, 0.3]), "over")

    assert len(marks) == 2
    assert marks[1]["cy"] < marks[0]["cy"]


def test_a_value_beyond_all_floats_is_over_the_threshold_too():
    """It is marked at the upper end, and does not flatten the rest."""
    (mark,) = shapes(_drawn([0.05, np.inf]), "over")

    assert mark["cy"] == TOP
    assert titles(_drawn([0.05, np.inf]))[1] == "22 Sep 00:05 UTC: \u221e, threshold 0.1"


def test_the_legend_names_only_what_there_is():
    """A statistic that decides nothing has no threshold."""
    drawn = parsed(_drawn([0.05, 0.05], threshold=np.nan))

    assert [e.get("class") for e in drawn.iter("li")] == ["value", "noise"]


def test_heights_are_proportional_to_values():
    """From the axis up: threshold, value and noise floor on one scale."""
    drawn = _drawn([0.2, 0.4])
    base = TOP + PLOT
    heights = [base - n[1] for c, n in path_of(drawn, "value") if c in "ML"]
    (threshold, _) = [base - n[1] for c, n in path_of(drawn, "threshold") if c in "ML"]

    assert heights[1] == pytest.approx(2 * heights[0], abs=0.2)
    assert threshold == pytest.approx(heights[0] / 2, abs=0.2)


def test_where_nothing_was_the_line_is_broken():
    """At a value that is none, and at a pause."""
    moves = [c for c, _ in path_of(_drawn([0.1, np.nan, 0.1, 0.1]), "value") if c == "M"]
    times_s = START_S + 300 * np.array([0, 1, 2, 50, 51])
    pause = timeline(times_s, [0.1] * 5, [0.2] * 5, [0.0] * 5, title="t")

    assert len(moves) == 2
    assert len([c for c, _ in path_of(pause, "value") if c == "M"]) == 2


def test_the_onset_is_an_upright_line_at_its_time():
    """A quarter of the way is a quarter of the width; with the time in words."""
    drawn = _drawn([0.05] * 5, onset_s=START_S + 300)
    (line,) = shapes(drawn, "onset")

    assert line["x1"] == line["x2"] == pytest.approx(25, abs=0.1)
    assert "change began 22 Sep 00:05" in texts(drawn)


def test_an_onset_before_the_first_point_is_told_without_a_line():
    """There is no place for it."""
    drawn = _drawn([0.05] * 5, onset_s=START_S - 86400)

    assert shapes(drawn, "onset") == []
    assert "\u2190 change began 21 Sep 00:00" in texts(drawn)


def test_the_pointer_finds_time_value_and_threshold():
    """At each point where there is a value."""
    assert titles(_drawn([0.05, np.nan, 0.25])) == [
        "22 Sep 00:00 UTC: 0.05, threshold 0.1",
        "22 Sep 00:10 UTC: 0.25, threshold 0.1",
    ]


def test_of_many_points_the_worst_are_drawn():
    """A month of minutes is no larger than a day, and a single value over the threshold is not lost."""
    value = np.full(43_200, 0.01)
    value[12_345] = 0.5
    drawn = _drawn(value, step_s=60.0)

    assert len(titles(drawn)) == MOST_POINTS
    assert len(shapes(drawn, "over")) == 1
    assert len(drawn) < 80_000


@pytest.mark.parametrize("value", [[], [np.nan, np.nan], [0.1], [0.0, 0.0], [np.inf, 1.0], [1e300, 1e-300]])
def test_series_that_hardly_are_any_are_drawn_too(value):
    """No points, one, zeros, and values beyond all axes."""
    drawn = _drawn(value, threshold=np.nan)

    assert is_harmless(drawn)
    assert "inf" not in str(drawn).replace("inferred", "")
    assert not any("nan" in str(e.attrib) for e in parsed(drawn).iter())


@pytest.mark.parametrize("text", HOSTILE)
def test_the_title_is_never_markup(text):
    """Whatever the name of the feature in it is."""
    for value in ([0.1, 0.2], []):
        drawn = _drawn(value, title=text)
        assert is_harmless(drawn)
        assert str(drawn).isprintable()
        assert len(drawn) < 6000


@pytest.mark.parametrize("span_s", [1, 60, 3600, 86_400, 7 * 86_400, 365 * 86_400, 9e9])
def test_times_have_two_to_seven_ticks(span_s):
    """In rising order and within the axis, whatever its length."""
    ticks = time_ticks(START_S, START_S + span_s)

    assert 1 <= len(ticks) <= 7
    assert ticks == sorted(t for t in ticks if START_S <= t <= START_S + span_s)


@pytest.mark.parametrize("top", [1e-9, 0.07, 0.2, 1.0, 3.0, 99.0, 1e12])
def test_values_have_two_to_five_ticks(top):
    """From 0, in round steps, up to at least half of the axis."""
    ticks = value_ticks(top)

    assert 2 <= len(ticks) <= 5
    assert ticks[0] == 0
    assert top / 2 <= ticks[-1] <= top * 1.000001
