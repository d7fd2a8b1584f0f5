"""Evaluations and alerts as plain records: the lines of `replay --output`, and of everything alike.

Times are RFC 3339 in UTC; a number that does not exist is null, never NaN.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from detector.alerts import Transition
from detector.anomaly import Anomaly
from detector.counters import Counters
from detector.drift.contributors import Contributor
from detector.drift.evaluation import Evaluation, State
from detector.pipeline import Judged
from detector.times import format_time

Record = dict[str, Any]


def number(x: float | None) -> float | None:
    """Return x, None if it is not a finite number."""
    return None if x is None or not math.isfinite(x) else x


def statistics_of(evaluation: Evaluation, row: int) -> list[dict[str, Record]]:
    """Return for each feature its statistics by name, in one slice; those without a value are left out."""
    per_feature: list[dict[str, Record]] = [{} for _ in evaluation.features.all]
    for name, found in evaluation.statistics.items():
        columns = (found.value[row].tolist(), found.threshold[row].tolist(), found.p_value[row].tolist())
        for f, (value, threshold, p_value) in enumerate(zip(*columns, strict=True)):
            if math.isfinite(value):
                per_feature[f][name] = {
                    "value": value,
                    "threshold": number(threshold),
                    "p_value": number(p_value),
                }
    return per_feature


def evaluation_records(judged: Judged) -> Iterator[Record]:
    """Yield a record for each slice and feature of an evaluation."""
    evaluation = judged.evaluation
    window = evaluation.window
    start, end = format_time(window.start_s), format_time(window.end_s)
    broken: dict[str | None, list[Record]] = {}
    for anomaly in judged.anomalies:
        broken.setdefault(anomaly.feature, []).append(anomaly_record(anomaly))
    for row, slice_name in enumerate(evaluation.slices):
        statistics = statistics_of(evaluation, row)
        states = evaluation.state[row].tolist()
        for f, feature in enumerate(evaluation.features.all):
            yield {
                "type": "evaluation",
                "model": evaluation.key.model,
                "version": evaluation.key.version,
                "slice": slice_name,
                "window_s": _whole(window.length_s),
                "window_start": start,
                "window_end": end,
                "feature": feature.name,
                "n": int(evaluation.n[row]),
                "state": State(states[f]).label,
                "statistics": statistics[f],
                "anomalies": broken.get(feature.name, []) if row == 0 else [],
                **({} if window.is_complete else {"complete": False}),
            }


def _whole(seconds: float) -> int | float:
    return int(seconds) if seconds == int(seconds) else seconds


def contributor_records(contributors: tuple[Contributor, ...]) -> list[Record]:
    """Return contributors as records."""
    return [{"bin": c.bin, "reference": c.reference, "current": c.current} for c in contributors]


def alert_record(transition: Transition) -> Record:
    """Return the record of an alert that begins or ends."""
    return {
        "type": "alert",
        "status": transition.status,
        "alert": transition.alert,
        "severity": transition.severity,
        "model": transition.key.model,
        "version": transition.key.version,
        "slice": transition.slice,
        "feature": transition.feature,
        "window_s": _whole(transition.window_s),
        "statistic": transition.statistic,
        "value": number(transition.value),
        "threshold": number(transition.threshold),
        "starts_at": format_time(transition.starts_at_s),
        "ends_at": None if transition.ends_at_s is None else format_time(transition.ends_at_s),
        "shape": transition.shape,
        "unsure": transition.unsure,
        "onset": None if transition.onset_s is None else format_time(transition.onset_s),
        "value_now": number(transition.size.value),
        "threshold_now": number(transition.size.threshold),
        "peak": number(transition.size.peak),
        "contributors": contributor_records(transition.contributors),
        "kind": transition.kind,
        "message": transition.message,
        "moved_with": list(transition.moved_with),
    }


def anomaly_record(a: Anomaly) -> Record:
    """Return an anomaly as a record."""
    return {"feature": a.feature, "kind": a.kind, "severity": a.severity, "short": a.short, "long": a.long}


def by_reason(counts: Mapping[tuple[str, str], int]) -> dict[str, int]:
    """Add counts by (topic, reason) up over the topics."""
    added: dict[str, int] = {}
    for (_, reason), n in sorted(counts.items()):
        added[reason] = added.get(reason, 0) + n
    return added


def summary_record(counters: Counters, seconds: float) -> Record:
    """Return the closing record of a replay."""
    return {
        "type": "summary",
        "events_read": sum(counters.consumed.values()),
        "events_accepted": sum(counters.accepted.values()),
        "label_events": counters.labels,
        "rejected": by_reason(counters.rejected),
        "evaluations": sum(counters.evaluations.values()),
        "alerts_fired": sum(counters.alerts_fired.values()),
        "evaluation_digest": counters.evaluation_digest,
        "seconds": round(seconds, 3),
    }
