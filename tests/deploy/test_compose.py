"""compose.yaml: of the form that compose reads, closed to the outside, about files and settings that exist.

No engine was there: whether the images of others do what is asked of them is not known from here.
"""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

import detector
from detector.cli import main
from detector.config import DEFAULT_PORT, load_config
from tests.deploy.shipped import DEPLOY, GRAFANA, ROOT
from tests.support.kafka_broker import KafkaBroker

COMPOSE = DEPLOY / "compose.yaml"
DOCUMENT = yaml.safe_load(COMPOSE.read_text())
SERVICES: dict[str, dict[str, Any]] = DOCUMENT["services"]
OURS = {name for name, service in SERVICES.items() if service["image"].startswith("drift-detector:")}

each_service = pytest.mark.parametrize("name", SERVICES)


def run(program: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a program that lies beside the interpreter."""
    command = [Path(sys.executable).with_name(program), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_compose_knows_every_key(tmp_path):
    """By the compose specification's schema, which refuses what it does not know."""
    check = ("check-jsonschema", "--builtin-schema", "vendor.compose-spec")
    wrong = tmp_path / "compose.yaml"
    wrong.write_text(COMPOSE.read_text().replace("depends_on:", "depend_on:", 1))
    done = run(*check, COMPOSE)

    assert done.returncode == 0, done.stdout
    assert run(*check, wrong).returncode == 1
    assert "version" not in DOCUMENT
    assert DOCUMENT["name"] == "drift-detector"


@each_service
def test_a_service_is_pinned_and_has_no_rights_that_it_need_not(name):
    """A tag that says which version, no capabilities; only Kafka's image has to write into itself."""
    service = SERVICES[name]

    assert re.search(r":v?\d+\.\d+\.\d+$", service["image"])
    assert service["cap_drop"] == ["ALL"]
    assert service.get("read_only", False) is (name != "kafka")
    assert "privileged" not in service


@each_service
def test_only_this_machine_gets_in(name):
    """Every published port is on loopback."""
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", ()))


@each_service
def test_nobody_waits_for_what_never_comes(name):
    """For health only of who has a check of it, for an end only of who ends."""
    for other, wait in SERVICES[name].get("depends_on", {}).items():
        if wait["condition"] == "service_completed_successfully":
            assert SERVICES[other]["restart"] == "no"
        else:
            assert "test" in SERVICES[other].get("healthcheck", {}) or other in OURS


@each_service
def test_every_file_that_is_mounted_is_there(name):
    """And volumes are declared."""
    for volume in SERVICES[name].get("volumes", ()):
        source = volume.split(":")[0]
        if source.startswith("."):
            assert (DEPLOY / source).exists(), source
        else:
            assert source in DOCUMENT["volumes"]


def test_the_detector_is_this_version_built_from_here():
    """Tag and build argument."""
    for name in OURS:
        assert SERVICES[name]["image"] == f"drift-detector:{detector.__version__}"
        assert SERVICES[name]["build"]["args"] == {"VERSION": detector.__version__}
        assert (DEPLOY / SERVICES[name]["build"]["context"] / "Dockerfile").exists()


def test_the_detector_runs_on_what_the_demonstration_leaves():
    """Its configuration with compose's variables is one that `run` takes; it reads where events are sent."""
    service, producer = SERVICES["detector"], SERVICES["producer"]
    config = load_config(ROOT / "config" / "demo.yaml", service["environment"])
    (port,) = service["ports"]

    assert config.source.kind == "kafka"
    assert f"--bootstrap-server {config.source.bootstrap_servers[0]} " in producer["command"][0]
    assert producer["command"][0].endswith(f"--topic {config.source.topics[0]}")
    assert config.source.start == "earliest"
    assert port.endswith(f":{DEFAULT_PORT}")
    assert service["command"][-1].endswith("/demo.yaml")


def test_the_commands_of_our_services_are_commands_of_the_program(capsys):
    """Their options are known; asked for help, none is executed."""
    for name in OURS:
        with pytest.raises(SystemExit) as ended:
            main([*SERVICES[name]["command"], "--help"])
        assert ended.value.code == 0
    capsys.readouterr()


def test_events_are_sent_whole_and_in_order(tmp_path):
    """The producer's awk passes every line on; here it does not sleep."""
    script = re.search(r"awk '(.+?)'", SERVICES["producer"]["command"][0])[1]
    lines = [json.dumps({"event_id": n}) for n in range(250)]
    (tmp_path / "events.jsonl").write_text("\n".join(lines) + "\n")
    done = subprocess.run(
        ["awk", script.replace("sleep 1", "true"), tmp_path / "events.jsonl"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert done.stdout.splitlines() == lines


def test_names_within_compose_are_services():
    """What Prometheus, Grafana and programs are told to speak to."""
    told = "".join((DEPLOY / "compose" / name).read_text() for name in ("prometheus.yml", "datasources.yaml"))
    spoken_to = set(re.findall(r"\b([a-z]+):(\d{4,5})\b", told))

    assert {host for host, _ in spoken_to} == {"detector", "alertmanager", "prometheus"}
    for host, port in spoken_to:
        assert any(published.endswith(f":{port}") for published in SERVICES[host]["ports"])
    assert "127.0.0.1" not in told


def test_grafana_finds_its_dashboards_where_it_looks_for_them():
    """The path of the provider is where compose puts them."""
    (provider,) = yaml.safe_load((GRAFANA / "provisioning" / "dashboards" / "drift.yaml").read_text())[
        "providers"
    ]

    assert f"./grafana/dashboards:{provider['options']['path']}:ro" in SERVICES["grafana"]["volumes"]


@pytest.mark.kafka
def test_kafka_accepts_its_settings(tmp_path):
    """Kafka's own tool for new disks checks all of them, as the broker does when it starts."""
    settings = {
        name.removeprefix("KAFKA_").lower(): value
        for name, value in SERVICES["kafka"]["environment"].items()
        if name != "KAFKA_HEAP_OPTS"
    }
    for name in ("good", "bad"):
        (tmp_path / name).mkdir()
    KafkaBroker(tmp_path / "good", **settings)

    settings["inter_broker_listener_name"] = "NOBODY"
    with pytest.raises(subprocess.CalledProcessError):
        KafkaBroker(tmp_path / "bad", **settings)
