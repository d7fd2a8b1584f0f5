"""What would be drift at another `min_effect`: one measured window, judged again and again.

Measuring is what takes time; the judges of all values of `min_effect` share it.
"""

from dataclasses import replace

import numpy as np

from detector.batch import Floats
from detector.drift.evaluation import Evaluation
from detector.drift.judge import GATES
from detector.drift.policy import DecisionPolicy


def with_effect(policy: DecisionPolicy, min_effect: float) -> DecisionPolicy:
    """Return a policy that asks the same effect of every feature."""
    features = {pattern: replace(own, min_effect=None) for pattern, own in policy.features.items()}
    return replace(policy, min_effect=min_effect, features=features)


def beyond_noise(value: Floats, noise: Floats) -> Floats:
    """Return what is left of a distance when its noise is taken off: the scale of `min_effect`."""
    left: Floats = np.sqrt(np.maximum(value * value - noise * noise, 0.0))
    return left


def movement(evaluation: Evaluation) -> Floats:
    """Return the deciding distances beyond noise (len(GATES), S, F), 0 where there is none."""
    found = [evaluation.statistics[name] for name in GATES]
    return np.nan_to_num(np.stack([beyond_noise(s.value, s.noise_floor) for s in found]))
