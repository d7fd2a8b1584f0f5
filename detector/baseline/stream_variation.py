"""What is made of a stream's measured variation before thresholds rest on it.

At first little was seen, so a guess and what all features show together stand in. A trend is taken
off, and a season of the stream becomes one of training data.
"""

from dataclasses import replace

import numpy as np

from detector.baseline.excursions import NORMAL_TAIL, VARIES
from detector.baseline.measure_variation import MIN_EVENTS, VARYING, Slots
from detector.baseline.model import Baseline
from detector.baseline.variation import DAY_S, Season, Variation
from detector.batch import Bools, Floats, Ints
from detector.distances import Pair, distances

UNSEEN = 0.06
"""Natural variation to expect on the first day, as a distance: so a swing of a mean by half a standard
deviation is silent, for it may be a season."""
LEAST_OF_A_DAY = 0.04
"""Variation to expect at least on the second: one day does not tell how days differ. With so little
known an excursion of it reaches as far as one of `UNSEEN`."""
LEAST = 0.012
"""The same from the third day until enough was seen: a mean that moves by .03 standard deviations."""
STEADY_DAYS = 5
"""So many days tell a trend."""
MOST_OF_STEPS = 2.0
"""How often half the mean square of steps from day to day may be variation."""
POOLED_WINDOWS = 4.0
"""Until enough was seen, what all features show together counts like so many independent windows."""


def prior(n_features: int, length_s: float) -> Variation:
    """Return what to expect of features of which nothing is known."""
    square = np.full((1, n_features), UNSEEN**2)
    once_a_day = np.full((1, n_features), 30.0)
    excess = dict.fromkeys(VARYING, square)
    return Variation((length_s,), (0,), excess, once_a_day, np.full((1, n_features), 1e6), (NORMAL_TAIL,))


def of_training(season: Season, baseline: Baseline, feature_of_cell: Ints) -> Season:
    """Return the season that training data would have, if they swung by the hour as the stream does.

    Each hour's shares are the training data's, times what the hour has more or less than the stream as a
    whole. So a constant difference between training and serving stays one. They are as precise as both
    sides together.
    """
    feature = feature_of_cell[season.positions]
    training = baseline.profile.counts[0, season.positions].astype(np.float64)
    whole = season.counts.sum(axis=0)
    size = 1.0 / (1.0 / np.maximum(season.events, 1) + 1.0 / max(baseline.n_events, 1))
    size = np.where(season.events > 0, size, 0.0)
    counts = np.zeros_like(season.counts)
    for hour, own in enumerate(season.counts):
        with np.errstate(divide="ignore", invalid="ignore"):
            swing = _shares(own, feature) / _shares(whole, feature)
        shares = _shares(training * np.where(np.isfinite(swing), swing, 1.0), feature)
        counts[hour] = np.rint(np.nan_to_num(shares) * size[hour])
    return Season(counts, season.positions, np.rint(size).astype(np.int64))


def _shares(counts: Ints | Floats, feature: Ints) -> Floats:
    """Return counts (P) as shares of those of their feature; NaN where it has none."""
    total = np.bincount(feature, weights=counts)[feature]
    shares: Floats = counts / np.where(total > 0, total, np.nan)
    return shares


def joined(parts: list[Variation]) -> Variation:
    """Return variations of one length each, as one of several lengths."""
    return Variation(
        tuple(length_s for part in parts for length_s in part.lengths_s),
        tuple(n for part in parts for n in part.windows),
        {name: np.concatenate([part.excess[name] for part in parts]) for name in parts[0].excess},
        np.concatenate([part.looks for part in parts]),
        np.concatenate([part.effective for part in parts]),
        tuple(tail for part in parts for tail in part.tails),
    )


def steady_share(live: Baseline, slots: Slots) -> Floats:
    """Return which part of a feature's variation (F) comes and goes; the rest is a trend, which only goes.

    Days that move at random lie as far from the whole as half the square of their steps says. A trend takes
    them far in small steps, so steps bound what is taken for variation.
    Source: von Neumann (1941), Ann. Math. Stat. 12:367-395.
    """
    of_day: dict[int, Ints] = {}
    for slot, counts in sorted(slots.counts.items()):
        day = int(slot * slots.slot_s // DAY_S)
        of_day[day] = of_day.get(day, 0) + counts.astype(np.int64)
    known = [counts for counts in of_day.values() if counts[-1] >= MIN_EVENTS]
    if len(known) < STEADY_DAYS:
        return np.ones(len(live.features))
    days = np.stack(known)[:, : live.layout.n_bins]
    whole = days.sum(axis=0)
    apart = _beyond_noise(Pair(whole - days, days, live.layout.segments))
    steps = _beyond_noise(Pair(days[:-1], days[1:], live.layout.segments)) / 2.0
    share = np.clip(MOST_OF_STEPS * steps / np.maximum(apart, VARIES**2), 0.0, 1.0)
    return np.where(apart > VARIES**2, share, 1.0)


def _beyond_noise(pair: Pair) -> Floats:
    """Return the mean square of the Hellinger distance less its noise (F), of rows that have values."""
    hellinger = distances.get("hellinger")
    assert hellinger.noise_floor is not None
    square = hellinger.measure(pair) ** 2 - hellinger.noise_floor(pair) ** 2
    known = np.isfinite(square)
    mean: Floats = np.where(known, square, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return mean


def moderated(variation: Variation, which: Bools, least: float) -> Variation:
    """Return a variation in which features that were seen too little (F) lean on all others.

    A few days tell a feature's variance badly, those of all features together better; `least` bounds its
    root from below.
    Source: Smyth (2004), Stat. Appl. Genet. Mol. Biol. 3(1):3, with prior degrees of freedom that are set.
    """
    own = variation.effective
    excess = dict(variation.excess)
    for name in VARYING:
        pooled = (own * excess[name] + POOLED_WINDOWS * _pool(excess[name])) / (own + POOLED_WINDOWS)
        excess[name] = np.where(which, np.maximum(pooled, least**2), excess[name])
    return replace(variation, excess=excess, effective=np.where(which, own + POOLED_WINDOWS, own))


def _pool(table: Floats) -> Floats:
    """Return the mean of each length (L, 1) over the features that have this distance."""
    known = table > 0
    pooled: Floats = table.sum(axis=1, keepdims=True) / np.maximum(known.sum(axis=1, keepdims=True), 1)
    return pooled
