"""Debian's Alertmanager as a plain process, and a receiver of its notifications."""

import json
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import Any, Self

from tests.support.availability import program
from tests.support.processes import Server


class Alertmanager(Server):
    """Runs with a configuration, on a port of its own."""

    def __init__(self, directory: Path, config: str) -> None:
        super().__init__(directory)
        (directory / "alertmanager.yml").write_text(config)

    def alerts(self) -> list[dict[str, Any]]:
        """Return the alerts that it holds to be firing."""
        alerts: list[dict[str, Any]] = json.loads(self._get("/api/v2/alerts"))
        return alerts

    def _command(self) -> list[str]:
        return [
            str(program("prometheus-alertmanager")),
            f"--config.file={self._directory / 'alertmanager.yml'}",
            f"--storage.path={self._directory / 'alertmanager'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--cluster.listen-address=",
        ]

    def silenced(self) -> set[str]:
        """Return the names of the alerts that fire and that another alert silences."""
        alerts = json.loads(self._get("/api/v2/alerts?inhibited=true"))
        return {a["labels"]["alertname"] for a in alerts if a["status"]["inhibitedBy"]}


@dataclass(frozen=True, slots=True)
class Notified:
    """One alert in one notification."""

    at_s: float
    path: str
    status: str
    labels: dict[str, str]
    annotations: dict[str, str]


@dataclass(frozen=True, slots=True)
class Notification:
    """What came in one request: alerts of one group, and the labels that make them one."""

    group: dict[str, str]
    alerts: tuple[Notified, ...]


class Inbox:
    """Takes webhooks, whatever their path."""

    def __init__(self) -> None:
        self.notifications: list[Notification] = []
        inbox = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                inbox._take(self.path, json.loads(body))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def received(self) -> list[Notified]:
        """Every alert in every notification so far."""
        return [alert for notification in self.notifications for alert in notification.alerts]

    def _take(self, path: str, message: dict[str, Any]) -> None:
        now_s = time.monotonic()
        alerts = tuple(
            Notified(now_s, path, alert["status"], alert["labels"], alert["annotations"])
            for alert in message["alerts"]
        )
        self.notifications.append(Notification(message["groupLabels"], alerts))
