"""What distances are when nothing has changed: the noise floors and the p-values, by simulation.

Every allowance for chance is six standard errors (2e-9 for each of the about 120 comparisons), or a
bound with a stated error of 1e-8: all tests together raise a false alarm once in a million seeds.
"""

import functools
import math

import numpy as np
import pytest
import scipy.stats

from detector.batch import Floats
from detector.distances import Distance, Pair, distances
from tests.distances.pairs import segments_of

WINDOWS = 20_000
REFERENCE_SIZE = 4
"""Reference events for each current one."""
STANDARD_ERRORS = 6.0


def _normalised(weights: Floats) -> Floats:
    return weights / weights.sum()


LAWS = {
    "two equal": _normalised(np.ones(2)),
    "three equal": _normalised(np.ones(3)),
    "sixteen equal": _normalised(np.ones(16)),
    "sixty-four equal": _normalised(np.ones(64)),
    "Zipf": _normalised(1.0 / np.arange(1, 11)),
    "geometric": _normalised(0.7 ** np.arange(10)),
    "one half and fifteen": np.append(np.full(15, 1 / 30), 0.5),
    "one in a hundred elsewhere": np.append(np.full(4, 0.0025), 0.99),
}

# With so many events expected in the smallest bin, the mean is that near to the floor, relatively.
# Hellinger is squared, and its floor too. The largest difference has no law, only a formula within 15 %.
TOLERANCES = [
    ("chi_square", 5, 0.05),
    ("hellinger", 1, 0.3),
    ("hellinger", 5, 0.05),
    ("jensen_shannon", 5, 0.10),
    ("jensen_shannon", 10, 0.05),
    ("l_infinity", 5, 0.15),
    ("l_infinity", 20, 0.15),
    ("population_stability", 5, 0.10),
    ("population_stability", 10, 0.05),
    ("total_variation", 5, 0.05),
]
ROOTS = {"hellinger", "kolmogorov_smirnov"}
"""Their floor is the root of the mean square."""


@functools.lru_cache(maxsize=4)
def _windows_of(law: str, expected: int) -> Pair:
    return _unchanged(LAWS[law], expected, WINDOWS)


def _unchanged(shares: Floats, expected: int, n_windows: int) -> Pair:
    """Draw windows of one law; so many events are expected in the smallest bin."""
    rng = np.random.default_rng(11)
    n = math.ceil(expected / shares.min())
    reference = rng.multinomial(REFERENCE_SIZE * n, shares, size=n_windows)
    current = rng.multinomial(n, shares, size=n_windows)
    return Pair(reference, current, segments_of([len(shares)], 1))


def _mean_over_floor(distance: Distance, pair: Pair) -> tuple[float, float]:
    """Return the mean value over the mean floor, and its standard error; squares for roots."""
    assert distance.noise_floor is not None
    power = 2.0 if distance.name in ROOTS else 1.0
    value, floor = distance.measure(pair) ** power, distance.noise_floor(pair) ** power
    return value.mean() / floor.mean(), value.std() / math.sqrt(len(value)) / floor.mean()


def test_every_noise_floor_is_tried() -> None:
    floors = {name for name, distance in distances if distance.noise_floor}

    assert floors == {name for name, _, _ in TOLERANCES} | {"kolmogorov_smirnov"}


@pytest.mark.parametrize(("name", "expected", "tolerance"), TOLERANCES)
@pytest.mark.parametrize("law", LAWS)
def test_the_mean_without_change_is_the_noise_floor(
    name: str, expected: int, tolerance: float, law: str
) -> None:
    ratio, standard_error = _mean_over_floor(distances.get(name), _windows_of(law, expected))

    assert abs(ratio - 1.0) <= tolerance + STANDARD_ERRORS * standard_error


@pytest.mark.parametrize("law", LAWS)
def test_the_mean_of_kolmogorov_smirnov_without_change_is_below_its_noise_floor(law: str) -> None:
    # Bins see the difference at their edges only, and the floor is that of continuous data.
    ratio, standard_error = _mean_over_floor(distances.get("kolmogorov_smirnov"), _windows_of(law, 5))

    assert ratio <= 1.0 + STANDARD_ERRORS * standard_error


def test_the_mean_of_kolmogorov_smirnov_on_many_bins_is_its_noise_floor() -> None:
    # Looking at b points only, the maximum is .583 / sqrt(b) lower (Siegmund 1985, Sequential
    # Analysis, chapter X); its square is 2 * .869 times that, of .822, so 7 % lower for b = 300.
    pair = _unchanged(np.full(300, 1 / 300), 20, n_windows=4000)

    ratio, standard_error = _mean_over_floor(distances.get("kolmogorov_smirnov"), pair)

    assert abs(ratio - 1.0) <= 0.10 + STANDARD_ERRORS * standard_error


@pytest.mark.parametrize("n_bins", [2, 16, 64, 300])
def test_the_p_value_of_kolmogorov_smirnov_is_conservative(n_bins: int) -> None:
    smirnov = distances.get("kolmogorov_smirnov")
    pair = _unchanged(np.full(n_bins, 1 / n_bins), 20, n_windows=5000)

    assert smirnov.p_value is not None
    chances = smirnov.p_value(pair, smirnov.measure(pair))

    for level in (0.2, 0.1, 0.05, 0.01, 0.001):
        # Exceeded with probability 1e-8 where the level is kept exactly.
        assert (chances <= level).sum() <= scipy.stats.binom.isf(1e-8, len(chances), level), level


@pytest.mark.parametrize(("law", "expected"), [("sixteen equal", 5), ("sixty-four equal", 5), ("Zipf", 50)])
def test_the_p_value_of_chi_square_is_uniform(law: str, expected: int) -> None:
    chi_square, pair = distances.get("chi_square"), _windows_of(law, expected)

    assert chi_square.p_value is not None
    chances = chi_square.p_value(pair, chi_square.measure(pair))[:, 0]

    # Dvoretzky, Kiefer, Wolfowitz and Massart: further from uniform with probability 1e-8.
    apart = scipy.stats.kstest(chances, "uniform").statistic
    assert apart <= math.sqrt(math.log(2.0 / 1e-8) / (2.0 * WINDOWS))
    for level in (0.05, 0.01, 0.001):
        low, high = (scipy.stats.binom.isf(chance, WINDOWS, level) for chance in (1.0 - 1e-8, 1e-8))
        assert low <= (chances <= level).sum() <= high, level


CRITICAL_ALPHA = 1e-3
TOO_OFTEN = 12.0
"""The critical value is exceeded at most so many times more often than alpha says, for sparse bins too."""


@pytest.mark.parametrize("name", [name for name, found in distances if found.critical])
@pytest.mark.parametrize("expected", [1, 5, 20])
@pytest.mark.parametrize("law", LAWS)
def test_the_critical_value_is_hardly_ever_exceeded_without_change(
    name: str, expected: int, law: str
) -> None:
    """Exceeded in 20,000 windows at most 240 times and six standard errors (binomial), alpha being 1e-3."""
    distance, pair = distances.get(name), _windows_of(law, expected)
    exceeded = np.sum(distance.measure(pair) > _critical(distance, pair, CRITICAL_ALPHA))
    most = TOO_OFTEN * CRITICAL_ALPHA * WINDOWS

    assert exceeded <= most + STANDARD_ERRORS * math.sqrt(most)


@pytest.mark.parametrize("name", [name for name, found in distances if found.critical])
def test_the_critical_value_is_no_higher_than_it_must_be(name: str) -> None:
    """With many events a bin, at alpha 5 %, it is exceeded in one of 200 windows or more."""
    distance, pair = distances.get(name), _windows_of("sixteen equal", 20)

    assert np.mean(distance.measure(pair) > _critical(distance, pair, 0.05)) > 0.005


def _critical(distance: Distance, pair: Pair, alpha: float) -> Floats:
    assert distance.critical is not None
    assert distance.noise_floor is not None
    return distance.critical(pair, distance.noise_floor(pair), alpha)
