"""Windows: sums over panes that slide exactly, whatever the order in which events came."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.profile import Layout, Profile, count
from detector.windows.slices import Slices
from detector.windows.spec import MAX_PANES_A_WINDOW, WindowSpec
from detector.windows.windows import Windows
from tests.support.made import BINNING, CENTERS, random_columns

LAYOUT = Layout.of(BINNING)

algebra = settings(max_examples=50, deadline=None, derandomize=True, database=None)


def _windows(spec: WindowSpec, slices: Slices | None = None) -> Windows:
    return Windows(spec, BINNING, CENTERS, slices or Slices())


def _whole(columns) -> Profile:
    return count(BINNING, LAYOUT, CENTERS, columns, None, np.zeros(columns.n, np.int64), 1)


@algebra
@given(
    st.integers(0, 2**32 - 1), st.lists(st.integers(0, 9), min_size=1, max_size=80), st.permutations(range(4))
)
def test_panes_filled_in_any_order_make_one_long_pane(seed, panes, order):
    """Ten panes filled in four batches in any order hold what one pane of ten times the length holds."""
    columns = random_columns(np.random.default_rng(seed), len(panes))
    time_s = np.array(panes) * 10.0 + 5.0
    batch = np.arange(len(panes)) % 4
    windows = _windows(WindowSpec(10, (100,)))
    for i in order:
        mine = batch == i
        if mine.any():
            windows.add(columns.take(mine), time_s[mine], None)

    for pane in range(10):
        closed = windows.close(pane)

    expected = _whole(columns)
    np.testing.assert_array_equal(closed[0].profile.counts, expected.counts)
    np.testing.assert_allclose(closed[0].profile.sums, expected.sums, rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(closed[0].profile.low, expected.low)
    assert (closed[0].start_s, closed[0].end_s) == (0.0, 100.0)


def test_sliding_by_subtraction_equals_recomputing_after_ten_thousand_slides(rng):
    """Counts after 10,000 slides are exactly those of the panes in the window; sums to 1e-12."""
    spec = WindowSpec(1, (7, 30))
    windows = _windows(spec)
    history = [random_columns(rng, int(n)) for n in rng.integers(0, 4, 10_000)]
    for pane, columns in enumerate(history):
        if columns.n:
            windows.add(columns, np.full(columns.n, pane + 0.5), pane)
        closed = windows.close(pane)

    for window, length in zip(closed, (7, 30), strict=True):
        afresh = Profile.zeros(LAYOUT)
        for columns in history[-length:]:
            afresh.merge(_whole(columns))
        np.testing.assert_array_equal(window.profile.counts, afresh.counts)
        np.testing.assert_allclose(window.profile.sums, afresh.sums, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(window.profile.squares, afresh.squares, rtol=1e-12, atol=1e-12)
        np.testing.assert_array_equal(window.profile.high, afresh.high)


@pytest.mark.parametrize("panes", [151, 1440, 7 * 1440, 10_080 + 1])
def test_memory_of_a_long_window_is_bounded(rng, panes):
    """However long the window, at most 150 panes and the one being filled are kept."""
    spec = WindowSpec(60, (60.0 * panes,))
    windows = _windows(spec)
    most = 0
    for pane in range(0, 3 * panes, max(1, panes // 400)):
        windows.add(random_columns(rng, 1), np.array([pane * 60.0]), pane)
        windows.close(pane)
        most = max(most, *(len(ring) for ring in windows._rings.values()))

    assert most <= MAX_PANES_A_WINDOW + 1


def test_a_coarse_window_reaches_no_further_back_than_its_length(rng):
    """A window kept in coarse panes covers between its length less one coarse pane and its length."""
    spec = WindowSpec(1, (1440,))
    factor = spec.coarseness(1440)
    windows = _windows(spec)
    for pane in range(3000):
        windows.add(random_columns(rng, 1), np.array([pane + 0.5]), pane)
        (window,) = windows.close(pane)
        covered = window.end_s - max(window.start_s, 0.0)
        assert window.profile.n_events == covered
        if pane >= 1440:
            assert 1440 - factor < covered <= 1440


def test_events_of_a_closed_pane_still_reach_the_windows_that_hold_it(rng):
    """A lagging partition's events amend closed panes; later windows see them, and drop them in time."""
    windows = _windows(WindowSpec(1, (3,)))
    windows.add(random_columns(rng, 2), np.array([0.5, 1.5]), None)
    windows.close(0)
    windows.close(1)
    windows.add(random_columns(rng, 5), np.full(5, 0.5), 2)

    assert [windows.close(pane)[0].profile.n_events for pane in (2, 3, 4)] == [7, 1, 0]


def test_slices_are_rows_of_their_own(rng):
    """Row 0 counts every event; a slice's row those with its value; unknown values nowhere else."""
    columns = random_columns(rng, 100)
    country = rng.choice(["DE", "FR", "??"], 100).tolist()
    sliced = type(columns)(columns.n, columns.numeric, columns.categorical, columns.odd, (country,))
    windows = _windows(WindowSpec(1, (1,)), Slices({"country": ("DE", "FR")}))
    windows.add(sliced, np.full(100, 0.5), None)
    (window,) = windows.close(0)

    for row, value in ((1, "DE"), (2, "FR")):
        mine = np.array([c == value for c in country])
        np.testing.assert_array_equal(window.profile.counts[row], _whole(columns.take(mine)).counts[0])
    np.testing.assert_array_equal(window.profile.counts[0], _whole(columns).counts[0])


@pytest.mark.parametrize(
    ("settings_", "message"),
    [
        ({"pane_s": 0}, "longer than 0s"),
        ({"lengths_s": ()}, "at least one"),
        ({"lengths_s": (60.0, 60.0)}, "once"),
        ({"pane_s": 60, "lengths_s": (90.0,)}, "whole number of panes"),
        ({"lateness_s": -1}, "negative"),
    ],
)
def test_windows_that_do_not_fit_are_refused(settings_, message):
    """A window is a whole number of panes, named once."""
    with pytest.raises(ValueError, match=message):
        WindowSpec(**settings_)


def test_a_window_says_how_much_of_it_has_events(rng):
    """Panes with events, while it fills up and after a gap: of four panes of 10 s two, later one."""
    windows = _windows(WindowSpec(10, (40,)))
    covered = []
    for pane in range(6):
        if pane in (1, 2, 5):
            windows.add(random_columns(rng, 3), np.full(3, 10.0 * pane + 5), pane)
        covered += [window.covered_s for window in windows.close(pane)]

    assert covered == [10.0, 20.0, 20.0, 20.0, 20.0]
