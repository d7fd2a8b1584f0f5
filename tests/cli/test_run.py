"""The service as a process: started from a configuration, stopped by a signal."""

import json
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.cli.running import write_config
from tests.support.factories import START_S, event, training_rows
from tests.support.processes import Program, free_port, wait_until
from tests.support.producing import send

pytestmark = pytest.mark.kafka


def _start(tmp_path: Path, baseline: Path, bootstrap: str, topic: str) -> tuple[Program, int]:
    port = free_port()
    config = write_config(
        tmp_path / "run.yaml",
        baseline,
        source={"kind": "kafka", "bootstrap_servers": [bootstrap], "topics": [topic], "start": "earliest"},
        http={"port": port},
    )
    command = [sys.executable, "-m", "detector", "run", "--config", str(config)]
    return Program(command, tmp_path / "service.log", {"DRIFT_LOG__FORMAT": "json"}), port


def _get(port: int, path: str) -> bytes | None:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.read()
    except OSError:
        return None


def test_the_service_reads_judges_serves_and_ends_on_sigterm(kafka, make_topic, baseline, tmp_path, rng):
    """Alerts in the log as JSON, metrics on the page, ready, and exit code 0 after SIGTERM."""
    topic = make_topic()
    service, port = _start(tmp_path, baseline, kafka, topic)
    wait_until(lambda: _get(port, "/readyz"), 60, "ready")
    for minute in range(7):
        rows = [{**row, "country": "XX"} for row in training_rows(rng, 300)]
        send(kafka, topic, [event(row, START_S + 60 * minute) for row in rows])
    wait_until(lambda: b"drift_alerts_fired_total" in (_get(port, "/metrics") or b""), 30)
    wait_until(lambda: "DriftSchemaAnomaly" in service.tail(100), 60, "the alert is in the log")
    code = service.terminate()
    lines = [json.loads(line) for line in service.log.read_text().splitlines()]
    alert = next(line for line in lines if "DriftSchemaAnomaly" in line["message"])

    assert code == 0
    assert alert["level"] == "warning"
    assert "feature=country" in alert["message"]
    assert "values never seen in training" in alert["message"]
    assert lines[-1]["message"] == "stopped"


def test_the_service_starts_and_ends_without_a_broker(baseline, tmp_path):
    """It waits for the broker, serves its page meanwhile, is not ready, and still ends at once."""
    service, port = _start(tmp_path, baseline, f"127.0.0.1:{free_port()}", "events")
    wait_until(lambda: _get(port, "/healthz"), 60, "healthy")

    assert _get(port, "/readyz") is None
    assert b"drift_source_connected 0.0" in (_get(port, "/metrics") or b"")
    assert service.terminate(timeout_s=15) == 0
