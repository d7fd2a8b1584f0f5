"""Why: the bins and categories whose share of events changed most."""

from dataclasses import dataclass

import numpy as np

from detector.baseline import Baseline
from detector.batch import Bools
from detector.profile import CategoryBinning, Profile
from detector.profile.binning import N_BUCKETS

NEVER_SEEN = "values never seen in training"


@dataclass(frozen=True, slots=True)
class Contributor:
    """One bin or category, with its share of all events on both sides."""

    bin: str
    reference: float
    current: float


def contributors(
    baseline: Baseline, reference: Profile, current: Profile, feature: int, most: int = 5, min_count: int = 1
) -> tuple[Contributor, ...]:
    """Return the `most` bins of a feature whose share changed most, largest change first.

    Categories that all of training had less than `min_count` times are not named, but counted together
    with the rare values. Both profiles have one row. Missing values, type mismatches and non-finite
    values count as bins of their own, so the shares of each side add up to 1.
    """
    layout, binning = baseline.layout, baseline.binning.of(feature)
    start = int(layout.segments.starts[feature])
    n_own = binning.length - (N_BUCKETS if isinstance(binning, CategoryBinning) else 0)
    names: list[str] = []
    shares: list[tuple[float, float]] = []
    totals = tuple(max(int(layout.cells(side.counts)[0, feature]), 1) for side in (reference, current))
    sides = (reference.counts[0], current.counts[0])

    def add(name: str, counts: tuple[int, int]) -> None:
        names.append(name)
        shares.append((counts[0] / totals[0], counts[1] / totals[1]))

    named = ~is_few(baseline, feature, min_count)
    for i in np.flatnonzero(named).tolist():
        add(binning.describe(i), (int(sides[0][start + i]), int(sides[1][start + i])))
    if isinstance(binning, CategoryBinning):
        rest = slice(start + n_own, start + binning.length)
        unseen = int(sides[1][layout.unseen][feature])
        few = [int(side[rest].sum() + side[start : start + n_own][~named].sum()) for side in sides]
        add("rare values", (few[0], few[1] - unseen))
        add(NEVER_SEEN, (0, unseen))
    for name, block in (
        ("missing", layout.missing),
        ("type mismatch", layout.mismatch),
        ("not finite", layout.non_finite),
    ):
        add(name, (int(sides[0][block][feature]), int(sides[1][block][feature])))
    change = np.array([abs(p - q) for p, q in shares])
    order = np.argsort(-change, kind="stable")[:most]
    return tuple(Contributor(names[i], *shares[i]) for i in order.tolist() if change[i] > 0)


def few_of(baseline: Baseline, feature: int, min_count: int) -> tuple[str, ...]:
    """Return the categories of a feature that all of training had less than `min_count` times."""
    binning = baseline.binning.of(feature)
    return tuple(binning.describe(i) for i in np.flatnonzero(is_few(baseline, feature, min_count)).tolist())


def is_few(baseline: Baseline, feature: int, min_count: int) -> Bools:
    """Return which counters are of categories that training had less often; none of numbers are."""
    binning, start = baseline.binning.of(feature), int(baseline.layout.segments.starts[feature])
    if not isinstance(binning, CategoryBinning):
        return np.zeros(binning.length, dtype=bool)
    few: Bools = baseline.profile.counts[0, start : start + len(binning.values)] < min_count
    return few
