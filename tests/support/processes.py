"""Programs run as plain processes on loopback, stopped whatever happens to the test."""

import atexit
import contextlib
import os
import signal
import socket
import subprocess
import time
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that is free now."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_until(condition: Callable[[], object], timeout_s: float = 30.0, what: str = "") -> object:
    """Return the first true answer of `condition`, asked ever again; fail after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout_s:.0f} s: {what or condition}")
        time.sleep(0.05)


class Program:
    """One process in a group of its own, its output in a file."""

    def __init__(self, command: list[str], log: Path, env: dict[str, str] | None = None) -> None:
        self.command = command
        self.log = log
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                command,
                stdout=out,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env={**os.environ, **(env or {})},
                start_new_session=True,
            )
        atexit.register(self.kill)

    @property
    def is_running(self) -> bool:
        return self.process.poll() is None

    def signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def terminate(self, timeout_s: float = 30.0) -> int:
        """Ask it to end, then make it; return its exit code."""
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
            return self.process.wait(10)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(10)

    def tail(self, n: int = 30) -> str:
        """Return the last lines of what it printed."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-n:])


class Server(ABC):
    """A program with files in a directory that speaks HTTP on a port of its own; killed at the end."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.port = free_port()

    @abstractmethod
    def _command(self) -> list[str]:
        """Return what starts it."""

    @property
    def _name(self) -> str:
        return type(self).__name__

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def is_running(self) -> bool:
        return self._program.is_running

    def __enter__(self) -> Self:
        self._program = Program(self._command(), self._directory / f"{self._name.lower()}.log")
        wait_until(self._is_ready, 30, f"{self._name} starts")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._program.kill()

    def _is_ready(self) -> bool:
        try:
            return self._get("/-/ready") is not None
        except OSError:
            return False

    def _get(self, path: str) -> bytes:
        with urllib.request.urlopen(self.url + path, timeout=5) as answer:
            return answer.read()
