"""1-Wasserstein (earth mover's) distance, each bin a point at the mean of its own values."""

import numpy as np

from detector.batch import Floats
from detector.distances.base import Pair, distance

# Differences of two such positions, and their sums over a hundred bins, stay finite.
LARGEST_POSITION = 1e300


@distance(ordered=True, upper=None)
def wasserstein(pair: Pair) -> Floats:
    """Area between the two cumulative distributions, in the feature's own unit.

    Each side's share of a bin stands at the mean of that side's values in it (not at the bin's
    middle, which is up to nine times wrong on heavy tails). Without means both sides stand at the
    bin's lower edge. Not meaningful for data of infinite variance.
    Source: Vallender (1974), Theory Probab. Appl. 18(4):784-786.
    """
    at_p = _positions(pair.reference_means, pair)
    at_q = _positions(pair.current_means, pair)
    # An empty side of a bin has no mass to place, so it stands with the other side.
    at_p, at_q = np.where(np.isnan(at_p), at_q, at_p), np.where(np.isnan(at_q), at_p, at_q)
    at_p = np.where(np.isnan(at_p), pair.segments.lower, at_p)
    at_q = np.where(np.isnan(at_q), pair.segments.lower, at_q)
    low, high = np.minimum(at_p, at_q), np.maximum(at_p, at_q)

    #        low_i   high_i        low_i+1        two points a bin, one for each side;
    #   ------x--------x--------------x------      the area is summed over both kinds of gap
    up_to_p, up_to_q = pair.cumulative_p, pair.cumulative_q
    before_p, before_q = up_to_p - pair.p, up_to_q - pair.q
    inside = np.where(at_p <= at_q, up_to_p - before_q, before_p - up_to_q)
    previous = np.roll(high, 1, axis=-1)
    previous[..., pair.segments.starts] = low[..., pair.segments.starts]
    area = np.abs(inside) * (high - low) + np.abs(before_p - before_q) * (low - previous)
    return pair.total(area)


def _positions(means: Floats | None, pair: Pair) -> Floats:
    shape = np.broadcast_shapes(pair.reference.shape, pair.current.shape)
    if means is None:
        return np.full(shape, np.nan)
    return np.broadcast_to(np.clip(means, -LARGEST_POSITION, LARGEST_POSITION), shape)
