"""Pairs of count vectors for the tests, and what every test does with them."""

from collections.abc import Sequence

import numpy as np

from detector.batch import Floats, Ints
from detector.distances import Distance, Pair, Segments

Counts = Sequence[int] | Ints


def segments_of(lengths: Sequence[int], n_ordered: int) -> Segments:
    """Lay features side by side; the bins of a numeric one are (-inf, 0), [0, 1), [1, 2), ..."""
    starts = np.cumsum(lengths) - lengths if len(lengths) else np.empty(0)
    lower = [np.maximum(np.arange(length) - 1.0, 0.0) for length in lengths[:n_ordered]]
    return Segments(
        starts.astype(np.intp),
        int(np.sum(lengths)),
        n_ordered,
        np.concatenate(lower) if lower else np.empty(0),
    )


def pair_of(
    reference: Sequence[Counts], current: Sequence[Counts], n_ordered: int | None = None, apart: float = 0.0
) -> Pair:
    """Make the pair of features given by their counts, all of them numeric unless said otherwise.

    The reference values of bin i lie at i - 1/2 on average, the current ones `apart` to the right.
    Nothing may be written to: a distance leaves its input alone.
    """
    lengths = [len(counts) for counts in reference]
    n_ordered = len(lengths) if n_ordered is None else n_ordered
    segments = segments_of(lengths, n_ordered)
    both = [np.concatenate([*map(_as_counts, side), np.empty(0, np.int64)]) for side in (reference, current)]
    at = np.concatenate([*(np.arange(length) - 0.5 for length in lengths[:n_ordered]), np.empty(0)])
    means = [np.where(counts[: len(at)] > 0, at, np.nan) for counts in both]
    means[1] += apart
    for array in (*both, *means):
        array.flags.writeable = False
    return Pair(both[0], both[1], segments, means[0], means[1])


def _as_counts(counts: Counts) -> Ints:
    return np.asarray(counts, dtype=np.int64)


def one(reference: Counts, current: Counts, apart: float = 0.0) -> Pair:
    """Make the pair of a single numeric feature."""
    return pair_of([reference], [current], apart=apart)


def part_of(pair: Pair, distance: Distance) -> Pair:
    """Return what the distance is taken of: the numeric features alone if it needs an order."""
    return pair.ordered if distance.ordered else pair


def measured(distance: Distance, pair: Pair) -> Floats:
    """Return the values (..., F), or of the numeric features alone."""
    return distance.measure(part_of(pair, distance))


def random_counts(rng: np.random.Generator, lengths: Sequence[int], most: int = 10_000) -> list[Ints]:
    """Draw counts of features with so many bins, some bins empty, no feature empty."""
    counts = [rng.integers(0, most, size=length) * (rng.random(length) < 0.8) for length in lengths]
    for of_feature in counts:
        of_feature[rng.integers(len(of_feature))] += 1
    return counts
