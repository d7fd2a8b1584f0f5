"""Evidently's tests with their default thresholds.

Its default picks by size of the reference: up to 1,000 rows K-S and chi-square at p < .05, beyond that the
normed Wasserstein distance for numbers and the Jensen–Shannon distance for categories, each at .1. Source:
docs-old.evidentlyai.com/reference/data-drift-algorithm, and `evidently/legacy/calculations/stattests/`
(`jensenshannon.py`: natural logarithm; `wasserstein_distance_norm.py`; `psi.py`; `utils.get_binned_data`:
bins of equal width by Sturges' rule, an empty bin counts .0001). A value equal to the threshold is drift.
"""

import numpy as np

from tests.bench.detection.rules.measures import both

THRESHOLD = 0.1


def rules(_chunks):
    """The default for more than 1,000 rows, and the two other distances that are chosen most."""
    return {
        "Evidently default (W/std, JS ≥ .1)": lambda found: (
            both(found.wasserstein, found.jensen_shannon_categorical) >= THRESHOLD
        ),
        "Evidently JS ≥ .1": lambda found: (
            both(found.jensen_shannon_numeric, found.jensen_shannon_categorical) >= THRESHOLD
        ),
        "Evidently PSI ≥ .1": lambda found: both(psi(*found.equal_width), psi(*found.by_value)) >= THRESHOLD,
    }


def psi(p, q):
    """Population stability index with Evidently's filling of empty bins."""
    # Bins that are empty on both sides cancel out, nearly: its histogram has none.
    occupied = (p > 0) | (q > 0)
    p, q = _filled(p), _filled(q)
    return ((p - q) * np.log(p / q) * occupied).sum(axis=-1)


def _filled(share):
    least = np.where(share > 0, share, np.inf).min(axis=-1, keepdims=True)
    filler = np.where(least <= 1e-4, least / 1e6, 1e-4)
    return np.where(share > 0, share, filler)
