"""From a view to metric families."""

import math
import platform
from collections import Counter
from collections.abc import Callable
from datetime import datetime

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric

from detector import __version__
from detector.alerts import ALERTS, SCHEMA_ALERT
from detector.baseline.variation import DAY_S
from detector.batch import LOSS_REASONS, REJECT_REASONS, Floats
from detector.counters import SHED
from detector.metrics.labels import label
from detector.metrics.names import EVALUATED, RUNNING, ExportPolicy, Family
from detector.times import format_duration
from detector.view import View

Add = Callable[[str, tuple[str, ...], float], None]

RATIO_FAMILIES = {
    "missing": "drift_feature_missing_ratio",
    "unseen": "drift_feature_unseen_ratio",
    "outside": "drift_feature_out_of_range_ratio",
    "type_mismatch": "drift_feature_type_mismatch_ratio",
}
"""Rates that have a family of their own beside `drift_feature_distance`."""


def evaluated_families(view: View, policy: ExportPolicy) -> list[Metric]:
    """Return the families that change with an evaluation; a standby has no such series."""

    def fill(add: Add) -> None:
        if view.is_active:
            _add_features(view, add)
            _add_evaluated(view, policy, add)
            _add_anomalies(view, add)

    return _families(EVALUATED, fill)


def running_families(view: View, n_series: int, max_series: int) -> list[Metric]:
    """Return the families that change all the time; of a standby those that are of the program.

    What was counted is absent there: it would jump when the duty is taken over, and rates with it.
    """

    def fill(add: Add) -> None:
        add("drift_exported_series", (), n_series)
        add("drift_exported_series_limit", (), max_series)
        add("drift_build", (__version__, platform.python_version()), 1)
        _add_config(view, add)
        add("drift_ready", (), view.ready)
        add("drift_active", (), view.is_active)
        if view.group:
            add("drift_replica", (view.group,), 1)
        if view.is_active:
            _add_source(view, add)
            _add_counters(view, add)
            _add_models(view, add)
            _add_state(view, add)
        _add_sinks(view, add)
        _add_dead_letters(view, add)

    return _families(RUNNING, fill)


def _families(wanted: tuple[Family, ...], fill: Callable[[Add], None]) -> list[Metric]:
    families: dict[str, Metric] = {family.name: _family(family) for family in wanted}

    def add(name: str, values: tuple[str, ...], value: float) -> None:
        # A number that does not exist is an absent series, not NaN: alerts on NaN never fire.
        if math.isfinite(value):
            family = families[name]
            if isinstance(family, InfoMetricFamily):
                family.add_metric((), dict(zip(_labels[name], map(label, values), strict=True)))
            else:
                family.add_metric([label(v) for v in values], value)  # type: ignore[attr-defined]

    _labels = {family.name: family.labels for family in wanted}
    fill(add)
    return list(families.values())


def _family(family: Family) -> Metric:
    if family.type == "info":
        return InfoMetricFamily(family.name, family.help)
    kind = CounterMetricFamily if family.type == "counter" else GaugeMetricFamily
    return kind(family.name, family.help, labels=family.labels)


def _add_features(view: View, add: Add) -> None:
    for key, baseline in view.baselines.items():
        for feature in baseline.features.all:
            add("drift_feature", (*key, feature.name, feature.role, feature.type), 1)


def _add_evaluated(view: View, policy: ExportPolicy, add: Add) -> None:
    for (key, length_s), judged in view.judged.items():
        evaluation, window = judged.evaluation, format_duration(length_s)
        features = [label(name) for name in evaluation.features.names]
        for row, slice_name in enumerate(evaluation.slices):
            whole = (*key, slice_name, window)
            add("drift_dataset_state", whole, int(judged.dataset_state[row]))
            add("drift_dataset_drifted_features_ratio", whole, float(evaluation.drifted_ratio[row]))
            add("drift_window_samples", whole, int(evaluation.n[row]))
            for feature, state in zip(features, judged.state[row].tolist(), strict=True):
                add("drift_feature_state", (*key, feature, slice_name, window), state)
            for name, found in evaluation.statistics.items():
                columns: list[tuple[str, Floats, tuple[str, ...]]] = [
                    ("drift_feature_distance", found.value, (name,)),
                    ("drift_feature_threshold", found.threshold, (name,)),
                    ("drift_feature_p_value_ratio", found.p_value, (name,)),
                ]
                if not policy.exports(name):
                    columns.clear()
                if name in RATIO_FAMILIES:
                    columns.append((RATIO_FAMILIES[name], found.value, ()))
                for family, values, more in columns:
                    for feature, value in zip(features, values[row].tolist(), strict=True):
                        add(family, (*key, feature, slice_name, window, *more), value)


def _add_anomalies(view: View, add: Add) -> None:
    broken = {(t.key, t.feature, t.kind) for t in view.firing if t.alert == SCHEMA_ALERT}
    for (key, _), judged in view.judged.items():
        # A warning fires no alert, so it must not make Prometheus fire one.
        broken |= {(key, a.feature, a.kind) for a in judged.anomalies if a.severity == "error"}
    # The names of new columns come from events: they are no label values.
    broken |= {(key, "", kind) for key, _, kind in broken if kind == "SCHEMA_NEW_COLUMN"}
    for key, pairs in view.possible_anomalies.items():
        for feature, kind in pairs:
            add("drift_feature_anomaly", (*key, feature, kind), (key, feature, kind) in broken)


def _add_config(view: View, add: Add) -> None:
    config = view.config
    add("drift_config", (config.sha256,), 1)
    add("drift_config_last_reload_successful", (), config.is_successful)
    if config.loaded_s is not None:
        add("drift_config_last_reload_success_timestamp_seconds", (), config.loaded_s)
    add("drift_config_restart_required", (), bool(config.after_restart))


def _add_source(view: View, add: Add) -> None:
    add("drift_source_connected", (), view.source.connected)
    for status in view.source.partitions:
        place = (status.partition.topic, str(status.partition.number))
        add("drift_consumer_position_offset", place, status.position)
        if status.lag is not None:
            add("drift_consumer_lag_records", place, status.lag)
    for reason, n in sorted(view.source.skipped.items()):
        add("drift_source_skipped_records", (reason,), n)
    add("drift_source_restarts", (), view.source.restarts)
    add("drift_watermark_timestamp_seconds", (), view.watermark_s)
    for topic, seconds in view.event_time_s.items():
        add("drift_last_event_timestamp_seconds", (topic,), seconds)


def _add_counters(view: View, add: Add) -> None:
    counters = view.counters
    # Every series exists from the start: a rate over a counter that just appeared misses its first events.
    topics = {status.partition.topic for status in view.source.partitions} | set(counters.consumed)
    topics |= {topic for topic, _ in counters.lost}
    for topic in sorted(topics):
        add("drift_events_consumed", (topic,), counters.consumed[topic])
        add("drift_late_events", (topic,), counters.rejected[topic, "late"])
        for reason in REJECT_REASONS:
            add("drift_events_rejected", (topic, reason), counters.rejected[topic, reason])
        others = (reason for of, reason in counters.lost if of == topic)
        for reason in dict.fromkeys((*LOSS_REASONS, *others)):
            add("drift_lost_records", (topic, reason), counters.lost[topic, reason])
    add("drift_label_events", (), counters.labels)
    for what in SHED:
        add("drift_shed", (what,), counters.shed[what])


def _add_models(view: View, add: Add) -> None:
    counters = view.counters
    for (key, length_s), judged in view.judged.items():
        window = judged.evaluation.window
        add("drift_window_complete", (*key, format_duration(length_s)), window.is_complete)
    for key, baseline in view.baselines.items():
        add("drift_events_accepted", key, counters.accepted[key])
        for outcome in ("ok", "insufficient"):
            add("drift_evaluations", (*key, outcome), counters.evaluations[key, outcome])
        for alert in ALERTS:
            add("drift_alerts_fired", (*key, alert), counters.alerts_fired[key, alert])
        add("drift_alerts_firing", key, sum(alert.key == key for alert in view.firing))
        if view.last_evaluation_s is not None:
            add("drift_last_evaluation_timestamp_seconds", key, view.last_evaluation_s)
        add("drift_baseline", (*key, baseline.digest), 1)
        add("drift_baseline_samples", key, baseline.n_events)
        if key in view.knowledge:
            add("drift_natural_variation_seconds", key, view.knowledge[key].days * DAY_S)
        built = datetime.fromisoformat(baseline.provenance.built_at)
        add("drift_baseline_created_timestamp_seconds", key, built.timestamp())


def _add_sinks(view: View, add: Add) -> None:
    # Sinks of one name are one series.
    totals: dict[str, Counter[str]] = {}
    for status in view.sinks:
        counts = {"sent": status.sent, "failed": status.failed, "dropped": status.dropped}
        totals.setdefault(status.name, Counter()).update(counts | {"queued": status.queued})
    for name, total in totals.items():
        for outcome in ("sent", "failed", "dropped"):
            add("drift_alert_notifications", (name, outcome), total[outcome])
        add("drift_alert_notifications_queued", (name,), total["queued"])


def _add_dead_letters(view: View, add: Add) -> None:
    status = view.dead_letters
    if status is None:
        return
    for outcome, n in (("sent", status.sent), ("failed", status.failed), ("dropped", status.dropped)):
        add("drift_dead_letters", (outcome,), n)
    add("drift_dead_letters_queued", (), status.queued)


def _add_state(view: View, add: Add) -> None:
    state = view.state
    if state is None:
        return
    add("drift_snapshot_failures", (), state.n_failed)
    add("drift_snapshot_damaged", (), state.n_damaged)
    if state.last_s is not None:
        add("drift_snapshot_timestamp_seconds", (), state.last_s)
        add("drift_snapshot_size_bytes", (), state.size_bytes)
        add("drift_snapshot_duration_seconds", (), state.duration_s)
