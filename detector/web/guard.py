"""What is answered before any route is asked: only short GETs of documented paths, from those let in.

Nothing here changes state, so that a page elsewhere that makes a browser ask (DNS rebinding, request
forgery) gains nothing but what the network lets it read; there is no list of allowed hosts.
"""

import re
from collections.abc import Collection
from typing import Protocol

from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from detector.web.connections import CACHE, SAFE_HEADERS
from detector.web.protection import Door
from detector.web.slugs import PATTERN

MAX_URL_LENGTH = 2048
MAX_PATH_LENGTH = 1024
MAX_HEADERS = 100
MAX_HEADER_BYTES = 16 << 10

API = b"/api/"

NO_PATH = "no such path"
NO_PATH_OF_API = f"{NO_PATH}; /api/v1/openapi.json lists what there is"

OPEN = frozenset({b"/healthz", b"/readyz"})
"""Whoever asks for the health of a program has no password of it, and learns no more than yes or no."""


class Guard:
    """Stands before the routes."""

    def __init__(self, app: ASGIApp, paths: Collection[str], door: Door) -> None:
        self._app = app
        self._paths = re.compile(b"|".join(_pattern(path) for path in paths))
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or let the routes do so."""

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start" and CACHE.lower() not in Headers(
                raw=message["headers"]
            ):
                message["headers"] = [*message["headers"], (CACHE.encode(), SAFE_HEADERS[CACHE].encode())]
            await send(message)

        refusal = self._refusal(scope)
        await (refusal or self._app)(scope, receive, sent)

    def _refusal(self, scope: Scope) -> Response | None:
        """Return the answer to what is not let through."""
        headers, path = scope["headers"], scope["raw_path"]
        refuse = _refuse_as_json if path.startswith(API) else _refuse_as_text
        if len(headers) > MAX_HEADERS or sum(len(k) + len(v) for k, v in headers) > MAX_HEADER_BYTES:
            return refuse(431, "headers too large")
        if len(path) + len(scope["query_string"]) > MAX_URL_LENGTH:
            # The API says of every query that it cannot use that it is 422.
            is_query = path.startswith(API) and len(path) <= MAX_PATH_LENGTH
            return refuse(422, "query: too long") if is_query else refuse(414, "address too long")
        if scope["method"] != "GET":
            return refuse(405, "only GET", Allow="GET")
        if _has_body(headers):
            return refuse(400, "a request with a body")
        # As it was sent: nothing is decoded, so no two ways of writing lead to the same place.
        if not self._paths.fullmatch(path):
            return refuse(404, NO_PATH_OF_API if path.startswith(API) else NO_PATH)
        return None if path in OPEN else self._stranger(headers, refuse)

    def _stranger(self, headers: list[tuple[bytes, bytes]], refuse: "_Refuse") -> Response | None:
        credentials = self._door.credentials
        given = [value for name, value in headers if name == b"authorization"]
        if credentials.allow(given[0] if len(given) == 1 else b""):
            return None
        return refuse(401, "who are you?", **{"WWW-Authenticate": credentials.challenge})


def _has_body(headers: list[tuple[bytes, bytes]]) -> bool:
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value.strip(b"0") != b"")
        for name, value in headers
    )


def _pattern(path: str) -> bytes:
    """Return what a path looks like on the line: where it has a name in braces, a slug."""
    parts = re.split(r"{\w+}", path)
    return PATTERN.join(re.escape(part) for part in parts).encode()


class _Refuse(Protocol):
    def __call__(self, status: int, text: str, **headers: str) -> Response: ...


def _refuse_as_text(status: int, text: str, **headers: str) -> Response:
    """Refuse, and read nothing more from whoever sent this."""
    return Response(text + "\n", status, {"Connection": "close", **headers}, "text/plain")


def _refuse_as_json(status: int, text: str, **headers: str) -> Response:
    """Refuse in the words of the API."""
    return JSONResponse({"detail": text}, status, {"Connection": "close", **headers})
