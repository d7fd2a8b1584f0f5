"""How the statistics of one model version went over the last day: for people, nothing is judged by it.

Evaluations are kept by slots of event time. Of the evaluations of one slot the worst stays, feature by
feature, so that a short excursion is still seen a day later.

    evaluations   |.|.|.|.|.|.|.|.|.|.|.|.|        one at the end of each pane
    slots         (         ](         ](          five minutes, or longer
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detector.batch import Bools, Floats, Ints
from detector.drift.evaluation import Evaluation, States
from detector.drift.limits import STATISTICS
from detector.profile import Fit
from detector.profile.fit import picked
from detector.tree import (
    Frozen,
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
from detector.windows.spec import WindowSpec

Singles = NDArray[np.float32]

REACH_S = 86400.0
"""So far back, and further where panes are long: there are as many slots all the same."""

SLOT_S = 300.0
"""Slots are at least so long; longer where panes are, or the memory does not suffice."""

MAX_SLOTS = 288
MIN_SLOTS = 24
"""However many features there are, a day is kept by the hour."""

MAX_BYTES = 32 << 20
"""Of one model version, all window lengths together, where that leaves `MIN_SLOTS`."""

CELL_BYTES = 5
"""State and excess of a feature of a slice."""

STATISTIC_BYTES = 12
"""Value, threshold and noise floor of one statistic of a feature."""

OBJECT_BYTES = 3000
"""Objects of a slot beside its numbers: some twenty arrays, and what is remembered of them."""

FIGURES = ("value", "threshold", "noise_floor")


@dataclass(frozen=True, slots=True)
class Slot:
    """The worst of the evaluations of one slot, feature by feature; S slices, F features."""

    end_s: float
    """End of the last window that is in it, in epoch seconds."""
    n: Ints
    """Events of that window (S)."""
    state: States
    """(S, F)."""
    excess: Singles
    """Value over threshold of the statistic that was furthest over it (S, F); 0 where none decided."""
    figures: Mapping[str, Singles]
    """Of each statistic that decided: value, threshold and noise floor (3, F) in the slice `all`."""
    dataset_state: States
    """(S)."""
    drifted_ratio: Singles
    """(S), NaN where nothing was judged."""

    @classmethod
    def of(cls, evaluation: Evaluation, state: States, dataset_state: States) -> "Slot":
        """Return a slot with one evaluation, in the states that the alert book sees."""
        figures = {}
        for name in evaluation.worst:
            found = evaluation.statistics[name]
            figures[name] = np.stack((found.value[0], found.threshold[0], found.noise_floor[0]))
        excess = evaluation.excess.max(axis=0, initial=0.0)
        return cls(
            evaluation.window.end_s,
            evaluation.n,
            state.astype(np.int8),
            excess.astype(np.float32),
            {name: figure.astype(np.float32) for name, figure in figures.items()},
            dataset_state.astype(np.int8),
            evaluation.drifted_ratio.astype(np.float32),
        )

    def with_later(self, later: "Slot") -> "Slot":
        """Return the worst of both."""
        newer: Bools = later.excess[0] >= self.excess[0]
        nothing = np.full((len(FIGURES), len(newer)), np.nan, dtype=np.float32)
        figures = {
            name: np.where(newer, later.figures.get(name, nothing), self.figures.get(name, nothing))
            for name in {**self.figures, **later.figures}
        }
        return Slot(
            later.end_s,
            later.n,
            np.maximum(self.state, later.state),
            np.maximum(self.excess, later.excess),
            figures,
            np.maximum(self.dataset_state, later.dataset_state),
            np.fmax(self.drifted_ratio, later.drifted_ratio),
        )

    def remember(self) -> Tree:
        """Return all of it."""
        return {
            "end_s": self.end_s,
            "n": self.n,
            "state": self.state,
            "excess": self.excess,
            "figures": [[name, figure] for name, figure in self.figures.items()],
            "dataset_state": self.dataset_state,
            "drifted_ratio": self.drifted_ratio,
        }

    @classmethod
    def recall(cls, tree: Tree, fit: Fit) -> "Slot":
        """Return what was remembered, in the places of today.

        Raises:
            ValueError: the tree is no slot.
        """
        read, shape = dict_of(tree), (fit.n_rows, fit.n_features)
        figures = {}
        for item in list_of(read["figures"]):
            name, figure = pair_of(item)
            own = array_of(figure, np.float32, (len(FIGURES), fit.n_features))
            figures[text_of(name)] = picked(own, fit.features, np.nan)
        n = ints_of(read["n"], shape[:1])
        dataset_state = array_of(read["dataset_state"], np.int8, shape[:1])
        ratio = array_of(read["drifted_ratio"], np.float32, shape[:1])
        return cls(
            float_of(read["end_s"]),
            picked(n, fit.rows, 0),
            fit.by_row_and(array_of(read["state"], np.int8, shape), fit.features, -1),
            fit.by_row_and(array_of(read["excess"], np.float32, shape), fit.features, 0.0),
            figures,
            picked(dataset_state, fit.rows, -1),
            picked(ratio, fit.rows, np.nan),
        )


class Series(NamedTuple):
    """One statistic of one feature over time: arrays (n), oldest first, NaN where there was nothing."""

    time_s: Floats
    value: Floats
    threshold: Floats
    noise_floor: Floats


@dataclass(frozen=True, slots=True)
class StatisticHistory:
    """How one window length went: nothing in it changes, so any thread may read it."""

    slot_s: float
    """Length of a slot in seconds."""
    slots: tuple[Slot, ...] = ()
    """Oldest first; there are none for times without events."""

    @property
    def statistics(self) -> tuple[str, ...]:
        """Names of the statistics that decided at any time."""
        return tuple(dict.fromkeys(name for slot in self.slots for name in slot.figures))

    @property
    def time_s(self) -> Floats:
        """Ends of the windows (n)."""
        return np.array([slot.end_s for slot in self.slots], dtype=np.float64)

    def series(self, statistic: str, feature: int) -> Series:
        """Return how one statistic of a feature went in the slice `all`."""
        nothing = np.full(len(FIGURES), np.nan)
        found = [
            slot.figures[statistic][:, feature] if statistic in slot.figures else nothing
            for slot in self.slots
        ]
        value, threshold, noise_floor = np.array(found, dtype=np.float64).reshape(-1, len(FIGURES)).T
        return Series(self.time_s, value, threshold, noise_floor)

    def excess(self, row: int, feature: int) -> Floats:
        """Return the excess of a feature over time (n), of a slice."""
        return np.array([slot.excess[row, feature] for slot in self.slots], dtype=np.float64)

    def states(self, row: int, feature: int) -> Ints:
        """Return the state of a feature over time (n), of a slice."""
        return np.array([slot.state[row, feature] for slot in self.slots], dtype=np.int64)


class Slots(NamedTuple):
    """How a model version's day is divided."""

    factor: int
    """Panes in a slot."""
    n: int
    """Slots of each window length."""

    @classmethod
    def of(cls, spec: WindowSpec, n_slices: int, n_features: int) -> "Slots":
        """Return the shortest slots with which a day fits into the memory there is."""
        each = slot_bytes(n_slices, n_features) * len(spec.lengths_s)
        n = max(MIN_SLOTS, min(MAX_SLOTS, MAX_BYTES // each))
        return cls(math.ceil(max(SLOT_S, REACH_S / n) / spec.pane_s), n)


def slot_bytes(n_slices: int, n_features: int) -> int:
    """Return the bytes that the arrays of a slot take at most: every statistic may be made to decide."""
    cells = n_slices * CELL_BYTES + len(STATISTICS) * STATISTIC_BYTES
    return n_features * cells + 13 * n_slices


def history_bytes(spec: WindowSpec, n_slices: int, n_features: int) -> int:
    """Return the bytes that the histories of one model version take at most."""
    each = slot_bytes(n_slices, n_features) + OBJECT_BYTES
    return len(spec.lengths_s) * Slots.of(spec, n_slices, n_features).n * each


class _Kept:
    """The slots of one window length."""

    def __init__(self) -> None:
        self.slots: dict[int, Slot] = {}
        """By number, oldest first."""
        self.handed: dict[int, Frozen] = {}
        """Those that were remembered as they are now."""
        self.shown: StatisticHistory | None = None
        """All of them, where nothing has come since."""

    def note(self, number: int, slot: Slot, n_slots: int) -> None:
        """Add an evaluation to the slot with this number, which is the last one or a new one."""
        before = self.slots.get(number)
        self.slots[number] = slot if before is None else before.with_later(slot)
        self.handed.pop(number, None)
        self.shown = None
        for old in [old for old in self.slots if old <= number - n_slots]:
            del self.slots[old]
            self.handed.pop(old, None)

    def remember(self) -> Tree:
        """Return every slot by its number; one that has not changed since is the same object as before."""
        for number, slot in self.slots.items():
            if number not in self.handed:
                self.handed[number] = Frozen(slot.remember())
        return [[number, self.handed[number]] for number in self.slots]


class HistoryBook:
    """The histories of one model version; bounded by `Slots`."""

    def __init__(self, spec: WindowSpec, n_slices: int, n_features: int) -> None:
        self._pane_s = spec.pane_s
        self._slots = Slots.of(spec, n_slices, n_features)
        self._kept = {length_s: _Kept() for length_s in sorted(spec.lengths_s)}

    def note(self, evaluation: Evaluation, state: States, dataset_state: States) -> None:
        """Take in an evaluation, in the states that the alert book sees; later ones end later."""
        kept = self._kept[evaluation.window.length_s]
        number = (round(evaluation.window.end_s / self._pane_s) - 1) // self._slots.factor
        kept.note(number, Slot.of(evaluation, state, dataset_state), self._slots.n)

    def show(self) -> dict[float, StatisticHistory]:
        """Return all of it by window length."""
        shown = {}
        for length_s, kept in self._kept.items():
            if kept.shown is None:
                slot_s = self._slots.factor * self._pane_s
                kept.shown = StatisticHistory(slot_s, tuple(kept.slots.values()))
            shown[length_s] = kept.shown
        return shown

    def remember(self) -> Tree:
        """Return all of it."""
        return {
            "factor": self._slots.factor,
            "kept": [[length_s, kept.remember()] for length_s, kept in self._kept.items()],
        }

    def recall(self, tree: Tree, fit: Fit) -> bool:
        """Take on what was remembered; return whether slots are still cut so, else nothing is kept.

        Raises:
            ValueError: the tree is no such history.
        """
        read = dict_of(tree)
        if int_of(read["factor"]) != self._slots.factor:
            return False
        for item in list_of(read["kept"]):
            length_s, slots = pair_of(item)
            kept = self._kept.get(float_of(length_s))
            if kept is None:
                continue
            numbered = [pair_of(slot) for slot in list_of(slots)][-self._slots.n :]
            kept.slots = {int_of(number): Slot.recall(slot, fit) for number, slot in numbered}
            kept.handed, kept.shown = {}, None
        return True
