"""What is lost by looking at bins: ordered distances against scipy on the samples themselves.

64 equal-mass bins with atoms of their own and extra cuts in the tails, made here from the baseline
and independent of the detector's own binning. Nine laws with three or four drifts each.
"""

import functools
from collections.abc import Callable

import numpy as np
import pytest
import scipy.stats

from detector.batch import Floats, Ints
from detector.distances import Pair, Segments, distances

N_BINS = 64
N_BASELINE, N_WINDOW = 100_000, 20_000

KS_BOUND = 0.0038
"""Largest loss of the Kolmogorov–Smirnov distance over the laws and drifts but those below."""
SHARP = {("log-normal", "shift"), ("Pareto", "shift")}
"""A law with a sharp lower end, moved up by part of a bin: the difference peaks inside that bin."""
MEDIAN_KS_BOUND = 0.0005
MEDIAN_WASSERSTEIN_BOUND = 0.0018
"""Median relative error of the Wasserstein distance over the drifts, where the variance is finite."""

Draw = Callable[[np.random.Generator, int], Floats]

LAWS: dict[str, Draw] = {
    "normal": lambda rng, n: rng.normal(size=n),
    "log-normal": lambda rng, n: np.exp(rng.normal(0.0, 2.0, size=n)),
    "Pareto": lambda rng, n: rng.pareto(1.1, size=n) + 1.0,
    "zeros and log-normal": lambda rng, n: np.where(rng.random(n) < 0.7, 0.0, np.exp(rng.normal(size=n))),
    "Poisson": lambda rng, n: rng.poisson(2.0, size=n).astype(np.float64),
    "thousandths": lambda rng, n: np.floor(1000.0 * rng.beta(2.0, 5.0, size=n)),
    "two humps": lambda rng, n: rng.choice([-10.0, 10.0], size=n) + rng.normal(0.0, 0.1, size=n),
    "cents": lambda rng, n: np.round(rng.normal(0.0, 20.0, size=n), 2),
    "constant": lambda rng, n: np.full(n, 3.0),
}

Drift = Callable[[np.random.Generator, Floats, Floats], Floats]


def _shifted(rng: np.random.Generator, baseline: Floats, window: Floats) -> Floats:
    low, high = np.quantile(baseline, [0.25, 0.75])
    return window + 0.25 * (high - low)


def _outside(rng: np.random.Generator, baseline: Floats, window: Floats) -> Floats:
    beyond = baseline.max() + (baseline.max() - baseline.min() + 1.0) * rng.random(len(window))
    return np.where(rng.random(len(window)) < 0.03, beyond, window)


def _stretched(rng: np.random.Generator, baseline: Floats, window: Floats) -> Floats:
    median = np.median(baseline)
    return np.where(window > median, median + 2.0 * (window - median), window)


def _moved_constant(rng: np.random.Generator, baseline: Floats, window: Floats) -> Floats:
    return window + 0.2


DRIFTS: dict[str, Drift] = {
    "none": lambda rng, baseline, window: window,
    "shift": _shifted,
    "outside": _outside,
    "upper tail": _stretched,
    "moved": _moved_constant,
}
CASES = [(law, drift) for law in LAWS for drift in DRIFTS if drift != "moved" or law == "constant"]
each_case = pytest.mark.parametrize(("law", "drift"), CASES)


@functools.cache
def _samples(law: str, drift: str) -> tuple[Floats, Floats]:
    rng = np.random.default_rng([list(LAWS).index(law), list(DRIFTS).index(drift)])
    baseline = LAWS[law](rng, N_BASELINE)
    return baseline, DRIFTS[drift](rng, baseline, LAWS[law](rng, N_WINDOW))


def _edges(baseline: Floats) -> Floats:
    """Cut so that each bin but the outer two holds about the same mass, and each atom has its own."""
    values, counts = np.unique(baseline, return_counts=True)
    is_atom = counts >= max(2.0, len(baseline) / N_BINS)
    if len(values) <= N_BINS:
        is_atom[:] = True
    atoms = values[is_atom]
    rest = baseline[~np.isin(baseline, atoms)]
    cuts = [atoms, np.nextafter(atoms, np.inf)]
    if len(rest):
        n_cuts = max(4, round(N_BINS * len(rest) / len(baseline)))
        levels = np.append(np.arange(1, n_cuts) / n_cuts, [0.001, 0.005, 0.995, 0.999])
        cuts.append(np.quantile(rest, levels, method="inverted_cdf"))
        cuts.append(np.array([rest.min(), np.nextafter(rest.max(), np.inf)]))
    return np.unique(np.concatenate(cuts))


def _binned(edges: Floats, values: Floats) -> tuple[Ints, Floats]:
    """Return the count and the mean of the values in each bin."""
    at, length = np.searchsorted(edges, values, side="right"), len(edges) + 1
    counts = np.bincount(at, minlength=length)
    return counts, np.bincount(at, weights=values, minlength=length) / np.where(counts > 0, counts, np.nan)


@functools.cache
def _pair(law: str, drift: str) -> Pair:
    baseline, window = _samples(law, drift)
    edges = _edges(baseline)
    segments = Segments(np.array([0]), len(edges) + 1, 1, np.concatenate((edges[:1], edges)))
    (reference, reference_means), (current, current_means) = (_binned(edges, x) for x in (baseline, window))
    return Pair(reference, current, segments, reference_means, current_means)


def _within_bins(edges: Floats, values: Floats) -> float:
    """Return the work of moving every value to the mean of its bin."""
    return float(
        np.abs(values - _binned(edges, values)[1][np.searchsorted(edges, values, side="right")]).mean()
    )


def _lost(law: str, drift: str) -> float:
    """Return how far the Kolmogorov–Smirnov distance on bins is below that of the samples."""
    exact = scipy.stats.ks_2samp(*_samples(law, drift), method="asymp").statistic
    return float(exact - distances.get("kolmogorov_smirnov").measure(_pair(law, drift))[0])


@each_case
def test_kolmogorov_smirnov_loses_no_more_than_a_bin(law: str, drift: str) -> None:
    pair, edges = _pair(law, drift), _edges(_samples(law, drift)[0])

    # From edge to edge each side rises by its share of the bin; one value alone is an edge itself.
    is_wide = np.concatenate(([True], np.nextafter(edges[:-1], np.inf) < edges[1:], [True]))
    widest = np.minimum(pair.p, pair.q)[is_wide].max()

    assert -1e-12 <= _lost(law, drift) <= widest + 1e-12
    # An equal-mass bin of values none of which is frequent enough for a bin of its own.
    assert pair.p[is_wide].max() <= 2.0 / N_BINS


def test_kolmogorov_smirnov_loses_little() -> None:
    lost = {case: _lost(*case) for case in CASES}

    assert np.median(list(lost.values())) <= MEDIAN_KS_BOUND
    assert max(loss for case, loss in lost.items() if case not in SHARP) <= KS_BOUND, lost


@each_case
def test_wasserstein_errs_by_no_more_than_the_work_within_bins(law: str, drift: str) -> None:
    baseline, window = _samples(law, drift)
    edges = _edges(baseline)

    found = distances.get("wasserstein").measure(_pair(law, drift))[0]

    # Triangle inequality: each side is as far from its bins' means as the work of moving it there.
    exact = scipy.stats.wasserstein_distance(baseline, window)
    rounding = 1e-12 * max(np.abs(baseline).max(), np.abs(window).max())
    assert abs(found - exact) <= _within_bins(edges, baseline) + _within_bins(edges, window) + rounding
    # Bins keep the mean, and no transport is shorter than the way from mean to mean.
    assert found >= abs(baseline.mean() - window.mean()) - rounding


def test_the_median_error_of_wasserstein_under_drift_is_small() -> None:
    errors = []
    for law, drift in CASES:
        exact = scipy.stats.wasserstein_distance(*_samples(law, drift))
        if drift != "none" and exact > 0.0 and law != "Pareto":
            found = distances.get("wasserstein").measure(_pair(law, drift))[0]
            errors.append(abs(found - exact) / exact)

    assert np.median(errors) <= MEDIAN_WASSERSTEIN_BOUND, sorted(errors)
