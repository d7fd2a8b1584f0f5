"""Debian's Prometheus as a plain process that scrapes one page."""

import json
import subprocess
import urllib.parse
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.support.availability import program
from tests.support.processes import Program, free_port, wait_until

CONFIG = """\
global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: drift-detector
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""


class Prometheus:
    """Scrapes 127.0.0.1:`port` every second, or does what `config` says."""

    def __init__(self, directory: Path, port: int = 0, config: str | None = None) -> None:
        self._directory = directory
        self.port = free_port()
        (directory / "prometheus.yml").write_text(config or CONFIG.format(port=port))

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def is_running(self) -> bool:
        return self._program.is_running

    def __enter__(self) -> Self:
        self._program = Program(
            [
                str(program("prometheus")),
                f"--config.file={self._directory / 'prometheus.yml'}",
                f"--storage.tsdb.path={self._directory / 'tsdb'}",
                f"--web.listen-address=127.0.0.1:{self.port}",
                # Else an Alertmanager that is found after the first evaluation hears of it a minute later.
                "--rules.alert.resend-delay=5s",
            ],
            self._directory / "prometheus.log",
        )
        wait_until(self._is_ready, 30, "Prometheus starts")
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

    def query(self, promql: str) -> list[dict[str, Any]]:
        """Return the vector that a PromQL expression yields now."""
        answer = json.loads(self._get("/api/v1/query?" + urllib.parse.urlencode({"query": promql})))
        return answer["data"]["result"]


def check_metrics(page: bytes) -> str:
    """Return what `promtool check metrics` complains of; empty where it is content."""
    done = subprocess.run(
        [str(program("promtool")), "check", "metrics"],
        input=page,
        capture_output=True,
        timeout=60,
        check=False,
    )
    return (done.stdout + done.stderr).decode()
