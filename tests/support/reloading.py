"""A service over real files and an in-memory source, whose clock moves when told to."""

from concurrent.futures import Future
from pathlib import Path

import yaml

from detector.assembly import assemble
from detector.batch import ModelKey
from detector.clock import ManualClock
from detector.config import load_config
from detector.metrics import Metrics
from detector.reload import Reloader, stamps_of
from detector.sinks import PromptSink
from detector.sources.memory import MemorySource
from detector.store import BaselineReader, write_baseline
from detector.view import SinkStatus
from tests.support.factories import KEY, START_S, event, training_rows

EVERY_S = 5.0
CONFIG = {
    "source": {"kind": "kafka", "bootstrap_servers": ["localhost:9092"], "topics": ["t"]},
    "models": [{"name": KEY.model, "baselines": "credit-{version}.json"}],
    "windows": {"pane": "1m", "lengths": ["5m"], "lateness": "0s"},
    "decision": {"min_samples": 100},
}


def at_once(task):
    """Do something aside, but before going on."""
    done = Future()
    done.set_result(task())
    return done


class KeepingSink(PromptSink):
    """Remembers what it was told."""

    def __init__(self):
        self.sent, self.is_closed = [], False

    def send(self, notices):
        self.sent += [notice.transition for notice in notices]

    def status(self):
        return SinkStatus("log", sent=len(self.sent))

    def close(self):
        self.is_closed = True


class Running:
    """The service as `run` puts it together, in `directory`."""

    def __init__(self, directory: Path, baselines, aside=at_once, **sections):
        self.directory = directory
        for version, baseline in baselines.items():
            write_baseline(directory / f"credit-{version}.json", baseline)
        self.path = directory / "detector.yaml"
        self.write(**sections)
        self.clock = ManualClock(START_S + 3600)
        self.metrics = Metrics()
        self.sink = KeepingSink()
        self.source = MemorySource()
        self.applied = []
        config = load_config(self.path, {})
        files = stamps_of(config)
        read = BaselineReader()
        assembly = assemble(config, None, read)
        opened = [(settings, self.sink) for settings in config.alerts.sinks]
        self.reloader = Reloader(
            config, assembly, opened, files, load=lambda: load_config(self.path, {}),
            assemble=lambda new, read: assemble(new, None, read),
            read=read, apply=self._apply, clock=self.clock, aside=aside,
        )  # fmt: skip
        self.service = assembly.service(
            self.source, [sink for _, sink in opened], self.metrics, self.clock, self.reloader
        )

    def _apply(self, config):
        self.applied.append(config)
        self.metrics.use(config.export_policy())

    def write(self, **sections):
        """Write the configuration: whole, as a file beside that takes its place."""
        text = yaml.safe_dump(CONFIG | sections)
        beside = self.path.with_name("beside")
        beside.write_text(text)
        beside.replace(self.path)

    def feed(self, rng, minutes, n=300, keys=(KEY,), **changed):
        """Send n events a minute of each version, and let the service read them."""
        for minute in minutes:
            for key in keys:
                for row in training_rows(rng, n):
                    self.source.append(event({**row, **changed}, START_S + 60 * minute, key))
        self.step()

    def step(self, seconds=1.0):
        self.clock.advance(seconds)
        self.service.step()

    def look(self, times=2):
        """Let the time pass in which files are looked at; a change takes two looks."""
        for _ in range(times):
            self.step(EVERY_S)
        self.step()

    def hup(self):
        """What SIGHUP does, and a round of the loop."""
        self.reloader.request()
        self.step(0.0)

    def metric(self, name):
        """The value of a series without labels, or of one with its labels as they stand on the page."""
        page = self.metrics.page()[0].decode()
        return next(float(line.split()[-1]) for line in page.splitlines() if line.startswith(name + " "))

    @property
    def view(self):
        return self.metrics.view

    @property
    def versions(self):
        return sorted(key.version for key in self.view.baselines)

    @property
    def status(self):
        return self.view.config

    def accepted(self, version="1"):
        return self.view.counters.accepted[ModelKey(KEY.model, version)]

    def n_in_window(self, version="1"):
        return int(self.view.judged[ModelKey(KEY.model, version), 300.0].evaluation.n[0])
