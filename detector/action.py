"""What to do about an alert: a suggestion for people, and the word that starts a training run.

Retraining on broken data makes a worse model, so it is suggested only where no fault is in sight:

    resolved                                                          none
    a schema anomaly; a cause or a rate that faults make (`FAULTS`),
        of the alert itself or of any other of the model version      check_data_source
    the model as a whole drifts, over all events, no cause is named   retrain
    the prediction drifts, and so do features beside it               retrain
    anything else: one feature, one slice, a prediction alone         investigate

A prediction that drifts while the features stay is no new world: the model, or what is done to its
input, has changed.
"""

from collections.abc import Iterable
from typing import Literal

from detector.alerts import DATASET_ALERT, FEATURE_ALERT, PREDICTION_ALERT, SCHEMA_ALERT, Transition
from detector.windows.slices import ALL

Action = Literal["retrain", "check_data_source", "investigate", "none"]

FAULTS = frozenset(
    {
        "category_renamed",
        "constant",
        "default_value",
        "missing",
        "non_finite",
        "swapped_columns",
        "type_mismatch",
        "unit_change",
    }
)
"""Causes, and statistics, that mean broken data. New values (`outside`, `unseen`) may be a new world."""


def is_fault(t: Transition) -> bool:
    """Whether an alert tells of broken data."""
    return t.alert == SCHEMA_ALERT or t.kind in FAULTS or (t.kind is None and t.statistic in FAULTS)


def suggested_action(t: Transition, firing: Iterable[Transition]) -> Action:
    """Return what to do about an alert; `firing` are all that fire at that moment."""
    if t.status == "resolved":
        return "none"
    beside = [other for other in firing if other.key == t.key]
    if is_fault(t):
        return "check_data_source"
    if t.alert not in (DATASET_ALERT, PREDICTION_ALERT) or t.slice != ALL or t.kind is not None:
        return "investigate"
    if any(map(is_fault, beside)):
        return "check_data_source"
    is_wide = any(o.slice == ALL and o.alert in (FEATURE_ALERT, DATASET_ALERT) for o in beside)
    return "retrain" if t.alert == DATASET_ALERT or is_wide else "investigate"
