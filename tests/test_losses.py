"""Records that cannot be read are counted, and the windows that may lack them say so."""

import numpy as np
import pytest

from detector.batch import Loss, Partition
from detector.pipeline import Pipeline
from detector.report.records import evaluation_records
from tests.support.factories import KEY, START_S, Rig, baseline_of, event, training_rows

P0, P1 = Partition("events", 0), Partition("events", 1)


@pytest.fixture(scope="module")
def baseline():
    return baseline_of(training_rows(np.random.default_rng(1), 500))


@pytest.fixture
def rig(baseline):
    return Rig(baseline)


def minute(rig, i, partition=0, n=1):
    """Feed an event of minute `i`; return whether the windows that closed are complete, by their end."""
    row = training_rows(np.random.default_rng(i), 1)[0]
    return told(rig.feed([event(row, START_S + 60 * i)], [partition], n))


def told(outcomes):
    return {
        round((o.end_s - START_S) / 60): j.evaluation.window.is_complete for o in outcomes for j in o.judged
    }


def test_windows_that_reach_the_loss_are_incomplete_and_no_others(rig):
    """Windows of five minutes; lost between minute 11 and minute 13."""
    closed = {}
    for i in range(24):
        if i == 13:
            rig.pipeline.lose([Loss(P0, "out_of_range", 7, 100, 106)])
        closed |= minute(rig, i)

    assert rig.pipeline.counters.lost == {("events", "out_of_range"): 7}
    # The panes of minutes 12 and 13 are the ones that lack something: minute 12 was open.
    assert [end for end, complete in closed.items() if not complete] == [13, 14, 15, 16, 17, 18]


def test_a_hole_lasts_until_the_next_event_of_the_partition(rig):
    """What was lost may be of any time in between."""
    closed = minute(rig, 0, 0, 2) | minute(rig, 0, 1, 2)
    rig.pipeline.lose([Loss(P1, "poison", 1, 1, 1)])
    list(rig.pipeline.quiet([P1], 0))
    rig.pipeline.lose([Loss(P1, "poison", 1, 2, 2)])
    for i in range(1, 9):
        closed |= minute(rig, i, 0, 2)
    closed |= minute(rig, 9, 1, 2)
    for i in range(9, 20):
        closed |= minute(rig, i, 0, 2) | minute(rig, i, 1, 2)

    # An idle partition does not hold windows open; what it lost leaves them incomplete all the same.
    assert [end for end, complete in closed.items() if not complete] == list(range(1, 15))
    assert closed[15]


def test_a_partition_without_anything_to_read_leaves_no_hole_open(rig):
    """Everything a quiet topic had is gone, and nothing more is written."""
    minute(rig, 0)
    rig.pipeline.lose([Loss(P1, "out_of_range", 3, 0, 2)])
    rig.feed([], [], 2)
    list(rig.pipeline.quiet([P1], 0))
    closed = {}
    for i in range(1, 12):
        closed |= minute(rig, i)

    assert [end for end, complete in closed.items() if not complete] == [1, 2, 3, 4, 5]


def test_a_number_that_is_not_known_counts_as_one(rig):
    """So that a rate shows it; and a loss before any event harms nothing."""
    rig.pipeline.lose([Loss(P0, "truncated", 0, 5, 5)])
    for i in range(8):
        minute(rig, i)

    assert rig.pipeline.counters.lost == {("events", "truncated"): 1}


@pytest.mark.parametrize("cut", range(10, 18))
def test_losses_are_remembered(baseline, cut):
    """A hole that is open, one that is closed and the counters, wherever the run is cut."""
    alone, cut_rig = Rig(baseline), Rig(baseline)
    closed = ({}, {})
    for i in range(24):
        if i == cut:
            tree = cut_rig.pipeline.remember()
            cut_rig.pipeline = Pipeline(cut_rig.pipeline.spec, cut_rig.models)
            cut_rig.pipeline.recall(tree)
        for one, found in zip((alone, cut_rig), closed, strict=True):
            if i == 12:
                one.pipeline.lose([Loss(P0, "poison", 2, 0, 1)])
            found |= minute(one, i)

    assert not all(closed[0].values())
    assert closed[0] == closed[1]
    assert alone.pipeline.counters == cut_rig.pipeline.counters


def test_a_restart_shows_the_incomplete_window(baseline, rig):
    """Gauges do not wait for the next pane."""
    for i in range(12):
        minute(rig, i)
    rig.pipeline.lose([Loss(P0, "poison", 2, 0, 1)])
    minute(rig, 12)
    recalled = Pipeline(rig.pipeline.spec, rig.models)
    recalled.recall(rig.pipeline.remember())

    assert not recalled.latest[KEY, 300].evaluation.window.is_complete


def test_lines_say_so_only_where_it_is_so(rig):
    """Complete windows have the lines that they always had."""
    outcomes = []
    for i in range(20):
        if i == 13:
            rig.pipeline.lose([Loss(P0, "out_of_range", 7, 100, 106)])
        outcomes += rig.feed([event(training_rows(np.random.default_rng(i), 1)[0], START_S + 60 * i)])
    lines = {o.end_s: next(evaluation_records(o.judged[0])) for o in outcomes}

    assert lines[START_S + 14 * 60]["complete"] is False
    assert "complete" not in lines[START_S + 12 * 60]
