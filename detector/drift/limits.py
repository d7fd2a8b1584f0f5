"""What the user set for the features of one model version, as arrays: what is judged, and by which limits."""

from dataclasses import dataclass, replace

import numpy as np

from detector.baseline import Baseline
from detector.batch import Bools, Floats
from detector.distances import distances
from detector.drift.policy import DecisionPolicy, FeaturePolicy
from detector.drift.rates import RATES
from detector.windows.slices import Slices

STATISTICS = (*distances.names(), *RATES)
"""Every statistic there is."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Arrays over features (F), some over slices too (S, F): NaN where there is nothing."""

    fixed: dict[str, Floats]
    """Statistic -> fixed threshold."""
    off: dict[str, Bools]
    """Statistic -> where its gate is switched off."""
    min_effect: Floats
    ignored: Bools
    is_judged: Bools
    """By slice (S, F): neither what is ignored, nor a column in a slice by it. Events are in that slice
    because the column has this one value, so its distribution there says nothing of the data."""
    weight: Floats
    """In the share of drifted features, by slice (S, F): 0 where nothing is judged."""
    is_weighed: Bools
    """Where the user set the weight."""

    @classmethod
    def of(cls, baseline: Baseline, policy: DecisionPolicy, slices: Slices) -> "Limits":
        """Return what holds for the features of a baseline in some slices."""

        def fixed(policy: FeaturePolicy, name: str) -> float:
            value = policy.thresholds.get(name)
            return np.nan if value is None else value

        names = baseline.features.names
        policies = [_with_comparators(policy.of(name), name, baseline) for name in names]
        ignored = np.array([bool(p.ignore) for p in policies], dtype=bool)
        is_judged = ~(ignored | slices.are_by(names))
        weight = np.array([1.0 if p.importance is None else p.importance for p in policies])
        return cls(
            {name: np.array([fixed(p, name) for p in policies]) for name in STATISTICS},
            {name: np.array([p.thresholds.get(name, 0.0) is None for p in policies]) for name in STATISTICS},
            np.array([p.min_effect for p in policies], dtype=np.float64),
            ignored,
            is_judged,
            np.where(is_judged, weight, 0.0),
            np.array([p.importance is not None for p in policies]),
        )


def _with_comparators(policy: FeaturePolicy, feature: str, baseline: Baseline) -> FeaturePolicy:
    """Return a policy with the schema's own thresholds, where the configuration says nothing else."""
    expected = baseline.schema.features.get(feature)
    if expected is None or not (expected.drift or expected.skew):
        return policy
    return replace(policy, thresholds={**expected.drift, **expected.skew, **policy.thresholds})
