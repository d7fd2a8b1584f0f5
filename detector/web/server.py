"""One HTTP thread that reads the published view and touches nothing else.

    GET /metrics    what Prometheus scrapes
    GET /healthz    200 while the loop comes round
    GET /readyz     200 once baselines are loaded and the source has been read
    GET /           status page
    GET /api/v1/status    the same as JSON

Half-open and idle connections are closed after a few seconds, so that slow or broken clients cannot
keep the page from anyone.
"""

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Mapping

import uvicorn
from h11 import LocalProtocolError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from uvicorn.protocols.http.h11_impl import H11Protocol

from detector.errors import ConfigError
from detector.metrics import Metrics
from detector.web.page import STYLE, render_status
from detector.web.status import status_record

MAX_BEAT_AGE_S = 60.0
"""A loop that has not come round for this long is stuck."""

STOP_TIMEOUT_S = 5.0

REQUEST_TIMEOUT_S = 5.0

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def application(metrics: Metrics, beat_age_s: Callable[[], float]) -> Starlette:
    """Return the routes over what `metrics` has been given."""

    def page(request: Request) -> Response:
        compress = "gzip" in request.headers.get("accept-encoding", "")
        body, content_type = metrics.page(request.headers.get("accept", ""), compress=compress)
        extra = {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"} if compress else {}
        # Starlette would append a second charset to a text type, so the header is set as it is.
        return Response(body, headers=SECURITY_HEADERS | extra | {"Content-Type": content_type})

    def healthz(_: Request) -> Response:
        age_s = beat_age_s()
        return _json({"alive": age_s < MAX_BEAT_AGE_S, "beat_age_seconds": round(age_s, 1)}, "alive")

    def readyz(_: Request) -> Response:
        view = metrics.view
        connected = view is not None and view.source.connected
        body = {"ready": view is not None and view.ready, "source_connected": connected}
        return _json(body, "ready")

    def status(_: Request) -> Response:
        view = metrics.view
        if view is None:
            return Response("starting", 503, SECURITY_HEADERS, "text/plain")
        return Response(render_status(view), headers=SECURITY_HEADERS, media_type="text/html")

    def status_json(_: Request) -> Response:
        view = metrics.view
        if view is None:
            return _json({"ready": False}, "ready")
        body = json.dumps(status_record(view))
        return Response(body, headers=SECURITY_HEADERS, media_type="application/json")

    def style(_: Request) -> Response:
        return Response(STYLE, headers=SECURITY_HEADERS, media_type="text/css")

    routes = {
        "/metrics": page,
        "/healthz": healthz,
        "/readyz": readyz,
        "/": status,
        "/style.css": style,
        "/api/v1/status": status_json,
    }
    app = Starlette(routes=[Route(path, handler, methods=["GET"]) for path, handler in routes.items()])
    app.router.redirect_slashes = False
    return app


def _json(body: Mapping[str, object], key: str) -> Response:
    return Response(
        json.dumps(body), 200 if body[key] else 503, SECURITY_HEADERS, media_type="application/json"
    )


class LimitedProtocol(H11Protocol):
    """HTTP/1.1 where a connection that brings no whole request within a few seconds is closed."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to watch the connection."""
        super().connection_made(transport)
        self._watch(None)

    def _watch(self, before: object) -> None:
        """Look again in a while whether another request has been answered since."""
        self._timer = self.loop.call_later(REQUEST_TIMEOUT_S, self._check, before)

    def _check(self, before: object) -> None:
        answering = self.cycle is not None and not self.cycle.response_complete
        if answering or self.cycle is not before:
            self._watch(self.cycle)
        elif not self.transport.is_closing():
            self.transport.close()

    def send_400_response(self, msg: str) -> None:
        """Refuse what came; the answer to what it began with goes nowhere, and is no error of ours."""
        if self.cycle is not None:
            self.cycle.disconnected = True
        try:
            super().send_400_response(msg)
        except LocalProtocolError:  # it is answered already
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop watching."""
        self._timer.cancel()
        super().connection_lost(exc)


class WebServer:
    """Serves the routes from a daemon thread."""

    def __init__(self, host: str, port: int, metrics: Metrics, beat_age_s: Callable[[], float]) -> None:
        self._host = host
        self._port = port
        config = uvicorn.Config(
            application(metrics, beat_age_s),
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            lifespan="off",
            ws="none",
            http=LimitedProtocol,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=2,
            limit_concurrency=512,
            h11_max_incomplete_event_size=16 << 10,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, name="http", daemon=True)
        self._socket: socket.socket | None = None

    def _run(self) -> None:
        assert self._socket is not None
        self._server.run(sockets=[self._socket])

    def start(self) -> int:
        """Start serving and return the port.

        Raises:
            ConfigError: the address is taken or not ours.
        """
        # Bound here and not on the thread, so that whoever starts the server learns why it cannot.
        try:
            family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
            self._socket = socket.create_server((self._host, self._port), family=family, backlog=512)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise ConfigError(
                f"http: cannot listen on {self._host}:{self._port} ({reason}); choose another http.port, "
                "or 0 for any"
            ) from None
        self._thread.start()
        port: int = self._socket.getsockname()[1]
        return port

    def stop(self) -> None:
        """Stop serving, in a few seconds at most."""
        if self._socket is None:
            return
        self._server.should_exit = True
        self._thread.join(timeout=STOP_TIMEOUT_S)
        self._socket.close()
