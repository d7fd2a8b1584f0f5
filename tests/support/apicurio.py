"""Apicurio Registry as a plain process on loopback, its schemas in memory.

It comes from Maven Central by `make registry`.
"""

import shutil
import tempfile
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.processes import Program, free_port, wait_until

HOME = Path(__file__).parents[2] / ".tools" / "registry"

START_TIMEOUT_S = 90.0

JVM = ["java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"]


def registry_available() -> str | None:
    """Return why Apicurio Registry cannot be run here; None if it can."""
    if shutil.which("java") is None:
        return "there is no `java`; install a JDK 17"
    if not list(HOME.glob(".fetched-*")):
        return "Apicurio Registry is not fetched; run `make registry`"
    return None


class Apicurio:
    """One registry, empty at its start."""

    def __init__(self) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="apicurio-")
        self._port = free_port()

    @property
    def url(self) -> str:
        """Where it speaks the HTTP API of Confluent's Schema Registry."""
        return f"http://127.0.0.1:{self._port}/apis/ccompat/v7"

    def __enter__(self) -> Self:
        (runner,) = HOME.glob("*-runner.jar")
        listen = ["-Dquarkus.http.host=127.0.0.1", f"-Dquarkus.http.port={self._port}"]
        self._program = Program(
            [*JVM, *listen, "-jar", str(runner)], Path(self._directory.name) / "registry.log"
        )
        try:
            wait_until(self._answers, START_TIMEOUT_S, "Apicurio Registry starts")
        except AssertionError:
            tail = self._program.tail()
            self._program.kill()
            raise AssertionError(f"Apicurio Registry did not start:\n{tail}") from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._program.kill()
        self._directory.cleanup()

    def _answers(self) -> bool:
        if not self._program.is_running:
            raise AssertionError("it ended")
        try:
            with urllib.request.urlopen(f"{self.url}/subjects", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False
