"""Bodies that are made once for everybody who asks, and seldom: readers must not slow down what they read of.

A body is kept by its address. It is made anew when what it shows has changed; but never more often than
every `MIN_AGE_S`, and while making bodies has taken more than `BUDGET` of the time, what is kept is handed
out up to `MAX_AGE_S` long. Whoever has a body already is told so (ETag, RFC 9110), and gets none.
"""

import gzip
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from hashlib import sha256

from starlette.requests import Request
from starlette.responses import Response

from detector.clock import Clock, SystemClock

MIN_AGE_S = 2.0

MAX_AGE_S = 30.0

BUDGET = 0.01
"""Part of the time that goes into making anew what is there already."""

MAX_BODIES = 256

MAX_BYTES = 16 << 20
"""Of all that is kept, compressed bodies among it."""

LEAST_COMPRESSED = 512
"""Shorter bodies are sent as they are."""


@dataclass(frozen=True, slots=True)
class _Body:
    plain: bytes
    compressed: bytes | None
    digest: str
    shows: Hashable
    """What it shows: the same again is the same body."""
    made_s: float

    @property
    def n_bytes(self) -> int:
        return len(self.plain) + len(self.compressed or b"")


class Rendered:
    """The bodies of one server; any thread asks."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()
        self._bodies: OrderedDict[str, _Body] = OrderedDict()
        self._n_bytes = 0
        self._free_s = -float("inf")
        """From when on there is time to make another one anew."""

    def answer(
        self,
        request: Request,
        shows: Hashable,
        make: Callable[[], bytes],
        media_type: str,
        *,
        at_once: bool = False,
    ) -> Response:
        """Return the body of the request's address, or that whoever asks has it.

        `shows` is what it depends on; `make` makes it, one at a time. What `make` raises is raised, and
        nothing is kept of it. What takes next to nothing to make is made `at_once` when it has changed.
        """
        address = f"{request.url.path}?{request.url.query}"
        with self._lock:
            body = self._body(address, shows, make, at_once)
        compress = body.compressed is not None and _takes_gzip(request.headers.get("accept-encoding", ""))
        etag = f'"{body.digest}-gzip"' if compress else f'"{body.digest}"'
        headers = {"ETag": etag, "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
        if _has(request.headers.get("if-none-match", ""), etag):
            return Response(status_code=304, headers=headers)
        if compress and body.compressed is not None:
            headers["Content-Encoding"] = "gzip"
            return Response(body.compressed, headers=headers, media_type=media_type)
        return Response(body.plain, headers=headers, media_type=media_type)

    def _body(self, address: str, shows: Hashable, make: Callable[[], bytes], at_once: bool) -> _Body:
        now_s = self._clock.monotonic_s()
        body = self._bodies.get(address)
        if body is not None:
            age_s = now_s - body.made_s
            is_soon = age_s < MIN_AGE_S or (age_s < MAX_AGE_S and now_s < self._free_s)
            if body.shows == shows or (is_soon and not at_once):
                self._bodies.move_to_end(address)
                return body
        plain = make()
        compressed = gzip.compress(plain, 3, mtime=0) if len(plain) >= LEAST_COMPRESSED else None
        after_s = self._clock.monotonic_s()
        self._free_s = after_s + (after_s - now_s) * (1.0 / BUDGET - 1.0)
        made = _Body(plain, compressed, sha256(plain).hexdigest()[:24], shows, after_s)
        self._keep(address, made)
        return made

    def _keep(self, address: str, body: _Body) -> None:
        before = self._bodies.pop(address, None)
        self._n_bytes += body.n_bytes - (0 if before is None else before.n_bytes)
        self._bodies[address] = body
        while len(self._bodies) > MAX_BODIES or (self._n_bytes > MAX_BYTES and len(self._bodies) > 1):
            _, oldest = self._bodies.popitem(last=False)
            self._n_bytes -= oldest.n_bytes


def _takes_gzip(accepted: str) -> bool:
    """Whether a list of encodings has gzip, and not with the weight 0."""
    for part in accepted.lower().split(","):
        name, _, weight = part.partition(";")
        if name.strip() in ("gzip", "*"):
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def _has(known: str, etag: str) -> bool:
    """Whether a list of entity tags names this one."""
    return any(part.strip().removeprefix("W/") in (etag, "*") for part in known.split(","))
