"""The shape of `GET /api/v1/status`; `detector.web.status` makes it."""

from collections.abc import Mapping, Sequence

from detector.web.api.alerts import AlertFields
from detector.web.api.answers import Answer, Number, StateName, Time
from detector.web.api.models import StateCounts


class ConfigStatusAnswer(Answer):
    """Which configuration is in force."""

    sha256: str
    """Of its file."""
    loaded_at: Time
    reload_error: str | None
    """What kept a newer one from being in force."""
    after_restart: Sequence[str]
    """Sections whose new settings take effect after a restart."""


class TopicStatus(Answer):
    """One topic that is read."""

    topic: str
    partitions: int
    lag_records: int | None
    events_consumed: int
    last_event_at: Time
    """Largest event time."""


class SourceStatusAnswer(Answer):
    """Where events come from."""

    connected: bool
    topics: Sequence[TopicStatus]
    skipped: Mapping[str, int]
    """Records that could not be fetched, by reason."""


class Events(Answer):
    """What became of events."""

    consumed: int
    accepted: int
    labels: int
    rejected: Mapping[str, int]
    """By reason."""


class WindowStatus(Answer):
    """The latest evaluation of one window length."""

    window_s: float
    window_start: Time
    window_end: Time
    n: int
    state: StateName
    drifted_ratio: Number
    features: StateCounts


class ModelStatus(Answer):
    """One model version."""

    model: str
    version: str
    baseline_sha256: str
    baseline_built_at: str
    baseline_rows: int
    events_accepted: int
    alerts_firing: int
    windows: Sequence[WindowStatus]


class FeatureStatus(Answer):
    """One feature that is not ok."""

    model: str
    version: str
    slice: str
    feature: str
    window_s: float
    state: StateName
    statistic: str | None
    value: Number
    threshold: Number
    since: Time
    cause: str | None


class Status(Answer):
    """What stands how. Lists hold the first of what there is; `*_total` says how many there are."""

    version: str
    """Of the detector."""
    at: Time
    uptime_s: float
    ready: bool
    active: bool
    """Whether this instance reads and judges; a replica that stands by does not."""
    config: ConfigStatusAnswer
    source: SourceStatusAnswer
    events: Events
    watermark: Time
    """Event time up to which windows are complete."""
    last_evaluation_at: Time
    models: Sequence[ModelStatus]
    models_total: int
    features: Sequence[FeatureStatus]
    """Those that are not ok, the worst first."""
    features_total: int
    alerts: Sequence[AlertFields]
    """Those that fire."""
    alerts_total: int


class NotReady(Answer):
    """Nothing has been read yet."""

    ready: bool
