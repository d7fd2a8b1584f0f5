"""How far features move by themselves, summed up as histograms over all windows of one length."""

from dataclasses import dataclass, field

import numpy as np

from detector.batch import Floats, Ints
from detector.drift.evaluation import Evaluation
from detector.drift.judge import GATES
from detector.drift.what_if import movement

N_STEPS = 200
"""Steps of .005 on the scale from 0 to 1: what quantiles are exact to."""

ANY = "any"
"""The furthest of the deciding distances: what a `min_effect` is held against."""

NAMES = (*GATES, ANY)


@dataclass
class Movement:
    """Distances beyond noise of all events, by statistic and feature, of windows with enough events.

    Bounded by features x (deciding distances + 1) x `N_STEPS` counters of 8 bytes, whatever the history.
    """

    n_features: int
    n_windows: int = 0
    most: Floats = field(init=False)
    """The furthest (len(NAMES), F)."""
    _steps: Ints = field(init=False)
    _noise: Floats = field(init=False)

    def __post_init__(self) -> None:
        self.most = np.zeros((len(NAMES), self.n_features))
        self._steps = np.zeros((len(NAMES), self.n_features, N_STEPS), dtype=np.int64)
        self._noise = np.zeros((len(GATES), self.n_features))

    def add(self, evaluation: Evaluation) -> None:
        """Take in one window."""
        effect = movement(evaluation)[:, 0]
        self._noise += np.nan_to_num(np.stack([evaluation.statistics[name].noise_floor[0] for name in GATES]))
        effect = np.concatenate((effect, effect.max(axis=0, keepdims=True)))
        self.most = np.maximum(self.most, effect)
        step = np.minimum((effect * N_STEPS).astype(np.int64), N_STEPS - 1)
        kinds, features = np.indices(step.shape)
        self._steps[kinds, features, step] += 1
        self.n_windows += 1

    def quantile(self, share: float) -> Floats:
        """Return the upper end of the step that `share` of the windows lie below (len(NAMES), F)."""
        if not self.n_windows:
            return np.full(self.most.shape, np.nan)
        reached = np.cumsum(self._steps, axis=-1) >= share * self.n_windows
        upper: Floats = (np.argmax(reached, axis=-1) + 1.0) / N_STEPS
        return np.minimum(upper, self.most)

    @property
    def noise(self) -> Floats:
        """Mean noise floor of the deciding distances (len(GATES), F); NaN without windows."""
        if not self.n_windows:
            return np.full(self._noise.shape, np.nan)
        return self._noise / self.n_windows
