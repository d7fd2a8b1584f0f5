"""Features that move together, and what many of them have in common."""

from collections import Counter
from collections.abc import Callable

import numpy as np

from detector.baseline import Baseline
from detector.drift.causes import WORDS
from detector.drift.evaluation import Evaluation, State
from detector.drift.explanation import Explanation

MOST_TOGETHER = 10
"""Features that are named beside another."""

MOST_EXPLAINED = 200
"""Drifting features that are asked for their cause when the model as a whole drifts."""

COMMON = 0.5
"""A cause is common to the features that drift where it is that of more than so many."""


def correlated(baseline: Baseline, evaluation: Evaluation, row: int, feature: int) -> tuple[str, ...]:
    """Return the drifting features that go with a feature in training, the most correlated first."""
    names = evaluation.features.names
    partners = baseline.partners.get(names[feature], ())
    drifting = {names[f] for f in np.flatnonzero(evaluation.state[row] == State.DRIFT).tolist()}
    return tuple(name for name, _ in partners if name in drifting)[:MOST_TOGETHER]


def common_cause(evaluation: Evaluation, row: int, cause_of: Callable[[int], str | None]) -> Explanation:
    """Return what the drifting features have in common, in words, and the names of the foremost.

    `cause_of` gives the cause of a feature, a kind of anomaly where one was told first.
    """
    excess = evaluation.excess[:, row].max(axis=0, initial=0.0)
    order = np.argsort(-excess, kind="stable").tolist()
    drifting = [f for f in order if evaluation.state[row, f] == State.DRIFT]
    names = tuple(evaluation.features.names[f] for f in drifting[:MOST_TOGETHER])
    asked = drifting[:MOST_EXPLAINED]
    counted = Counter(cause for cause in map(cause_of, asked) if cause in WORDS).most_common(1)
    if not counted or counted[0][1] < 2 or counted[0][1] <= COMMON * len(asked):
        return Explanation(moved_with=names)
    cause, n = counted[0]
    among = f"{n} of {len(evaluation.features)} features: {WORDS[cause]}"
    others = len(asked) - n
    rest = f"; {others} more drift{'' if others > 1 else 's'}" if others else ""
    return Explanation(cause=cause, message=among + rest, moved_with=names)
