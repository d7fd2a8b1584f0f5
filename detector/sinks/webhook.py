"""Alerts to any HTTP receiver, in the body that Alertmanager's own webhooks have (version 4).

What is sent together is of one model version. The header `Idempotency-Key` is the same at every
attempt: that of the alert, or of all alerts together where there are several.
"""

import hashlib
from collections.abc import Sequence
from typing import Literal

from detector.clock import Clock
from detector.kinds import Kind
from detector.notice import Notice
from detector.sinks.base import sinks
from detector.sinks.delivery import QueuedSink, Receiver
from detector.sinks.http_post import Poster, SecretAddress
from detector.sinks.message import encode
from detector.sinks.postable import Postable
from detector.sinks.settings import Links

GROUP_LABELS = ("model", "version")


class WebhookSettings(SecretAddress):
    """Where the receiver is."""

    kind: Literal["webhook"] = "webhook"


class WebhookReceiver(Receiver):
    """One receiver of webhooks."""

    def __init__(self, settings: WebhookSettings, clock: Clock) -> None:
        self._poster = Poster(settings, settings.address, clock)
        self._settings = settings
        self._clock = clock

    def deliver(self, notices: Sequence[Notice]) -> None:
        """Send a batch."""
        body = webhook_body(notices, self._settings.links, self._settings.label, self._clock.now_s())
        self._poster.post(encode(body), {"Idempotency-Key": key_of(notices)})


def webhook_body(notices: Sequence[Notice], links: Links, receiver: str, now_s: float) -> dict[str, object]:
    """Return the body that tells of alerts of one model version.

    Source: `webhook.Message` and `template.Data` of prometheus/alertmanager.
    """
    alerts = [Postable.of(notice, links, now_s) for notice in notices]
    group = {name: alerts[0].labels.get(name, "") for name in GROUP_LABELS}
    pairs = ", ".join(f'{name}="{_escaped(value)}"' for name, value in group.items())
    return {
        "receiver": receiver,
        "status": "firing" if any(a.status == "firing" for a in alerts) else "resolved",
        "alerts": [alert.for_webhook() for alert in alerts],
        "groupLabels": group,
        "commonLabels": _common([alert.labels for alert in alerts]),
        "commonAnnotations": _common([alert.annotations for alert in alerts]),
        "externalURL": links.page_url or "",
        "version": "4",
        "groupKey": f"{{}}:{{{pairs}}}",
        "truncatedAlerts": 0,
    }


def model_version(notice: Notice) -> object:
    """Return what alerts that are told together have in common."""
    return notice.transition.key


def key_of(notices: Sequence[Notice]) -> str:
    """Return what makes a batch recognisable when it comes again."""
    keys = [notice.idempotency_key for notice in notices]
    return keys[0] if len(keys) == 1 else "drift-" + hashlib.sha256("".join(keys).encode()).hexdigest()[:32]


def _common(of_alerts: list[dict[str, str]]) -> dict[str, str]:
    first, *others = of_alerts
    return {k: v for k, v in first.items() if all(other.get(k) == v for other in others)}


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')


def open_sink(settings: WebhookSettings, clock: Clock) -> QueuedSink:
    """Begin to send.

    Raises:
        ConfigError: a file cannot be used.
    """
    return QueuedSink(settings, [WebhookReceiver(settings, clock)], clock, model_version)


sinks.add("webhook", Kind(WebhookSettings, open_sink))
