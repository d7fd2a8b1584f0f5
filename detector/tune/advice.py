"""Everything that a rehearsal says, put together: for each model version, and what to set."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from detector.batch import Floats, ModelKey
from detector.drift.judge import Judge
from detector.drift.policy import DecisionPolicy, FeaturePolicy
from detector.times import parse_iso8601
from detector.tune.effect_advice import EffectAdvice, Tried, advise_effect
from detector.tune.rehearsal import GRID, Rehearsal, counts_by_subject
from detector.tune.sensitivity import Sight
from detector.tune.window_advice import Load, WindowAdvice, WindowFill

WEEK_DAYS = 7.0

WILDCARD = re.compile(r"([*?[])")


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """What is proposed for one model: the settings of all its versions."""

    min_effect: float
    min_samples: int
    features: Mapping[str, float]
    """`min_effect` of the features that need their own."""


@dataclass(frozen=True)
class VersionAdvice:
    """What one model version did in the history."""

    key: ModelKey
    before: Rehearsal
    """With the windows in force."""
    after: Rehearsal
    """With those that are proposed; the same where they do not change."""
    proved: Rehearsal
    """With everything that is proposed; the same where nothing else changes."""
    fills: tuple[WindowFill, ...]
    """Of the windows in force."""
    effect: EffectAdvice
    smallest: Floats
    """Smallest change seen within an hour, a day, and at all, as proposed (3, F), NaN for none."""
    doubts: tuple[str, ...]
    """What this history cannot tell, a line each."""

    @property
    def budget(self) -> float:
        """False alarms in 30 days that the settings promise."""
        return self.after.monitored.policy.false_alarms_per_30_days


@dataclass(frozen=True)
class Advice:
    """What to set, and on what grounds."""

    versions: tuple[VersionAdvice, ...]
    windows: WindowAdvice
    models: Mapping[str, ModelSettings]
    is_budget_asked: bool = False
    """Whether the budget is not that of the configuration."""
    is_by_model: bool = False
    """Whether models have settings of the decision of their own."""


def loads_of(rehearsals: Mapping[ModelKey, Rehearsal]) -> dict[ModelKey, Load]:
    """Return the traffic of versions that had any."""
    return {
        key: Load(found.traffic, found.monitored.policy.min_samples, found.last_s)
        for key, found in rehearsals.items()
        if found.looked_at
    }


def advise(
    before: Mapping[ModelKey, Rehearsal],
    after: Mapping[ModelKey, Rehearsal],
    proved: Mapping[ModelKey, Rehearsal],
    windows: WindowAdvice,
) -> Advice:
    """Put together what was rehearsed.

    `before` is with the windows in force, `after` with those of `windows`, `proved` with all that is
    proposed.
    """
    loads = loads_of(before)
    models = settings_of(after, proved, windows)
    versions = tuple(
        VersionAdvice(
            key,
            before[key],
            after[key],
            proved[key],
            tuple(load.fill(length_s) for length_s in sorted(before[key].spec.lengths_s)),
            _effect(proved[key]),
            _smallest(after[key], models[key.model]),
            tuple(_doubts(after[key])),
        )
        for key, load in loads.items()
    )
    return Advice(versions, windows, models)


def settings_of(
    after: Mapping[ModelKey, Rehearsal], tried: Mapping[ModelKey, Rehearsal], windows: WindowAdvice
) -> dict[str, ModelSettings]:
    """Return what keeps the budget, going by `tried`, over what was in force in `after`; by model."""
    keys = [key for key in after if after[key].looked_at]
    return {
        name: _settings([key for key in keys if key.model == name], after, tried, windows)
        for name in dict.fromkeys(key.model for key in keys)
    }


def _effect(found: Rehearsal) -> EffectAdvice:
    policy = found.monitored.policy
    tried = Tried(counts_by_subject(found), found.levels[0], policy.min_effect, GRID)
    return advise_effect(tried, policy.false_alarms_per_30_days * found.days / 30.0)


def _settings(
    keys: Sequence[ModelKey],
    after: Mapping[ModelKey, Rehearsal],
    tried: Mapping[ModelKey, Rehearsal],
    windows: WindowAdvice,
) -> ModelSettings:
    """Join the versions of a model: settings are shared, so the larger value holds."""
    effects = {key: _effect(tried[key]) for key in keys}
    base = max(effect.base for effect in effects.values())
    features: dict[str, float] = {}
    for key, effect in effects.items():
        in_force, policy = after[key].levels[0], after[key].monitored.policy
        names = after[key].monitored.baseline.features.names
        # What the user has set for a feature alone stands there already.
        own = np.where(in_force == policy.min_effect, base, in_force)
        for name, level, stands in zip(names, effect.levels.tolist(), own.tolist(), strict=True):
            if level > max(base, stands):
                features[name] = max(level, features.get(name, 0.0))
    return ModelSettings(base, min(windows.min_samples[key] for key in keys), features)


def proposed_policy(policy: DecisionPolicy, settings: ModelSettings) -> DecisionPolicy:
    """Return a policy with the proposed settings, those of single features last: there they win."""
    features = dict(policy.features)
    for name, level in settings.features.items():
        pattern = pattern_of(name)
        features[pattern] = replace(features.pop(pattern, FeaturePolicy()), min_effect=level)
    return replace(
        policy, min_effect=settings.min_effect, min_samples=settings.min_samples, features=features
    )


def pattern_of(name: str) -> str:
    """Return the pattern that only this name matches: wildcards in it stand for themselves."""
    return WILDCARD.sub(r"[\1]", name)


def _smallest(found: Rehearsal, settings: ModelSettings) -> Floats:
    monitored, spec = found.monitored, found.spec
    policy = proposed_policy(monitored.policy, settings)
    judge = Judge(found.key, found.baseline, policy, monitored.slices, monitored.level(spec))
    load = Load(found.traffic, settings.min_samples, found.last_s)
    events = {length_s: load.fill(length_s).usual for length_s in sorted(spec.lengths_s)}
    return Sight(judge, spec, found.alerts, events).smallest()


def _doubts(found: Rehearsal) -> Sequence[str]:
    """Return what such a history cannot tell."""
    doubts = []
    baseline = found.monitored.baseline
    budget = found.monitored.policy.false_alarms_per_30_days
    if found.days < WEEK_DAYS:
        doubts.append(
            f"{found.days:.1f} days are less than a week: weekends and rare days are not in it; "
            "rehearse again with a month"
        )
    elif found.days * budget < 90.0:
        doubts.append(
            f"{found.days:.0f} days cannot show a rate of {budget:g} in 30 days: even without any alarm "
            f"{3.0 * 30.0 / found.days:.1f} would be possible (95%)"
        )
    if baseline.variation is None:
        so = "so thresholds know chance but not how data move by themselves"
        if found.monitored.learns:
            so = "so how data move is learned from the stream: from nothing, with the settings in force"
        doubts.append(f"the baseline has no timestamps, {so}; rebuild it with `baseline build --timestamp`")
    trained = baseline.provenance.last_event
    if trained is not None and found.first_s < parse_iso8601(trained):
        doubts.append(
            "the history overlaps the training data, and is calmer against them than what comes later"
        )
    doubts += _unjudged(found)
    return doubts


def _unjudged(found: Rehearsal) -> list[str]:
    never = [
        name
        for row, name in enumerate(found.monitored.slices.names)
        if row and not any(enough[row] for enough in found.enough.values())
    ]
    if not never:
        return []
    return [f"slices without enough events for any window are not judged: {', '.join(never[:5])}"]


def quantiles_of(found: Rehearsal) -> dict[float, Mapping[str, Floats]]:
    """Return by window length the movement: noise, half, p95 and most, arrays (statistics, F)."""
    return {
        length_s: {
            "noise": moved.noise,
            "half": moved.quantile(0.5),
            "p95": moved.quantile(0.95),
            "most": np.where(moved.n_windows, moved.most, np.nan),
        }
        for length_s, moved in found.movement.items()
    }
