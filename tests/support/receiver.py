"""A real HTTP server on loopback that answers as it is told to: a receiver of alerts."""

import contextlib
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.support.processes import wait_until

Answer = int | str | tuple[int, dict[str, str]]
"""A status, one with headers, or `hang`, `close`, `garbage`."""


@dataclass(frozen=True)
class Request:
    """What was sent."""

    path: str
    headers: dict[str, str]
    body: Any


@dataclass
class Inbox:
    """The requests so far, and how the next ones are answered."""

    url: str
    requests: list[Request] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    """Of the next requests; then `otherwise`."""
    otherwise: Answer = 200
    let_go: threading.Event = field(default_factory=threading.Event)

    def wait_for(self, n: int) -> list[Request]:
        """Return the requests once there are n."""
        wait_until(lambda: len(self.requests) >= n, 30, f"{n} requests come, {len(self.requests)} so far")
        return self.requests


@contextmanager
def receiver(tls: ssl.SSLContext | None = None) -> Iterator[Inbox]:
    """A server that takes POST requests, with `tls` as `localhost` over HTTPS."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            inbox.requests.append(Request(self.path, dict(self.headers), json.loads(body)))
            self._answer(inbox.answers.pop(0) if inbox.answers else inbox.otherwise)

        do_GET = do_POST

        def _answer(self, answer: Answer) -> None:
            self.close_connection = True
            if answer == "hang":
                inbox.let_go.wait(30)
            elif answer == "garbage":
                self.wfile.write(b"\x00\x01 this is no HTTP\r\n\r\n" * 9)
            elif answer != "close":
                status, headers = answer if isinstance(answer, tuple) else (answer, {})
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()

        def handle(self) -> None:
            with contextlib.suppress(OSError):  # a client that does not trust us hangs up
                super().handle()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    where = "http://127.0.0.1" if tls is None else "https://localhost"
    inbox = Inbox(f"{where}:{server.server_address[1]}")
    thread = threading.Thread(target=lambda: server.serve_forever(0.01), daemon=True)
    thread.start()
    try:
        yield inbox
    finally:
        inbox.let_go.set()
        server.shutdown()
        server.server_close()
        thread.join(10)
