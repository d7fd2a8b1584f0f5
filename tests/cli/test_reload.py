"""The service as a process: its files change, SIGHUP says so, and `status` shows what came of it."""

import os
import signal
import sys
import urllib.request

import pytest

from tests.cli.running import write_config
from tests.support.processes import Program, free_port, wait_until


@pytest.fixture
def service(tmp_path, baseline):
    """(the process, its port, its configuration); its broker is never there."""
    port = free_port()
    config = write_config(tmp_path / "run.yaml", baseline, **_sections(port))
    program = Program(
        [sys.executable, "-m", "detector", "run", "--config", str(config)], tmp_path / "service.log"
    )
    wait_until(lambda: _page(port), 60, "serves")
    yield program, port, config
    program.kill()


def _sections(port, topic="events"):
    source = {"kind": "kafka", "bootstrap_servers": [f"127.0.0.1:{free_port()}"], "topics": [topic]}
    return {"source": source, "http": {"port": port}, "reload": "off"}


def _page(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            return answer.read().decode()
    except OSError:
        return ""


def test_sighup_reads_everything_again(service, baseline, drift_detector):
    """What is right takes effect, what is wrong does not, and the process lives on."""
    program, port, config = service
    text = config.read_text()
    assert "drift_config_last_reload_successful 1.0" in _page(port)

    config.write_text(text + "nonsense: 1\n")
    program.signal(signal.SIGHUP)
    wait_until(lambda: "drift_config_last_reload_successful 0.0" in _page(port), 60, "says that it failed")
    shown = drift_detector("status", "--url", f"http://127.0.0.1:{port}")
    assert shown.code == 0
    assert "NOT RELOADED:" in shown.out
    assert "unknown key 'nonsense'" in " ".join(shown.out.split())

    write_config(config, baseline, **_sections(port, "others"), metrics={"max_series": 777})
    program.signal(signal.SIGHUP)
    wait_until(lambda: "drift_exported_series_limit 777.0" in _page(port), 60, "exports as the new one says")
    shown = drift_detector("status", "--url", f"http://127.0.0.1:{port}")
    assert "NOT RELOADED" not in shown.out
    assert "after a restart: source" in shown.out
    assert program.terminate() == 0
    assert "takes effect after a restart: source" in program.tail(100)


def test_sighup_before_the_start_is_done_ends_nothing(tmp_path, baseline):
    """The start waits here for a secret to be written; what was asked for meanwhile is done afterwards."""
    secret, port = tmp_path / "url", free_port()
    os.mkfifo(secret)
    alerts = {"sinks": [{"kind": "webhook", "url_file": str(secret)}]}
    config = write_config(tmp_path / "run.yaml", baseline, **_sections(port), alerts=alerts)
    program = Program(
        [sys.executable, "-m", "detector", "run", "--config", str(config)], tmp_path / "service.log"
    )
    with secret.open("w") as writer:  # as soon as it is read
        config.write_text(config.read_text() + "nonsense: 1\n")
        program.signal(signal.SIGHUP)
        writer.write("http://127.0.0.1:1/\n")
    try:
        wait_until(lambda: "drift_config_last_reload_successful 0.0" in _page(port), 60, "looked again")
        assert program.terminate() == 0
    finally:
        program.kill()
