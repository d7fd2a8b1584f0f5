"""Columns made by hand: a binning of two numbers and one text, and events over it."""

from collections.abc import Hashable, Sequence

import numpy as np

from detector.batch import Columns, Feature, FeatureSet, OddCells
from detector.profile import Binning, CategoryBinning, NumericBinning
from detector.summary.hashing import value_hash

FEATURES = FeatureSet.of([Feature("x", "float"), Feature("k", "int"), Feature("c", "string")])

SEEN = np.sort(np.array([value_hash(v) for v in ("rare", "rarer")], dtype=np.uint64))

BINNING = Binning(
    FEATURES,
    (NumericBinning(np.array([0.0, 1.0, 2.0, 4.0])), NumericBinning(np.array([0.0, 1.0]))),
    (CategoryBinning(("a", "b"), SEEN),),
)
"""Bins: 5 for x, 3 for k, 2 and the buckets for c."""

CENTERS = np.array([1.5, 0.5])

TEXTS = ["a", "b", "rare", "rarer", "new", None]


def columns_of(
    x: Sequence[float], k: Sequence[float], c: Sequence[Hashable], odd: Sequence[tuple[int, int, int]] = ()
) -> Columns:
    """Make columns of n events; NaN and None are no value."""
    return Columns(len(x), np.array([x, k], dtype=np.float64), (list(c),), OddCells.of(odd))


def random_columns(rng: np.random.Generator, n: int) -> Columns:
    """n events with values in, on and outside the bins, and some without a value."""
    x = rng.choice([-1.0, 0.0, 0.5, 1.0, 1.5, 2.0, 3.9, 4.0, 9.0, np.nan], n)
    k = rng.choice([-1.0, 0.0, 0.25, 1.0, np.nan], n)
    c = [TEXTS[i] for i in rng.integers(0, len(TEXTS), n).tolist()]
    return columns_of(x.tolist(), k.tolist(), c)
