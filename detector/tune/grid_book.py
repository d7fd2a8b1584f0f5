"""The alert book at every `min_effect` of a grid at once.

The rules are those of `detector.alerts.AlertBook`, element by element: a level is a further axis.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from detector.batch import Bools, Floats, Ints
from detector.drift.evaluation import State, States
from detector.runs import AlertPolicy, WindowMemory
from detector.windows.sliding import WindowProfile

MOST_EPISODES = 200
"""Episodes that are kept by level; more are counted only."""


@dataclass(slots=True)
class Episode:
    """An alert that would have fired, in event time (epoch seconds)."""

    row: int
    """Number of the slice."""
    subject: int
    """Number of the feature; that after the last one is the model as a whole."""
    window_s: float
    start_s: float
    effect: float
    """The furthest distance beyond noise when it began; NaN of a whole model."""
    end_s: float | None = None
    """None: it lasted to the end of the history."""


@dataclass(frozen=True, slots=True)
class Look:
    """One window of one moment, at every level."""

    window: WindowProfile
    state: States
    """(G, S, F + 1), the model as a whole last."""
    effect: Floats
    """The furthest distance beyond noise (S, F)."""
    is_explained: Bools
    """Whether an alert by the schema says it already (S, F): then no second one begins."""


@dataclass
class GridBook:
    """Alerts at G levels over S slices and F features; at most `MOST_EPISODES` of each level are kept."""

    shape: tuple[int, int, int]
    """(G, S, F + 1)."""
    policy: AlertPolicy
    counts: Ints = field(init=False)
    """Episodes so far (G, S, F + 1)."""
    episodes: list[list[Episode]] = field(init=False)
    """The first ones of each level, in the order in which they began."""
    _firing: Bools = field(init=False)
    _memory: dict[float, WindowMemory] = field(init=False, default_factory=dict)
    _open: dict[tuple[int, int, int], Episode] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.counts = np.zeros(self.shape, dtype=np.int64)
        self.episodes = [[] for _ in range(self.shape[0])]
        self._firing = np.zeros(self.shape, dtype=bool)

    def update(self, end_s: float, looks: Sequence[Look]) -> None:
        """Take in all windows of one moment, the shortest first."""
        raised = np.zeros(self.shape, dtype=bool)
        begins = np.zeros(self.shape, dtype=bool)
        by = np.zeros(self.shape, dtype=np.int64)
        for i, look in enumerate(looks):
            memory = self._memory.setdefault(look.window.length_s, WindowMemory.of(self.shape))
            memory.update(look.state, self.policy, look.window)
            first = memory.raised & ~raised
            by[first] = i
            # A feature's alert begins in a window that drifts, not in one that has not calmed down yet.
            may = look.state == State.DRIFT
            may[..., :-1] &= ~look.is_explained
            may[..., -1] = True
            begins |= first & may
            raised |= memory.raised
        started, ended = begins & ~self._firing, self._firing & ~raised
        self._firing = (self._firing & raised) | begins
        self._note(end_s, looks, started, ended, by)

    def _note(self, end_s: float, looks: Sequence[Look], started: Bools, ended: Bools, by: Ints) -> None:
        if ended.any():
            for place in map(tuple, np.argwhere(ended).tolist()):
                if place in self._open:
                    self._open.pop(place).end_s = end_s
        if not started.any():
            return
        self.counts += started
        for level, row, subject in np.argwhere(started).tolist():
            if len(self.episodes[level]) < MOST_EPISODES:
                look = looks[int(by[level, row, subject])]
                is_whole = subject == self.shape[2] - 1
                effect = np.nan if is_whole else float(look.effect[row, subject])
                began = Episode(row, subject, look.window.length_s, end_s, effect)
                self.episodes[level].append(began)
                self._open[level, row, subject] = began
