"""The parts, from the shipped files: started in the order of the events' path, ended in the other order."""

import sys
import time
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.deploy.shipped import ALERTMANAGER, PROMETHEUS, ROOT, RULES, moved, sooner
from tests.support.alertmanager import Alertmanager, Inbox
from tests.support.factories import KEY
from tests.support.kafka_broker import KafkaBroker
from tests.support.processes import Program, free_port, wait_until
from tests.support.prometheus import Prometheus
from tools.stack.traffic import DAY_S, N_PARTITIONS, TOPIC, write_training

DETECTOR_SINK = "/detector"
"""Path of the receiver that the detector tells by itself, beside the way through Prometheus."""

BUILD_TIMEOUT_S = 120.0
START_TIMEOUT_S = 60.0
PANE_S = 600.0

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Detector:
    """The service, as its own process."""

    program: Program
    url: str

    @property
    def is_running(self) -> bool:
        """Whether it lives."""
        return self.program.is_running

    @property
    def is_ready(self) -> bool:
        """Whether it says that it reads its topics."""
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=5) as answer:  # noqa: S310 - loopback
                return bool(answer.status == 200)
        except OSError:
            return False


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that runs."""

    kafka: KafkaBroker
    detector: Detector
    prometheus: Prometheus
    alertmanager: Alertmanager
    inbox: Inbox
    start_s: float
    """Event time at which the day begins that ends now, in epoch seconds."""

    def ended(self) -> list[str]:
        """Return the names of the programs that should run and do not."""
        programs = {
            "Apache Kafka": self.kafka,
            "the detector": self.detector,
            "Prometheus": self.prometheus,
            "Alertmanager": self.alertmanager,
        }
        return [name for name, program in programs.items() if not program.is_running]

    def urls(self) -> str:
        """Return where people can look."""
        return "\n".join(
            (
                f"  detector      {self.detector.url}/",
                f"  Prometheus    {self.prometheus.url}/alerts",
                f"  Alertmanager  {self.alertmanager.url}/",
                f"  Apache Kafka  {self.kafka.bootstrap}, topic {TOPIC}",
            )
        )


def start(directory: Path, stack: ExitStack, tell: Tell) -> Parts:
    """Start everything; what stands in `stack` ends it.

    Raises:
        AssertionError: a program does not start; it says why.
    """
    start_s = (time.time() - DAY_S) // PANE_S * PANE_S
    build = _baseline(directory, start_s, stack)
    (directory / "kafka").mkdir()
    kafka = stack.enter_context(KafkaBroker(directory / "kafka"))
    kafka.create_topic(TOPIC, N_PARTITIONS)
    tell(f"Apache Kafka answers on {kafka.bootstrap}")
    inbox = stack.enter_context(Inbox())
    wait_until(lambda: not build.is_running, BUILD_TIMEOUT_S, "the baseline is built")
    if build.process.returncode:
        raise AssertionError(f"no baseline:\n{build.tail()}")
    tell(build.tail(1))
    detector = _detector(directory, kafka.bootstrap, inbox.port, stack)
    tell(f"the detector reads {TOPIC} and serves {detector.url}")
    routes = moved(sooner(ALERTMANAGER.read_text(), "wait|group_interval"), (":9095/", f":{inbox.port}/"))
    alertmanager = stack.enter_context(Alertmanager(directory, routes))
    tell(f"Alertmanager answers on {alertmanager.url}")
    prometheus = stack.enter_context(_prometheus(directory, detector, alertmanager))
    tell(f"Prometheus answers on {prometheus.url}")
    return Parts(kafka, detector, prometheus, alertmanager, inbox, start_s)


def _command(directory: Path, log: str, stack: ExitStack, *arguments: str) -> Program:
    """Run `drift-detector` with arguments."""
    command = [sys.executable, "-m", "detector", *arguments]
    program = Program(command, directory / log, {"PYTHONPATH": str(ROOT)})
    # In good order, so that the detector delivers what it still holds.
    stack.callback(program.terminate)
    return program


def _baseline(directory: Path, end_s: float, stack: ExitStack) -> Program:
    training = directory / "train.csv"
    write_training(training, end_s)
    return _command(
        directory, "baseline.log", stack,
        "baseline", "build", str(training), "--output", str(directory / "baseline.json"),
        "--model", KEY.model, "--version", KEY.version, "--timestamp", "timestamp", "--prediction", "score",
    )  # fmt: skip


def _detector(directory: Path, bootstrap: str, inbox_port: int, stack: ExitStack) -> Detector:
    port = free_port()
    (directory / "webhook-url").write_text(f"http://127.0.0.1:{inbox_port}{DETECTOR_SINK}")
    config = {
        "source": {"kind": "kafka", "bootstrap_servers": [bootstrap], "topics": [TOPIC], "start": "earliest"},
        "models": [{"name": KEY.model, "baselines": "baseline.json"}],
        "windows": {"pane": "10m", "lengths": ["1h", "3h"]},
        "decision": {"min_samples": 500},
        "alerts": {"sinks": [{"kind": "log"}, {"kind": "webhook", "url_file": "webhook-url"}]},
        "http": {"port": port},
    }
    path = directory / "detector.yaml"
    path.write_text(yaml.safe_dump(config, sort_keys=False))
    program = _command(directory, "detector.log", stack, "run", "--config", str(path))
    detector = Detector(program, f"http://127.0.0.1:{port}")
    wait_until(lambda: detector.is_ready or not program.is_running, START_TIMEOUT_S, "the detector is ready")
    if not program.is_running:
        raise AssertionError(f"the detector ended:\n{program.tail()}")
    return detector


def _prometheus(directory: Path, detector: Detector, alertmanager: Alertmanager) -> Prometheus:
    (directory / "rules.yml").write_text(sooner(RULES.read_text(), "keep_firing_for"))
    config = moved(
        (PROMETHEUS / "prometheus.yml").read_text(),
        ("15s", "1s"),
        ("127.0.0.1:9093", alertmanager.url.removeprefix("http://")),
        ("127.0.0.1:9723", detector.url.removeprefix("http://")),
    )
    return Prometheus(directory, config=config)
