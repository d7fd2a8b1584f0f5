"""Alerts to Slack, or to anything that takes its incoming webhooks (Mattermost, Rocket.Chat)."""

from collections.abc import Sequence
from typing import Literal

from detector.clock import Clock
from detector.kinds import Kind
from detector.notice import Notice
from detector.sinks.base import sinks
from detector.sinks.delivery import QueuedSink, Receiver
from detector.sinks.http_post import Poster, SecretAddress
from detector.sinks.message import encode
from detector.sinks.settings import Links
from detector.sinks.webhook import key_of, model_version
from detector.sinks.words import description, summary

MAX_ALERTS = 10
"""Told one by one in a message; what else came with them is counted."""

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


class SlackSettings(SecretAddress):
    """Where the channel is."""

    kind: Literal["slack"] = "slack"


class SlackReceiver(Receiver):
    """One channel."""

    def __init__(self, settings: SlackSettings, clock: Clock) -> None:
        self._poster = Poster(settings, settings.address, clock)
        self._links = settings.links

    def deliver(self, notices: Sequence[Notice]) -> None:
        """Send a batch as one message."""
        body = encode({"text": text_of(notices, self._links)})
        self._poster.post(body, {"Idempotency-Key": key_of(notices)})


def text_of(notices: Sequence[Notice], links: Links) -> str:
    """Return one message in Slack's mrkdwn."""
    parts = [_part(notice) for notice in notices[:MAX_ALERTS]]
    if len(notices) > MAX_ALERTS:
        parts.append(f"... and {len(notices) - MAX_ALERTS} more.")
    named = {"Status": links.page_url, "Dashboard": links.dashboard_url, "Runbook": links.runbook_url}
    to_follow = [f"<{escaped(url)}|{name}>" for name, url in named.items() if url is not None]
    return "\n".join([*parts, *([" · ".join(to_follow)] if to_follow else [])])


def _part(notice: Notice) -> str:
    t = notice.transition
    head = f"*{t.severity.upper()}*" if t.status == "firing" else "*RESOLVED*"
    return f"{head} {escaped(summary(t))}\n{escaped(description(notice))}"


def escaped(text: str) -> str:
    """Return a text that mentions nobody and links nowhere: Slack's three control characters escaped.

    Source: "Formatting text for app surfaces", Slack API documentation.
    """
    return text.translate(_ESCAPES)


def open_sink(settings: SlackSettings, clock: Clock) -> QueuedSink:
    """Begin to send.

    Raises:
        ConfigError: a file cannot be used.
    """
    return QueuedSink(settings, [SlackReceiver(settings, clock)], clock, model_version)


sinks.add("slack", Kind(SlackSettings, open_sink))
