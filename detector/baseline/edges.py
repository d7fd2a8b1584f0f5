"""Choosing the bins: from training values to edges and vocabularies."""

from collections.abc import Hashable, Iterable, Mapping

import numpy as np

from detector.batch import Floats
from detector.profile.binning import CategoryBinning, NumericBinning
from detector.summary.hashing import value_hash

N_BINS = 64
"""Equal-mass bins of a numeric feature; what is lost by them, `kolmogorov_smirnov` says."""

TAIL_CUTS = (0.001, 0.005, 0.995, 0.999)
"""Extra cuts, so that a change in the tails is not averaged over a whole bin."""

MAX_CATEGORIES = 256
"""Values of a categorical feature that get a counter of their own."""

MAX_SEEN_HASHES = 1 << 18
"""Training values whose hashes are kept to tell rare from unseen (2 MiB); with more, unseen is not judged."""


def numeric_binning(values: Floats, low: float, high: float) -> NumericBinning:
    """Choose the edges for a feature from a sample of its finite values and its exact range.

    A value that holds at least 1/64 of the mass, or any value where there are at most 64, is an
    *atom* with a bin of its own; the rest is cut into bins of equal mass, finer in the tails. A
    feature without values gets the edges 0 and 1, which are as good as any.
    """
    if len(values) == 0:
        return NumericBinning(np.array([0.0, 1.0]))
    distinct, counts = np.unique(values + 0.0, return_counts=True)  # -0.0 becomes 0.0
    if len(distinct) <= N_BINS:
        atoms, rest = distinct, distinct[:0]
    else:
        is_atom = counts >= max(2.0, len(values) / N_BINS)
        atoms, rest = distinct[is_atom], np.repeat(distinct[~is_atom], counts[~is_atom])
    ends = np.array([low, np.nextafter(high, np.inf)])
    edges = [atoms, np.nextafter(atoms, np.inf), ends]
    if len(rest):
        n_bins = max(4, round(N_BINS * len(rest) / len(values)))
        shares = np.concatenate((np.arange(1, n_bins) / n_bins, TAIL_CUTS))
        edges.append(np.quantile(rest, shares, method="inverted_cdf"))
    unique = np.unique(np.concatenate(edges))
    return NumericBinning(unique[np.isfinite(unique)])


def category_binning(
    counts: Mapping[Hashable, int], *, is_complete: bool, expected: Iterable[str] = ()
) -> CategoryBinning:
    """Choose the vocabulary from value counts; texts too long to keep come as their hash (an int).

    `is_complete` says that `counts` holds every value there was. The values of a closed set
    (`expected`) get counters of their own in any case, so that live ones can be told from others.
    """
    texts = [value for value in counts if not isinstance(value, int) or isinstance(value, bool)]
    texts.sort(key=lambda value: (-counts[value], str(value)))
    if len(counts) > MAX_CATEGORIES:
        # In a long tail, a value seen once says nothing that its bucket does not say.
        texts = [value for value in texts[:MAX_CATEGORIES] if counts[value] > 1]
    known = set(texts)
    texts += [value for value in expected if value not in known]
    if not is_complete or len(counts) > MAX_SEEN_HASHES:
        return CategoryBinning(tuple(texts), None)
    own = set(texts)
    hashes = {
        v if isinstance(v, int) and not isinstance(v, bool) else value_hash(v) for v in counts if v not in own
    }
    return CategoryBinning(tuple(texts), np.array(sorted(hashes), dtype=np.uint64))
