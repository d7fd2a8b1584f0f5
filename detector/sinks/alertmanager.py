"""Alerts to Prometheus Alertmanager, which groups, silences, inhibits and routes them.

An alert that fires is sent again every `resend`, because Alertmanager ends what it no longer hears of;
each time it is said to last four times as long, as Prometheus does. So when the detector is gone its
alerts end by themselves. The members of a cluster do not pass alerts on: each is sent all of them.
"""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from detector.brokers import listed
from detector.clock import Clock
from detector.kinds import Kind
from detector.notice import Notice
from detector.sinks.base import sinks
from detector.sinks.delivery import MAX_BATCH, QueuedSink, Receiver
from detector.sinks.http_post import HttpSettings, Poster
from detector.sinks.message import encode
from detector.sinks.postable import Postable
from detector.sinks.settings import Wait, link
from detector.times import format_time, parse_duration
from detector.tree import Tree, list_of, record_of, record_tree

LASTS_RESENDS = 4


def _base(url: str) -> str:
    if "?" in url or "#" in url:
        raise ValueError("more than an address; write it like http://alertmanager:9093")
    return link(url)


class AlertmanagerSettings(HttpSettings):
    """Where the Alertmanagers are."""

    kind: Literal["alertmanager"] = "alertmanager"
    urls: Annotated[
        tuple[Annotated[str, AfterValidator(_base)], ...], BeforeValidator(listed), Field(min_length=1)
    ]
    """Every member of a cluster."""
    resend: Wait = "1m"
    """How often an alert that fires is sent again."""


class AlertmanagerReceiver(Receiver):
    """One Alertmanager."""

    def __init__(self, settings: AlertmanagerSettings, url: str, clock: Clock) -> None:
        address = url.rstrip("/") + "/api/v2/alerts"
        self._poster = Poster(settings, lambda: address, clock)
        self._links = settings.links
        self._clock = clock
        self._resend_s = parse_duration(settings.resend)
        self._due_s = clock.monotonic_s()
        self._firing: dict[str, Notice] = {}
        """What this Alertmanager was told and has not ended; bounded as the alerts that fire are."""

    def deliver(self, notices: Sequence[Notice]) -> None:
        """Send a batch."""
        self._post(notices)

    def delivered(self, notices: Sequence[Notice]) -> None:
        """Remember what fires."""
        if not self._firing:
            self._due_s = self._clock.monotonic_s() + self._resend_s
        for notice in notices:
            t = notice.transition
            if t.status == "firing":
                self._firing[t.id] = notice
            else:
                self._firing.pop(t.id, None)

    def forget(self) -> None:
        """Send nothing again."""
        self._firing = {}

    def remind(self, pending: frozenset[str]) -> float:
        """Send again what fires; an alert of which there is news waits for that."""
        now_s = self._clock.monotonic_s()
        if self._due_s <= now_s:
            self._due_s = now_s + self._resend_s
            again = [notice for name, notice in self._firing.items() if name not in pending]
            for i in range(0, len(again), MAX_BATCH):
                self._post(again[i : i + MAX_BATCH])
        return self._due_s - now_s if self._firing else float("inf")

    def remember(self) -> Tree:
        """Return what fires here: it has to be sent again and again."""
        return [record_tree(notice) for notice in tuple(self._firing.values())]

    def recall(self, tree: Tree) -> None:
        """Remind of what fired, at once.

        Raises:
            ValueError: the tree is nothing such.
        """
        notices = [record_of(Notice, item) for item in list_of(tree)]
        self._firing = {notice.transition.id: notice for notice in notices}

    def _post(self, notices: Sequence[Notice]) -> None:
        now_s = self._clock.now_s()
        until = format_time(now_s + LASTS_RESENDS * self._resend_s)
        alerts = [Postable.of(notice, self._links, now_s).for_api(until) for notice in notices]
        self._poster.post(encode(alerts), {})


def open_sink(settings: AlertmanagerSettings, clock: Clock) -> QueuedSink:
    """Begin to send to each Alertmanager.

    Raises:
        ConfigError: a file cannot be used.
    """
    receivers = [AlertmanagerReceiver(settings, url, clock) for url in settings.urls]
    return QueuedSink(settings, receivers, clock, group=lambda _: None)


sinks.add("alertmanager", Kind(AlertmanagerSettings, open_sink))
