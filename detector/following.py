"""An alert that goes on: how large the change is now, and what is known better with time.

At its beginning a gradual change is hard to tell, for its end is not there yet. So onset and shape are told
again when the alert has fired for an hour (or for its window, if that is longer), then whenever that time
has doubled, and when it is resolved: a handful of fits in the life of an alert, and none without. A sudden
change is not told again: that takes very strong reasons, and what comes later can only blur them.
"""

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from typing import TypeVar

from detector.alerts import SCHEMA_ALERT, Explain, Transition
from detector.drift.evaluation import Evaluation
from detector.drift.onset import Onset

FIRST_S = 3600.0
"""Onset and shape are told again after this, or after the length of the alert's window."""

Again = Callable[[Transition, float], Onset]
"""(alert, event time now) -> its onset and shape as they look now."""

Place = TypeVar("Place", bound=Hashable)


def follow(firing: dict[Place, Transition], evaluations: Sequence[Evaluation], again: Again) -> None:
    """Renew the alerts of one model version that fire, in place; costs nothing where none does.

    The evaluations are all windows of the model version at one moment.
    """
    if not firing or not evaluations:
        return
    by_length = {evaluation.window.length_s: evaluation for evaluation in evaluations}
    first = evaluations[0]
    feature_of: dict[str | None, int] = {name: f for f, name in enumerate(first.features.names)}
    row_of = {name: row for row, name in enumerate(first.slices)}
    for place, alert in firing.items():
        # A new column is no feature: there is nothing to follow.
        if alert.key != first.key or not (alert.feature is None or alert.feature in feature_of):
            continue
        evaluation, before = by_length[alert.window_s], alert.size
        feature, now_s = feature_of.get(alert.feature), evaluation.window.end_s
        followed = replace(
            alert, size=before.after(evaluation, alert.statistic, row_of[alert.slice], feature)
        )
        is_due = _is_due(alert, before.at_s, now_s)
        firing[place] = told_again(followed, again, now_s) if is_due else followed


def told_again(alert: Transition, again: Again, now_s: float) -> Transition:
    """Return an alert with its onset and shape as they look now, if more is known."""
    if alert.shape == "sudden":
        return alert
    found = again(alert, now_s)
    if found.time_s is None or (found.shape == "unknown" and alert.onset_s is not None):
        return alert
    onset_s = found.time_s
    is_the_same = alert.onset_s is not None and abs(onset_s - alert.onset_s) <= found.within_s
    if found.shape == "sudden" and is_the_same:
        # Memory has become coarser since: what was told then was told more finely.
        return replace(alert, shape=found.shape)
    return replace(alert, onset_s=onset_s, shape=found.shape)


def explain_rest(
    firing: dict[Place, Transition], evaluations: Sequence[Evaluation], explain: Explain
) -> None:
    """Explain alerts of one model version that began beside too many others, as far as there is room now.

    In place; onset and shape are told when they are told again.
    """
    rest = [place for place, alert in firing.items() if not alert.is_explained]
    if not rest or not evaluations:
        return
    by_length = {evaluation.window.length_s: evaluation for evaluation in evaluations}
    row_of = {name: row for row, name in enumerate(evaluations[0].slices)}
    feature_of = {name: f for f, name in enumerate(evaluations[0].features.names)}
    for place in rest:
        alert = firing[place]
        if alert.key != evaluations[0].key or alert.feature not in feature_of:
            continue
        evaluation = by_length[alert.window_s]
        why = explain(evaluation, row_of[alert.slice], feature_of[alert.feature])
        if not why.is_complete:
            return
        found = replace(alert, contributors=why.contributors, is_explained=True)
        if alert.alert != SCHEMA_ALERT:
            found = replace(found, kind=why.cause, message=why.message)
        firing[place] = found


def _is_due(alert: Transition, before_s: float, now_s: float) -> bool:
    first_s = max(FIRST_S, alert.window_s)

    def doublings(time_s: float) -> int:
        return math.floor(math.log2(max(time_s - alert.starts_at_s, first_s / 2.0) / first_s))

    return doublings(now_s) > doublings(before_s)
