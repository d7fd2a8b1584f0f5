"""The summary of a profile: what bins tell of training data, of a file or of a window.

The same record that a file's columns are summarised in, so the same rules and tables apply; what
bins do not tell is None. Quantiles are interpolated within bins.
"""

import numpy as np

from detector.baseline.model import Baseline, Figures
from detector.batch import Floats, Ints
from detector.profile import CategoryBinning, NumericBinning, Profile
from detector.schema import Range
from detector.summary.model import QUANTILES, ColumnSummary, NumericSummary, ValueCounts

NO_FIGURES = Figures()


def training_summary(baseline: Baseline) -> dict[str, ColumnSummary]:
    """Return the summary of the training data, feature by feature."""
    profile = baseline.profile.row(0)
    figures = baseline.figures or (NO_FIGURES,) * len(baseline.features)
    return {
        feature.name: column_summary(baseline, profile, f, figures[f])
        for f, feature in enumerate(baseline.features.all)
    }


def column_summary(
    baseline: Baseline, profile: Profile, f: int, figures: Figures = NO_FIGURES
) -> ColumnSummary:
    """Return the summary of feature `f` in row 0 of a profile; `figures` are known beside the bins."""
    layout, feature = baseline.layout, baseline.features.all[f]
    counts = profile.counts[0]
    start = int(layout.segments.starts[f])
    binning = baseline.binning.of(f)
    bins = counts[start : start + binning.length]
    numeric, values, distinct = None, None, figures.distinct
    if isinstance(binning, NumericBinning):
        numeric = _numeric(baseline, profile, f, bins, figures)
        values = _numbers(binning, bins)
    else:
        values = _values(binning, bins)
        if figures.distinct is None and profile is baseline.profile:
            distinct = baseline.facts[f - len(baseline.features.numeric)].distinct
    return ColumnSummary(
        type=feature.type,
        rows=int(baseline.layout.cells(profile.counts)[0, f]),
        missing=int(counts[layout.missing][f]),
        mismatches=int(counts[layout.mismatch][f]),
        nan=int(counts[layout.non_finite][f]),
        numeric=numeric,
        values=values,
        distinct=distinct,
        distinct_is_exact=figures.distinct_is_exact,
        length_mean=figures.length_mean,
        length_max=figures.length_max,
    )


def _numeric(
    baseline: Baseline, profile: Profile, f: int, bins: Ints, figures: Figures
) -> NumericSummary | None:
    n = int(bins.sum())
    if n == 0:
        return None
    start = int(baseline.layout.segments.starts[f])
    center = float(baseline.centers[f])
    sums = profile.sums[0, start : start + len(bins)]
    with np.errstate(over="ignore", invalid="ignore"):
        mean = float(np.sum(sums / n))
        # Squares are kept about the training mean: less the distance of the two means, squared.
        variance = float(profile.squares[0, f] / n - np.square(mean - center))
    low, high = float(profile.low[0, f]), float(profile.high[0, f])
    edges = baseline.binning.numeric[f].edges
    below, above = _beyond(baseline, f, bins, low, high)
    return NumericSummary(
        n,
        mean,
        float(np.sqrt(max(variance, 0.0))),
        low,
        high,
        figures.zeros,
        figures.fractional,
        below,
        above,
        figures.quantiles or _quantiles(edges, bins, low, high),
    )


def _beyond(baseline: Baseline, f: int, bins: Ints, low: float, high: float) -> tuple[int | None, int | None]:
    """Return how many numbers lie beyond the schema's range, as far as bins tell.

    A bin that a limit cuts counts where it is an outer one, whose numbers training never had.
    """
    feature = baseline.schema.features.get(baseline.features.all[f].name)
    domain = None if feature is None else feature.domain
    if not isinstance(domain, Range):
        return None, None
    edges = baseline.binning.numeric[f].edges
    below = above = 0
    if domain.min is not None and low < domain.min:
        below = int(bins[: int(np.searchsorted(edges, domain.min, side="right"))].sum()) or int(bins[0])
    if domain.max is not None and high > domain.max:
        first = int(np.searchsorted(edges, np.nextafter(domain.max, np.inf), side="left")) + 1
        above = int(bins[min(first, len(bins) - 1) :].sum())
    return below, above


def _quantiles(edges: Floats, bins: Ints, low: float, high: float) -> tuple[float, ...]:
    """Interpolate quantiles within bins."""
    ends = np.concatenate(([min(low, edges[0])], edges, [max(high, edges[-1])]))
    running = np.concatenate(([0], np.cumsum(bins))) / bins.sum()
    kept = np.concatenate(([True], np.diff(running) > 0))
    found = np.interp(QUANTILES, running[kept], ends[kept])
    return tuple(np.clip(found, low, high).tolist())


def _values(binning: CategoryBinning, bins: Ints) -> ValueCounts:
    n_own = len(binning.values)
    named = {v: n for v, n in zip(binning.values, bins[:n_own].tolist(), strict=True) if n}
    return ValueCounts(named, is_complete=False, unnamed=int(bins[n_own:].sum()))


def _numbers(binning: NumericBinning, bins: Ints) -> ValueCounts:
    """Return the numbers that have a bin of their own; the rest is unnamed."""
    low = binning.edges[:-1]
    is_atom = np.nextafter(low, np.inf) == binning.edges[1:]
    inner = bins[1:-1]
    named = dict(zip(low[is_atom].tolist(), inner[is_atom].tolist(), strict=True))
    unnamed = int(bins.sum() - inner[is_atom].sum())
    return ValueCounts({v: n for v, n in named.items() if n}, is_complete=unnamed == 0, unnamed=unnamed)
