"""What `GET /api/v1/status` says: a view as one JSON object of bounded size.

Keys stay; new ones may come. Times are RFC 3339 in UTC; what is not known is null. Lists hold the first
of what there is, and `*_total` says how many there are.
"""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from detector import __version__
from detector.alerts import Transition, numbers_of
from detector.batch import ModelKey
from detector.drift.evaluation import State
from detector.metrics.labels import label
from detector.pipeline import Judged
from detector.printable import printable
from detector.report.records import Record, alert_record, by_reason, number
from detector.times import format_time
from detector.view import View

MAX_MODELS = 100
MAX_FEATURES = 50
MAX_ALERTS = 100
MAX_TOPICS = 100
MAX_TEXT_LENGTH = 500


def status_record(view: View) -> Record:
    """Return what there is to say of a view."""
    features = sorted(_features(view), key=lambda found: found[0])
    return {
        "version": __version__,
        "at": _time(view.published_s),
        "uptime_s": round(view.uptime_s, 1),
        "ready": view.ready,
        "active": view.is_active,
        "config": config_record(view),
        "source": _source(view),
        "events": _events(view),
        "watermark": _time(view.watermark_s),
        "last_evaluation_at": _time(view.last_evaluation_s),
        "models": [_model(view, key) for key in list(view.baselines)[:MAX_MODELS]],
        "models_total": len(view.baselines),
        "features": [_feature(view, judged, row, f) for _, judged, row, f in features[:MAX_FEATURES]],
        "features_total": len(features),
        "alerts": [alert_as_told(t) for t in view.firing[:MAX_ALERTS]],
        "alerts_total": len(view.firing),
    }


def status_bytes(view: View) -> bytes:
    """Return the same as JSON in UTF-8."""
    # What data say may hold halves of characters, which are no text in UTF-8.
    return json.dumps(status_record(view)).encode("utf-8", "replace")


def _time(seconds: float | None) -> str | None:
    return None if number(seconds) is None or seconds is None else format_time(seconds)


def _cut(text: str) -> str:
    return printable(text, MAX_TEXT_LENGTH)


def config_record(view: View) -> Record:
    """Return which configuration is in force."""
    config = view.config
    return {
        "sha256": config.sha256,
        "loaded_at": _time(config.loaded_s),
        "reload_error": _cut(config.error) or None,
        "after_restart": list(config.after_restart),
    }


def _source(view: View) -> Record:
    partitions: Counter[str] = Counter(s.partition.topic for s in view.source.partitions)
    lags: dict[str, int | None] = {}
    for status in view.source.partitions:
        before = lags.get(status.partition.topic, 0)
        lags[status.partition.topic] = None if before is None or status.lag is None else before + status.lag
    topics = [
        {
            "topic": label(topic),
            "partitions": n,
            "lag_records": lags[topic],
            "events_consumed": view.counters.consumed[topic],
            "last_event_at": _time(view.event_time_s.get(topic)),
        }
        for topic, n in list(partitions.items())[:MAX_TOPICS]
    ]
    skipped = {label(reason): n for reason, n in view.source.skipped.items()}
    return {"connected": view.source.connected, "topics": topics, "skipped": skipped}


def _events(view: View) -> Record:
    return {
        "consumed": view.counters.consumed.total(),
        "accepted": view.counters.accepted.total(),
        "labels": view.counters.labels,
        "rejected": by_reason(view.counters.rejected),
    }


def _model(view: View, key: ModelKey) -> Record:
    baseline = view.baselines[key]
    return {
        "model": label(key.model),
        "version": label(key.version),
        "baseline_sha256": baseline.digest,
        "baseline_built_at": baseline.provenance.built_at,
        "baseline_rows": baseline.n_events,
        "events_accepted": view.counters.accepted[key],
        "alerts_firing": sum(t.key == key for t in view.firing),
        "windows": [_window(judged) for (of, _), judged in view.judged.items() if of == key],
    }


def _window(judged: Judged) -> Record:
    """Return a window as a whole, of the slice `all`."""
    evaluation = judged.evaluation
    states = Counter(judged.state[0].tolist())
    return {
        "window_s": evaluation.window.length_s,
        "window_start": _time(evaluation.window.start_s),
        "window_end": _time(evaluation.window.end_s),
        "n": int(evaluation.n[0]),
        "state": State(int(judged.dataset_state[0])).label,
        "drifted_ratio": number(float(evaluation.drifted_ratio[0])),
        "features": {state.label: states[int(state)] for state in State},
    }


_Found = tuple[tuple[Any, ...], Judged, int, int]
"""Order, window, slice row, feature index."""


def _features(view: View) -> Iterator[_Found]:
    """Return each feature that is not ok, in the window that shows it most; the worst are first in order."""
    best: dict[tuple[ModelKey, str, str], _Found] = {}
    for n, judged in enumerate(view.judged.values()):
        evaluation = judged.evaluation
        excess = evaluation.excess.max(axis=0, initial=0.0)
        for row, f in np.argwhere(judged.state >= State.WARNING).tolist():
            place = (evaluation.key, evaluation.slices[row], evaluation.features.names[f])
            order = (-int(judged.state[row, f]), row > 0, -float(excess[row, f]), place, n)
            if place not in best or order < best[place][0]:
                best[place] = (order, judged, row, f)
    yield from best.values()


def _feature(view: View, judged: Judged, row: int, f: int) -> Record:
    evaluation = judged.evaluation
    name, slice_name = evaluation.features.names[f], evaluation.slices[row]
    statistic = evaluation.worst_statistic(row, f)
    value, threshold = numbers_of(evaluation, statistic, row, f)
    alert = next(
        (t for t in view.firing if (t.key, t.slice, t.feature) == (evaluation.key, slice_name, name)), None
    )
    since_s = None if alert is None else alert.starts_at_s if alert.onset_s is None else alert.onset_s
    return {
        "model": label(evaluation.key.model),
        "version": label(evaluation.key.version),
        "slice": label(slice_name),
        "feature": label(name),
        "window_s": evaluation.window.length_s,
        "state": State(int(judged.state[row, f])).label,
        "statistic": statistic,
        "value": number(value),
        "threshold": number(threshold),
        "since": _time(since_s),
        "cause": None if alert is None else alert.kind,
    }


def alert_as_told(t: Transition) -> Record:
    """Return an alert with names and texts that print."""
    record = {name: value for name, value in alert_record(t).items() if name not in ("type", "ends_at")}
    for name in ("model", "version", "slice", "feature"):
        record[name] = None if record[name] is None else label(record[name])
    record["message"] = None if t.message is None else _cut(t.message)
    record["moved_with"] = [label(name) for name in t.moved_with]
    for contributor in record["contributors"]:
        contributor["bin"] = label(contributor["bin"])
    return record
