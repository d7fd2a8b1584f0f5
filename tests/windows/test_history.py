"""The history of panes: every event once, as finely as it is still known, in bounded memory."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.profile import Layout
from detector.windows.history import MAX_CELLS, PANE_S, REACH_S, PaneHistory
from detector.windows.slices import Slices
from detector.windows.spec import WindowSpec
from detector.windows.windows import Windows
from tests.support.made import BINNING, CENTERS, random_columns

LAYOUT = Layout.of(BINNING)
EVERYTHING = np.arange(LAYOUT.width)


def _filled(spec, times, late=()):
    """Windows that have closed every pane of `times`; events at `late` come after that."""
    rng = np.random.default_rng(4)
    windows = Windows(spec, BINNING, CENTERS, Slices())
    last = int(max(times) // spec.pane_s)
    windows.add(random_columns(rng, len(times)), np.sort(np.array(times, float)), None)
    for pane in range(int(min(times) // spec.pane_s), last + 1):
        windows.close(pane)
    if late:
        windows.add(random_columns(rng, len(late)), np.array(late, float), last + 1)
    return windows


SPECS = [
    pytest.param(WindowSpec(60, (600,)), id="one short window"),
    pytest.param(WindowSpec(60, (600, 3600, 86400)), id="the default windows"),
    pytest.param(WindowSpec(60, (151 * 60, 86400)), id="a long pane that fits no other"),
    pytest.param(WindowSpec(420, (420 * 9,)), id="panes that no quarter of an hour is made of"),
    pytest.param(WindowSpec(60, (14 * 86400,)), id="one long window"),
]


@pytest.mark.parametrize("spec", SPECS)
@settings(max_examples=10, deadline=None, derandomize=True, database=None)
@given(st.lists(st.integers(0, 2 * 86400), min_size=1, max_size=60), st.data())
def test_a_series_counts_every_event_once_in_the_pane_of_its_time(spec, times, data):
    """However the levels lie against each other, and whatever came late: two days, second by second."""
    reached = Windows(spec, BINNING, CENTERS, Slices())
    reached.close(int(max(times) // spec.pane_s))
    oldest = max(0, reached.first_pane) * spec.pane_s
    late = data.draw(st.lists(st.integers(int(oldest), max(int(oldest), *times)), max_size=5))
    series = _filled(spec, times, late).series(0, EVERYTHING)

    all_times = np.array([*times, *late])
    bounds = zip(series.start_s, series.end_s, strict=True)
    inside = [int(((all_times >= a) & (all_times < b)).sum()) for a, b in bounds]
    assert series.n.tolist() == inside
    assert series.n.sum() == len(all_times)
    assert series.counts[:, LAYOUT.events].tolist() == inside
    assert (series.start_s[1:] >= series.end_s[:-1]).all()


def test_the_panes_of_a_window_are_told_as_fine_as_it_holds_them():
    """A minute within the window, a quarter of an hour before it."""
    series = _filled(WindowSpec(60, (600,)), list(range(0, 6 * 3600, 30))).series(0, EVERYTHING)
    length = series.end_s - series.start_s

    assert length[-10:].tolist() == [60.0] * 10
    assert set(length[:-11].tolist()) == {900.0}


def test_late_events_are_in_the_history():
    """They amend panes that no ring holds as fine any more."""
    spec = WindowSpec(60, (600, 3 * 3600))
    before = _filled(spec, [30.0, 3 * 3600.0 - 30]).series(0, EVERYTHING)
    after = _filled(spec, [30.0, 3 * 3600.0 - 30], late=[3600.0] * 7).series(0, EVERYTHING)

    assert after.n.sum() - before.n.sum() == 7


def test_slices_are_told_as_far_back_as_windows_reach():
    """The history is that of all events, and no slice's own."""
    rng = np.random.default_rng(5)
    columns = random_columns(rng, 400)
    sliced = type(columns)(columns.n, columns.numeric, columns.categorical, columns.odd, (["DE"] * 400,))
    windows = Windows(WindowSpec(60, (600,)), BINNING, CENTERS, Slices({"country": ("DE",)}))
    windows.add(sliced, np.arange(400) * 60.0, None)
    for pane in range(400):
        windows.close(pane)

    assert windows.series(0, EVERYTHING).n.sum() == 400
    assert windows.series(1, EVERYTHING).n.sum() == 10


def test_nothing_seen_is_an_empty_series():
    """No pane, no event."""
    assert Windows(WindowSpec(), BINNING, CENTERS, Slices()).series(0, EVERYTHING).n.tolist() == []


@pytest.mark.parametrize("lengths_s", [(600.0,), (86400.0,), (7 * 86400.0,), (60 * 86400.0,)])
@pytest.mark.parametrize("width", [10, 3000, 75_000, 600_000])
def test_memory_is_bounded_and_reaches_far_enough(lengths_s, width):
    """At most 4 million counters, three days and twice the longest window, coarser where there is no room."""
    spec = WindowSpec(60, lengths_s)
    history = PaneHistory(spec, width)
    needed_s = max(REACH_S, 2 * max(lengths_s))

    assert history.n_panes * width <= MAX_CELLS
    assert (history.n_panes - 1) * history.factor * 60 >= needed_s
    assert history.factor * 60 >= PANE_S
    if history.n_panes * 2 * width < MAX_CELLS and needed_s <= 4 * REACH_S:
        assert history.factor * 60 == PANE_S


def test_what_is_older_than_the_reach_is_forgotten():
    """A stream of a month keeps as many panes as it may, and no more; an old event brings none back."""
    spec = WindowSpec(60, (600,))
    history = PaneHistory(spec, 3)
    for pane in range(0, 30 * 1440, 5):
        history.add(pane, np.array([1, 0, 1]))
        assert len(history) <= history.n_panes
    history.add(0, np.array([1, 0, 1]))

    assert len(history) == history.n_panes
    assert history.items()[0][0] * 60 >= 30 * 86400 - REACH_S - 2 * PANE_S


def test_a_full_counter_does_not_turn_over():
    """Counts are int32; beyond that they stay where they are."""
    history = PaneHistory(WindowSpec(), 1)
    for _ in range(3):
        history.add(0, np.array([2**30 + 2**29]))

    assert history.items()[0][1].tolist() == [2**31 - 1]
