"""What is answered before any route is asked: only short GETs of documented paths, from those let in.

Nothing here changes state, so that a page elsewhere that makes a browser ask (DNS rebinding, request
forgery) gains nothing but what the network lets it read; there is no list of allowed hosts.
"""

from collections.abc import Collection

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from detector.web.protection import Door

MAX_URL_LENGTH = 2048
MAX_HEADERS = 100
MAX_HEADER_BYTES = 16 << 10

OPEN = frozenset({b"/healthz", b"/readyz"})
"""Whoever asks for the health of a program has no password of it, and learns no more than yes or no."""


class Guard:
    """Stands before the routes."""

    def __init__(self, app: ASGIApp, paths: Collection[str], door: Door) -> None:
        self._app = app
        self._paths = frozenset(path.encode() for path in paths)
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or let the routes do so."""
        refusal = self._refusal(scope)
        await (refusal or self._app)(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        """Return the answer to what is not let through."""
        headers, path = scope["headers"], scope["raw_path"]
        if len(headers) > MAX_HEADERS or sum(len(k) + len(v) for k, v in headers) > MAX_HEADER_BYTES:
            return _refuse(431, "headers too large")
        if len(path) + len(scope["query_string"]) > MAX_URL_LENGTH:
            return _refuse(414, "address too long")
        if scope["method"] != "GET":
            return _refuse(405, "only GET", Allow="GET")
        if _has_body(headers):
            return _refuse(400, "a request with a body")
        # As it was sent: nothing is decoded, so no two ways of writing lead to the same place.
        if path not in self._paths:
            return _refuse(404, "no such path")
        return None if path in OPEN else self._stranger(headers)

    def _stranger(self, headers: list[tuple[bytes, bytes]]) -> Response | None:
        credentials = self._door.credentials
        given = [value for name, value in headers if name == b"authorization"]
        if credentials.allow(given[0] if len(given) == 1 else b""):
            return None
        return _refuse(401, "who are you?", **{"WWW-Authenticate": credentials.challenge})


def _has_body(headers: list[tuple[bytes, bytes]]) -> bool:
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value.strip(b"0") != b"")
        for name, value in headers
    )


def _refuse(status: int, text: str, **headers: str) -> Response:
    """Refuse, and read nothing more from whoever sent this."""
    return Response(text + "\n", status, {"Connection": "close", **headers}, "text/plain")
