"""From anomalies of single windows to alerts that people see.

A broken expectation is no matter of chance, so its alert fires at the first window that shows it. It
ends after `clear_after` evaluations without, so that a share that wavers about its limit does not
fire again and again; or when no window holds an event any more. Warnings (rules that nobody
confirmed) are shown, and fire no alert.

One cause has one alert: most kinds of anomaly have a statistic that sees the same (a dropped column
and `missing`). Whichever of the two alerts is first keeps the other from firing, for as long as a
window still holds events of that time. New columns beyond a handful are one alert together.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from detector.alerts import SCHEMA_ALERT, Explain, Transition, ended, firing_in, numbers_of
from detector.anomaly import Anomaly
from detector.baseline.expectations import GONE, MIN_EVENTS
from detector.batch import ModelKey
from detector.drift.evaluation import Evaluation
from detector.drift.explanation import NO_EXPLANATION
from detector.drift.size import Size
from detector.profile import Fit
from detector.runs import AlertPolicy
from detector.tree import Tree, dict_of, list_of, record_of, record_tree
from detector.windows.slices import ALL

Place = tuple[ModelKey, str | None, str]
"""Model version, feature, kind of anomaly."""

NEW_COLUMN = "SCHEMA_NEW_COLUMN"

TOO_FEW = ("FEATURE_TYPE_LOW_FRACTION_PRESENT", "INVALID_FEATURE_SHAPE")
"""Kinds that say that values are missing, not all of them."""

_STATISTIC_OF = {
    "SCHEMA_MISSING_COLUMN": "missing",
    "FEATURE_TYPE_NOT_PRESENT": "missing",
    "FEATURE_TYPE_LOW_FRACTION_PRESENT": "missing",
    "INVALID_FEATURE_SHAPE": "missing",
    "UNEXPECTED_DATA_TYPE": "type_mismatch",
    "ENUM_TYPE_UNEXPECTED_STRING_VALUES": "unseen",
    "BOOL_TYPE_UNEXPECTED_STRING": "unseen",
    "FLOAT_TYPE_HAS_NAN": "non_finite",
}


def statistic_of(kind: str) -> str | None:
    """Return the statistic that sees the same as a kind of anomaly, None if there is none."""
    return "outside" if "_SMALL_" in kind or "_BIG_" in kind else _STATISTIC_OF.get(kind)


_MORE_THAN_A_RULE = ("category_renamed", "constant", "default_value", "swapped_columns", "unit_change")
"""Causes that say more than that a rule is broken."""

Broken = dict[Place, tuple[Evaluation, Anomaly]]


class _Calm(NamedTuple):
    feature: str | None
    kind: str
    n: int


class _Until(NamedTuple):
    feature: str | None
    kind: str
    until_s: float


@dataclass(slots=True)
class AnomalyBook:
    """The anomalies of all model versions; bounded by features x kinds, and the new columns of windows."""

    policy: AlertPolicy
    firing: dict[Place, Transition] = field(default_factory=dict)
    """Alerts that fire now: as they began, with their size now, and onset and shape as known now."""
    _calm: dict[Place, int] = field(default_factory=dict)
    _broken_until_s: dict[Place, float] = field(default_factory=dict)
    """Of alerts that fire, and of those whose time some window still holds: when it was last broken."""

    def update(
        self,
        found: Sequence[tuple[Evaluation, Iterable[Anomaly]]],
        explain: Explain,
        drifting: frozenset[tuple[str, str]],
    ) -> list[Transition]:
        """Take in all windows of one model version at one moment, the shortest first.

        `drifting` are (feature, statistic) of the drift alerts that fire already.
        """
        if not found:
            return []
        key = found[0][0].key
        self._forget(key, min(evaluation.window.start_s for evaluation, _ in found))
        spoken = [pair for pair in found if pair[0].n[0] >= MIN_EVENTS]
        if not spoken:
            # Too few events change nothing; but an alert is about events, and none are left.
            is_over = all(evaluation.n[0] == 0 for evaluation, _ in found)
            return self._end(self._of(key), found[0][0].window.end_s) if is_over else []
        broken = self._broken(key, spoken)
        transitions = self._resolve(spoken[0][0], broken)
        for place, (evaluation, anomaly) in broken.items():
            if place not in self.firing:
                by_drift = (anomaly.feature, statistic_of(anomaly.kind)) in drifting
                if by_drift or self._is_told(evaluation, anomaly):
                    continue
                self.firing[place] = _began(evaluation, anomaly, explain)
                transitions.append(self.firing[place])
            self._calm[place] = 0
            self._broken_until_s[place] = evaluation.window.end_s
        return transitions

    def covered(self, key: ModelKey) -> Mapping[tuple[str, str], float]:
        """Return what the alerts of a model version tell, or told of events that windows still hold.

        (feature, statistic) -> event time of the last of it.
        """
        until_s: dict[tuple[str, str], float] = {}
        for (owner, feature, kind), end_s in self._broken_until_s.items():
            statistic = statistic_of(kind)
            if owner == key and feature is not None and statistic is not None:
                until_s[feature, statistic] = max(end_s, until_s.get((feature, statistic), end_s))
        for place in self._of(key):
            statistic = statistic_of(place[2])
            if place[1] is not None and statistic is not None:
                until_s[place[1], statistic] = math.inf
        return until_s

    def forget(self, key: ModelKey, at_s: float) -> list[Transition]:
        """Forget a model version; return its alerts, ended at event time `at_s`."""
        ended = self._end(self._of(key), at_s)
        for place in [place for place in self._broken_until_s if place[0] == key]:
            del self._broken_until_s[place]
        return ended

    def remember(self, key: ModelKey) -> Tree:
        """Return all of one model version."""
        return {
            "firing": [record_tree(self.firing[place]) for place in self._of(key)],
            "calm": [[place[1], place[2], n] for place, n in self._calm.items() if place[0] == key],
            "until": [[p[1], p[2], t] for p, t in self._broken_until_s.items() if p[0] == key],
        }

    def recall(self, tree: Tree, key: ModelKey, fit: Fit, at_s: float) -> list[Transition]:
        """Take on what was remembered of a model version; return the alerts that end: on what is no more.

        Raises:
            ValueError: the tree is nothing such; what is here must not be used any more.
        """
        read, gone = dict_of(tree), fit.ended_features
        calm = {(f, kind): n for f, kind, n in (record_of(_Calm, item) for item in list_of(read["calm"]))}
        for feature, kind, until_s in (record_of(_Until, item) for item in list_of(read["until"])):
            if feature not in gone:
                self._broken_until_s[key, feature, kind] = until_s
        over = []
        for alert in firing_in(tree):
            if alert.kind is None or (alert.feature, alert.kind) not in calm or alert.key != key:
                raise ValueError("has an anomaly that nobody counts")
            if alert.feature in gone:
                over.append(ended(alert, at_s))
            else:
                self.firing[key, alert.feature, alert.kind] = alert
                self._calm[key, alert.feature, alert.kind] = calm[alert.feature, alert.kind]
        return over

    def _of(self, key: ModelKey) -> list[Place]:
        return [place for place in self.firing if place[0] == key]

    def _forget(self, key: ModelKey, start_s: float) -> None:
        """Forget what no window reaches any more."""
        ended = self._broken_until_s.keys() - self.firing.keys()
        for place in ended:
            if place[0] == key and self._broken_until_s[place] <= start_s:
                del self._broken_until_s[place]

    def _broken(self, key: ModelKey, spoken: Sequence[tuple[Evaluation, Iterable[Anomaly]]]) -> Broken:
        broken: Broken = {}
        flood: Place = (key, None, NEW_COLUMN)
        for evaluation, anomalies in spoken:
            for anomaly in anomalies:
                if anomaly.severity == "error":
                    broken.setdefault((key, anomaly.feature, anomaly.kind), (evaluation, anomaly))
        new = [place for place in broken if place[2] == NEW_COLUMN]
        if new and (flood in broken or flood in self.firing):
            # What is left of a flood is no alert of its own.
            of_flood = broken.get(flood, broken[new[0]])
            broken = {place: value for place, value in broken.items() if place not in new}
            broken[flood] = of_flood
        return broken

    def _is_told(self, evaluation: Evaluation, anomaly: Anomaly) -> bool:
        """Whether too few values are but what a column that was gone has left in the window."""
        if anomaly.kind not in TOO_FEW:
            return False
        places = ((evaluation.key, anomaly.feature, kind) for kind in GONE)
        return any(self._broken_until_s.get(p, -math.inf) > evaluation.window.start_s for p in places)

    def _resolve(self, evaluation: Evaluation, broken: Broken) -> list[Transition]:
        calm = [place for place in self._of(evaluation.key) if place not in broken]
        for place in calm:
            self._calm[place] += 1
        return self._end(
            [p for p in calm if self._calm[p] >= self.policy.clear_after], evaluation.window.end_s
        )

    def _end(self, places: Iterable[Place], at_s: float) -> list[Transition]:
        over = []
        for place in places:
            del self._calm[place]
            over.append(ended(self.firing.pop(place), at_s))
        return over


def _began(evaluation: Evaluation, anomaly: Anomaly, explain: Explain) -> Transition:
    names = evaluation.features.names
    statistic = statistic_of(anomaly.kind)
    known = anomaly.feature in names
    f = names.index(anomaly.feature) if anomaly.feature in names else 0
    value, threshold = numbers_of(evaluation, statistic, 0, f) if known else (None, None)
    why = explain(evaluation, 0, f) if known else NO_EXPLANATION
    return Transition(
        "firing",
        SCHEMA_ALERT,
        evaluation.key,
        ALL,
        anomaly.feature,
        evaluation.window.length_s,
        statistic,
        _number(value),
        _number(threshold),
        evaluation.window.end_s,
        onset_s=why.onset_s,
        shape=why.shape,
        contributors=why.contributors,
        kind=anomaly.kind,
        message=anomaly.long if why.cause not in _MORE_THAN_A_RULE else f"{anomaly.long}; {why.message}",
        moved_with=why.moved_with,
        size=Size.at_first(_number(value), _number(threshold), evaluation.window.end_s),
        is_explained=why.is_complete,
    )


def _number(x: float | None) -> float | None:
    return None if x is None or math.isnan(x) else x
