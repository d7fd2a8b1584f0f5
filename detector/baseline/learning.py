"""Learning from the stream how data vary by themselves, where training data do not tell.

    closed panes -> slots of counts, 28 days of them at most -> once a day: season, natural variation

The very functions that measure training data measure the slots, against the sum of the slots: live
against live, so that a constant difference between training and serving is no variation. What people
were told of is no variation either: slots in which a feature drifted are left out for that feature.
After 28 days it is known as well as four weeks of timestamped training data tell it, and learning ends;
so a slow change later on is not learned away.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from detector.baseline.measure_variation import (
    LENGTHS_IN_SLOTS,
    NORMAL_TAIL,
    SLOTS_S,
    VARIES,
    VARYING,
    Slots,
    measure_season,
    measure_variation,
)
from detector.baseline.model import Baseline
from detector.baseline.variation import DAY_S, Season, Variation
from detector.batch import Bools, Floats, Ints
from detector.distances import Pair, distances
from detector.profile import Layout, Profile

ENOUGH_DAYS = 7.0
"""Before that thresholds rest on a guess."""
MOST_DAYS = 28.0
"""Learning ends with so many days."""

MAX_CELLS = 10_000_000
"""Counters of all slots of a model version together (40 MB)."""

STAYS_DAYS = 3.0
"""Before enough was seen, what lasts so long is a change; what ends sooner may be these data's own way."""

UNSEEN = 0.05
"""Natural variation to expect on the first day, as a distance: so a swing of a mean by half a standard
deviation is silent, for it may be a season."""
LEAST_OF_A_DAY = 0.028
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


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What is known of how data vary by themselves, and where it comes from."""

    variation: Variation | None
    season: Season | None = None
    days: float = 0.0
    """Days of data that tell it."""
    source: Literal["training", "stream", "nothing"] = "stream"

    @property
    def is_enough(self) -> bool:
        """Whether thresholds rest on what was seen, not on chance alone or on a guess."""
        return self.source == "training" or (self.source == "stream" and self.days >= ENOUGH_DAYS)

    @property
    def text(self) -> str:
        """The same in words."""
        if self.source == "nothing":
            return "variation: not known"
        if self.source == "training":
            return f"variation: of the training data, {self.days:.0f} days"
        if not self.is_enough:
            return f"variation: learned from the stream, {int(self.days)} of {ENOUGH_DAYS:.0f} days"
        return f"variation: learned from the stream, {self.days:.0f} days"


def knowledge_of(baseline: Baseline) -> Knowledge:
    """Return what a baseline tells by itself."""
    if baseline.variation is None:
        return Knowledge(None, baseline.season, source="nothing")
    return Knowledge(baseline.variation, baseline.season, baseline.variation.days, "training")


@dataclass(slots=True)
class _Work:
    """A measurement under way: one window length at a time, so that no single pane takes long."""

    live: Baseline
    slots: Slots
    season: Season | None
    days: float
    own_days: Floats
    pending: list[int]
    found: list[Variation] = field(default_factory=list)


class Learner:
    """Learns how the events of one model version vary; what it holds are arrays by slot of time.

    Bounded by `MAX_CELLS` counters and `MOST_DAYS` of slots; silence takes no room.
    """

    def __init__(self, baseline: Baseline, lengths_s: Iterable[float], pane_s: float) -> None:
        self._baseline = baseline
        self._cells = _feature_of_cell(baseline.layout)
        lengths_s = sorted(lengths_s)
        slot_s = learning_slot(min(lengths_s[0], 3600.0), pane_s, baseline.layout.width)
        self._lengths = sorted({1, *(_fitting(length_s, slot_s) for length_s in lengths_s)})
        self._slots = Slots(slot_s, {})
        self._suspect: dict[int, Bools] = {}
        """Slot -> features (F) that drifted in it."""
        self._known_slots: int | None = None
        """First slot after the burn-in."""
        self._day: int | None = None
        self._work: _Work | None = None
        self._is_done = False
        self.knowledge = Knowledge(prior(len(baseline.features), lengths_s[0]))

    def add(self, start_s: float, counts: Ints, suspect_since_s: Floats) -> Knowledge | None:
        """Take in a closed pane of all events; return what is known, where that is new.

        `counts` is its flat vector; `suspect_since_s` (F) says since when each feature drifts, in epoch
        seconds, infinity where it does not.
        """
        if self._is_done:
            return None
        day = int(start_s // DAY_S)
        if self._day is not None and day > self._day and self.days >= 1.0:
            self._begin()
        self._day = day
        slot = int(start_s // self._slots.slot_s)
        self._slots.add(slot, counts)
        self._suspect.setdefault(slot, np.zeros(len(self._baseline.features), dtype=bool))
        self._mark(slot, suspect_since_s)
        return self._go_on()

    @property
    def days(self) -> float:
        """History that is kept."""
        return len(self._slots.counts) * self._slots.slot_s / DAY_S

    def _mark(self, slot: int, since_s: Floats) -> None:
        """Mark all slots that a drifting window reaches over, not only the one in which it was noticed."""
        if np.isinf(since_s).all():
            return
        first = int(np.min(since_s) // self._slots.slot_s)
        for i in range(max(first, slot - round(2 * DAY_S / self._slots.slot_s)), slot + 1):
            if i in self._suspect:
                self._suspect[i] |= since_s < (i + 1) * self._slots.slot_s

    def _begin(self) -> None:
        """Begin to measure what there is."""
        for slot in sorted(self._slots.counts)[: -round(MOST_DAYS * DAY_S / self._slots.slot_s)]:
            del self._slots.counts[slot], self._suspect[slot]
        slots, left_out = self._kept()
        total = np.sum(list(slots.counts.values()), axis=0, dtype=np.int64)
        profile = Profile.zeros(self._baseline.layout)
        profile.counts[0] = total
        live = replace(self._baseline, profile=profile, season=None, variation=None)
        own_days = np.asarray(self.days - left_out * self._slots.slot_s / DAY_S, dtype=np.float64)
        self._work = _Work(live, slots, measure_season(live, slots), self.days, own_days, [*self._lengths])

    def _kept(self) -> tuple[Slots, Ints]:
        """Return the slots without what drifted, and how many slots of each feature (F) were left out."""
        index = np.array(sorted(self._slots.counts))
        suspect = np.stack([self._suspect[i] for i in index.tolist()])
        burn_in = np.ones(len(index), bool) if self._known_slots is None else index < self._known_slots
        stays = _long_runs(suspect, round(STAYS_DAYS * DAY_S / self._slots.slot_s))
        # What goes on may stay. Without this it would widen its own threshold, and end.
        goes_on = np.logical_and.accumulate(suspect[::-1], axis=0)[::-1]
        out = np.where(burn_in[:, None], stays | goes_on, suspect)
        counts = {}
        for row, i in enumerate(index.tolist()):
            own = self._slots.counts[i]
            if out[row].any():
                own = own.copy()
                own[:-1][out[row][self._cells]] = 0
            counts[i] = own
        return Slots(self._slots.slot_s, counts), out.sum(axis=0)

    def _go_on(self) -> Knowledge | None:
        """Measure one window length; return what is known when all are done."""
        work = self._work
        if work is None:
            return None
        found = measure_variation(work.live, work.slots, work.season, (work.pending.pop(0),))
        if found is not None:
            work.found.append(found)
        if work.pending:
            return None
        self._work = None
        if not work.found:
            return None
        return self._learned(work)

    def _learned(self, work: _Work) -> Knowledge:
        found = _joined(work.found)
        steady = _steady_share(work.live, work.slots)
        found = replace(
            found,
            excess={name: table * steady for name, table in found.excess.items()},
            effective=np.maximum(found.effective * (work.own_days / work.days), 5.0),
        )
        least = LEAST_OF_A_DAY if work.days < 2.0 else LEAST
        variation = _moderated(found, work.own_days < ENOUGH_DAYS, least)
        season = None if work.season is None else of_training(work.season, self._baseline, self._cells)
        self.knowledge = Knowledge(variation, season, work.days)
        if self.knowledge.is_enough and self._known_slots is None:
            self._known_slots = max(work.slots.counts) + 1
        if work.days >= MOST_DAYS:
            self._is_done = True
            self._slots.counts.clear()
            self._suspect.clear()
        return self.knowledge


def learning_slot(shortest_s: float, pane_s: float, width: int) -> float:
    """Return how long a slot is: as the shortest window, longer where panes or `MAX_CELLS` ask for it."""
    for slot_s in SLOTS_S:
        cells = (MOST_DAYS + 1.0) * DAY_S / slot_s * width
        if slot_s >= max(shortest_s, pane_s) and cells <= MAX_CELLS:
            return slot_s
    return max(SLOTS_S[-1], pane_s)


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


def _fitting(length_s: float, slot_s: float) -> int:
    return max(n for n in LENGTHS_IN_SLOTS if n == 1 or n * slot_s <= length_s)


def _feature_of_cell(layout: Layout) -> Ints:
    """Return which feature each counter but the last is of."""
    features = np.arange(len(layout.features))
    return np.concatenate([layout.segments.feature_of_bin, *[features] * 4]).astype(np.int64)


def _long_runs(flags: Bools, least: int) -> Bools:
    """Return the flags (slots, F) that stand in runs of at least so many."""
    out = np.zeros_like(flags)
    run = np.zeros(flags.shape[1], dtype=np.int64)
    for i, row in enumerate(flags):
        run = np.where(row, run + 1, 0)
        for f in np.flatnonzero(run >= least).tolist():
            out[i - run[f] + 1 : i + 1, f] = True
    return out


def _joined(parts: list[Variation]) -> Variation:
    """Return variations of one length each, as one of several lengths."""
    return Variation(
        tuple(length_s for part in parts for length_s in part.lengths_s),
        tuple(n for part in parts for n in part.windows),
        {name: np.concatenate([part.excess[name] for part in parts]) for name in parts[0].excess},
        np.concatenate([part.looks for part in parts]),
        np.concatenate([part.effective for part in parts]),
        tuple(tail for part in parts for tail in part.tails),
    )


def _steady_share(live: Baseline, slots: Slots) -> Floats:
    """Return which part of a feature's variation (F) comes and goes; the rest is a trend, which only goes.

    Days that move at random lie as far from the whole as half the square of their steps says. A trend takes
    them far in small steps, so steps bound what is taken for variation.
    Source: von Neumann (1941), Ann. Math. Stat. 12:367-395.
    """
    of_day: dict[int, Ints] = {}
    for slot, counts in sorted(slots.counts.items()):
        day = int(slot * slots.slot_s // DAY_S)
        of_day[day] = of_day.get(day, 0) + counts.astype(np.int64)
    if len(of_day) < STEADY_DAYS:
        return np.ones(len(live.features))
    days = np.stack(list(of_day.values()))[:, : live.layout.n_bins]
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


def _moderated(variation: Variation, which: Bools, least: float) -> Variation:
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
