"""Each distance against a computation by others, or by hand, and against published values."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import scipy.stats
from scipy.spatial.distance import jensenshannon

from detector.batch import Floats, Ints
from detector.distances import Pair, Segments, distances
from tests.distances.pairs import measured, one, pair_of, random_counts

LENGTHS = [1, 2, 3, 5, 16, 64, 70, 130, 300]
TOLERANCE = 1e-12

A_LOT = 10**15
"""Events to give a law's shares as counts: rounding moves a share by at most 5e-16."""


def _shares(reference: Ints, current: Ints) -> tuple[Floats, Floats]:
    return reference / reference.sum(), current / current.sum()


def _chi_square(b: Ints, c: Ints) -> float:
    kept = (b + c) > 0
    if kept.sum() == 1:
        return 0.0
    return float(scipy.stats.chi2_contingency([b[kept], c[kept]], correction=False).statistic)


def _hellinger(b: Ints, c: Ints) -> float:
    p, q = _shares(b, c)
    return math.sqrt(0.5 * math.fsum((math.sqrt(x) - math.sqrt(y)) ** 2 for x, y in zip(p, q, strict=True)))


def _jensen_shannon(b: Ints, c: Ints) -> float:
    return float(jensenshannon(*_shares(b, c), base=2.0) ** 2)


def _kolmogorov_smirnov(b: Ints, c: Ints) -> float:
    # Three of each event, because scipy's p-value, which nobody asked for, divides by zero for one.
    values, others = (np.repeat(np.arange(len(b)), 3 * counts) for counts in (b, c))
    return float(scipy.stats.ks_2samp(values, others, method="asymp").statistic)


def _l_infinity(b: Ints, c: Ints) -> float:
    return max(abs(x - y) for x, y in zip(*_shares(b, c), strict=True))


def _population_stability(b: Ints, c: Ints) -> float:
    kept = [(x + 0.5, y + 0.5) for x, y in zip(b.tolist(), c.tolist(), strict=True) if x + y > 0]
    m, n = math.fsum(x for x, _ in kept), math.fsum(y for _, y in kept)
    return math.fsum((x / m - y / n) * math.log((x / m) / (y / n)) for x, y in kept)


def _total_variation(b: Ints, c: Ints) -> float:
    return 0.5 * math.fsum(abs(x - y) for x, y in zip(*_shares(b, c), strict=True))


# chi2_contingency, jensenshannon, ks_2samp: scipy 1.17; the others: the definition, term by term.
ORACLES: dict[str, Callable[[Ints, Ints], float]] = {
    "chi_square": _chi_square,
    "hellinger": _hellinger,
    "jensen_shannon": _jensen_shannon,
    "kolmogorov_smirnov": _kolmogorov_smirnov,
    "l_infinity": _l_infinity,
    "population_stability": _population_stability,
    "total_variation": _total_variation,
}


def test_every_distance_has_an_oracle() -> None:
    assert distances.names() == sorted([*ORACLES, "wasserstein", "wasserstein_std"])


@pytest.mark.parametrize("name", ORACLES)
@pytest.mark.parametrize("most", [3, 100, 10_000])
def test_a_distance_agrees_with_its_oracle(name: str, most: int) -> None:
    rng = np.random.default_rng(7)
    reference, current = random_counts(rng, LENGTHS, most), random_counts(rng, LENGTHS, 50)

    found = measured(distances.get(name), pair_of(reference, current))

    expected = [ORACLES[name](b, c) for b, c in zip(reference, current, strict=True)]
    np.testing.assert_allclose(found, expected, rtol=TOLERANCE, atol=TOLERANCE)


def test_wasserstein_agrees_with_scipy_on_bins_as_weighted_points() -> None:
    rng = np.random.default_rng(8)
    reference, current = random_counts(rng, LENGTHS), random_counts(rng, LENGTHS, 5)
    pair = pair_of(reference, current)
    of_bin = pair.segments.lower + 0.5
    # Each side has its own place within the bin; the reference is left of the other in half of them.
    at_p, at_q = (of_bin + rng.uniform(-0.5, 0.5, size=len(of_bin)) for _ in range(2))
    at_p[pair.segments.starts], at_q[pair.segments.starts] = rng.uniform(-3.0, 0.0, size=(2, len(LENGTHS)))
    means = np.where(pair.reference > 0, at_p, np.nan), np.where(pair.current > 0, at_q, np.nan)

    found = measured(distances.get("wasserstein"), Pair(pair.reference, pair.current, pair.segments, *means))

    ends = np.cumsum(LENGTHS)
    for i, (start, end) in enumerate(zip(ends - LENGTHS, ends, strict=True)):
        expected = scipy.stats.wasserstein_distance(
            at_p[start:end], at_q[start:end], pair.reference[start:end], pair.current[start:end]
        )
        # Positions are of the order of the number of bins.
        assert abs(found[i] - expected) <= TOLERANCE * LENGTHS[i], LENGTHS[i]


def test_wasserstein_std_is_wasserstein_over_the_references_deviation() -> None:
    """Of each numeric feature; a constant or empty reference has no scale."""
    rng = np.random.default_rng(3)
    pair = pair_of(random_counts(rng, LENGTHS[:3]), random_counts(rng, LENGTHS[:3]), 3)
    std = np.array([2.0, 0.0, np.nan])
    scaled = Pair(
        pair.reference, pair.current, pair.segments, pair.reference_means, pair.current_means, std
    ).ordered

    found = distances.get("wasserstein_std").measure(scaled)
    plain = distances.get("wasserstein").measure(scaled)

    np.testing.assert_allclose(found[..., 0], plain[..., 0] / 2.0, rtol=1e-15)
    assert np.isnan(found[..., 1:]).all()


def test_wasserstein_without_means_stands_at_the_lower_edges() -> None:
    segments = Segments(np.array([0]), 4, 1, np.array([10.0, 10.0, 20.0, 40.0]))

    found = measured(
        distances.get("wasserstein"), Pair(np.array([1, 1, 2, 0]), np.array([0, 0, 1, 1]), segments)
    )

    # A quarter each at 10 (outside, below) and 10, half at 20; against halves at 20 and 40.
    assert abs(found[0] - (0.5 * 10.0 + 0.5 * 20.0)) <= TOLERANCE


def test_wasserstein_counts_positions_beyond_its_range_as_the_end_of_the_range() -> None:
    segments = Segments(np.array([0]), 2, 1, np.array([0.0, 0.0]))
    reference_means, current_means = np.array([-1e308, 1.0]), np.array([-1.0, 1.0])
    pair = Pair(np.array([1, 1]), np.array([1, 3]), segments, reference_means, current_means)

    found = measured(distances.get("wasserstein"), pair)

    # Half of the reference moves from -1e300 to about 0.
    assert abs(found[0] / 0.5e300 - 1.0) <= TOLERANCE


@pytest.mark.parametrize(
    ("n_bins", "critical"),
    # Abramowitz, Stegun (1964), table 26.8: upper 5 % points of chi-square.
    [(2, 3.84146), (8, 14.0671), (31, 43.7729)],
)
def test_the_chance_of_chi_square_agrees_with_the_table(n_bins: int, critical: float) -> None:
    chi_square = distances.get("chi_square")
    counts = np.full(n_bins, 100)

    assert chi_square.p_value is not None
    chance = chi_square.p_value(one(counts, counts), np.array([critical]))

    # The table's last digit is worth up to 5e-6 in 3.84, where the density is .03.
    assert abs(chance[0] - 0.05) <= 1e-6


def test_the_chance_of_chi_square_agrees_with_scipy() -> None:
    rng = np.random.default_rng(9)
    lengths = LENGTHS[1:]
    reference, current = ([1 + c for c in random_counts(rng, lengths, most)] for most in (40, 20))
    chi_square, pair = distances.get("chi_square"), pair_of(reference, current)

    assert chi_square.p_value is not None
    found = chi_square.p_value(pair, chi_square.measure(pair))

    both = [np.array([b, c]) for b, c in zip(reference, current, strict=True)]
    expected = [scipy.stats.chi2_contingency(table, correction=False).pvalue for table in both]
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=TOLERANCE)


@pytest.mark.parametrize(("chance", "critical"), [(0.10, 1.22385), (0.05, 1.35810), (0.01, 1.62762)])
def test_the_chance_of_kolmogorov_smirnov_agrees_with_the_table(chance: float, critical: float) -> None:
    # Smirnov (1948), Ann. Math. Statist. 19(2):279-281, limiting distribution.
    smirnov, pair = distances.get("kolmogorov_smirnov"), one([50, 50], [200, 200])

    assert smirnov.p_value is not None
    found = smirnov.p_value(pair, np.array([critical * math.sqrt(1 / 100 + 1 / 400)]))

    # Five decimals of the point, where the density is below 1.
    assert abs(found[0] - chance) <= 5e-6


@pytest.mark.parametrize(
    ("train", "serving", "l_infinity", "jensen_shannon"),
    [
        ([802, 632, 292, 168, 106], [114, 137, 228, 367, 354], 0.306, 0.226127),
        ([830, 555, 295, 211, 109], [449, 377, 193, 125, 56], 0.0408333, None),
        ([1796, 204], [123, 1077], 0.7955, 0.523913),
        ([978, 1022, 0, 0], [0, 0, 603, 597], 0.511, 1.0),
    ],
    ids=["large", "small", "swap", "disjoint"],
)
def test_categories_agree_with_tensorflow_data_validation(
    train: list[int], serving: list[int], l_infinity: float, jensen_shannon: float | None
) -> None:
    # TFDV 1.16.1, case categorical_shift, printed with six significant digits (none below .01).
    pair = one(train, serving)

    found = {name: measured(distances.get(name), pair)[0] for name in ("l_infinity", "jensen_shannon")}

    assert float(f"{found['l_infinity']:.6g}") == l_infinity
    if jensen_shannon is None:
        assert found["jensen_shannon"] <= 0.01
    else:
        assert float(f"{found['jensen_shannon']:.6g}") == jensen_shannon


def test_jensen_shannon_of_a_fair_and_a_one_sided_coin() -> None:
    # Entropy of (3/4, 1/4) less half an entropy of (1/2, 1/2): 2 - 3/4 log2 3 - 1/2 bits.
    found = measured(distances.get("jensen_shannon"), one([10, 10], [5, 0]))

    assert abs(found[0] - (1.5 - 0.75 * math.log2(3.0))) <= TOLERANCE


def test_jensen_shannon_of_disjoint_shares_is_one_bit() -> None:
    found = measured(distances.get("jensen_shannon"), one([1, 2, 3, 0, 0], [0, 0, 0, 7, 9]))

    assert abs(found[0] - 1.0) <= TOLERANCE


def test_hellinger_of_two_binomials_has_its_closed_form() -> None:
    # The affinity of one trial to the power of the trials: sqrt(p p') + sqrt((1-p) (1-p')).
    trials, p, q = 12, 0.3, 0.6
    at = np.arange(trials + 1)
    shares = [scipy.stats.binom.pmf(at, trials, share) for share in (p, q)]
    reference, current = (np.rint(A_LOT * of_side).astype(np.int64) for of_side in shares)

    found = measured(distances.get("hellinger"), one(reference, current))

    affinity = (math.sqrt(p * q) + math.sqrt((1 - p) * (1 - q))) ** trials
    assert abs(found[0] - math.sqrt(1.0 - affinity)) <= TOLERANCE


WIDTH = 0.1
"""Of the bins that the normal laws below are cut into, from -9 to 10; 1/2 is an edge."""


APART = math.sqrt(1.0 - math.exp(-1.0 / 8.0))
"""Hellinger distance of the two laws."""


def _two_normals() -> Pair:
    edges = np.linspace(-9.0, 10.0, round(19.0 / WIDTH) + 1)
    counts, means = [], []
    for center in (0.0, 1.0):
        cdf = scipy.stats.norm.cdf(edges - center)
        mass = np.diff(np.concatenate(([0.0], cdf, [1.0])))
        density = np.concatenate(([0.0], scipy.stats.norm.pdf(edges - center), [0.0]))
        of_side = np.rint(A_LOT * mass).astype(np.int64)
        counts.append(of_side)
        # Mean of a normal value within a bin, where it has any mass to speak of.
        inner = np.where(mass > 1e-12, center - np.diff(density) / np.maximum(mass, 1e-300), np.nan)
        means.append(np.where(np.isnan(inner), np.concatenate((edges[:1], edges)), inner))
    segments = Segments(np.array([0]), len(counts[0]), 1, np.concatenate((edges[:1], edges)))
    return Pair(counts[0], counts[1], segments, means[0], means[1])


@pytest.mark.parametrize(
    ("name", "expected", "below"),
    [
        # Jeffreys' divergence of N(0, 1) and N(d, 1) is d². Within a bin of width w the logarithm of
        # their ratio has slope 1 and variance w²/12: so much less is left of either half of it.
        ("population_stability", 1.0, WIDTH**2 / 12 * 1.01),
        # H² = 1 - A, A = exp(-d²/8); of A each bin keeps 1/8 of that variance too much.
        ("hellinger", APART, math.exp(-1.0 / 8.0) * WIDTH**2 / 12 / 8 / (2.0 * APART) * 1.01),
        # The densities cross at 1/2, an edge: 2 Phi(1/2) - 1 for both, and no loss.
        ("total_variation", 2.0 * scipy.stats.norm.cdf(0.5) - 1.0, 0.0),
        ("kolmogorov_smirnov", 2.0 * scipy.stats.norm.cdf(0.5) - 1.0, 0.0),
        # One law is the other moved by 1, and bins keep their means.
        ("wasserstein", 1.0, 0.0),
    ],
)
def test_two_normal_laws_a_deviation_apart(name: str, expected: float, below: float) -> None:
    found = measured(distances.get(name), _two_normals())[0]

    # Rounding to counts moves each of 192 shares by 5e-16, at positions up to 10.
    assert expected - below - 1e-11 <= found <= expected + 1e-11
