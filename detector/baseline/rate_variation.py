"""How the rates of training windows (missing, outside, ...) vary beyond sampling."""

from dataclasses import dataclass

import numpy as np

from detector.baseline.model import Baseline
from detector.batch import Bools, Floats, Ints
from detector.profile import Layout
from detector.profile.binning import N_BUCKETS

OUTERMOST = 0.005
"""An outermost bin that holds more is no tail: a value of its own, or one of few."""


@dataclass(frozen=True, slots=True)
class RateChanges:
    """How a rate of k windows differs from the rest, for F features."""

    squares: Floats
    """Squared changes less their noise."""
    noise: Floats
    """What sampling makes of the squares on average."""
    is_up: Bools
    """Where the rate is above that of the rest: the only way it can alarm."""


def rates_beyond_noise(baseline: Baseline, reference: Ints, current: Ints) -> dict[str, RateChanges]:
    """Return how the rates of windows (k, width) differ from those of the rest beyond noise.

    No training value is outside the training range, or unseen. So the outermost values stand in for those
    outside, and of the rare values the part that is expected to be unseen for those unseen.
    """
    layout = baseline.layout
    # A seasonal feature has a number of events of its own on the reference side.
    m = np.maximum(layout.cells(reference), 1)
    # So may any feature on the other side: what it had while it drifted is left out of a stream's slots.
    cells = layout.cells(current)
    n = np.where(cells > 0, cells, np.nan)
    found = {}
    for name, block in layout.odd.items():
        found[name] = _changes(reference[:, block], current[:, block], m, n)
    for name, stand_in in _stand_ins(baseline).items():
        b, c = (stand_in.summed(layout, counts) for counts in (reference, current))
        found[name] = _changes(b, c, m, n, stand_in.scale**2)
    return found


def _changes(b: Ints, c: Ints, m: Ints, n: Floats, scale: Floats | float = 1.0) -> RateChanges:
    """Return the change of b of m events to c of n."""
    pooled = (b + c) / (m + n)
    noise, change = pooled * (1.0 - pooled) * (1.0 / m + 1.0 / n), c / n - b / m
    return RateChanges((change**2 - noise) * scale, noise * scale, change > 0)


@dataclass(frozen=True, slots=True)
class _StandIn:
    """Bins (B) that tell of a rate training never shows, and the part of their change (F) that is its."""

    bins: Bools
    scale: Floats

    def summed(self, layout: Layout, counts: Ints) -> Ints:
        """Return the events in the bins, by feature (k, F)."""
        kept = np.where(self.bins, counts[:, : layout.n_bins], 0)
        summed: Ints = np.add.reduceat(kept, layout.segments.starts, axis=1)
        return summed


def _stand_ins(baseline: Baseline) -> dict[str, _StandIn]:
    segments = baseline.layout.segments
    counts = baseline.profile.counts[0, : baseline.layout.n_bins]
    values = np.maximum(np.add.reduceat(counts, segments.starts), 1)
    share = counts / np.repeat(values, segments.lengths)

    outermost = np.zeros(len(counts), dtype=bool)
    ends = np.cumsum(segments.lengths)
    # The very first and last bins are those outside.
    for at in (segments.starts[: segments.n_ordered] + 1, ends[: segments.n_ordered] - 2):
        outermost[at] = share[at] <= OUTERMOST
    rare = np.zeros(len(counts), dtype=bool)
    for end in ends[segments.n_ordered :].tolist():
        rare[end - N_BUCKETS : end] = True

    of_rare = np.add.reduceat(share * rare, segments.starts)
    unseen = np.nan_to_num(baseline.expected_unseen)
    return {
        "outside": _StandIn(outermost, np.ones(len(unseen))),
        "unseen": _StandIn(rare, np.minimum(unseen / np.maximum(of_rare, 1e-12), 1.0)),
    }
