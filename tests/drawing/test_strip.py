"""A row of the heat map: levels by distance from the threshold, few shapes, readable without colour."""

import numpy as np
import pytest

from detector.drawing import level_of, strip, strip_legend
from detector.drift.evaluation import State
from tests.drawing.reading import HOSTILE, is_harmless, parsed, titles


def _rects(drawn):
    return [(e.get("class"), float(e.get("x")), float(e.get("width"))) for e in parsed(drawn).iter("rect")]


def test_levels_follow_from_value_over_threshold():
    """A limit itself belongs to the level above it."""
    excess = np.array([0.0, 0.49, 0.5, 0.7, 0.99, 1.0, 1.99, 2.0, 1e30, np.inf], dtype=np.float32)

    assert level_of(excess, np.zeros(10, np.int8)).tolist() == [1, 1, 2, 3, 3, 4, 4, 5, 5, 5]


def test_without_data_there_is_no_level():
    """Too few events, and no value."""
    states = np.array([State.INSUFFICIENT, State.OK])

    assert level_of(np.array([3.0, np.nan]), states).tolist() == [0, 0]


def test_neighbours_of_one_level_are_one_rectangle():
    """A day without an event is one shape."""
    assert _rects(strip([1, 1, 1, 5, 5, 0], title="x")) == [("l1", 0, 3), ("l5", 3, 2), ("l0", 5, 1)]
    assert len(_rects(strip([1] * 10_000, title="x"))) == 1


def test_what_is_over_the_threshold_is_taller():
    """Colour is not the only sign."""
    heights = [float(e.get("height")) for e in parsed(strip(range(6), title="x")).iter("rect")]

    assert heights[0] < heights[1] == heights[2] == heights[3] < heights[4] < heights[5]


def test_of_many_slots_the_worst_are_kept():
    """At most 144 columns; one slot over the threshold is still seen."""
    levels = np.tile([1, 2], 5000)
    levels[7777] = 5
    drawn = strip(levels, 1.79e9 + 307.0 * np.arange(10_000), title="x")

    assert len(drawn) < 15_000
    assert len(_rects(drawn)) <= 144
    assert len([r for r in _rects(drawn) if r[0] == "l5"]) == 1


def test_the_row_is_told_in_words():
    """Name, how often it was over the threshold, and how it stands; times where they are given."""
    drawn = parsed(strip([1, 4, 5], [1_790_035_200.0, 1_790_035_500.0, 1_790_035_800.0], title="amount"))

    assert (
        drawn.get("aria-label") == "amount: over the threshold in 2 of 3 slots, last over twice the threshold"
    )
    assert [e.text for e in drawn.iter("title")][1] == "22 Sep 00:05 UTC: over the threshold"


def test_no_slots_are_a_row_too():
    """Empty, and well-formed."""
    assert _rects(strip([], title="x")) == []


@pytest.mark.parametrize("text", HOSTILE)
def test_the_title_is_never_markup(text):
    """Whatever the name of the feature is."""
    assert is_harmless(strip([1, 2], title=text))
    assert len(strip([1, 2], title=text)) < 1000


def test_the_legend_names_every_level():
    """In the order of their rank, and the line under what is in state drift."""
    kinds = [e.get("class") for e in parsed(strip_legend()).iter("li")]

    assert kinds == [*(f"l{i}" for i in range(6)), "drifting"]
    assert "state drift" in str(strip_legend())


def test_state_drift_is_underlined_at_any_level():
    """A feature that is back below its threshold is not yet fine: seen, in words, and for the pointer."""
    excess = np.array([0.2, 3.0, 0.9, 0.2])
    states = np.array([State.OK, State.OK, State.DRIFT, State.DRIFT])
    drawn = strip(level_of(excess, states), title="amount")

    assert [r for r in _rects(drawn) if r[0] == "drifting"] == [("drifting", 2, 1), ("drifting", 3, 1)]
    assert [kind for kind, *_ in _rects(drawn) if kind != "drifting"] == ["l1", "l5", "l3", "l1"]
    assert parsed(drawn).get("aria-label") == (
        "amount: over the threshold in 1 of 4 slots, in state drift in 2, "
        "last below half the threshold, state drift"
    )
    assert titles(drawn)[-1] == "below half the threshold, state drift"


def test_of_many_slots_one_in_state_drift_is_kept():
    """Beside worse levels of its stretch."""
    states = np.zeros(10_000, dtype=np.int64)
    states[7777] = State.DRIFT
    drawn = strip(level_of(np.tile([0.2, 3.0], 5000), states), title="x")

    assert len([r for r in _rects(drawn) if r[0] == "drifting"]) == 1
