"""Alerts to tell sinks of."""

from dataclasses import replace
from typing import Any

from detector.alerts import DATASET_ALERT, DATASET_STATISTIC, FEATURE_ALERT, SCHEMA_ALERT, Transition
from detector.drift.contributors import Contributor
from detector.drift.evaluation import State
from detector.notice import FeatureNow, Notice
from tests.support.factories import KEY, START_S

CHANGED = (Contributor("DE", 0.5, 0.25), Contributor("XX", 0.0, 0.25))


def feature_alert(feature: str | None = "country", **more: Any) -> Transition:
    """An alert that begins on one feature."""
    known: dict[str, Any] = {"contributors": CHANGED, **more}
    alert = known.pop("alert", FEATURE_ALERT)
    return Transition("firing", alert, KEY, "all", feature, 600.0, "hellinger", 0.31, 0.08, START_S, **known)


def dataset_alert(**more: Any) -> Transition:
    """An alert that begins on the model version as a whole."""
    whole = replace(feature_alert(None, alert=DATASET_ALERT), statistic=DATASET_STATISTIC, value=0.4)
    return replace(whole, threshold=None, contributors=(), **more)


def schema_alert(feature: str | None = "country", kind: str = "SCHEMA_MISSING_COLUMN") -> Transition:
    """An alert that begins because a rule is broken."""
    return feature_alert(feature, alert=SCHEMA_ALERT, kind=kind, message="The column is gone.")


def ended(t: Transition, after_s: float = 1800.0) -> Transition:
    """The same alert when it ends."""
    return replace(t, status="resolved", ends_at_s=t.starts_at_s + after_s)


def notice(t: Transition | None = None, **more: Any) -> Notice:
    """What a sink is told of an alert."""
    drifting = FeatureNow("country", "feature", State.DRIFT, "hellinger", 0.31, 0.08, CHANGED)
    known: dict[str, Any] = {
        "action": "investigate",
        "baseline_sha256": "ab" * 32,
        "n_features": 4,
        "n_drifting": 1,
        "features": (drifting,),
    }
    return Notice(feature_alert() if t is None else t, **{**known, **more})


def notices(*names: str) -> list[Notice]:
    """One on each of several features."""
    return [notice(feature_alert(name)) for name in names]
