"""What each part says, told as it is said and remembered for the verdict."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.support.alertmanager import Notification, Notified
from tools.stack.parts import DETECTOR_SINK, Parts, Tell

DETECTOR, PROMETHEUS = "detector", "Prometheus"
WATCHDOG = "DriftDetectorWatchdog"
FIRING, RESOLVED = "firing", "resolved"


@dataclass(frozen=True, slots=True)
class Step:
    """An alert that begins or ends somewhere on the way."""

    at_s: float
    """On the clock of the run, in seconds since the day began to be sent."""
    hour: float
    """Hour of the day that had been sent by then."""
    place: str
    """The detector, Prometheus, or the path of a receiver."""
    status: str
    alert: str
    feature: str


@dataclass(slots=True)
class Watch:
    """Looks at every part again and again."""

    parts: Parts
    tell: Tell
    began_s: float = field(default_factory=time.monotonic)
    steps: list[Step] = field(default_factory=list)
    _n_seen: int = 0
    _status: dict[tuple[str, str, str], str] = field(default_factory=dict)

    def look(self, hour: float) -> None:
        """Take in what is new; `hour` of the day has been sent."""
        notifications = self.parts.inbox.notifications[self._n_seen :]
        self._n_seen += len(notifications)
        for notification in (n for n in notifications if n.alerts[0].path == DETECTOR_SINK):
            self._take(hour, DETECTOR, notification)
        self._ask_prometheus(hour)
        for notification in (n for n in notifications if n.alerts[0].path != DETECTOR_SINK):
            self._take(hour, notification.alerts[0].path, notification)

    def _take(self, hour: float, place: str, notification: Notification) -> None:
        """Tell of the alerts of a notification whose status is news there, in one line."""
        news = [a for a in notification.alerts if self._note(hour, place, a.status, a.labels)]
        if not news:
            return
        said = ", ".join(f"{a.status} {_name(a.labels)}{_reason(a)}" for a in news)
        if place == DETECTOR:
            self.tell(f"detector       {said}")
        else:
            group = " ".join(f"{name}={value}" for name, value in notification.group.items())
            self.tell(f"Alertmanager   -> webhook {place}: {said}" + (f"  [group {group}]" if group else ""))

    def _ask_prometheus(self, hour: float) -> None:
        firing = [s["metric"] for s in self.parts.prometheus.query('ALERTS{alertstate="firing"}')]
        now = {(PROMETHEUS, a["alertname"], a.get("feature", "")) for a in firing}
        before = {key for key, status in self._status.items() if key[0] == PROMETHEUS and status == FIRING}
        for status, keys in ((FIRING, now - before), (RESOLVED, before - now)):
            for _, alert, feature in sorted(keys):
                labels = {"alertname": alert, "feature": feature}
                self._note(hour, PROMETHEUS, status, labels)
                self.tell(f"Prometheus     {status} {_name(labels)}")

    def _note(self, hour: float, place: str, status: str, labels: dict[str, str]) -> bool:
        """Remember a step; False where the alert is there as it was before."""
        alert, feature = labels["alertname"], labels.get("feature", "")
        key = (place, alert, feature)
        if self._status.get(key) == status:
            return False
        self._status[key] = status
        self.steps.append(Step(time.monotonic() - self.began_s, hour, place, status, alert, feature))
        return True

    def firing(self) -> Iterator[tuple[str, str, str]]:
        """Yield (place, alert, feature) of what fires now."""
        return (key for key, status in self._status.items() if status == FIRING)


def _name(labels: dict[str, str]) -> str:
    feature = labels.get("feature", "")
    return labels["alertname"] + (f" {feature}" if feature else "")


def _reason(alert: Notified) -> str:
    """Return what the detector says of an alert that begins; nothing of what Prometheus has sent."""
    if alert.status != FIRING or "details" not in alert.annotations:
        return ""
    details = json.loads(alert.annotations["details"])
    numbers = f"{details['statistic']} {details['value']:.2g}, allowed is {details['threshold']:.2g}"
    return (
        f": {details['message'] or numbers}; since {(details['onset'] or '')[11:16] or 'when is not known'}"
    )
