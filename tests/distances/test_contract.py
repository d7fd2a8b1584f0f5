"""What every distance promises, whatever its file says: all registered ones are tried."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.distances import Distance, Pair, Segments, distances
from tests.distances.pairs import measured, one, pair_of, part_of, random_counts, segments_of

each = pytest.mark.parametrize("distance", [pytest.param(found, id=name) for name, found in distances])
each_p_value = pytest.mark.parametrize(
    "distance", [pytest.param(found, id=name) for name, found in distances if found.p_value]
)
hostile = settings(max_examples=100, deadline=None, derandomize=True, database=None)

TOLERANCE = 1e-12
LARGEST_COUNT = 10**15

RAGGED = [1, 2, 3, 300, 7, 1, 64, 70, 130, 299, 16, 1]
"""Numbers of bins; the first eight features are numeric."""
N_ORDERED = 8

count = st.sampled_from([0, 0, 1, 2, 3, 49, 10**6 + 1, 7**12, LARGEST_COUNT])
bins = st.lists(st.tuples(count, count), min_size=1, max_size=6)
side = st.lists(count, min_size=1, max_size=6).filter(any)
non_empty_bins = bins.filter(lambda found: any(r for r, _ in found) and any(c for _, c in found))


def _of(features: list[list[tuple[int, int]]], n_ordered: int) -> Pair:
    reference = [[r for r, _ in found] for found in features]
    current = [[c for _, c in found] for found in features]
    return pair_of(reference, current, min(n_ordered, len(features)), apart=0.25)


def _ragged(seed: int) -> Pair:
    rng = np.random.default_rng(seed)
    return pair_of(random_counts(rng, RAGGED), random_counts(rng, RAGGED, 300), N_ORDERED, apart=0.25)


def _swapped(pair: Pair) -> Pair:
    return Pair(pair.current, pair.reference, pair.segments, pair.current_means, pair.reference_means)


@each
def test_a_distance_has_the_name_of_its_file(distance: Distance) -> None:
    assert distance.measure.__module__ == f"detector.distances.{distance.name}"


@each
@hostile
@given(side)
def test_equal_counts_are_at_distance_zero(distance: Distance, counts: list[int]) -> None:
    found = measured(distance, one(counts, counts))

    assert 0.0 <= found[0] <= TOLERANCE


@pytest.mark.parametrize(
    "distance",
    # Half an event added to each bin weighs more in the smaller sample: see the next test.
    [pytest.param(found, id=name) for name, found in distances if name != "population_stability"],
)
@hostile
@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=6).filter(any), st.integers(1, 10**6))
def test_proportional_counts_are_at_distance_zero(distance: Distance, counts: list[int], factor: int) -> None:
    found = measured(distance, one(counts, [factor * c for c in counts]))

    assert 0.0 <= found[0] <= TOLERANCE


@hostile
@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=6).filter(any), st.integers(1, 10**6))
def test_proportional_counts_are_at_a_stability_index_below_noise(counts: list[int], factor: int) -> None:
    # Adding 1/2 moves a share by less than half of 1/n, and its logarithm by less than ln 1.5.
    stability = distances.get("population_stability")
    pair = one(counts, [factor * c for c in counts])

    assert stability.noise_floor is not None
    assert 0.0 <= stability.measure(pair)[0] <= stability.noise_floor(pair)[0]


@each
@hostile
@given(st.lists(bins, min_size=1, max_size=4), st.integers(0, 4))
def test_hostile_counts_give_a_value_in_range_or_nan(
    distance: Distance, features: list[list[tuple[int, int]]], n_ordered: int
) -> None:
    pair = part_of(_of(features, n_ordered), distance)
    both_there = (pair.n > 0) & (pair.m > 0)

    found = distance.measure(pair)

    assert np.array_equal(np.isnan(found), ~both_there)
    assert np.all(np.isfinite(found[both_there]))
    assert np.all(found[both_there] >= 0.0)
    assert np.all(found[both_there] <= (np.inf if distance.upper is None else distance.upper))


@each
@hostile
@given(st.lists(bins, min_size=1, max_size=4), st.integers(0, 4))
def test_hostile_counts_give_a_noise_floor_and_a_probability_or_nan(
    distance: Distance, features: list[list[tuple[int, int]]], n_ordered: int
) -> None:
    pair = part_of(_of(features, n_ordered), distance)
    both_there = (pair.n > 0) & (pair.m > 0)
    value = distance.measure(pair)

    floor = distance.noise_floor(pair) if distance.noise_floor else np.where(both_there, 0.0, np.nan)
    chance = distance.p_value(pair, value) if distance.p_value else np.where(both_there, 1.0, np.nan)

    assert np.array_equal(np.isnan(floor), ~both_there)
    assert np.all((floor[both_there] >= 0.0) & np.isfinite(floor[both_there]))
    assert np.array_equal(np.isnan(chance), ~both_there)
    assert np.all((chance[both_there] >= 0.0) & (chance[both_there] <= 1.0))


@each
def test_disjoint_shares_stay_within_the_upper_bound(distance: Distance) -> None:
    # Some shares, six of 1/6 among them, do not add up to 1 in floating point.
    lengths = range(1, 301)
    reference = [np.repeat([1, 0], length) for length in lengths]
    current = [np.repeat([0, 1], length) for length in lengths]

    found = measured(distance, pair_of(reference, current))

    assert np.all(found <= (np.inf if distance.upper is None else distance.upper))


@each
def test_two_different_constants_are_as_far_apart_as_can_be(distance: Distance) -> None:
    found = measured(distance, one([0, 1000, 0], [0, 0, 77]))

    if distance.upper is None:
        assert found[0] > measured(distance, one([0, 1000, 0], [0, 77, 77]))[0]
    else:
        assert abs(found[0] - distance.upper) <= TOLERANCE


@each
@hostile
@given(non_empty_bins)
def test_a_symmetric_distance_is_the_same_both_ways(
    distance: Distance, feature: list[tuple[int, int]]
) -> None:
    pair = _of([feature], 1)

    there, back = measured(distance, pair), measured(distance, _swapped(pair))

    if distance.symmetric:
        np.testing.assert_allclose(there, back, rtol=TOLERANCE, atol=TOLERANCE)


@each
def test_one_feature_by_itself_has_the_same_distance(distance: Distance) -> None:
    pair = _ragged(1)
    part = part_of(pair, distance)
    lengths = part.segments.lengths

    together = distance.measure(part)

    for i, (start, length) in enumerate(zip(part.segments.starts, lengths, strict=True)):
        here, n_ordered = slice(start, start + length), int(i < N_ORDERED)
        alone = Pair(
            pair.reference[here],
            pair.current[here],
            segments_of([length], n_ordered),
            pair.reference_means[here] if n_ordered else None,
            pair.current_means[here] if n_ordered else None,
        )
        np.testing.assert_allclose(measured(distance, alone), together[i], rtol=TOLERANCE, atol=TOLERANCE)


@each
def test_each_slice_by_itself_has_the_same_distance(distance: Distance) -> None:
    pairs = [_ragged(seed) for seed in range(6)]

    def stacked(name: str) -> np.ndarray:
        rows = np.array([getattr(pair, name) for pair in pairs])
        return rows.reshape(2, 3, -1)

    whole = Pair(
        stacked("reference"),
        stacked("current"),
        pairs[0].segments,
        stacked("reference_means"),
        stacked("current_means"),
    )

    found = measured(distance, whole).reshape(6, -1)

    for row, pair in zip(found, pairs, strict=True):
        np.testing.assert_allclose(row, measured(distance, pair), rtol=TOLERANCE, atol=TOLERANCE)


@each
def test_slices_of_the_current_side_share_one_reference(distance: Distance) -> None:
    first, second = _ragged(1), _ragged(2)
    both = np.array([first.current, second.current])
    means = np.array([first.current_means, second.current_means])
    pair = Pair(first.reference, both, first.segments, first.reference_means, means)

    found = measured(distance, pair)

    for i in range(2):
        alone = Pair(first.reference, both[i], first.segments, first.reference_means, means[i])
        np.testing.assert_allclose(found[i], measured(distance, alone), rtol=TOLERANCE, atol=TOLERANCE)


@each
@pytest.mark.parametrize("empty", ["reference", "current", "both"])
def test_a_feature_with_an_empty_side_has_no_distance_and_its_neighbours_keep_theirs(
    distance: Distance, empty: str
) -> None:
    full = [[3, 0, 5], [2, 2, 9, 1], [4, 4]]
    lacking = [[3, 0, 5], [0, 0, 0, 0], [4, 4]]
    shifted = [[c + 1 for c in counts] for counts in full]
    reference = full if empty == "current" else lacking
    current = shifted if empty == "reference" else [shifted[0], lacking[1], shifted[2]]

    found = measured(distance, pair_of(reference, current))

    expected = measured(distance, pair_of(full, shifted))
    assert np.isnan(found[1])
    np.testing.assert_allclose(found[[0, 2]], expected[[0, 2]], rtol=TOLERANCE, atol=TOLERANCE)


@pytest.mark.parametrize("distance", [pytest.param(d, id=name) for name, d in distances if not d.ordered])
def test_the_order_of_bins_does_not_matter_to_an_unordered_distance(distance: Distance) -> None:
    rng = np.random.default_rng(3)
    pair = _ragged(3)
    starts, lengths = pair.segments.starts, pair.segments.lengths
    mixed = np.concatenate([s + rng.permutation(n) for s, n in zip(starts, lengths, strict=True)])

    found = distance.measure(Pair(pair.reference[mixed], pair.current[mixed], pair.segments))

    np.testing.assert_allclose(found, distance.measure(pair), rtol=TOLERANCE, atol=TOLERANCE)


@pytest.mark.parametrize("distance", [pytest.param(d, id=name) for name, d in distances if d.ordered])
def test_the_order_of_bins_matters_to_an_ordered_distance(distance: Distance) -> None:
    apart = measured(distance, one([5, 5, 0, 0], [0, 0, 5, 5]))
    mixed = measured(distance, one([5, 0, 5, 0], [0, 5, 0, 5]))

    assert mixed[0] < apart[0]


@pytest.mark.parametrize("distance", [pytest.param(d, id=name) for name, d in distances if d.ordered])
def test_an_ordered_distance_sees_the_numeric_features_alone(distance: Distance) -> None:
    reference, current = [[1, 2, 3], [4, 5], [6, 7, 8]], [[3, 2, 1], [5, 4], [8, 6, 7]]

    mixed = measured(distance, pair_of(reference, current, n_ordered=2, apart=0.25))
    alone = measured(distance, pair_of(reference[:2], current[:2], apart=0.25))

    assert mixed.shape == (2,)
    np.testing.assert_array_equal(mixed, alone)


@each
def test_more_events_in_all_features_together_than_an_integer_holds_do_no_harm(distance: Distance) -> None:
    # 12,000 features of 10^15 events are 1.2e19; int64 ends at 9.2e18.
    reference, current = [LARGEST_COUNT, 0], [LARGEST_COUNT // 2, LARGEST_COUNT // 2]

    found = measured(distance, pair_of([reference] * 12_000, [current] * 12_000))

    alone = measured(distance, one(reference, current))
    np.testing.assert_allclose(found, np.full(12_000, alone[0]), rtol=TOLERANCE)


@each
@pytest.mark.parametrize("lengths", [[], [2, 3]], ids=["no features", "no numeric features"])
def test_nothing_to_measure_is_an_empty_result(distance: Distance, lengths: list[int]) -> None:
    counts = [[1] * length for length in lengths]
    pair = part_of(pair_of(counts, counts, n_ordered=0), distance)

    found = distance.measure(pair)

    assert found.shape == ((0,) if distance.ordered else (len(lengths),))
    assert distance.noise_floor is None or distance.noise_floor(pair).shape == found.shape
    assert distance.p_value is None or distance.p_value(pair, found).shape == found.shape


@pytest.mark.parametrize("distance", [pytest.param(d, id=name) for name, d in distances if d.ordered])
@pytest.mark.parametrize("with_means", [True, False])
def test_the_widest_range_of_numbers_gives_a_finite_distance(distance: Distance, with_means: bool) -> None:
    # Edges at the ends of float64, further apart than any float64.
    edge = np.finfo(np.float64).max
    segments = Segments(np.array([0]), 3, 1, np.array([-edge, -edge, edge]))
    means = np.array([-np.inf, np.nan, edge]) if with_means else None

    same = Pair(np.array([5, 0, 5]), np.array([7, 0, 7]), segments, means, means)
    moved = Pair(np.array([5, 0, 5]), np.array([7, 0, 0]), segments, means, means)

    assert distance.measure(same)[0] == 0.0
    assert 0.0 < distance.measure(moved)[0] < np.inf


@pytest.mark.parametrize("distance", [pytest.param(d, id=name) for name, d in distances if d.ordered])
def test_means_that_rounding_put_out_of_order_give_no_negative_distance(distance: Distance) -> None:
    # The sum of many equal values, divided by their number, may pass the next bin's lower edge.
    value = 0.1
    just_above = np.nextafter(value, 1.0)
    segments = Segments(np.array([0]), 4, 1, np.array([value, value, just_above, 1.0]))
    rounded_up = np.array([np.nan, value + 1e-12, np.nan, np.nan])
    next_bin = np.array([np.nan, np.nan, just_above, np.nan])

    found = distance.measure(
        Pair(np.array([0, 9, 0, 0]), np.array([0, 0, 9, 0]), segments, rounded_up, next_bin)
    )

    assert found[0] >= 0.0


@each_p_value
def test_a_larger_value_is_never_more_likely(distance: Distance) -> None:
    assert distance.p_value is not None
    pair = part_of(_ragged(4), distance)
    value = distance.measure(pair)

    chances = np.array([distance.p_value(pair, factor * value) for factor in (0.0, 0.1, 0.3, 1.0, 3.0)])

    assert np.all(np.diff(chances, axis=0) <= 0.0)
    assert np.all(chances[0] == 1.0)
