"""From anomalies of single windows to alerts that people see.

A broken expectation is no matter of chance, so its alert fires at the first window that shows it. It
ends after `clear_after` evaluations without, so that a share that wavers about its limit does not
fire again and again. Warnings (rules that nobody confirmed) are shown, and fire no alert.

One cause has one alert: most kinds of anomaly have a statistic that sees the same (a dropped column
and `missing`). Whichever of the two alerts is first keeps the other from firing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from detector.alerts import SCHEMA_ALERT, AlertPolicy, Explain, Transition, numbers_of
from detector.anomaly import Anomaly
from detector.baseline.expectations import MIN_EVENTS
from detector.batch import ModelKey
from detector.drift.evaluation import Evaluation
from detector.windows.slices import ALL

Place = tuple[ModelKey, str | None, str]
"""Model version, feature, kind of anomaly."""

_STATISTIC_OF = {
    "SCHEMA_MISSING_COLUMN": "missing",
    "FEATURE_TYPE_NOT_PRESENT": "missing",
    "FEATURE_TYPE_LOW_FRACTION_PRESENT": "missing",
    "UNEXPECTED_DATA_TYPE": "type_mismatch",
    "ENUM_TYPE_UNEXPECTED_STRING_VALUES": "unseen",
    "BOOL_TYPE_UNEXPECTED_STRING": "unseen",
    "FLOAT_TYPE_HAS_NAN": "non_finite",
}


def statistic_of(kind: str) -> str | None:
    """Return the statistic that sees the same as a kind of anomaly, None if there is none."""
    return "outside" if "_SMALL_" in kind or "_BIG_" in kind else _STATISTIC_OF.get(kind)


@dataclass(slots=True)
class AnomalyBook:
    """The anomalies of all model versions; bounded by features x kinds, and the new columns of windows."""

    policy: AlertPolicy
    firing: dict[Place, Transition] = field(default_factory=dict)
    """Alerts that fire now, as they began."""
    _calm: dict[Place, int] = field(default_factory=dict)

    def update(
        self,
        found: Sequence[tuple[Evaluation, Iterable[Anomaly]]],
        explain: Explain,
        drifting: frozenset[tuple[str, str]],
    ) -> list[Transition]:
        """Take in all windows of one model version at one moment, the shortest first.

        `drifting` are (feature, statistic) of the drift alerts that fire already.
        """
        spoken = [pair for pair in found if pair[0].n[0] >= MIN_EVENTS]
        if not spoken:
            return []
        broken: dict[Place, tuple[Evaluation, Anomaly]] = {}
        for evaluation, anomalies in spoken:
            for anomaly in anomalies:
                if anomaly.severity == "error":
                    place = (evaluation.key, anomaly.feature, anomaly.kind)
                    broken.setdefault(place, (evaluation, anomaly))
        transitions = self._resolve(spoken[0][0], broken.keys())
        for place, (evaluation, anomaly) in broken.items():
            if place in self.firing:
                self._calm[place] = 0
            elif (anomaly.feature, statistic_of(anomaly.kind)) not in drifting:
                self._calm[place] = 0
                self.firing[place] = _began(evaluation, anomaly, explain)
                transitions.append(self.firing[place])
        return transitions

    def covered(self, key: ModelKey) -> frozenset[tuple[str, str]]:
        """Return (feature, statistic) of what the alerts of a model version tell already."""
        return frozenset(
            (t.feature, t.statistic)
            for place, t in self.firing.items()
            if place[0] == key and t.feature is not None and t.statistic is not None
        )

    def _resolve(self, evaluation: Evaluation, broken: Iterable[Place]) -> list[Transition]:
        still, ended = set(broken), []
        for place in [p for p in self.firing if p[0] == evaluation.key and p not in still]:
            self._calm[place] += 1
            if self._calm[place] >= self.policy.clear_after:
                del self._calm[place]
                end_s = evaluation.window.end_s
                ended.append(replace(self.firing.pop(place), status="resolved", ends_at_s=end_s))
        return ended


def _began(evaluation: Evaluation, anomaly: Anomaly, explain: Explain) -> Transition:
    names = evaluation.features.names
    statistic = statistic_of(anomaly.kind)
    known = anomaly.feature in names
    f = names.index(anomaly.feature) if anomaly.feature in names else 0
    value, threshold = numbers_of(evaluation, statistic, 0, f) if known else (None, None)
    return Transition(
        "firing",
        SCHEMA_ALERT,
        evaluation.key,
        ALL,
        anomaly.feature,
        evaluation.window.length_s,
        statistic,
        value,
        threshold,
        evaluation.window.end_s,
        contributors=explain(evaluation, 0, f) if known else (),
        kind=anomaly.kind,
        message=anomaly.long,
    )
