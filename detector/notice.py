"""What sinks are told: an alert that begins or ends, and what surrounds it at that moment."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from detector.action import Action, suggested_action
from detector.alerts import SCHEMA_ALERT, Transition, numbers_of
from detector.baseline import Baseline
from detector.batch import ModelKey
from detector.drift.contributors import Contributor
from detector.drift.evaluation import State
from detector.pipeline import Judged

MAX_FEATURES = 20
"""Features that a notice names, those furthest over their threshold first."""


@dataclass(frozen=True, slots=True)
class FeatureNow:
    """A feature that is not ok, in the window and slice of an alert."""

    name: str
    role: str
    state: State
    statistic: str | None
    value: float | None
    threshold: float | None
    contributors: tuple[Contributor, ...] = ()
    """Of the alert that fires on it; empty where none does."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One transition, with everything that somebody who gets only this one needs."""

    transition: Transition
    action: Action = "none"
    """What to do about it."""
    baseline_sha256: str = ""
    """Digest of the baseline that the window was held against."""
    n_features: int = 0
    """Features of the model version."""
    n_drifting: int = 0
    """How many of them drift in the window and slice of the alert."""
    features: tuple[FeatureNow, ...] = ()
    """Those that are not ok, at most `MAX_FEATURES`."""

    @property
    def window_end_s(self) -> float:
        """Event time where the window ends that began or ended the alert."""
        t = self.transition
        return t.starts_at_s if t.ends_at_s is None else t.ends_at_s

    @property
    def window_start_s(self) -> float:
        """Event time where that window begins."""
        return self.window_end_s - self.transition.window_s

    @property
    def idempotency_key(self) -> str:
        """The same whenever this is told again, and for nothing else.

        Lower-case letters, digits and a dash, 38 characters: also the name of a run or of a workflow.
        """
        text = f"{self.transition.id}|{self.transition.status}"
        return "drift-" + hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]


def notices_of(
    transitions: Iterable[Transition],
    judged: Sequence[Judged],
    firing: Sequence[Transition],
    baselines: Mapping[ModelKey, Baseline],
) -> tuple[Notice, ...]:
    """Return what sinks are told of the transitions of one moment.

    `judged` are the evaluations of that moment, `firing` all alerts that fire then.
    """
    by_window = {(j.evaluation.key, j.evaluation.window.length_s): j for j in judged}
    notices = []
    for t in transitions:
        action = suggested_action(t, firing)
        digest = baselines[t.key].digest if t.key in baselines else ""
        found = by_window.get((t.key, t.window_s))
        if found is None or t.slice not in found.evaluation.slices:
            notices.append(Notice(t, action, digest))
            continue
        row = found.evaluation.slices.index(t.slice)
        n_drifting = int(np.sum(found.state[row] == State.DRIFT))
        features = _features(found, row, firing)
        notices.append(Notice(t, action, digest, len(found.evaluation.features), n_drifting, features))
    return tuple(notices)


def _features(judged: Judged, row: int, firing: Sequence[Transition]) -> tuple[FeatureNow, ...]:
    evaluation = judged.evaluation
    states = judged.state[row]
    excess = evaluation.excess[:, row].max(axis=0, initial=0.0)
    order = np.lexsort((-excess, -states))[:MAX_FEATURES].tolist()
    slice_name = evaluation.slices[row]
    why: dict[str | None, tuple[Contributor, ...]] = {}
    for alert in sorted(firing, key=lambda alert: alert.alert != SCHEMA_ALERT):
        if alert.key == evaluation.key and alert.slice == slice_name:
            why[alert.feature] = alert.contributors
    found = []
    for f in order:
        if states[f] >= State.WARNING:
            feature = evaluation.features.all[f]
            statistic = evaluation.worst_statistic(row, f)
            value, threshold = numbers_of(evaluation, statistic, row, f)
            of = why.get(feature.name, ())
            state = State(int(states[f]))
            found.append(FeatureNow(feature.name, feature.role, state, statistic, value, threshold, of))
    return tuple(found)
