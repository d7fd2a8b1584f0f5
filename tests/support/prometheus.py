"""Debian's Prometheus as a plain process that scrapes one page."""

import json
import subprocess
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from tests.support.availability import program
from tests.support.processes import Server

CONFIG = """\
global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: drift-detector
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""


class Prometheus(Server):
    """Scrapes 127.0.0.1:`port` every second, or does what `config` says."""

    def __init__(self, directory: Path, port: int = 0, config: str | None = None) -> None:
        super().__init__(directory)
        (directory / "prometheus.yml").write_text(config or CONFIG.format(port=port))

    def _command(self) -> list[str]:
        return [
            str(program("prometheus")),
            f"--config.file={self._directory / 'prometheus.yml'}",
            f"--storage.tsdb.path={self._directory / 'tsdb'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            # Else an Alertmanager that is found after the first evaluation hears of it a minute later.
            "--rules.alert.resend-delay=5s",
        ]

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
