"""From states of single windows to alerts that people see.

Each window of each feature (and of the model version as a whole) has two states with memory:

    calm    -- `raise_after` drifting evaluations in a row           --> raised
    raised  -- `clear_after` evaluations that are ok, none drifting, and for as long
               as the window itself, at most `clear_for`             --> calm
    raised  -- no window holds an event of it any more               --> calm
    a warning keeps what is raised; an evaluation without enough events changes nothing

An alert fires while any window of its feature is raised: one alert for a feature, not one a window.
Counting evaluations, instead of reacting to each, keeps a value that wavers about its threshold
from firing again and again.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Literal

import numpy as np

from detector.batch import Floats, ModelKey
from detector.drift.contributors import Contributor
from detector.drift.evaluation import Evaluation, State, States
from detector.drift.explanation import Explanation, Shape
from detector.drift.groups import MOST_TOGETHER, common_cause
from detector.drift.size import NO_SIZE, Size
from detector.profile import Fit
from detector.runs import AlertPolicy, WindowMemory
from detector.tree import Tree, dict_of, float_of, list_of, record_of, record_tree
from detector.windows.slices import ALL

FEATURE_ALERT = "DriftFeatureDrifted"
PREDICTION_ALERT = "DriftPredictionDrifted"
DATASET_ALERT = "DriftDatasetDrifted"
SCHEMA_ALERT = "DriftSchemaAnomaly"

ALERTS = (FEATURE_ALERT, PREDICTION_ALERT, DATASET_ALERT, SCHEMA_ALERT)
"""Every alert there is."""

Severity = Literal["critical", "warning"]

SEVERITIES: Mapping[str, Severity] = MappingProxyType(
    {
        FEATURE_ALERT: "warning",
        PREDICTION_ALERT: "critical",
        DATASET_ALERT: "critical",
        SCHEMA_ALERT: "warning",
    }
)
"""How urgent each alert is: what the model answers, or most of what it sees, before a single feature."""

DATASET_STATISTIC = "drifted_features_ratio"

UNSURE = "how these data vary by themselves is not known yet"

Explain = Callable[[Evaluation, int, int], Explanation]
"""(evaluation, slice row, feature index) -> what changed, why and since when."""

Covered = Mapping[tuple[str, str], float]
"""(feature, rate) of causes that alerts name -> event time of the last of it, infinity where it goes on."""

NOTHING_COVERED: Covered = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Transition:
    """An alert that begins or ends. Times are event time in epoch seconds."""

    status: Literal["firing", "resolved"]
    alert: str
    key: ModelKey
    slice: str
    feature: str | None
    """None: the model version as a whole."""
    window_s: float
    """Length of the window that raised it."""
    statistic: str | None
    value: float | None
    threshold: float | None
    starts_at_s: float
    ends_at_s: float | None = None
    onset_s: float | None = None
    """When the change began, as far as it is known by now."""
    shape: Shape = "unknown"
    contributors: tuple[Contributor, ...] = ()
    kind: str | None = None
    """The kind of anomaly; of drift the cause, where it is known."""
    message: str | None = None
    """What is wrong, in words; None where the numbers say it."""
    moved_with: tuple[str, ...] = ()
    """Features that drift together with it, at most `MOST_TOGETHER`; of the whole those that drift."""
    size: Size = NO_SIZE
    """The statistic now, and at most; `value` and `threshold` are those that the alert began with."""
    unsure: bool = False
    """Whether it was not known yet how these data vary by themselves."""
    is_explained: bool = True
    """Whether contributors and cause were looked for; where too many alerts begin at once, that is later."""

    @property
    def severity(self) -> Severity:
        """How urgent it is."""
        return SEVERITIES[self.alert]

    @property
    def id(self) -> str:
        """The same for both ends of one alert and for no other: sinks use it to recognise repeats."""
        feature = self.feature or ""
        if self.alert == SCHEMA_ALERT:
            feature += f"|{self.kind}"  # a feature may break several rules at once
        return "|".join((self.alert, *self.key, self.slice, feature, f"{self.starts_at_s:.3f}"))


def ended(alert: Transition, at_s: float) -> Transition:
    """Return the end of an alert at event time `at_s`."""
    return replace(alert, status="resolved", ends_at_s=max(at_s, alert.starts_at_s))


def firing_in(tree: Tree) -> list[Transition]:
    """Return the alerts that fired in a book when it was remembered.

    Raises:
        ValueError: the tree is no such book.
    """
    return [record_of(Transition, item) for item in list_of(dict_of(tree)["firing"])]


@dataclass(slots=True)
class AlertBook:
    """The alerts of all model versions; bounded by versions x slices x (features + 1) x windows."""

    policy: AlertPolicy
    firing: dict[tuple[ModelKey, str, str | None], Transition] = field(default_factory=dict)
    """Alerts that fire now: as they began, with their size now, and onset and shape as known now."""
    _memory: dict[tuple[ModelKey, float], WindowMemory] = field(default_factory=dict)

    def update(
        self,
        evaluations: Sequence[Evaluation],
        explain: Explain,
        covered: Covered = NOTHING_COVERED,
    ) -> list[Transition]:
        """Take in all windows of one model version at one moment; return what begins and ends.

        The evaluations are of the same slices and features, the shortest window first. `covered` is what
        alerts name as a cause already: what that explains gets no second one.
        """
        raised_by: dict[tuple[int, int], int] = {}
        memories = [self._memory_of(evaluation) for evaluation in evaluations]
        for memory, evaluation in zip(memories, evaluations, strict=True):
            memory.update(_with_whole(evaluation), self.policy, evaluation.window)
        if any(memory.raised.any() for memory in memories):
            # Too few events change nothing; but an alert is about events, and none are left.
            silent = np.logical_and.reduce([evaluation.is_silent for evaluation in evaluations])
            for i, memory in enumerate(memories):
                memory.forget(silent)
                for row, subject in np.argwhere(memory.raised).tolist():
                    raised_by.setdefault((row, subject), i)
        if not evaluations:
            return []
        transitions = self._resolve(evaluations[0], raised_by)
        started = []
        for (row, subject), i in sorted(raised_by.items()):
            found = self._raise(evaluations[i], row, subject, explain, covered)
            if found is not None:
                started.append(found)
        for alert in told_together(started):
            self.firing[alert.key, alert.slice, alert.feature] = alert
            transitions.append(alert)
        return transitions

    def confirmed(self, evaluation: Evaluation) -> tuple[States, States]:
        """Return the states of a window as alerts see them: of the features (S, F), and as a whole (S).

        Drift that is not confirmed yet is a warning; a window that has not calmed down is drift.
        """
        state, raised = _with_whole(evaluation), self._memory_of(evaluation).raised
        state = np.where(raised, State.DRIFT, np.minimum(state, State.WARNING)).astype(np.int8)
        return state[:, :-1], state[:, -1]

    def drifting(self, key: ModelKey) -> frozenset[tuple[str, str]]:
        """Return (feature, statistic) of the alerts that fire on whole features of a model version."""
        return frozenset(
            (t.feature, t.statistic)
            for (owner, name, _), t in self.firing.items()
            if owner == key and name == ALL and t.feature is not None and t.statistic is not None
        )

    def forget(self, key: ModelKey, at_s: float) -> list[Transition]:
        """Forget a model version; return its alerts, ended at event time `at_s`."""
        for place in [place for place in self._memory if place[0] == key]:
            del self._memory[place]
        return [ended(self.firing.pop(place), at_s) for place in list(self.firing) if place[0] == key]

    def remember(self, key: ModelKey) -> Tree:
        """Return all of one model version."""
        return {
            "firing": [record_tree(alert) for place, alert in self.firing.items() if place[0] == key],
            "memory": [
                {"length_s": length_s, **memory.remember()}
                for (owner, length_s), memory in self._memory.items()
                if owner == key
            ],
        }

    def recall(self, tree: Tree, key: ModelKey, fit: Fit, at_s: float) -> list[Transition]:
        """Take on what was remembered of a model version; return the alerts that end: on what is no more.

        Raises:
            ValueError: the tree is nothing such; what is here must not be used any more.
        """
        for item in list_of(dict_of(tree)["memory"]):
            length_s = float_of(dict_of(item)["length_s"])
            self._memory[key, length_s] = WindowMemory.recall(item, fit)
        over = []
        for alert in firing_in(tree):
            if alert.feature in fit.ended_features or alert.slice in fit.gone_slices or alert.key != key:
                over.append(ended(alert, at_s))
            else:
                self.firing[key, alert.slice, alert.feature] = alert
        return over

    def _why_whole(self, evaluation: Evaluation, row: int, explain: Explain) -> Explanation:
        """Return what the features that drift have in common, since when, and which they are."""

        def cause(feature: int) -> str | None:
            name = evaluation.features.names[feature]
            alert = self.firing.get((evaluation.key, evaluation.slices[row], name))
            return explain(evaluation, row, feature).cause if alert is None else alert.kind

        onset_s, shape = self._since_whole(evaluation.key, evaluation.slices[row])
        return replace(common_cause(evaluation, row, cause), onset_s=onset_s, shape=shape)

    def suspect_since(self, evaluations: Sequence[Evaluation]) -> Floats:
        """Return where the earliest window begins in which each feature drifts or is raised (F).

        In epoch seconds, of all events; infinity where there is none.
        """
        since_s = np.full(len(evaluations[0].features) if evaluations else 0, np.inf)
        for evaluation in evaluations:
            drifts = self._memory_of(evaluation).raised[0, :-1] | (evaluation.state[0] == State.DRIFT)
            since_s[drifts] = np.minimum(since_s[drifts], evaluation.window.start_s)
        return since_s

    def _memory_of(self, evaluation: Evaluation) -> WindowMemory:
        key = (evaluation.key, evaluation.window.length_s)
        if key not in self._memory:
            self._memory[key] = WindowMemory.of(_with_whole(evaluation).shape)
        return self._memory[key]

    def _resolve(self, evaluation: Evaluation, raised_by: dict[tuple[int, int], int]) -> list[Transition]:
        names = [*evaluation.features.names, None]
        raised = {(evaluation.slices[row], names[subject]) for row, subject in raised_by}
        over = []
        for key, name, feature in list(self.firing):
            if key == evaluation.key and (name, feature) not in raised:
                over.append(ended(self.firing.pop((key, name, feature)), evaluation.window.end_s))
        return over

    def _raise(
        self,
        evaluation: Evaluation,
        row: int,
        subject: int,
        explain: Explain,
        covered: Covered,
    ) -> Transition | None:
        is_whole = subject == len(evaluation.features)
        feature = None if is_whole else evaluation.features.all[subject].name
        place = (evaluation.key, evaluation.slices[row], feature)
        if place in self.firing:
            return None
        statistic: str | None = DATASET_STATISTIC
        value: float | None = float(evaluation.drifted_ratio[row])
        threshold: float | None = None
        if not is_whole:
            statistic = evaluation.worst_statistic(row, subject)
            # A window may still be raised, kept silent by a cause that has just gone: too late to begin.
            if evaluation.state[row, subject] != State.DRIFT:
                return None
            if row == 0 and is_explained(evaluation, subject, statistic, covered):
                return None
            value, threshold = numbers_of(evaluation, statistic, row, subject)
        why = self._why_whole(evaluation, row, explain) if is_whole else explain(evaluation, row, subject)
        began = Transition(
            "firing",
            DATASET_ALERT if is_whole else _alert_on(evaluation, subject),
            evaluation.key,
            evaluation.slices[row],
            feature,
            evaluation.window.length_s,
            statistic,
            value,
            threshold,
            evaluation.window.end_s,
            onset_s=why.onset_s,
            shape=why.shape,
            contributors=why.contributors,
            kind=why.cause,
            message=why.message,
            moved_with=why.moved_with,
            size=Size.at_first(value, threshold, evaluation.window.end_s),
            unsure=why.unsure,
            is_explained=why.is_complete,
        )
        self.firing[place] = began
        return began

    def _since_whole(self, key: ModelKey, slice_name: str) -> tuple[float | None, Shape]:
        """Return what the alerts of single features tell of the whole: their median onset, their shape.

        One that fires for long, for a reason of its own, does not make the whole older.
        """
        own = [t for (owner, name, _), t in self.firing.items() if (owner, name) == (key, slice_name)]
        told = sorted((t.onset_s, t.shape) for t in own if t.onset_s is not None)
        if not told:
            return None, "unknown"
        shapes = [shape for _, shape in told]
        shape = max(sorted(set(shapes)), key=shapes.count)
        return told[(len(told) - 1) // 2][0], shape if 2 * shapes.count(shape) > len(shapes) else "unknown"


def _alert_on(evaluation: Evaluation, feature: int) -> str:
    """Return the name of an alert on one feature, or on what the model predicts."""
    is_prediction = evaluation.features.all[feature].role == "prediction"
    return PREDICTION_ALERT if is_prediction else FEATURE_ALERT


def told_together(started: Sequence[Transition]) -> list[Transition]:
    """Return alerts that begin at one moment, each with the features of its slice that began with it.

    Those that go with it in training come first.
    """
    told = []
    beside: dict[str, list[str]] = {}
    for alert in started:
        first = beside.setdefault(alert.slice, [])
        # No more can be named: as many others as are told, beside its own name and those of `moved_with`.
        if alert.feature is not None and len(first) <= 2 * MOST_TOGETHER:
            first.append(alert.feature)
    for alert in started:
        names = [*alert.moved_with, *(name for name in beside[alert.slice] if name != alert.feature)]
        together = tuple(dict.fromkeys(names))[:MOST_TOGETHER]
        told.append(alert if alert.feature is None else replace(alert, moved_with=together))
    return told


def _with_whole(evaluation: Evaluation) -> States:
    return np.concatenate((evaluation.state, evaluation.dataset_state[:, None]), axis=1)


def is_explained(evaluation: Evaluation, f: int, statistic: str | None, covered: Covered) -> bool:
    """Whether the drift of a feature is no more than what a known cause makes of it.

    Values of share s that are missing, unseen or the like move total variation, and with it l_infinity
    and Kolmogorov-Smirnov, by s at most; the square of the Hellinger distance is never above total
    variation.
    """
    name = evaluation.features.all[f].name
    start_s = evaluation.window.start_s
    for rate in (
        rate for (feature, rate), until_s in covered.items() if feature == name and until_s > start_s
    ):
        share = float(evaluation.statistics[rate].value[0, f])
        if statistic is None or statistic == rate:
            return True
        value = float(evaluation.statistics[statistic].value[0, f])
        if (value**2 if statistic == "hellinger" else value) <= share:
            return True
    return False


def numbers_of(
    evaluation: Evaluation, statistic: str | None, row: int, feature: int
) -> tuple[float | None, float | None]:
    """Return the value and the threshold of a statistic in slice `row`; None where there is no statistic."""
    if statistic is None:
        return None, None
    found = evaluation.statistics[statistic]
    return float(found.value[row, feature]), float(found.threshold[row, feature])
