"""One model version as it is watched: baseline and policy, windows, how they are judged and explained."""

import hashlib
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from detector.alerts import Transition
from detector.anomaly import Anomaly
from detector.baseline import Baseline
from detector.baseline.expectations import Expectations
from detector.baseline.learning import Knowledge, Learner, knowledge_of
from detector.batch import Floats, Ints, ModelKey
from detector.drift.causes import WORDS, cause_of
from detector.drift.contributors import contributors, few_of
from detector.drift.evaluation import Evaluation
from detector.drift.explanation import Explanation
from detector.drift.groups import correlated
from detector.drift.judge import Judge
from detector.drift.level import Level
from detector.drift.onset import UNKNOWN, Onset
from detector.drift.policy import DecisionPolicy
from detector.drift.scores import AlertTimes, onset_of, positions_of
from detector.profile import Fit, Profile
from detector.statistic_history import HistoryBook
from detector.tree import Tree, dict_of
from detector.windows.slices import Slices
from detector.windows.sliding import WindowProfile
from detector.windows.spec import WindowSpec
from detector.windows.windows import Windows

MAX_ONSETS = 500
"""Onsets told of one model version when a pane closes: a second or two. The rest are told when told again."""

MAX_EXPLANATIONS = 1000
"""Alerts of one model version explained when a pane closes: two or three seconds where everything drifts in
all slices. The rest fire all the same, and are explained when the next panes close."""

MAX_SWAP_SEARCHES = 100
"""Features of which it is asked, when a pane closes, whether they were swapped with another: 20 ms each where
dozens drift. The rest have another cause, or none."""


@dataclass(frozen=True, slots=True)
class Monitored:
    """One model version to watch."""

    baseline: Baseline
    policy: DecisionPolicy = field(default_factory=DecisionPolicy)
    slices: Slices = field(default_factory=Slices)
    environment: str | None = None
    """Environment of the schema that the events are from; None: SERVING, where the schema knows it."""

    def level(self, spec: WindowSpec) -> Level:
        """Return how the budget of false alarms is shared out over all decisions of 30 days."""
        judged = sum(not self.policy.of(name).ignore for name in self.baseline.features.names)
        return Level(
            self.policy.false_alarms_per_30_days,
            max(judged, 1),
            len(self.slices),
            len(spec.lengths_s),
            spec.pane_s,
        )

    @property
    def learns(self) -> bool:
        """Whether natural variation is learned from the stream: the baseline does not tell it."""
        return self.policy.learn and self.baseline.variation is None

    def is_like(self, other: "Monitored") -> bool:
        """Whether the other is watched and judged in every respect like this one."""
        return (
            self.baseline.is_like(other.baseline)
            and self.policy == other.policy
            and self.slices.is_like(other.slices)
            and self.environment == other.environment
        )

    def counts_like(self, other: "Monitored") -> bool:
        """Whether every event counts in the same places as it does for the other."""
        mine, its = self.baseline, other.baseline
        return self.slices.is_like(other.slices) and (
            mine.is_like(its)
            or (mine.binning.is_like(its.binning) and np.array_equal(mine.centers, its.centers))
        )

    @property
    def expectations(self) -> Expectations | None:
        """What windows are held against; None where the policy says that they are not."""
        policy, names = self.policy, self.baseline.features.names
        if policy.schema_tolerance is None:
            return None
        ignored = frozenset(name for name in names if policy.of(name).ignore)
        return Expectations(self.baseline, policy.schema_tolerance, self.environment, ignored)


class Watched:
    """What the pipeline keeps for one model version."""

    def __init__(self, key: ModelKey, monitored: Monitored, spec: WindowSpec) -> None:
        self._key, self.monitored, self._spec = key, monitored, spec
        baseline = monitored.baseline
        self._expectations = monitored.expectations
        self.windows = Windows(spec, baseline.binning, baseline.centers, monitored.slices)
        self._explanations_left = MAX_EXPLANATIONS
        self._onsets_left, self._swaps_left = MAX_ONSETS, MAX_SWAP_SEARCHES
        self._beside: dict[tuple[float, float, int], Profile] = {}
        self.history = HistoryBook(spec, len(monitored.slices), len(baseline.features))
        self.learner = Learner(baseline, spec.lengths_s, spec.pane_s) if monitored.learns else None
        self._rest_on(knowledge_of(baseline) if self.learner is None else self.learner.knowledge)

    def after(self, before: "Watched | None", is_cut_alike: bool) -> "Watched":
        """Return what goes on where `before` stands: with its windows, if events count here as they do there.

        Without any change that is `before` itself: its judge has worked out a lot already.
        """
        if before is None or not is_cut_alike or not self.monitored.counts_like(before.monitored):
            return self
        if self.monitored.is_like(before.monitored):
            return before
        self.windows, self.history = before.windows, before.history
        mine, its = self.monitored.baseline.profile, before.monitored.baseline.profile
        if (
            self.learner is not None
            and before.learner is not None
            and np.array_equal(mine.counts, its.counts)
        ):
            self.learner = before.learner
            self._rest_on(self.learner.knowledge)
        return self

    def goes_on_from(self, before: "Watched") -> bool:
        """Whether the windows are those of `before`."""
        return self.windows is before.windows

    @cached_property
    def _reference(self) -> str:
        """Digest of the training data's counts."""
        return hashlib.sha256(self.monitored.baseline.profile.counts[0].tobytes()).hexdigest()[:32]

    def remember(self) -> Tree:
        """Return all of it."""
        return {
            "windows": self.windows.remember(),
            "reference": self._reference,
            "learner": None if self.learner is None else self.learner.remember(),
            "statistics": self.history.remember(),
        }

    def recall(self, tree: Tree) -> tuple[Fit, list[str]]:
        """Take on what was remembered, with panes and windows of the same lengths; say what was dropped.

        Raises:
            ValueError: the tree is nothing such; what is here must not be used any more.
        """
        read = dict_of(tree)
        fit, is_history_kept = self.windows.recall(read["windows"])
        name = f"model {self._key.model} {self._key.version}"
        dropped = [f"{name}: {text}" for text in fit.told]
        if not is_history_kept:
            dropped.append(f"{name}: the history that onsets are told from begins anew")
        # Earlier versions did not keep it.
        if "statistics" in read and not self.history.recall(read["statistics"], fit):
            dropped.append(f"{name}: the history of statistics begins anew")
        if self.learner is not None and read["learner"] is not None:
            is_same = fit.are_features_same and read["reference"] == self._reference
            if not is_same or not self.learner.recall(read["learner"]):
                dropped.append(f"{name}: natural variation is learned anew")
            self._rest_on(self.learner.knowledge)
        return fit, dropped

    def close(self, pane: int, lost_until_s: float) -> list[Evaluation]:
        """Close a pane and judge every window, shortest first; panes before `lost_until_s` lack events."""
        self._explanations_left = MAX_EXPLANATIONS
        self._onsets_left, self._swaps_left = MAX_ONSETS, MAX_SWAP_SEARCHES
        self._beside.clear()
        return [self.judge.evaluate(window) for window in self.windows.close(pane, lost_until_s)]

    def _rest_on(self, knowledge: Knowledge) -> None:
        """Judge by what is known of natural variation from here on."""
        self.knowledge = knowledge
        m = self.monitored
        baseline = replace(m.baseline, variation=knowledge.variation, season=knowledge.season)
        self.judge = Judge(self._key, baseline, m.policy, m.slices, m.level(self._spec))
        self._beside.clear()

    def learn(self, pane: int, counts: Ints, suspect_since_s: Floats) -> None:
        """Learn from a closed pane's events how the data vary by themselves, where that is not known."""
        if self.learner is not None:
            known = self.learner.add(pane * self._spec.pane_s, counts, suspect_since_s)
            if known is not None:
                self._rest_on(known)

    def broken_by(self, window: WindowProfile) -> tuple[Anomaly, ...]:
        """Return the expectations that a window breaks."""
        if self._expectations is None:
            return ()
        found = self._expectations.broken_by(window)
        return tuple(replace(a, long=told_of(self.judge, a.feature, a.long, a.short)) for a in found)

    def _is_sensitive(self, feature: str | None) -> bool:
        """Whether no value of a feature may be told."""
        return feature is not None and bool(self.monitored.policy.of(feature).sensitive)

    @property
    def possible_anomalies(self) -> tuple[tuple[str, str], ...]:
        """Every (feature, kind) that a window can bring."""
        return () if self._expectations is None else self._expectations.possible

    def explain(self, evaluation: Evaluation, row: int, feature: int) -> Explanation:
        """Return what an alert on a feature tells beside its numbers; nothing once it was asked too often."""
        if self._explanations_left == 0:
            return Explanation(unsure=not self.knowledge.is_enough, is_complete=False)
        self._explanations_left -= 1
        current = evaluation.window.profile.row(row)
        window = evaluation.window
        expected, swaps = self._expected(window, row), self._swaps_left > 0
        self._swaps_left -= swaps
        cause = cause_of(self.judge.baseline, expected, evaluation, row, feature, swaps=swaps)
        times = AlertTimes(window.start_s, window.end_s, window.end_s)
        onset = self._onset(row, feature, evaluation.worst_statistic(row, feature), times)
        policy, reference = self.monitored.policy, self.judge.reference(row)
        name = evaluation.features.names[feature]
        message = None if cause is None else told_of(self.judge, name, cause.message, WORDS[cause.name])
        changed = () if self._is_sensitive(name) else contributors(
            self.judge.baseline, reference, current, feature, min_count=policy.min_count
        )  # fmt: skip
        return Explanation(
            changed,
            cause=None if cause is None else cause.name,
            message=message,
            moved_with=correlated(self.judge.baseline, evaluation, row, feature),
            onset_s=onset.time_s,
            shape=onset.shape,
            unsure=not self.knowledge.is_enough,
        )

    def _expected(self, window: WindowProfile, row: int) -> Profile:
        """Return what a slice of a window is held against: worked out once, however many features drift."""
        place = (window.length_s, window.end_s, row)
        if place not in self._beside:
            self._beside[place] = self.judge.expected(window, row)
        return self._beside[place]

    def onset_again(self, alert: Transition, now_s: float) -> Onset:
        """Return the onset and the shape of an alert's change as they look now."""
        names = self.judge.baseline.features.names
        if alert.feature not in names:
            return UNKNOWN
        row, feature = self.judge.slices.names.index(alert.slice), names.index(alert.feature)
        times = AlertTimes(alert.starts_at_s - alert.window_s, alert.starts_at_s, now_s)
        return self._onset(row, feature, alert.statistic, times)

    def _onset(self, row: int, feature: int, statistic: str | None, alert: AlertTimes) -> Onset:
        if self._onsets_left == 0:
            return UNKNOWN
        self._onsets_left -= 1
        positions = positions_of(self.judge.baseline, feature, statistic)
        series = self.windows.series(row, positions)
        return onset_of(self.judge.baseline, self.judge.reference(row).counts[0], positions, series, alert)


def told_of(judge: Judge, feature: str | None, message: str, instead: str) -> str:
    """Return a message on a feature, or what is said instead where it may hold what is not for everybody."""
    names = judge.baseline.features.names
    if feature is None or feature not in names:
        return message
    if judge.policy.of(feature).sensitive:
        return instead
    few = few_of(judge.baseline, names.index(feature), judge.policy.min_count)
    return instead if any(name and name in message for name in few) else message
