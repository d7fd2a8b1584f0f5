"""Rates: the share of events whose value is missing, outside, unseen, of a wrong type, not finite.

They are judged as rates, not as bins of a distance: a share that training data never had would be
drift in any long tail, and a missing value has no place on the feature's scale.
"""

from collections.abc import Callable

import numpy as np

from detector.baseline import Baseline
from detector.batch import Floats, Ints
from detector.profile import Layout, Profile

RATES = ("missing", "non_finite", "outside", "type_mismatch", "unseen")
"""Names of the rates, in alphabetical order."""


def rates(layout: Layout, profile: Profile) -> dict[str, Floats]:
    """Return each rate as shares of the events that tell of the feature, shape (S, F).

    NaN where it does not apply, or no event tells.
    """
    counts = profile.counts
    n = layout.cells(counts).astype(np.float64)
    total = np.where(n > 0, n, np.nan)
    return {name: read(layout, counts) / total for name, read in _READ.items()}


def expected_rates(baseline: Baseline) -> dict[str, Floats]:
    """Return the share of each rate to expect without drift, shape (rows of the baseline's profile, F)."""
    expected = rates(baseline.layout, baseline.profile)
    # Training data have no unseen values by definition; live data have some (Good-Turing).
    unseen = np.broadcast_to(baseline.expected_unseen, expected["unseen"].shape)
    return expected | {"unseen": unseen.copy()}


def _outside(layout: Layout, counts: Ints) -> Floats:
    """Count values below the first or above the last edge; NaN for categorical features."""
    segments = layout.segments
    n_numeric = segments.n_ordered
    first = segments.starts[:n_numeric]
    last = first + segments.lengths[:n_numeric] - 1
    out = np.full((counts.shape[0], len(segments.starts)), np.nan)
    out[:, :n_numeric] = counts[:, first] + counts[:, last]
    return out


def _unseen(layout: Layout, counts: Ints) -> Floats:
    """Count values that training data never had; NaN for numeric features."""
    out = counts[:, layout.unseen].astype(np.float64)
    out[:, : layout.segments.n_ordered] = np.nan
    return out


_READ: dict[str, Callable[[Layout, Ints], Floats | Ints]] = {
    "missing": lambda layout, counts: counts[:, layout.missing],
    "non_finite": lambda layout, counts: counts[:, layout.non_finite],
    "outside": _outside,
    "type_mismatch": lambda layout, counts: counts[:, layout.mismatch],
    "unseen": _unseen,
}
