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
    at_p = np.nan if pair.reference_means is None else pair.reference_means
    at_q = np.nan if pair.current_means is None else pair.current_means
    # An empty side of a bin has no mass to place, so it stands with the other side.
    low, high = np.fmin(at_p, at_q), np.fmax(at_p, at_q)
    low_share = np.where(at_p == low, pair.p, -pair.q)
    low, high = _stand(low, pair), _stand(high, pair)

    #        low_i   high_i        low_i+1        two points a bin, one for each side;
    #   ------x--------x--------------x------      the area is summed over both kinds of gap
    gap = low - np.roll(high, 1, axis=-1)
    gap[..., pair.segments.starts] = 0.0
    before = pair.cumulative_change - pair.change
    return pair.total(np.abs((before + low_share) * (high - low)) + np.abs(before * gap))


def _stand(at: Floats, pair: Pair) -> Floats:
    at = np.where(np.isnan(at), pair.segments.lower, at)
    return np.clip(at, -LARGEST_POSITION, LARGEST_POSITION, out=at)
