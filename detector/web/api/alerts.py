"""Alerts: those that fire, and the last ones that are over."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Literal

from pydantic import Field

from detector.alerts import Transition
from detector.times import format_duration, format_time
from detector.view import View
from detector.web.api.answers import Answer, Id, ModelId, Number, Page, Time, Window, id_of
from detector.web.api.asking import OfAlerts
from detector.web.slugs import slug
from detector.web.status import alert_as_told


class ContributorAnswer(Answer):
    """One bin that changed."""

    bin: str
    reference: float
    """Its share in training."""
    current: float


class AlertFields(Answer):
    """One alert, as `status` tells it."""

    status: Literal["firing", "resolved"]
    alert: str = Field(examples=["DriftFeatureDrifted"])
    severity: Literal["critical", "warning"]
    model: str
    version: str
    slice: str
    feature: str | None
    """null: the model as a whole, or the data set."""
    window_s: float
    """Length of the window that raised it."""
    statistic: str | None
    value: Number
    threshold: Number
    starts_at: str
    shape: str
    """sudden, gradual or unknown."""
    unsure: bool
    """Whether it was not known yet how these data vary by themselves."""
    onset: Time
    """When the change began."""
    value_now: Number
    threshold_now: Number
    peak: Number
    contributors: Sequence[ContributorAnswer]
    """What changed most; nothing of a sensitive feature."""
    kind: str | None
    """Kind of anomaly; of drift the cause where it is known."""
    message: str | None
    moved_with: Sequence[str]
    """Features that drift together with it."""


class AlertAnswer(AlertFields):
    """One alert."""

    id: str
    """The same for as long as it fires and once it is over, and of no other."""
    model_id: ModelId
    slice_id: Id
    feature_id: Id | None
    window: Window
    ends_at: Time
    """null while it fires."""


class AlertPage(Page[AlertAnswer]):
    """Some of the alerts, the newest first."""


def alerts_answer(view: View, asked: OfAlerts) -> AlertPage:
    """Return some of the alerts, those that began last first."""
    alerts = [
        t for t in (*view.firing, *view.past) if asked.status in (None, t.status) and asked.are_of(t.key)
    ]
    alerts.sort(key=lambda t: (-t.starts_at_s, t.id))
    some = alerts[asked.offset : asked.offset + asked.limit]
    return AlertPage(
        items=[_alert(view, t) for t in some], total=len(alerts), offset=asked.offset, limit=asked.limit
    )


def _alert(view: View, t: Transition) -> AlertAnswer:
    record = alert_as_told(t)
    # One that began before its feature was marked still holds what it was told with.
    if _is_sensitive(view, t):
        record |= {"contributors": [], "message": None}
    return AlertAnswer(
        **record,
        id=sha256(t.id.encode("utf-8", "surrogatepass")).hexdigest()[:16],
        model_id=id_of(t.key),
        slice_id=slug(t.slice),
        feature_id=None if t.feature is None else slug(t.feature),
        window=format_duration(t.window_s),
        ends_at=None if t.ends_at_s is None else format_time(t.ends_at_s),
    )


def _is_sensitive(view: View, t: Transition) -> bool:
    judge = view.judges.get(t.key)
    return judge is not None and t.feature is not None and bool(judge.policy.of(t.feature).sensitive)
