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
    SLOTS_S,
    Slots,
    measure_season,
    measure_variation,
)
from detector.baseline.model import Baseline
from detector.baseline.stream_variation import (
    LEAST,
    LEAST_OF_A_DAY,
    joined,
    moderated,
    of_training,
    prior,
    steady_share,
)
from detector.baseline.variation import DAY_S, Season, Variation
from detector.batch import Bools, Floats, Ints
from detector.profile import Layout, Profile
from detector.tree import (
    Handed,
    Tree,
    array_of,
    dict_of,
    float_of,
    int_of,
    ints_of,
    list_of,
    pair_of,
    text_of,
)

ENOUGH_DAYS = 7.0
"""Before that thresholds rest on a guess."""
MOST_DAYS = 28.0
"""Learning ends with so many days."""

MAX_CELLS = 10_000_000
"""Counters of all slots of a model version together (40 MB)."""

STAYS_DAYS = 3.0
"""Before enough was seen, what lasts so long is a change; what ends sooner may be these data's own way."""

MARKED_DAYS = 2.0
"""So far back at most does a drifting window make what it holds suspect."""


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

    def remember(self) -> Tree:
        """Return all of it."""
        return {
            "variation": None if self.variation is None else self.variation.remember(),
            "season": None if self.season is None else self.season.remember(),
            "days": float(self.days),
            "source": self.source,
        }

    @classmethod
    def recall(cls, tree: Tree, n_features: int, width: int) -> "Knowledge":
        """Return what was remembered.

        Raises:
            ValueError: the tree is nothing such.
        """
        read = dict_of(tree)
        variation, season, source = read["variation"], read["season"], text_of(read["source"])
        if source not in ("training", "stream", "nothing"):
            raise ValueError("has knowledge of no known source")
        return cls(
            None if variation is None else Variation.recall(variation, n_features),
            None if season is None else Season.recall(season, width),
            float_of(read["days"]),
            source,  # type: ignore[arg-type]
        )


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
    left_out: Bools
    """Which features (slots, F) were left out of which slots, these in order."""
    pending: list[int]
    found: list[Variation] = field(default_factory=list)

    @property
    def own_days(self) -> Floats:
        """Days of each feature (F)."""
        return np.asarray(self.days - self.left_out.sum(axis=0) * self.slots.slot_s / DAY_S, dtype=np.float64)


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
        self._handed = Handed()
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
        if self._day is not None and day > self._day and self.days >= 1.0 and self._work is None:
            self._begin()
        self._day = day
        slot = int(start_s // self._slots.slot_s)
        if self._handed.take_back(slot):
            self._slots.counts[slot] = self._slots.counts[slot].copy()
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
        for i in range(max(first, slot - round(MARKED_DAYS * DAY_S / self._slots.slot_s)), slot + 1):
            if i in self._suspect:
                self._suspect[i] |= since_s < (i + 1) * self._slots.slot_s

    def _begin(self) -> None:
        """Begin to measure what there is."""
        for slot in sorted(self._slots.counts)[: -round(MOST_DAYS * DAY_S / self._slots.slot_s)]:
            del self._slots.counts[slot], self._suspect[slot]
        index = np.array(sorted(self._slots.counts))
        self._work = self._measure(index, self._left_out(index), self.days)

    def _measure(self, index: Ints, left_out: Bools, days: float) -> _Work:
        """Return the measurement of the slots `index`, without the features that are left out of each."""
        slots = self._without(index, left_out)
        total: Ints = np.stack(list(slots.counts.values())).sum(axis=0, dtype=np.int64)
        profile = Profile.zeros(self._baseline.layout)
        profile.counts[0] = total
        # Values that training had once are expected among the live ones at the same rate.
        rate = float(total[-1]) / max(self._baseline.n_events, 1)
        facts = tuple(
            f if f.singletons is None else replace(f, singletons=round(f.singletons * rate))
            for f in self._baseline.facts
        )
        live = replace(self._baseline, profile=profile, facts=facts, season=None, variation=None)
        return _Work(live, slots, measure_season(live, slots), days, left_out, [*self._lengths])

    def _left_out(self, index: Ints) -> Bools:
        """Return which features (slots, F) are left out of which slots: what drifted there."""
        suspect = np.stack([self._suspect[i] for i in index.tolist()])
        burn_in = np.ones(len(index), bool) if self._known_slots is None else index < self._known_slots
        stays = _long_runs(suspect, round(STAYS_DAYS * DAY_S / self._slots.slot_s))
        # What goes on may stay. Without this it would widen its own threshold, and end.
        goes_on = np.logical_and.accumulate(suspect[::-1], axis=0)[::-1]
        out: Bools = np.where(burn_in[:, None], stays | goes_on, suspect)
        return out

    def _without(self, index: Ints, out: Bools) -> Slots:
        """Return the slots without what is left out."""
        counts = {}
        for row, i in enumerate(index.tolist()):
            own = self._slots.counts[i]
            if out[row].any():
                own = own.copy()
                own[:-1][out[row][self._cells]] = 0
            counts[i] = own
        return Slots(self._slots.slot_s, counts)

    def _go_on(self) -> Knowledge | None:
        """Measure one window length; return what is known when all are done."""
        work = self._work
        if work is None:
            return None
        self._measure_one(work)
        if work.pending:
            return None
        self._work = None
        if not work.found:
            return None
        return self._learned(work)

    @staticmethod
    def _measure_one(work: _Work) -> None:
        found = measure_variation(work.live, work.slots, work.season, (work.pending.pop(0),))
        if found is not None:
            work.found.append(found)

    def _learned(self, work: _Work) -> Knowledge:
        found = joined(work.found)
        steady = steady_share(work.live, work.slots)
        found = replace(
            found,
            excess={name: table * steady for name, table in found.excess.items()},
            effective=np.maximum(found.effective * (work.own_days / work.days), 5.0),
        )
        variation = moderated(
            found, work.own_days < ENOUGH_DAYS, LEAST_OF_A_DAY if work.days < 2.0 else LEAST
        )
        season = None if work.season is None else of_training(work.season, self._baseline, self._cells)
        self.knowledge = Knowledge(variation, season, work.days)
        if self.knowledge.is_enough and self._known_slots is None:
            self._known_slots = max(work.slots.counts) + 1
        if work.days >= MOST_DAYS:
            self._is_done = True
            self._slots.counts.clear()
            self._suspect.clear()
        return self.knowledge

    def remember(self) -> Tree:
        """Return all of it; a measurement under way is told by what it measures, and done anew."""
        index, work = sorted(self._slots.counts), self._work
        n = len(self._baseline.features)
        suspect = [self._suspect[i] for i in index]
        return {
            "slot_s": float(self._slots.slot_s),
            "slots": self._handed.out(self._slots.counts),
            "suspect": np.stack(suspect) if suspect else np.zeros((0, n), dtype=bool),
            "known_slots": self._known_slots,
            "day": self._day,
            "is_done": self._is_done,
            "knowledge": self.knowledge.remember(),
            "work": None
            if work is None
            else {
                "slots": np.array(sorted(work.slots.counts), dtype=np.int64),
                "left_out": work.left_out,
                "days": float(work.days),
                "done": len(self._lengths) - len(work.pending),
            },
        }

    def recall(self, tree: Tree) -> bool:
        """Take on what was remembered of the same baseline; return whether slots are still cut so.

        Raises:
            ValueError: the tree is nothing such; what is here must not be used any more.
        """
        read = dict_of(tree)
        if float_of(read["slot_s"]) != self._slots.slot_s:
            return False
        width, n = self._baseline.layout.width, len(self._baseline.features)
        pairs = [pair_of(item) for item in list_of(read["slots"])]
        slots = {int_of(i): array_of(counts, np.int32, (width,)) for i, counts in pairs}
        self._slots = Slots(self._slots.slot_s, slots)  # type: ignore[arg-type]
        suspect = array_of(read["suspect"], np.bool_, (len(slots), n))
        self._suspect = dict(zip(sorted(slots), suspect, strict=True))
        self._known_slots = None if read["known_slots"] is None else int_of(read["known_slots"])
        self._day = None if read["day"] is None else int_of(read["day"])
        self._is_done = read["is_done"] is True
        self.knowledge = Knowledge.recall(read["knowledge"], n, width)
        self._work = None if read["work"] is None else self._recall_work(dict_of(read["work"]))
        return True

    def _recall_work(self, read: dict[str, Tree]) -> _Work:
        index = ints_of(read["slots"], (None,))
        if not len(index) or any(i not in self._slots.counts for i in index.tolist()):
            raise ValueError("has a measurement of slots that there are not")
        left_out = array_of(read["left_out"], np.bool_, (len(index), len(self._baseline.features)))
        work = self._measure(index, left_out, float_of(read["days"]))
        for _ in range(min(int_of(read["done"]), len(work.pending))):
            self._measure_one(work)
        return work


def learning_slot(shortest_s: float, pane_s: float, width: int) -> float:
    """Return how long a slot is: as the shortest window, longer where panes or `MAX_CELLS` ask for it."""
    for slot_s in SLOTS_S:
        cells = (MOST_DAYS + 1.0) * DAY_S / slot_s * width
        if slot_s >= max(shortest_s, pane_s) and cells <= MAX_CELLS:
            return slot_s
    return max(SLOTS_S[-1], pane_s)


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
