"""Two samples of one law, nothing drifts: what TFDV's numeric divergence says, and what ours does.

The table in docs/coming-from-tfdv.md; seeded, so the figures are the same everywhere.
"""

import numpy as np
import pytest

from detector.baseline.edges import numeric_binning
from detector.distances import Pair, distances
from detector.distances.base import Segments
from detector.tfdv.histogram import standard_histogram
from detector.tfdv.measures import numeric_divergence

pytestmark = pytest.mark.bench

TRIALS = 100

LAWS = {
    "normal": lambda rng, n: rng.normal(size=n),
    "log-normal": lambda rng, n: rng.lognormal(size=n),
    "Poisson(4)": lambda rng, n: rng.poisson(4, n).astype(float),
    "80 % zeros, else exponential": lambda rng, n: np.where(
        rng.random(n) < 0.8, 0.0, rng.exponential(size=n)
    ),
}


def _tfdv(train, serving):
    p, q = (standard_histogram(*_counted(side)) for side in (serving, train))
    return numeric_divergence(p, q)


def _counted(values):
    distinct, counts = np.unique(values, return_counts=True)
    return distinct, counts.astype(float)


def _ours(train, serving):
    edges = numeric_binning(train, train.min(), train.max()).edges
    counts = [
        np.bincount(edges.searchsorted(side, "right"), minlength=len(edges) + 1) for side in (train, serving)
    ]
    pair = Pair(*counts, Segments(np.array([0]), len(edges) + 1, 1, np.concatenate((edges[:1], edges))))
    distance = distances.get("jensen_shannon")
    return float(distance.measure(pair)[0]), float(distance.noise_floor(pair)[0])


def test_what_no_drift_looks_like(capsys):
    """TFDV's floor stays where ours falls with n; and ours is known beforehand."""
    rng = np.random.default_rng(11)
    lines, worst = [], 0.0
    for name, law in LAWS.items():
        for n in (1000, 10_000):
            trials = [(law(rng, n), law(rng, n)) for _ in range(TRIALS)]
            theirs = np.array([_tfdv(*pair) for pair in trials])
            ours, floors = np.array([_ours(*pair) for pair in trials]).T
            cells = "".join(f"{np.quantile(x, q):8.4f}" for x in (theirs, ours) for q in (0.5, 0.95))
            lines.append(f"  {name:<30}{n:>7,}{cells}{np.median(floors):8.4f}")
            worst = max(worst, float(np.median(ours) / np.median(floors)))
    with capsys.disabled():
        print(f"\nJensen-Shannon divergence without drift, {TRIALS} trials, bits (median, 95 %):")
        print(f"  {'law':<30}{'rows':>7}{'TFDV':>16}{'ours':>16}{'floor':>8}")
        print("\n".join(lines))

    assert worst < 1.3, "our noise floor is what to expect without drift"
