"""Connections that cannot take the page from anyone: each has its time, and all together their number.

A connection brings its request in a few seconds, and takes the answer in a few more, or is cut. There
are only so many at once; a new one takes the place of the one that has been idle for longest, or where
all are being answered, of the one that has been at it for longest.
"""

import asyncio
import socket
from dataclasses import dataclass
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from detector.web.protection import Door

LOOK_EVERY_S = 1.0
"""How often files are looked at for new secrets and certificates."""

ACCEPTED_AT_ONCE = 32
"""Far fewer than there may be, so that one that has sent its request is read from before it has to go."""

CACHE = "Cache-Control"

SAFE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    CACHE: "no-store",
}
"""On every answer, whatever it is; what may be asked for again with its tag says so itself."""

_MALFORMED = b"malformed request\n"


@dataclass(frozen=True, slots=True)
class Limits:
    """What one connection, and all of them, may take."""

    request_s: float = 5.0
    """From the beginning, or the last answer, to a whole request; also for the TLS handshake."""
    answer_s: float = 15.0
    """From a request to the moment its answer has been taken: longer than Prometheus waits (10 s)."""
    connections: int = 256
    send_buffer_bytes: int = 256 << 10
    """What the kernel keeps for one slow reader; twice as much in its own count."""


class Crowd:
    """The connections there are, the one that was last active at the end."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._inside: dict[LimitedProtocol, None] = {}

    def enter(self, newcomer: "LimitedProtocol") -> None:
        """Let one in, in place of another where there is no room."""
        if len(self._inside) >= self.limits.connections:
            idle = (one for one in self._inside if not one.is_answering)
            self.leave(out := next(idle, next(iter(self._inside))))
            out.cut()
        self._inside[newcomer] = None

    def move_up(self, one: "LimitedProtocol") -> None:
        """Note that one was active."""
        if one in self._inside:
            del self._inside[one]
            self._inside[one] = None

    def leave(self, one: "LimitedProtocol") -> None:
        """Forget one."""
        self._inside.pop(one, None)


class LimitedProtocol(H11Protocol):
    """HTTP/1.1 on one connection."""

    def __init__(self, crowd: Crowd, **settings: Any) -> None:
        super().__init__(**settings)
        self._crowd = crowd

    @property
    def is_answering(self) -> bool:
        """Whether a request is being answered, or its answer has not been taken yet."""
        return self.cycle is not None and (
            not self.cycle.response_complete or self.transport.get_write_buffer_size() > 0
        )

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to watch the connection."""
        super().connection_made(transport)
        self._timer: asyncio.TimerHandle | None = None
        self._crowd.enter(self)
        self._begin()

    def _begin(self) -> None:
        """Begin to wait, for a request or for an answer to be taken."""
        self._since_s = self.loop.time()
        self._watch()

    def _watch(self) -> None:
        limits = self._crowd.limits
        limit_s = limits.answer_s if self.is_answering else limits.request_s
        left_s = self._since_s + limit_s - self.loop.time()
        if self._timer is not None:
            self._timer.cancel()
        if left_s > 0:
            self._timer = self.loop.call_later(left_s, self._watch)
        else:
            self.cut()

    def cut(self) -> None:
        """End the connection now, with all that waits to be sent."""
        self.transport.abort()

    def handle_events(self) -> None:
        """Take note of a new request."""
        before = self.cycle
        super().handle_events()
        if self.cycle is not before and not self.transport.is_closing():
            self._crowd.move_up(self)
            self._begin()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        super().on_response_complete()
        self._begin()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - what was sent is not repeated
        """Refuse what came; the answer to what it began with goes nowhere, and is no error of ours."""
        begun = self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete
        if self.cycle is not None:
            self.cycle.disconnected = True
        self.conn.send_failed()
        if not begun and not self.transport.is_closing():
            headers = {**SAFE_HEADERS, "Content-Type": "text/plain", "Connection": "close"}
            head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            self.transport.write(f"HTTP/1.1 400 Bad Request\r\n{head}\r\n".encode() + _MALFORMED)
        self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop watching."""
        if self._timer is not None:
            self._timer.cancel()
        self._crowd.leave(self)
        super().connection_lost(exc)


class HttpServer(uvicorn.Server):
    """Listens on one socket with limits, and looks after its secrets and certificates."""

    def __init__(self, config: uvicorn.Config, door: Door, limits: Limits) -> None:
        super().__init__(config)
        self._door = door
        self._limits = limits
        self._looking: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen. Uvicorn's own way knows no limit for a handshake: a client may take a minute for it."""
        loop, crowd, tls = asyncio.get_running_loop(), Crowd(self._limits), self._door.context
        limit_s = None if tls is None else self._limits.request_s

        def connection() -> LimitedProtocol:
            return LimitedProtocol(
                crowd, config=self.config, server_state=self.server_state, app_state={}, _loop=loop
            )

        self.servers = [
            await loop.create_server(
                connection, sock=sock, ssl=tls, backlog=ACCEPTED_AT_ONCE,
                ssl_handshake_timeout=limit_s, ssl_shutdown_timeout=limit_s,
            )
            for sock in sockets or ()
        ]  # fmt: skip
        for sock in sockets or ():
            # To the event loop `backlog` is also how many it accepts before it reads from any of them.
            sock.listen(self.config.backlog)
        self.started = True
        self._looking = loop.create_task(self._look())

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            self._door.look()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening."""
        if self._looking is not None:
            self._looking.cancel()
        await super().shutdown(sockets)
