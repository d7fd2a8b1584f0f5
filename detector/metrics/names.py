"""Every metric family: name, type, labels and help text, in one list.

Labels take their values from the configuration and the baselines only, never from events, so the
number of series is known before the first event. `instance`, `pod` and `job` are the scraper's.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Family:
    """One metric family."""

    name: str
    type: Literal["gauge", "counter", "histogram", "info"]
    labels: tuple[str, ...]
    help: str


@dataclass(frozen=True, slots=True)
class ExportPolicy:
    """How much is exported."""

    max_series: int = 20_000
    """More series of evaluated families than this are refused when the configuration is loaded."""
    statistics: tuple[str, ...] | None = None
    """The statistics with series of their own; None for all."""

    def exports(self, statistic: str) -> bool:
        """Whether a statistic has series of its own."""
        return self.statistics is None or statistic in self.statistics


_MODEL = ("model", "version")
_WHOLE = (*_MODEL, "slice", "window")
_FEATURE = (*_MODEL, "feature", "slice", "window")

EVALUATED = (
    Family("drift_feature", "info", (*_MODEL, "feature", "role", "type"),
           "What a feature is: role feature or prediction, type int, float, string or bool."),
    Family("drift_feature_distance", "gauge", (*_FEATURE, "statistic"),
           "Value of a statistic between the window and the baseline."),
    Family("drift_feature_threshold", "gauge", (*_FEATURE, "statistic"),
           "What the statistic is held against; absent where it does not decide."),
    Family("drift_feature_p_value_ratio", "gauge", (*_FEATURE, "statistic"),
           "Chance of a value as large without drift, for statistics that have one."),
    Family("drift_feature_state", "gauge", _FEATURE,
           "State as alerts see it: -1 too few events, 0 ok, 1 warning, 2 drift."),
    Family("drift_feature_missing_ratio", "gauge", _FEATURE,
           "Share of events without a value."),
    Family("drift_feature_unseen_ratio", "gauge", _FEATURE,
           "Share of events with a category that training data never had."),
    Family("drift_feature_out_of_range_ratio", "gauge", _FEATURE,
           "Share of events with a number outside the training range."),
    Family("drift_feature_type_mismatch_ratio", "gauge", _FEATURE,
           "Share of events with a value of another type."),
    Family("drift_feature_anomaly", "gauge", (*_MODEL, "feature", "kind"),
           "1 while a window breaks this rule of the schema (errors only), else 0; no feature: new columns."),
    Family("drift_dataset_state", "gauge", _WHOLE,
           "State of the model version as a whole: -1 too few events, 0 ok, 1 warning, 2 drift."),
    Family("drift_dataset_drifted_features_ratio", "gauge", _WHOLE,
           "Share of the judged features that drift."),
    Family("drift_window_samples", "gauge", _WHOLE,
           "Events in the window."),
)  # fmt: skip
"""Rendered once for each evaluation: their number grows with features, slices and windows."""

RUNNING = (
    Family("drift_events_consumed", "counter", ("topic",), "Records read."),
    Family("drift_events_rejected", "counter", ("topic", "reason"), "Records that were no usable event."),
    Family("drift_late_events", "counter", ("topic",), "Events whose pane had closed; also in rejected."),
    Family("drift_events_accepted", "counter", _MODEL, "Events counted into windows."),
    Family("drift_lost_records", "counter", ("topic", "reason"),
           "Records that can never be read, as far as their number is known."),
    Family("drift_shed", "counter", ("what",),
           "What went because there was too much of it: open_panes, new_columns or departed_versions."),
    Family("drift_window_complete", "gauge", (*_MODEL, "window"),
           "Whether every event of the latest window could be read: 0 if some were lost."),
    Family("drift_label_events", "counter", (), "Records that only brought the label of an earlier event."),
    Family("drift_consumer_lag_records", "gauge", ("topic", "partition"), "Records not read yet."),
    Family("drift_consumer_position_offset", "gauge", ("topic", "partition"), "Offset of the next record."),
    Family("drift_source_connected", "gauge", (), "Whether the last contact with the source was fine."),
    Family("drift_source_skipped_records", "counter", ("reason",), "Records that could not be fetched."),
    Family("drift_source_restarts", "counter", (),
           "Connections made anew because a partition stood still."),
    Family("drift_watermark_timestamp_seconds", "gauge", (), "Event time up to which windows are closed."),
    Family("drift_last_event_timestamp_seconds", "gauge", ("topic",), "Largest event time seen."),
    Family("drift_last_evaluation_timestamp_seconds", "gauge", _MODEL, "Wall time of the latest evaluation."),
    Family("drift_evaluations", "counter", (*_MODEL, "outcome"), "Evaluated windows: ok or insufficient."),
    Family("drift_alerts_fired", "counter", (*_MODEL, "alert"), "Alerts that began."),
    Family("drift_alerts_firing", "gauge", _MODEL, "Alerts that fire now."),
    Family("drift_alert_notifications", "counter", ("sink", "outcome"),
           "Alerts told to a sink: sent, failed (given up) or dropped (its queue was full)."),
    Family("drift_alert_notifications_queued", "gauge", ("sink",), "Those that wait for the receiver."),
    Family("drift_dead_letters", "counter", ("outcome",),
           "Rejected records sent on: sent, failed (refused by the brokers), dropped (the queue was full)."),
    Family("drift_dead_letters_queued", "gauge", (), "Those that wait for the brokers."),
    Family("drift_baseline", "info", (*_MODEL, "sha256"), "The baseline in use."),
    Family("drift_baseline_created_timestamp_seconds", "gauge", _MODEL, "When the baseline was built."),
    Family("drift_baseline_samples", "gauge", _MODEL, "Training rows in the baseline."),
    Family("drift_natural_variation_seconds", "gauge", _MODEL,
           "Span of the data that tell how they vary; from the stream, below a week is a guess."),
    Family("drift_config", "info", ("sha256",), "The configuration file in force."),
    Family("drift_config_last_reload_successful", "gauge", (),
           "Whether the last attempt to read it again was a success; if not, the old one is in force."),
    Family("drift_config_last_reload_success_timestamp_seconds", "gauge", (),
           "Wall time of the last success; at first of the start."),
    Family("drift_config_restart_required", "gauge", (),
           "Whether the file holds settings that take effect after a restart only."),
    Family("drift_snapshot_timestamp_seconds", "gauge", (), "Wall time when state was last kept."),
    Family("drift_snapshot_size_bytes", "gauge", (), "Size of what was last kept."),
    Family("drift_snapshot_duration_seconds", "gauge", (),
           "Time it took to write that, beside the loop, which goes on meanwhile."),
    Family("drift_snapshot_failures", "counter", (), "Times that state could not be kept."),
    Family("drift_snapshot_damaged", "counter", (), "Kept states that were found damaged at the start."),
    Family("drift_build", "info", ("version", "python"), "The running program."),
    Family("drift_active", "gauge", (), "Whether this instance judges: 1, or 0 for a standby."),
    Family("drift_replica", "info", ("group",), "The group of which one instance is to be active, if any."),
    Family("drift_ready", "gauge", (), "Whether baselines are loaded and the source has been read."),
    Family("drift_exported_series", "gauge", (), "Series of evaluated families on this page."),
    Family("drift_exported_series_limit", "gauge", (), "What metrics.max_series allows."),
)  # fmt: skip
"""Rendered at each scrape: few."""

DURATION = Family(
    "drift_evaluation_duration_seconds", "histogram", _MODEL, "Time it took to judge one window."
)

DURATION_BUCKETS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0)
