"""How training data vary by themselves: from window to window, and with the hour of the day.

Sampling explains how far a window of n events lies from the whole; real traffic lies further, for no
two days are alike. From timestamped training data the rest is measured, for each feature, statistic
and window length, and thresholds are widened by it. What returns every day is no variation but a
*season*: there a window is held against what its own hours had in training.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from detector.batch import Floats, Ints
from detector.times import kind_of_hour
from detector.tree import Tree, dict_of, float_of, floats_of, int_of, ints_of, list_of, record_of, record_tree

DAY_S = 86400.0

HOURS = 24
SEASON_DAYS = 7.0
"""A season by hour takes so many days of training data."""

WEEKEND_DAYS = 56.0
"""Weekends have hours of their own from so many days on."""


def hour_cells(days: float) -> int:
    """Return how many kinds of hours so many days of training data can tell apart: 0, 24 or 48."""
    if days < SEASON_DAYS:
        return 0
    return HOURS if days < WEEKEND_DAYS else 2 * HOURS


def hour_of(time_s: Floats, n_cells: int) -> Ints:
    """Return the kind of hour of each time: of the day in UTC, weekends apart where there are 48."""
    return np.array([kind_of_hour(t) % n_cells for t in time_s.tolist()], dtype=np.int64)


@dataclass(frozen=True)
class Season:
    """Training counts by kind of hour, of the features that differ from hour to hour.

    `counts` has a row for each of H kinds of hours and a column for each position in `positions`, which
    are those of the seasonal features in a profile's flat vector; `events` (H) are the training rows.
    """

    counts: Ints
    positions: Ints
    events: Ints

    def remember(self) -> Tree:
        """Return all of it."""
        return {"counts": self.counts, "positions": self.positions, "events": self.events}

    @classmethod
    def recall(cls, tree: Tree, width: int) -> "Season":
        """Return what was remembered, of a flat vector of `width`.

        Raises:
            ValueError: the tree is no season.
        """
        read = dict_of(tree)
        positions = ints_of(read["positions"], (None,))
        events = ints_of(read["events"], (None,))
        if len(events) not in (HOURS, 2 * HOURS) or np.any(positions < 0) or np.any(positions >= width):
            raise ValueError("has a season of other hours or bins")
        return cls(ints_of(read["counts"], (len(events), len(positions))), positions, events)

    def expected(self, hours: Floats) -> tuple[Floats, Floats]:
        """Return the shares (S, P) to expect of events by kind of hour (S, 48), and the training size (S).

        The shares are the hours' own, weighted as the window's events are; as precise as if so many
        training rows had been seen. Hours that training never had count like the rest.
        """
        if hours.shape[1] > len(self.events):
            hours = hours[:, :HOURS] + hours[:, HOURS:]
        known = np.where(self.events > 0, hours, 0.0)
        weight = known / np.maximum(known.sum(axis=1, keepdims=True), 1.0)
        per_event = weight / np.maximum(self.events, 1)
        size = 1.0 / np.maximum((weight * per_event).sum(axis=1), 1e-300)
        return per_event @ self.counts, np.where(known.sum(axis=1) > 0, size, 0.0)


TAIL_SHARE = 0.05
"""The outermost windows, from which the tail is told."""


@dataclass(frozen=True, slots=True)
class Tail:
    """How far excursions reach, all features together, in units of the root mean square of other days.

    A generalised Pareto law of the share `TAIL_SHARE` of windows that lie above `start`.
    """

    shape: float
    """0 for tails like the normal law's, 1/3 for those of Student's t with 3 degrees of freedom."""
    scale: float
    start: float
    independent: float = 0.0
    """Independent windows, of all features together, that it was told from."""

    def reach(self, alpha: Floats) -> Floats:
        """Return what an excursion exceeds with chance `alpha`."""
        ratio = np.maximum(TAIL_SHARE / np.maximum(alpha, 1e-300), 1.0)
        beyond = np.log(ratio)
        if self.shape > 1e-6:
            beyond = (ratio**self.shape - 1.0) / self.shape
        reached: Floats = self.start + self.scale * beyond
        return reached

    def chance(self, units: Floats) -> Floats:
        """Return the chance of an excursion beyond `units`: the inverse of `reach`."""
        beyond = np.maximum(units - self.start, 0.0) / self.scale
        if self.shape > 1e-6:
            share: Floats = TAIL_SHARE * (1.0 + self.shape * beyond) ** (-1.0 / self.shape)
        else:
            share = TAIL_SHARE * np.exp(-beyond)
        return share


@dataclass(frozen=True)
class Variation:
    """What windows of training data show beyond sampling, at L window lengths, for F features.

    `excess` has for each statistic the mean square (L, F) that is left of the distance to the whole
    when the noise is taken off; `looks` (L, F) are the independent windows in 30 days, fewer the longer
    an excursion lasts.
    """

    lengths_s: tuple[float, ...]
    windows: tuple[int, ...]
    """Training windows at each length (R)."""
    excess: Mapping[str, Floats] = field(default_factory=dict)
    looks: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    effective: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    """Independent training windows (L, F)."""
    tails: tuple[Tail, ...] = ()
    """At each length, how far excursions of the distances reach."""
    rate_tails: tuple[Tail, ...] = ()
    """The same of the rates; empty: like those of the distances."""

    def remember(self) -> Tree:
        """Return all of it."""
        return {
            "lengths_s": list(self.lengths_s),
            "windows": list(self.windows),
            "excess": dict(self.excess),
            "looks": self.looks,
            "effective": self.effective,
            "tails": [record_tree(tail) for tail in self.tails],
            "rate_tails": [record_tree(tail) for tail in self.rate_tails],
        }

    @classmethod
    def recall(cls, tree: Tree, n_features: int) -> "Variation":
        """Return what was remembered, of so many features.

        Raises:
            ValueError: the tree is no variation.
        """
        read = dict_of(tree)
        lengths_s = tuple(float_of(item) for item in list_of(read["lengths_s"]))
        windows = tuple(int_of(item) for item in list_of(read["windows"]))
        shape = (len(lengths_s), n_features)
        tails, rate_tails = (
            tuple(record_of(Tail, item) for item in list_of(read[name])) for name in ("tails", "rate_tails")
        )
        n = len(lengths_s)
        if len(windows) != n or len(tails) != n or len(rate_tails) not in (0, n):
            raise ValueError("has a variation of other lengths")
        return cls(
            lengths_s,
            windows,
            {name: floats_of(table, shape) for name, table in dict_of(read["excess"]).items()},
            floats_of(read["looks"], shape),
            floats_of(read["effective"], shape),
            tails,
            rate_tails,
        )

    @property
    def days(self) -> float:
        """Days of data that it was told from."""
        spans = zip(self.windows, self.lengths_s, strict=True)
        return max((n * length_s / DAY_S for n, length_s in spans), default=0.0)

    def at(self, length_s: float) -> int | None:
        """Return which length stands for windows of `length_s`: the longest that is no longer.

        Longer windows vary less, so a shorter one is on the safe side.
        """
        if not self.lengths_s:
            return None
        fitting = [i for i, known_s in enumerate(self.lengths_s) if known_s <= length_s]
        return fitting[-1] if fitting else 0


NO_VARIATION = Variation((), ())
