"""An authority that gives tokens for id and secret (RFC 6749, 4.4), on loopback; they are not signed."""

import base64
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs


@dataclass
class Authority:
    """What it was asked for, and how it answers."""

    url: str
    secret: str = "pa55"
    life_s: float = 3600.0
    answer: bytes | None = None
    """Instead of a token."""
    status: int = 200
    trickle_s: float = 0.0
    """Pause before each byte of an answer."""
    forms: list[dict[str, list[str]]] = field(default_factory=list)


def token(user: str, life_s: float = 3600.0) -> str:
    """Return a JSON Web Token for a user, not signed, as Kafka's validator for development takes it."""
    parts = ({"alg": "none"}, {"sub": user, "iat": time.time() - 5, "exp": time.time() + life_s})
    return (
        ".".join(base64.urlsafe_b64encode(json.dumps(p).encode()).decode().rstrip("=") for p in parts) + "."
    )


@contextmanager
def authority(user: str = "drift") -> Iterator[Authority]:
    """Serve tokens to whoever has the secret of the client `detector`."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            found.forms.append(form)
            expected = base64.b64encode(f"detector:{found.secret}".encode()).decode()
            is_known = self.headers["Authorization"] == f"Basic {expected}"
            body = (
                found.answer
                or json.dumps(
                    {
                        "access_token": token(user, found.life_s),
                        "token_type": "Bearer",
                        "expires_in": found.life_s,
                    }
                ).encode()
            )
            self.send_response(found.status if is_known else 401)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            for i in range(len(body)) if found.trickle_s else ():
                time.sleep(found.trickle_s)
                self.wfile.write(body[i : i + 1])
            if not found.trickle_s:
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        server.handle_error = lambda *_: None  # type: ignore[method-assign]
        found = Authority(f"http://127.0.0.1:{server.server_address[1]}/token")
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield found
        server.shutdown()
