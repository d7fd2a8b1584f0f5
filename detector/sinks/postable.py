"""An alert in the words of Prometheus Alertmanager: labels that identify it, annotations that explain it."""

from dataclasses import dataclass

from detector.alerts import SCHEMA_ALERT, Transition
from detector.notice import Notice
from detector.printable import distinct
from detector.sinks.message import encode, message_of
from detector.sinks.settings import Links
from detector.sinks.words import MAX_NAME, description, summary
from detector.times import format_time

NEVER = "0001-01-01T00:00:00Z"
"""How Alertmanager's webhooks write the end of what has not ended."""


def labels_of(t: Transition) -> dict[str, str]:
    """Return the labels: the same for both ends of an alert; those without a value are left out.

    Only of an anomaly is the kind part of what it is; the cause of a drift may become clear later.
    """
    labels = {
        "alertname": t.alert,
        "model": t.key.model,
        "version": t.key.version,
        "slice": t.slice,
        "feature": t.feature or "",
        "statistic": t.statistic or "",
        "severity": t.severity,
        "kind": (t.kind or "") if t.alert == SCHEMA_ALERT else "",
    }
    return {name: distinct(value, MAX_NAME) for name, value in labels.items() if value}


def annotations_of(notice: Notice, links: Links) -> dict[str, str]:
    """Return what explains an alert: for people, and (`details` and others) for programs."""
    t = notice.transition
    annotations = {
        "summary": summary(t),
        "description": description(notice),
        "suggested_action": notice.action,
        "cause": "" if t.kind is None or t.alert == SCHEMA_ALERT else t.kind,
        "window_start": format_time(notice.window_start_s),
        "window_end": format_time(notice.window_end_s),
        "baseline_sha256": notice.baseline_sha256,
        "idempotency_key": notice.idempotency_key,
        "runbook_url": links.runbook_url or "",
        "dashboard_url": links.dashboard_url or "",
        "page_url": links.page_url or "",
        "details": encode(message_of(notice)).decode(),
    }
    return {name: value for name, value in annotations.items() if value}


@dataclass(frozen=True, slots=True)
class Postable:
    """An alert as Alertmanager takes it (API v2) and gives it on (webhook version 4)."""

    status: str
    labels: dict[str, str]
    annotations: dict[str, str]
    starts_at: str
    ends_at: str | None
    generator_url: str

    @classmethod
    def of(cls, notice: Notice, links: Links, now_s: float) -> "Postable":
        """Take an alert; event time that is ahead of the clock counts as now."""
        t = notice.transition
        return cls(
            t.status,
            labels_of(t),
            annotations_of(notice, links),
            format_time(min(t.starts_at_s, now_s)),
            None if t.ends_at_s is None else format_time(min(t.ends_at_s, now_s)),
            links.page_url or "",
        )

    def for_api(self, until: str) -> dict[str, object]:
        """Return the body of `POST /api/v2/alerts`; what has not ended lasts `until`."""
        return {
            "labels": self.labels,
            "annotations": self.annotations,
            "startsAt": self.starts_at,
            "endsAt": self.ends_at or until,
            "generatorURL": self.generator_url,
        }

    def for_webhook(self) -> dict[str, object]:
        """Return it as one of the `alerts` of a webhook."""
        return {
            "status": self.status,
            "labels": self.labels,
            "annotations": self.annotations,
            "startsAt": self.starts_at,
            "endsAt": self.ends_at or NEVER,
            "generatorURL": self.generator_url,
            "fingerprint": fingerprint(self.labels),
        }


def fingerprint(labels: dict[str, str]) -> str:
    """Return what Alertmanager computes to tell alerts apart: FNV-1a, 64 bits, over the sorted labels.

    Source: `LabelSet.Fingerprint` of prometheus/common.
    """
    hashed = 14695981039346656037
    for name in sorted(labels):
        for byte in b"%b\xff%b\xff" % (name.encode(), labels[name].encode("utf-8", "replace")):
            hashed = ((hashed ^ byte) * 1099511628211) % (1 << 64)
    return f"{hashed:016x}"
