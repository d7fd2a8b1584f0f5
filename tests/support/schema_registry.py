"""A schema registry that answers as the description of Confluent's API says; to be stopped and started."""

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

NOT_FOUND = {"error_code": 40403, "message": "Schema not found"}


class FakeRegistry:
    """Serves schemas by number, and by subject and version; counts what it is asked."""

    def __init__(self, user: str | None = None) -> None:
        self.by_number: dict[int, Any] = {}
        self.by_subject: dict[tuple[str, int], Any] = {}
        self.answer: tuple[int, bytes] | None = None
        """What it answers whatever it is asked."""
        self.asked: list[str] = []
        self._user = user
        self._server: ThreadingHTTPServer | None = None
        self._port = 0
        self.start()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._port}"

    def add(self, number: int, schema: Any, **more: Any) -> None:
        """Register a schema."""
        self.by_number[number] = {"schema": json.dumps(schema), **more}

    def start(self) -> None:
        """Answer, at the same address as before."""
        registry = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, body = registry.reply(self.path, self.headers.get("Authorization"))
                self.send_response(status)
                if status in (301, 302):
                    self.send_header("Location", body.decode())
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        self._port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Refuse connections."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def reply(self, path: str, authorization: str | None) -> tuple[int, bytes]:
        """Return status and body."""
        self.asked.append(path)
        if self._user is not None:
            wanted = "Basic " + base64.b64encode(self._user.encode()).decode()
            if authorization != wanted:
                return 401, b'{"error_code": 401, "message": "Unauthorized"}'
        if self.answer is not None:
            return self.answer
        match path.strip("/").split("/"):
            case ["schemas", "ids", number] if int(number) in self.by_number:
                return 200, json.dumps(self.by_number[int(number)]).encode()
            case ["subjects", subject, "versions", version] if (subject, int(version)) in self.by_subject:
                return 200, json.dumps(self.by_subject[subject, int(version)]).encode()
            case ["schemas", *_] | ["subjects", *_]:
                return 404, json.dumps(NOT_FOUND).encode()
            case _:
                return 404, b"<html>nothing here</html>"
