"""Swapped columns: a feature looks as another did in training, and that one as this did.

Numbers are compared by the other column's training law, read at this column's edges; texts exactly: each
value of the other's vocabulary has its own category or hash bucket here, and rare ones keep their bucket.
"""

from collections.abc import Callable, Sequence

import numpy as np

from detector.batch import Floats
from detector.drift.change import Change, moved
from detector.drift.law import Laws, Slack, fit, law_of, seen
from detector.profile import CategoryBinning
from detector.profile.binning import N_BUCKETS

MOST_CANDIDATES = 50
"""Other drifting features that are looked at."""

LEAST_CHANGE = 0.1
"""Columns that differ less in training would hide a swap, and fit one by chance."""

SLACK = Slack(0.02, 0.1, 0.1)

SAME_PART = 0.15
"""Both columns were swapped in the same events: the parts found may differ by this."""

LEFT = 0.15
"""Of two vocabularies, what a swap may leave unexplained of the change."""


def swapped_with(
    change: Change, candidates: Sequence[int], change_of: Callable[[int], Change]
) -> tuple[int, float] | None:
    """Return the feature that a feature was swapped with, and the share of values that were; None if none.

    `candidates` are the other features that drift, `change_of` gives the change of one.
    """
    feature = change.baseline.features.all[change.feature]
    n_numeric = len(change.baseline.features.numeric)
    is_numeric = change.feature < n_numeric
    if feature.type == "bool":
        return None  # Two shares tell nothing.
    part_of = _numeric_part if is_numeric else _category_part
    for other in candidates[:MOST_CANDIDATES]:
        if (other < n_numeric) != is_numeric or change.baseline.features.all[other].type == "bool":
            continue
        theirs = change_of(other)
        part = part_of(change, theirs)
        back = None if part is None else part_of(theirs, change)
        if part is not None and back is not None and abs(part - back) <= SAME_PART:
            return other, part
    return None


def _numeric_part(change: Change, other: Change) -> float | None:
    """Return the share of a window that follows another feature's training law; None if none does."""
    own, theirs = seen(change), seen(other)
    law = None if own is None or theirs is None else law_of(other, theirs[0])
    if own is None or law is None or np.abs(own[1].cdf - own[0].cdf).max() < LEAST_CHANGE:
        return None
    cdf = law.below(own[0].edges, above=own[0].above)[None]
    mean, std, low, high = np.array([law.mean, law.std, law.low, law.high])[:, None]
    found = fit(*own, Laws(cdf, mean, std, low, high, law.kurtosis), SLACK)
    return float(found.part[0]) if found.score[0] <= 1.0 else None


def _category_part(change: Change, other: Change) -> float | None:
    """Return the share of a window's texts that are as another feature's in training; None if none are."""
    before, now = change.bins(change.reference), change.bins(change.current)
    swapped = _carried(other, change)
    if min(before.sum(), now.sum(), swapped.sum()) <= 0 or moved(before, now) < LEAST_CHANGE:
        return None
    p, q, t = (x / x.sum() for x in (before, now, swapped))
    direction = t - p
    part = float(np.clip(((q - p) @ direction) / max(float(direction @ direction), 1e-300), 0.0, 1.0))
    mixed = ((1.0 - part) * p + part * t) * before.sum()
    return part if moved(mixed, now) <= LEFT * moved(before, now) else None


def _carried(source: Change, target: Change) -> Floats:
    """Return the training counts of `source` on the bins of `target`."""
    theirs, own = source.binning, target.binning
    assert isinstance(theirs, CategoryBinning)
    assert isinstance(own, CategoryBinning)
    counts, out = source.bins(source.reference), np.zeros(own.length)
    code = own.codes(theirs.values)
    # An unseen value counts in its bucket, too.
    np.add.at(out, np.where(code >= own.length, code - N_BUCKETS, code), counts[:-N_BUCKETS])
    out[-N_BUCKETS:] += counts[-N_BUCKETS:]
    return out
