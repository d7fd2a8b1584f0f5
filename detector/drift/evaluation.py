"""What comes out of judging one window: values, thresholds and states of every feature and slice."""

from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from detector.batch import FeatureSet, Floats, Ints, ModelKey
from detector.windows.sliding import WindowProfile

States = NDArray[np.int8]


class State(IntEnum):
    """How a feature, or a whole model version, stands."""

    INSUFFICIENT = -1
    OK = 0
    WARNING = 1
    DRIFT = 2

    @property
    def label(self) -> str:
        """The state's name in outputs."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Statistic:
    """One statistic for all slices and features: arrays of shape (S, F), NaN where there is nothing.

    `threshold` is what the value was held against, NaN where the statistic does not decide.
    `noise_floor` is the value to expect without drift, `p_value` the chance of one as large.
    `chance` is what sampling alone exceeds with its share of the budget, beyond `expected`, where a
    threshold can be derived.
    """

    value: Floats
    threshold: Floats
    noise_floor: Floats
    p_value: Floats
    chance: Floats = field(default_factory=lambda: np.array(np.nan))
    expected: Floats = field(default_factory=lambda: np.array(0.0))
    """What a rate is in training; 0 of distances."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One window of one model version, judged; S slices (`all` first), F features."""

    key: ModelKey
    features: FeatureSet
    slices: tuple[str, ...]
    window: WindowProfile
    n: Ints
    """Events by slice (S)."""
    statistics: dict[str, Statistic]
    state: States
    """State by slice and feature (S, F), of this window alone."""
    worst: tuple[str, ...]
    """Names of the statistics that decide, in the order of `excess`."""
    excess: Floats
    """Value over threshold of each deciding statistic, shape (len(worst), S, F); NaN counts as 0."""
    dataset_state: States
    """State of the model version as a whole, by slice (S)."""
    drifted_ratio: Floats
    """Share of the judged features that drift, by importance and slice (S); NaN where there is none."""

    @property
    def is_silent(self) -> NDArray[np.bool_]:
        """Whether no event of a slice tells of a feature, and last whether there is none (S, F + 1)."""
        nothing = (self.n == 0)[:, None]
        untold = np.full(self.state.shape, bool(self.statistics))
        for found in self.statistics.values():
            untold &= np.isnan(found.value)
        return np.concatenate((nothing | untold, nothing), axis=1)

    def is_judged(self, row: int) -> NDArray[np.bool_]:
        """Return on which features any statistic decides in a slice (F)."""
        judged = np.zeros(len(self.features), dtype=bool)
        for name in self.worst:
            judged |= np.isfinite(self.statistics[name].threshold[row])
        return judged

    def worst_statistic(self, row: int, feature: int) -> str | None:
        """Return the statistic furthest over (or nearest to) its threshold; None if none decides."""
        if not self.worst:
            return None
        excess = self.excess[:, row, feature]
        i = int(np.argmax(excess))
        return self.worst[i] if excess[i] > 0 else None
