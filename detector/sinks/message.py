"""An alert as one JSON message for programs: what the alerts topic carries, and webhooks as `details`.

The types below are the schema: docs/alert-message.schema.json is generated from them.
"""

import math
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from detector.action import Action
from detector.alerts import Severity
from detector.drift.contributors import Contributor
from detector.drift.explanation import Shape
from detector.notice import FeatureNow, Notice
from detector.sinks.words import MAX_TEXT, description, printable, summary
from detector.times import format_time

Time = Annotated[str, Meta(description="RFC 3339, in UTC; event time")]


class _Fixed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of a message: every field is always there."""


class ContributorPart(_Fixed, frozen=True):
    """A bin or category whose share of the events changed."""

    bin: str
    reference: Annotated[float, Meta(description="share of the events in training, 0 to 1")]
    current: Annotated[float, Meta(description="share of the events in the window, 0 to 1")]


class FeaturePart(_Fixed, frozen=True):
    """A feature that is not ok in the window of the alert."""

    feature: str
    role: Literal["feature", "prediction"]
    state: Literal["warning", "drift"]
    statistic: str | None
    value: float | None
    threshold: float | None
    contributors: list[ContributorPart]


class AlertMessage(_Fixed, frozen=True):
    """An alert that begins or ends."""

    schema_version: Literal[1]
    idempotency_key: Annotated[
        str, Meta(description="the same for every repeat of this message, and for no other message")
    ]
    id: Annotated[str, Meta(description="the same for the beginning and the end of one alert")]
    status: Literal["firing", "resolved"]
    alert: str
    severity: Severity
    suggested_action: Annotated[Action, Meta(description="docs/retraining.md has the rule")]
    model: str
    version: str
    slice: Annotated[str, Meta(description="`all`, or a subset such as country=DE")]
    feature: Annotated[str | None, Meta(description="null: the model version as a whole")]
    statistic: str | None
    value: float | None
    threshold: float | None
    peak: Annotated[float | None, Meta(description="largest value since the alert began")]
    window_s: float
    window_start: Time
    window_end: Time
    starts_at: Time
    ends_at: Time | None
    onset: Time | None
    shape: Shape
    kind: Annotated[str | None, Meta(description="kind of anomaly, or cause of the drift where it is known")]
    message: Annotated[str | None, Meta(description="the cause in words")]
    moved_with: Annotated[list[str], Meta(description="features that drift together with it")]
    summary: str
    description: str
    contributors: list[ContributorPart]
    n_features: Annotated[int, Meta(description="features of the model version")]
    n_drifting: Annotated[int, Meta(description="how many of them drift in this window and slice")]
    features: Annotated[list[FeaturePart], Meta(description="those not ok, furthest first, at most 20")]
    baseline_sha256: str


def message_of(notice: Notice) -> AlertMessage:
    """Return what programs are told of an alert."""
    t = notice.transition
    return AlertMessage(
        schema_version=1,
        idempotency_key=notice.idempotency_key,
        id=t.id,
        status=t.status,
        alert=t.alert,
        severity=t.severity,
        suggested_action=notice.action,
        model=t.key.model,
        version=t.key.version,
        slice=t.slice,
        feature=t.feature,
        statistic=t.statistic,
        value=_number(t.value),
        threshold=_number(t.threshold),
        peak=_number(t.size.peak),
        window_s=t.window_s,
        window_start=format_time(notice.window_start_s),
        window_end=format_time(notice.window_end_s),
        starts_at=format_time(t.starts_at_s),
        ends_at=None if t.ends_at_s is None else format_time(t.ends_at_s),
        onset=None if t.onset_s is None else format_time(t.onset_s),
        shape=t.shape,
        kind=t.kind,
        message=None if t.message is None else printable(t.message, MAX_TEXT),
        moved_with=list(t.moved_with),
        summary=summary(t),
        description=description(notice),
        contributors=[_contributor(c) for c in t.contributors],
        n_features=notice.n_features,
        n_drifting=notice.n_drifting,
        features=[_feature(f) for f in notice.features],
        baseline_sha256=notice.baseline_sha256,
    )


def encode(value: object) -> bytes:
    """Return anything of messages as JSON; text that is no Unicode is replaced, not refused."""
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        return msgspec.json.encode(_mended(msgspec.to_builtins(value)))


def _mended(value: object) -> object:
    match value:
        case str():
            return value.encode("utf-8", "replace").decode()
        case dict():
            return {_mended(k): _mended(v) for k, v in value.items()}
        case list():
            return [_mended(v) for v in value]
        case _:
            return value


def _feature(f: FeatureNow) -> FeaturePart:
    return FeaturePart(
        f.name,
        "prediction" if f.role == "prediction" else "feature",
        "drift" if f.state.label == "drift" else "warning",
        f.statistic,
        _number(f.value),
        _number(f.threshold),
        [_contributor(c) for c in f.contributors],
    )


def _contributor(c: Contributor) -> ContributorPart:
    return ContributorPart(printable(c.bin), c.reference, c.current)


def _number(x: float | None) -> float | None:
    return None if x is None or not math.isfinite(x) else x
