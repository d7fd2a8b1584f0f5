"""What would be drift at another `min_effect`: every value at once, from one evaluation.

A judge that asks for next to no effect leaves in its thresholds what is chance and natural variation.
What a statistic shows beyond its noise is then the `min_effect` below which it would be drift: the
decision `d² > min_effect² + noise²` solved for `min_effect`.
"""

from dataclasses import dataclass, replace

import numpy as np

from detector.batch import Bools, Floats
from detector.drift.evaluation import Evaluation, Statistic
from detector.drift.judge import GATES, RATE_SHARE_OF_EFFECT, WARNING_SHARE, Judge
from detector.drift.policy import DecisionPolicy
from detector.drift.rates import RATES

LEAST_EFFECT = 1e-9
"""No change matters less; 0 is no `min_effect`."""


def without_effect(policy: DecisionPolicy) -> DecisionPolicy:
    """Return a policy that asks of every feature only whether a change is more than chance and habit."""
    features = {
        pattern: replace(own, min_effect=None if own.min_effect is None else LEAST_EFFECT)
        for pattern, own in policy.features.items()
    }
    return replace(policy, min_effect=LEAST_EFFECT, features=features)


@dataclass(frozen=True, slots=True)
class Effects:
    """The `min_effect` below which each feature of a window would be drift, or a warning (S, F).

    0: at none; infinity: at any, because a threshold was set by hand.
    """

    drift: Floats
    warning: Floats


def effects(judge: Judge, evaluation: Evaluation) -> Effects:
    """Return what a window would be at any `min_effect`.

    `evaluation` is by `judge`, whose policy is one `without_effect`. Whether the window has enough events is
    not looked at.
    """
    shape = (len(evaluation.slices), len(evaluation.features))
    drift, warning = np.zeros(shape), np.zeros(shape)
    for name in evaluation.worst:
        found, fixed = evaluation.statistics[name], judge.is_fixed(name)
        floor = np.nan_to_num(found.noise_floor)
        # A warning is a change of WARNING_SHARE of what makes drift, so it is what would be drift if it
        # were larger by as much.
        enlarged = floor + (found.value - floor) / WARNING_SHARE
        drift = np.maximum(drift, _below(name, found.value, found, fixed))
        warning = np.maximum(warning, _below(name, enlarged, found, fixed))
    return Effects(drift, np.maximum(drift, warning))


def _below(name: str, value: Floats, found: Statistic, fixed: Bools) -> Floats:
    """Return the `min_effect` below which `value` would exceed its threshold (S, F)."""
    with np.errstate(invalid="ignore"):
        exceeds = value > found.threshold
        if name in RATES:
            # No threshold of a rate is above 1.
            effect = np.where(value > 1.0, np.inf, (value - found.noise_floor) / RATE_SHARE_OF_EFFECT)
        elif name in GATES:
            effect = beyond_noise(value, found.noise_floor)
        else:
            effect = np.full_like(value, np.inf)
        below: Floats = np.where(exceeds, np.where(fixed, np.inf, np.maximum(effect, 0.0)), 0.0)
    return np.nan_to_num(below, posinf=np.inf)


def beyond_noise(value: Floats, noise: Floats) -> Floats:
    """Return what is left of a distance when its noise is taken off: the scale of `min_effect`."""
    left: Floats = np.sqrt(np.maximum(value * value - noise * noise, 0.0))
    return left
