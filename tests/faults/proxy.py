"""A network that can be made bad: TCP on loopback from one port to another.

Both directions go through `Network`: what it says holds from the next bytes on, for every connection.
"""

import contextlib
import socket
import threading
from types import TracebackType
from typing import Self

from tests.support.processes import free_port

CHUNK = 65536


class Network:
    """Takes connections on `port` and carries their bytes to `target`, as well as it is told to."""

    def __init__(self, target: int) -> None:
        self.port = free_port()
        self.target = target
        self.delay_s = 0.0
        """Every chunk waits for so long."""
        self.chunk = CHUNK
        """So many bytes at a time; one with a delay is a trickle."""
        self._let_go = threading.Event()
        self._is_open = threading.Event()
        self._is_open.set()
        self._lock = threading.Lock()
        self._sockets: set[socket.socket] = set()
        self.connections = self.cuts = 0

    def __enter__(self) -> Self:
        self._server = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._let_go.set()
        self._is_open.set()
        self._server.close()
        self.cut()

    def cut(self) -> None:
        """End every connection, in the middle of whatever it carries."""
        with self._lock:
            some, self._sockets = self._sockets, set()
        for one in some:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self.cuts += 1

    def swallow(self) -> None:
        """Carry nothing more and say nothing: connections stay, bytes do not come."""
        self._is_open.clear()

    def heal(self) -> None:
        """Be a good network again."""
        self.delay_s, self.chunk = 0.0, CHUNK
        self._is_open.set()

    def _accept(self) -> None:
        while not self._let_go.is_set():
            try:
                near, _ = self._server.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self.target), timeout=5)
            except OSError:
                near.close()
                continue
            self.connections += 1
            far.settimeout(None)
            with self._lock:
                self._sockets |= {near, far}
            for pair in ((near, far), (far, near)):
                threading.Thread(target=self._carry, args=pair, daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(self.chunk):
                if self.delay_s and self._let_go.wait(self.delay_s):
                    break
                self._is_open.wait()
                target.sendall(data)
        for one in (source, target):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        with self._lock:
            self._sockets -= {source, target}
