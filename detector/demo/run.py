"""The demonstration, step by step: files as a user's would be, the stream, the findings."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import NoReturn

from detector.alerts import Transition
from detector.baseline.build import BuildOptions
from detector.clock import Clock
from detector.demo.faults import FAULTS
from detector.demo.findings import alert_line, findings_text, match
from detector.demo.flights import MODEL_NAME, MODEL_VERSION, DelayModel, Flight, write_training
from detector.demo.stream import events, span_s, split
from detector.notice import Notice
from detector.service import Service
from detector.sinks import PromptSink
from detector.view import SinkStatus

BUILD = BuildOptions(
    model=MODEL_NAME, version=MODEL_VERSION, timestamp="timestamp", prediction=("arr_delay", "late")
)
"""How the demonstration's baseline is built."""

REST_S = 0.5
"""Pause between two looks at a stream that has ended."""

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Stage:
    """The files the demonstration works on, and the flights that are still to come."""

    directory: Path
    live: Sequence[Flight]
    model: DelayModel

    @classmethod
    def prepare(cls, directory: Path, *, keep_events: bool) -> "Stage":
        """Write the training data and the configuration; with `keep_events` also the events to come."""
        training, live = split()
        stage = cls(directory, live, DelayModel.shipped())
        write_training(stage.training, training, stage.model)
        with (
            (files("detector.demo") / "data" / "demo.yaml").open("rb") as packed,
            stage.config.open("wb") as to,
        ):
            shutil.copyfileobj(packed, to)
        if keep_events:
            with (directory / "events.jsonl").open("wb") as file:
                file.writelines(event + b"\n" for event in events(live, stage.model))
        return stage

    @property
    def training(self) -> Path:
        """The training data."""
        return self.directory / "train.csv"

    @property
    def baseline(self) -> Path:
        """Where the baseline belongs."""
        return self.directory / "baseline.json"

    @property
    def config(self) -> Path:
        """The configuration."""
        return self.directory / "demo.yaml"


@dataclass(slots=True)
class Teller(PromptSink):
    """A sink that tells of alerts as they come, and remembers them."""

    tell: Tell
    transitions: list[Transition] = field(default_factory=list)

    def send(self, notices: Sequence[Notice]) -> None:
        """Tell of each."""
        for notice in notices:
            self.transitions.append(notice.transition)
            self.tell(alert_line(notice.transition))

    def status(self) -> SinkStatus:
        """Say how many were told."""
        return SinkStatus("demo", sent=len(self.transitions))


def stream(service: Service, stage: Stage, teller: Teller, clock: Clock, check: Callable[[], None]) -> None:
    """Run the live flights through the service and tell what was found.

    `check` is called between polls; what it raises ends the stream.
    """
    n = len(stage.live)
    started_s = clock.monotonic_s()
    while service.n_consumed < n:
        service.step()
        check()
    service.finish()
    seconds = clock.monotonic_s() - started_s
    found = match(teller.transitions, FAULTS)
    teller.tell(findings_text(found, n, seconds, span_s(stage.live) / 86400.0))


def keep_serving(service: Service, clock: Clock) -> NoReturn:
    """Leave everything as it stands at the end of the stream, for people to look at."""
    while True:
        service.step()
        clock.sleep(REST_S)
