"""Profiles: what is counted where, and that counting does not depend on how events are cut up."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.batch import CellKind, Columns, OddCells
from detector.profile import Layout, Profile, count
from tests.support.made import BINNING, CENTERS, columns_of, random_columns

LAYOUT = Layout.of(BINNING)

algebra = settings(max_examples=50, deadline=None, derandomize=True, database=None)


def _count(columns, group=None, n_groups=1, rows=None):
    group = np.zeros(columns.n, np.int64) if group is None else group
    return count(BINNING, LAYOUT, CENTERS, columns, rows, group, n_groups)


def _assert_same(a: Profile, b: Profile) -> None:
    np.testing.assert_array_equal(a.counts, b.counts)
    np.testing.assert_allclose(a.sums, b.sums, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(a.squares, b.squares, rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(a.low, b.low)
    np.testing.assert_array_equal(a.high, b.high)


def test_a_value_on_an_edge_belongs_to_the_bin_right_of_it():
    """Bins are closed on the left; what lies beyond the outer edges is counted apart."""
    found = _count(columns_of([-0.1, 0.0, 1.0, 2.0, 3.9, 4.0], [0.0] * 6, ["a"] * 6))

    assert found.counts[0, :5].tolist() == [1, 1, 1, 2, 1]


def test_every_cell_is_counted_exactly_once(rng):
    """Each event adds one to each feature: to a bin, missing, mismatch or non-finite."""
    columns = random_columns(rng, 500)
    found = _count(columns)

    per_feature = np.add.reduceat(found.counts[0, : LAYOUT.n_bins], LAYOUT.segments.starts)
    for block in (LAYOUT.missing, LAYOUT.mismatch, LAYOUT.non_finite):
        per_feature = per_feature + found.counts[0, block]

    assert per_feature.tolist() == [500, 500, 500]
    assert found.n_events == 500


def test_odd_cells_are_neither_values_nor_missing():
    """A cell of another type and a NaN literal have counters of their own and no part in sums."""
    odd = [(0, 0, CellKind.MISMATCH), (1, 0, CellKind.NON_FINITE), (1, 2, CellKind.MISMATCH)]
    found = _count(columns_of([np.nan, np.nan, 1.5], [0.5] * 3, ["a", None, "b"], odd))

    assert found.counts[0, LAYOUT.mismatch].tolist() == [1, 0, 1]
    assert found.counts[0, LAYOUT.non_finite].tolist() == [1, 0, 0]
    assert found.counts[0, LAYOUT.missing].tolist() == [0, 0, 0]
    assert found.sums[0, :5].sum() == 1.5


def test_rare_values_share_buckets_and_only_never_seen_ones_are_unseen():
    """The tail of training data is not `unseen`; a value training never had is."""
    found = _count(columns_of([1.0] * 4, [0.0] * 4, ["a", "rare", "rarer", "new"]))
    start = LAYOUT.segments.starts[2]

    assert found.counts[0, start : start + 2].tolist() == [1, 0]
    assert found.counts[0, start + 2 : LAYOUT.n_bins].sum() == 3
    assert found.counts[0, LAYOUT.unseen].tolist() == [0, 0, 1]


def test_sums_and_extremes_are_those_of_the_values(rng):
    """Bin sums, squared distances from the training mean, smallest and largest agree with numpy."""
    columns = random_columns(rng, 300)
    found = _count(columns)
    x = columns.numeric[0]

    assert np.isclose(found.sums[0, :5].sum(), np.nansum(x))
    assert np.isclose(found.squares[0, 0], np.nansum((x - CENTERS[0]) ** 2))
    assert (found.low[0, 0], found.high[0, 0]) == (np.nanmin(x), np.nanmax(x))


@algebra
@given(st.integers(0, 2**32 - 1), st.lists(st.integers(0, 4), min_size=1, max_size=60), st.randoms())
def test_profiles_merged_in_any_order_are_the_profile_of_all(seed, group, shuffle):
    """Cutting events into groups and merging the groups in any order loses and adds nothing."""
    columns = random_columns(np.random.default_rng(seed), len(group))
    apart = _count(columns, np.array(group), 5)
    order = list(range(5))
    shuffle.shuffle(order)

    merged = Profile.zeros(LAYOUT)
    for i in order:
        merged.merge(apart.row(i))

    _assert_same(merged, _count(columns))


@algebra
@given(st.integers(0, 2**32 - 1), st.lists(st.integers(0, 19), min_size=1, max_size=60))
def test_an_event_counts_once_for_each_group_it_is_given_to(seed, rows):
    """Contributions (event, group) may repeat events, as slices do."""
    columns = random_columns(np.random.default_rng(seed), 20)
    repeated = _count(columns, np.zeros(len(rows), np.int64), rows=np.array(rows))

    one_by_one = Profile.zeros(LAYOUT)
    for row in rows:
        one_by_one.merge(_count(columns.take(np.arange(20) == row)))

    _assert_same(repeated, one_by_one)


@algebra
@given(st.integers(0, 2**32 - 1), st.integers(1, 80))
def test_counting_sorted_and_counting_one_by_one_agree(seed, n):
    """The way for events of a single pane and the general way give the same profile."""
    rng = np.random.default_rng(seed)
    columns = random_columns(rng, n)
    missing = [(i, 0) for i in np.flatnonzero(np.isnan(columns.numeric[0])).tolist()]
    missing += [(i, 2) for i, c in enumerate(columns.categorical[0]) if c is None]
    odd = OddCells.of([(i, f, int(rng.integers(1, 3))) for i, f in missing[::2]])
    columns = Columns(n, columns.numeric, columns.categorical, odd)

    general = _count(columns, rows=np.arange(n))

    _assert_same(_count(columns), general)


def test_huge_values_do_not_swallow_the_sums_of_other_bins():
    """Sums by bin are of the values in it, whatever lies in the other bins."""
    found = _count(columns_of([-1e300, 0.5, 1e300, 1.5], [0.0] * 4, ["a"] * 4))

    assert found.sums[0, 1:3].tolist() == [0.5, 1.5]


def test_no_events_make_an_empty_profile():
    """An empty batch is no special case."""
    _assert_same(_count(columns_of([], [], [])), Profile.zeros(LAYOUT))
