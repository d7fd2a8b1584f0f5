"""What recorded events would have set off: the outcomes of a pipeline, summed up for one model version."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from detector.alerts import SCHEMA_ALERT, Covered, Transition, is_explained
from detector.baseline import Baseline
from detector.baseline.learning import Knowledge, knowledge_of
from detector.batch import Bools, Floats, Ints, ModelKey
from detector.drift.evaluation import Evaluation, State, States
from detector.drift.judge import Judge
from detector.drift.what_if import movement, with_effect
from detector.pipeline import Judged
from detector.runs import AlertPolicy
from detector.tune.grid_book import Episode, GridBook, Look
from detector.tune.movement import Movement
from detector.tune.traffic import Traffic
from detector.watched import Monitored
from detector.windows.sliding import WindowProfile
from detector.windows.spec import WindowSpec

GRID = (0.03, 0.05, 0.08, 0.10, 0.15, 0.20, 0.30, 0.40, 0.50)
"""Values of `min_effect` that are tried."""

NOW = 0
"""The level of the settings in force; the grid follows."""

Interval = tuple[float, float]
"""From and to, in epoch seconds."""


@dataclass
class Rehearsal:
    """One model version over a history, judged at every level of `min_effect`.

    What is kept is bounded: levels x slices x (features + 1) x windows elements of the alert books, a
    `Movement` a window length, and a `Traffic`.
    """

    key: ModelKey
    monitored: Monitored
    spec: WindowSpec
    alerts: AlertPolicy
    known_drift: Sequence[Interval] = ()
    traffic: Traffic = field(init=False)
    movement: dict[float, Movement] = field(init=False)
    """By window length, shortest first."""
    book: GridBook = field(init=False)
    first_s: float = np.inf
    """Start of the first window that was looked at."""
    last_s: float = -np.inf
    n_panes: int = 0
    """Moments that count: not all of their windows reach into known drift."""
    n_excluded: int = 0
    schema_alerts: int = 0
    """Alerts by the schema, which no `min_effect` moves."""
    knowledge: Knowledge | None = None
    """What is known of natural variation by now."""
    baseline: Baseline = field(init=False)
    """That of the version, with what is known by now."""
    enough: dict[float, Ints] = field(init=False)
    """By window length the evaluations with enough events, by slice (S)."""
    looked: dict[float, int] = field(init=False)

    def __post_init__(self) -> None:
        features = self.monitored.baseline.features.names
        lengths = sorted(self.spec.lengths_s)
        policy, slices = self.monitored.policy, self.monitored.slices
        own = [policy.of(name).min_effect or policy.min_effect for name in features]
        self.levels = np.array([own, *([x] * len(features) for x in GRID)], dtype=np.float64)
        self.traffic = Traffic(self.spec.pane_s)
        self.movement = {length_s: Movement(len(features)) for length_s in lengths}
        self.enough = {length_s: np.zeros(len(slices), dtype=np.int64) for length_s in lengths}
        self.looked = dict.fromkeys(lengths, 0)
        self.book = GridBook((len(self.levels), len(slices), len(features) + 1), self.alerts)
        self.rest_on(knowledge_of(self.monitored.baseline))

    def rest_on(self, knowledge: Knowledge) -> None:
        """Judge by what is known of natural variation from here on, as the pipeline does."""
        if knowledge is self.knowledge:
            return
        self.knowledge = knowledge
        self.baseline = replace(
            self.monitored.baseline, variation=knowledge.variation, season=knowledge.season
        )
        policy, level = self.monitored.policy, self.monitored.level(self.spec)
        self._judges = [
            Judge(self.key, self.baseline, with_effect(policy, x), self.monitored.slices, level) for x in GRID
        ]

    def take(self, judged: Sequence[Judged], transitions: Sequence[Transition], covered: Covered) -> None:
        """Take in what one pane brought to this version; `covered` is what schema alerts tell already."""
        if not judged:
            return
        windows = [found.evaluation.window for found in judged]
        looks = [self._look(found.evaluation, covered) for found in judged]
        end_s = windows[0].end_s
        self.first_s = min(self.first_s, end_s - self.spec.pane_s)
        self.last_s = max(self.last_s, end_s)
        counts = not all(self._reaches_drift(window) for window in windows)
        self.n_panes += counts
        self.n_excluded += not counts
        self.book.update(end_s, looks)
        self.schema_alerts += sum(
            t.status == "firing" and t.alert == SCHEMA_ALERT and counts for t in transitions
        )

    @property
    def days(self) -> float:
        """Length of the history that counts, in days."""
        return self.n_panes * self.spec.pane_s / 86400.0

    def lasted_s(self, episode: Episode) -> float:
        """Return how long an episode lasted, at most to the end of the history."""
        return (self.last_s if episode.end_s is None else episode.end_s) - episode.start_s

    @property
    def looked_at(self) -> bool:
        """Whether there was anything to look at."""
        return self.n_panes + self.n_excluded > 0

    def _reaches_drift(self, window: WindowProfile) -> bool:
        return any(window.start_s < to and window.end_s > since for since, to in self.known_drift)

    def _look(self, evaluation: Evaluation, covered: Covered) -> Look:
        window = evaluation.window
        enough: Bools = evaluation.dataset_state != State.INSUFFICIENT
        self.looked[window.length_s] += 1
        self.enough[window.length_s] += enough
        if self._reaches_drift(window):
            enough = np.zeros_like(enough)
        if enough[0]:
            self.movement[window.length_s].add(evaluation)
        return Look(
            window,
            self._states(evaluation, enough),
            movement(evaluation).max(axis=0),
            _explained(evaluation, covered),
        )

    def _states(self, evaluation: Evaluation, enough: Bools) -> States:
        """Return the states (G, S, F + 1) at every level."""
        own = [evaluation.state, *(judge.states_of(evaluation) for judge in self._judges)]
        state = np.where(enough[:, None], np.stack(own), State.INSUFFICIENT)
        _, whole = self._judges[0].whole(state, enough)
        return np.concatenate((state, whole[..., None]), axis=-1).astype(np.int8)


def _explained(evaluation: Evaluation, covered: Covered) -> Bools:
    """Return the features (S, F) whose drift is no more than what an alert by the schema tells.

    At all levels by the statistic that is furthest over its threshold with the settings in force.
    """
    explained = np.zeros(evaluation.state.shape, dtype=bool)
    names = evaluation.features.names
    for f in {names.index(feature) for feature, _ in covered if feature in names}:
        explained[0, f] = is_explained(evaluation, f, evaluation.worst_statistic(0, f), covered)
    return explained


def counts_by_subject(rehearsal: Rehearsal) -> Ints:
    """Return the episodes by level and subject (G, F + 1), over all slices."""
    counts: Ints = rehearsal.book.counts.sum(axis=1)
    return counts


def per_month(episodes: float, days: float) -> float:
    """Return episodes in 30 days."""
    return episodes * 30.0 / days if days > 0 else np.nan


def most_per_month(episodes: Floats | float, days: float) -> Floats | float:
    """Return the rate in 30 days that a history with so many episodes does not exclude (95 %, one-sided).

    Exact for a Poisson count. Source: Garwood (1936), Biometrika 28:437-442.
    """
    from scipy.special import gammaincinv

    upper: Floats = np.asarray(gammaincinv(np.asarray(episodes, dtype=np.float64) + 1.0, 0.95), np.float64)
    return upper * 30.0 / days if days > 0 else upper * np.nan
