"""How the cells of one feature are distributed: each bin with its share on both sides.

The bins are those of the baseline, so what is shown is what the statistics were worked out from. A category
is named only if the baseline has it in its vocabulary: what lives in events alone is never said.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from detector.baseline import Baseline
from detector.batch import Bools, FeatureType, Floats, Ints
from detector.drift.contributors import NEVER_SEEN, is_few
from detector.profile import CategoryBinning, NumericBinning, Profile

BinKind = Literal["values", "outside", "rest", "unseen", "missing", "type_mismatch", "non_finite"]

MOST_NAMED = 40
"""Categories with a bin of their own; the others are counted together in `rest`."""

LEAST_VALUES = 20
"""Values from which on a quantile is told."""

RARE = "rare values"


@dataclass(frozen=True, slots=True)
class Bin:
    """One bin or category, with its share of all cells of the feature on both sides."""

    name: str
    kind: BinKind
    low: float | None
    """Lower edge of a numeric bin, inside; None of categories, and below the training range."""
    high: float | None
    """Upper edge of a numeric bin, not inside; the next float of `low` where the bin is of one value."""
    reference: float
    current: float


@dataclass(frozen=True, slots=True)
class Distribution:
    """The bins of one feature; the shares of a side add up to 1, or to 0 where it has no cells."""

    feature: str
    type: FeatureType
    n_reference: int
    """Cells of the feature, with a value and without."""
    n_current: int
    bins: tuple[Bin, ...]
    """First the values: numbers by size, categories by how much their share changed. At most 135 numeric
    bins, or 42 of categories, and three for cells without a value; those may be left out if empty."""


def distribution(
    baseline: Baseline, reference: Profile, current: Profile, feature: int, min_count: int = 0
) -> Distribution:
    """Return how a feature is distributed in two profiles of one row each.

    Categories that all of training had less than `min_count` times are not named, but counted as rare.
    """
    layout, binning = baseline.layout, baseline.binning.of(feature)
    counts = np.stack((reference.counts[0], current.counts[0]))
    cells = layout.cells(counts)[:, feature]
    start = int(layout.segments.starts[feature])
    own, n = counts[:, start : start + binning.length], np.maximum(cells, 1)
    if isinstance(binning, NumericBinning):
        bins = list(_numeric(binning, own / n[:, None]))
    else:
        named = ~is_few(baseline, feature, min_count)[: len(binning.values)]
        bins = list(_categories(binning, own, counts[:, layout.unseen][:, feature], n, named))
    odd: tuple[tuple[BinKind, slice], ...] = (
        ("missing", layout.missing),
        ("type_mismatch", layout.mismatch),
        ("non_finite", layout.non_finite),
    )
    for kind, block in odd:
        bins += _if_any(kind.replace("_", " "), kind, counts[:, block][:, feature] / n)
    found = baseline.features.all[feature]
    return Distribution(found.name, found.type, int(cells[0]), int(cells[1]), tuple(bins))


def _numeric(binning: NumericBinning, shares: Floats) -> Iterator[Bin]:
    """Yield the bins by size, first and last what lies outside the training range."""
    edges: list[float | None] = [None, *binning.edges.tolist(), None]
    for i, (low, high) in enumerate(pairwise(edges)):
        kind: BinKind = "outside" if low is None or high is None else "values"
        yield Bin(binning.describe(i), kind, low, high, float(shares[0, i]), float(shares[1, i]))


def _categories(
    binning: CategoryBinning, counts: Ints, unseen: Ints, cells: Ints, named: Bools
) -> Iterator[Bin]:
    """Yield the categories that changed most, then the rest and what training never had."""
    n_own = len(binning.values)
    own, at = counts[:, :n_own], np.flatnonzero(named)
    reference, current = own / cells[:, None]
    order = np.lexsort((-np.maximum(reference, current)[at], -np.abs(current - reference)[at]))
    shown = at[order][:MOST_NAMED]
    for i in shown.tolist():
        yield Bin(binning.describe(i), "values", None, None, float(reference[i]), float(current[i]))
    apart = np.ones(n_own, dtype=bool)
    apart[shown] = False
    rest = counts[:, n_own:].sum(axis=1) - unseen + own[:, apart].sum(axis=1)
    more = len(at) - len(shown)
    yield from _if_any(f"{RARE} and {more:,} more" if more else RARE, "rest", rest / cells)
    yield from _if_any(NEVER_SEEN, "unseen", unseen / cells)


def _if_any(name: str, kind: BinKind, shares: Floats) -> Iterator[Bin]:
    """Yield a bin unless it is empty on both sides."""
    reference, current = shares.tolist()
    if reference > 0 or current > 0:
        yield Bin(name, kind, None, None, reference, current)


def quantiles(baseline: Baseline, counts: Ints, feature: int, shares: Sequence[float]) -> Floats:
    """Return estimated quantiles of the values of a feature, by linear interpolation within its bins.

    `counts` is one row of a profile's (width,). NaN for a quantile outside the training range, below
    `LEAST_VALUES` values, and for categories. The error is at most the width of the bin it lies in.
    """
    wanted = np.asarray(shares, dtype=np.float64)
    binning = baseline.binning.of(feature)
    start = int(baseline.layout.segments.starts[feature])
    bins = counts[start : start + binning.length]
    n = int(bins.sum())
    if isinstance(binning, CategoryBinning) or n < LEAST_VALUES:
        return np.full(len(wanted), np.nan)
    target, running = wanted * n, np.cumsum(bins)
    # The least quantile lies in the first bin that is not empty.
    i = np.minimum(np.searchsorted(running, np.maximum(target, 0.5)), len(bins) - 1)
    part = np.clip((target - (running - bins)[i]) / np.maximum(bins[i], 1), 0.0, 1.0)
    low = np.concatenate(([np.nan], binning.edges))[i]
    high = np.concatenate((binning.edges, [np.nan]))[i]
    # The upper edge is not inside; and a difference of the two may be beyond all floats.
    found: Floats = np.clip(low * (1.0 - part) + high * part, low, np.nextafter(high, -np.inf))
    return found
