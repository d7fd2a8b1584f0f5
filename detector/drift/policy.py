"""What the user decides about the decision: plain settings, checked on construction."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase


@dataclass(frozen=True, slots=True)
class FeaturePolicy:
    """What differs for one feature."""

    ignore: bool | None = None
    """Counted and exported, never judged; None leaves it as an earlier entry says."""
    min_effect: float | None = None
    """The smallest change that matters; None takes the model's."""
    thresholds: Mapping[str, float | None] = field(default_factory=dict)
    """Statistic -> a fixed threshold; None switches the statistic's gate off."""
    importance: float | None = None
    """Weight in the share of drifted features that makes the model as a whole drift; None: 1, or as an
    earlier entry says."""
    sensitive: bool | None = None
    """Told are its states and scores, never a value of it; None leaves it as an earlier entry says."""


@dataclass(frozen=True, slots=True)
class DecisionPolicy:
    """How a window is judged."""

    min_effect: float = 0.08
    """The smallest change that matters, as a distance between 0 and 1 after sampling noise is taken off."""
    min_samples: int = 1000
    """A window with fewer events is `insufficient`."""
    false_alarms_per_30_days: float = 1.0
    dataset_share: float = 0.3
    """The model as a whole drifts when this share of its features does, by importance, and two at least."""
    thresholds: Mapping[str, float | None] = field(default_factory=dict)
    """Statistic -> a fixed threshold for every feature."""
    features: Mapping[str, FeaturePolicy] = field(default_factory=dict)
    """Feature name or pattern (`debug_*`) -> what differs there; later entries win."""

    learn: bool = True
    """Where the baseline does not tell how data vary by themselves, it is learned from the stream."""
    schema_tolerance: float | None = 0.01
    """Share of a window's values that may break the baseline's schema; None: it is not held against it."""
    min_count: int = 10
    """A category that training had less often is not named where changes are told."""

    def __post_init__(self) -> None:
        if self.schema_tolerance is not None and not 0 < self.schema_tolerance < 1:
            raise ValueError("schema_tolerance must lie between 0 and 1")
        if not 0 < self.min_effect < 1:
            raise ValueError("min_effect must lie between 0 and 1")
        if self.min_count < 1:
            raise ValueError("min_count must be at least 1")
        if self.min_samples < 1:
            raise ValueError("min_samples must be at least 1")
        if not 0 < self.dataset_share <= 1:
            raise ValueError("dataset_share must lie between 0 and 1")
        if self.false_alarms_per_30_days <= 0:
            raise ValueError("false_alarms_per_30_days must be positive")

    def of(self, feature: str) -> FeaturePolicy:
        """Return what holds for `feature`: every matching entry, later ones over earlier ones."""
        ignore: bool | None = False
        min_effect: float | None = self.min_effect
        thresholds = dict(self.thresholds)
        importance: float | None = None
        sensitive: bool | None = False
        for pattern, policy in self.features.items():
            if fnmatchcase(feature, pattern):
                ignore = policy.ignore if policy.ignore is not None else ignore
                min_effect = policy.min_effect if policy.min_effect is not None else min_effect
                importance = policy.importance if policy.importance is not None else importance
                sensitive = policy.sensitive if policy.sensitive is not None else sensitive
                thresholds.update(policy.thresholds)
        return FeaturePolicy(ignore, min_effect, thresholds, importance, sensitive)
