"""Runs of drifting and calm evaluations: what raises an alert and what ends it."""

from dataclasses import dataclass

import numpy as np

from detector.batch import Bools, Floats, Ints
from detector.drift.evaluation import State, States
from detector.profile import Fit
from detector.tree import Tree, array_of, dict_of, floats_of, ints_of
from detector.windows.sliding import WindowProfile


@dataclass(frozen=True, slots=True)
class AlertPolicy:
    """How many evaluations in a row it takes to raise and to clear."""

    raise_after: int = 3
    clear_after: int = 3
    clear_for_s: float = 3600.0
    """A window stays calm for as long as it is itself, but no longer than this, before its alert ends: so
    that nothing of what raised it is left in it, and a change that comes and goes is one alert."""

    def __post_init__(self) -> None:
        if self.clear_for_s < 0:
            raise ValueError("clear_for must not be negative")
        if self.raise_after < 1 or self.clear_after < 1:
            raise ValueError("raise_after and clear_after must be at least 1")


@dataclass(slots=True)
class WindowMemory:
    """Runs of evaluations of one window: for S slices and F features, the whole as number F.

    Every element is counted by itself, so axes before these are other rules on the same window.
    """

    drifting: Ints
    calm: Ints
    calm_since_s: Floats
    """Event time of the first calm evaluation; infinity where the last one was not."""
    raised: Bools

    @classmethod
    def of(cls, shape: tuple[int, ...]) -> "WindowMemory":
        """Return the memory of a window that nothing was seen of yet."""
        never = np.full(shape, np.inf)
        return cls(np.zeros(shape, np.int64), np.zeros(shape, np.int64), never, np.zeros(shape, bool))

    def update(self, state: States, policy: AlertPolicy, window: WindowProfile) -> None:
        """Take in the states of one evaluation, of the same shape."""
        drifts, known = state == State.DRIFT, state != State.INSUFFICIENT
        self.drifting = np.where(drifts, self.drifting + 1, np.where(known, 0, self.drifting))
        # A warning is neither: a value that wavers about its threshold is one alert, not many.
        self.calm = np.where(drifts, 0, np.where(state == State.OK, self.calm + 1, self.calm))
        since_s = np.minimum(self.calm_since_s, window.end_s)
        self.calm_since_s = np.where(self.calm > 0, since_s, np.inf)
        for_s = window.end_s - self.calm_since_s
        is_over = (self.calm >= policy.clear_after) & (for_s >= min(window.length_s, policy.clear_for_s))
        self.raised = (self.raised | (self.drifting >= policy.raise_after)) & ~is_over

    def forget(self, which: Bools) -> None:
        """Begin anew for some of the elements."""
        self.drifting = np.where(which, 0, self.drifting)
        self.raised = self.raised & ~which

    def remember(self) -> dict[str, Tree]:
        """Return all of it; the arrays are never changed in place."""
        return {
            "drifting": self.drifting,
            "calm": self.calm,
            "calm_since_s": self.calm_since_s,
            "raised": self.raised,
        }

    @classmethod
    def recall(cls, tree: Tree, fit: Fit) -> "WindowMemory":
        """Return what was remembered, of the slices and features of today.

        Raises:
            ValueError: the tree is nothing such.
        """
        read, shape = dict_of(tree), (fit.n_rows, fit.n_features + 1)
        whole = np.append(fit.features, fit.n_features)
        return cls(
            fit.by_row_and(ints_of(read["drifting"], shape), whole, 0),
            fit.by_row_and(ints_of(read["calm"], shape), whole, 0),
            fit.by_row_and(floats_of(read["calm_since_s"], shape), whole, np.inf),
            fit.by_row_and(array_of(read["raised"], np.bool_, shape), whole, 0),
        )
