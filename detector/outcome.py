"""What comes out of the pipeline: evaluations with their states, and the transitions of alerts."""

from collections.abc import Iterable
from dataclasses import dataclass

from detector.alerts import Transition
from detector.anomaly import Anomaly
from detector.drift.evaluation import Evaluation, State, States


@dataclass(frozen=True, slots=True)
class Judged:
    """One evaluation with its states as the alert book sees them."""

    evaluation: Evaluation
    state: States
    """Drift is confirmed drift; a feature that breaks an expectation is a warning at least."""
    dataset_state: States
    anomalies: tuple[Anomaly, ...] = ()
    """Expectations that the window breaks."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one closed pane brought."""

    end_s: float
    judged: tuple[Judged, ...]
    transitions: tuple[Transition, ...]


@dataclass(frozen=True, slots=True)
class Recalled:
    """What became of something that was remembered."""

    dropped: list[str]
    """What could not be kept, and why: a line each."""
    ended: list[Transition]
    """The alerts that end with that."""


def with_anomalies(state: States, evaluation: Evaluation, broken: Iterable[Anomaly]) -> States:
    """Return states in which a feature that breaks an expectation is not ok, but a warning at least."""
    names = {a.feature for a in broken if a.severity == "error"}
    for f in [f for f, name in enumerate(evaluation.features.names) if name in names]:
        if state[0, f] == State.OK:
            state[0, f] = State.WARNING
    return state
