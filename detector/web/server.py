"""One HTTP thread that reads the published view and touches nothing else.

    GET /metrics    what Prometheus scrapes
    GET /healthz    200 while the loop comes round
    GET /readyz     200 once baselines are loaded and the source has been read
    GET /           the pages, see `detector.web.pages`
    GET /api/v1/    what the pages show, as JSON, see `detector.web.api`

Slow, idle and broken connections are cut, so that they cannot keep the page from anyone. What is drawn
from a view is made once, however many ask for it.
"""

import json
import socket
import threading
from collections.abc import Callable, Mapping
from typing import Any

import uvicorn
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from detector.errors import ConfigError
from detector.metrics import Metrics
from detector.view import View
from detector.web.api import Api, api_application
from detector.web.connections import CACHE, SAFE_HEADERS, HttpServer, Limits
from detector.web.guard import Guard
from detector.web.pages.routes import page_routes
from detector.web.protection import Door, Protection
from detector.web.rendered import Rendered

MAX_BEAT_AGE_S = 60.0
"""A loop that has not come round for this long is stuck."""

STOP_TIMEOUT_S = 5.0

Settings = Callable[[], Mapping[str, Any]]
"""Returns the settings in force that everybody may see, by section."""

BACKLOG = 4096
"""Connections that wait to be accepted."""


def application(metrics: Metrics, beat_age_s: Callable[[], float], settings: Settings = dict) -> FastAPI:
    """Return the routes over what `metrics` has been given."""
    rendered = Rendered()

    def page(request: Request) -> Response:
        compress = "gzip" in request.headers.get("accept-encoding", "")
        body, content_type = metrics.page(request.headers.get("accept", ""), compress=compress)
        extra = {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"} if compress else {}
        # Starlette would append a second charset to a text type, so the header is set as it is.
        return Response(body, headers=extra | {"Content-Type": content_type})

    def healthz(_: Request) -> Response:
        age_s = beat_age_s()
        return _json({"alive": age_s < MAX_BEAT_AGE_S, "beat_age_seconds": round(age_s, 1)}, "alive")

    def readyz(_: Request) -> Response:
        view = metrics.view
        connected = view is not None and view.source.connected
        body = {"ready": view is not None and view.ready, "source_connected": connected}
        return _json(body, "ready")

    routes = {
        "/metrics": page,
        "/healthz": healthz,
        "/readyz": readyz,
    }
    own = [Route(path, handler, methods=["GET"]) for path, handler in routes.items()]

    def newest() -> View | None:
        return metrics.view

    return api_application(Api(newest, rendered, settings), own + page_routes(newest, rendered))


def _json(body: Mapping[str, object], key: str) -> Response:
    return Response(json.dumps(body), 200 if body[key] else 503, media_type="application/json")


class WebServer:
    """Serves the routes from a daemon thread."""

    def __init__(
        self,
        host: str,
        port: int,
        metrics: Metrics,
        beat_age_s: Callable[[], float],
        protection: Protection | None = None,
        limits: Limits | None = None,
        settings: Settings = dict,
    ) -> None:
        """Read secrets and certificates.

        Raises:
            ConfigError: a file cannot be used.
        """
        self._host = host
        self._port = port
        self._limits = limits or Limits()
        self._door = Door(protection or Protection())
        routes = application(metrics, beat_age_s, settings)
        config = uvicorn.Config(
            Guard(routes, [route.path for route in routes.routes if isinstance(route, Route)], self._door),
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            lifespan="off",
            ws="none",
            interface="asgi3",
            headers=[(name, text) for name, text in SAFE_HEADERS.items() if name != CACHE],
            timeout_keep_alive=5,
            timeout_graceful_shutdown=2,
            backlog=BACKLOG,
            h11_max_incomplete_event_size=16 << 10,
        )
        self._server = HttpServer(config, self._door, self._limits)
        self._thread = threading.Thread(target=self._run, name="http", daemon=True)
        self._socket: socket.socket | None = None

    def read_again(self) -> None:
        """Read secrets and certificates anew, soon; may be called from a signal handler."""
        self._door.ask()

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
            self._socket = socket.create_server((self._host, self._port), family=family, backlog=BACKLOG)
            # Taken over by each connection. An answer is written in pieces, and none waits for the other.
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self._limits.send_buffer_bytes)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
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
