"""The demonstration, step by step: baseline, stream, findings."""

import logging
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from detector.alerts import Transition
from detector.assembly import assemble
from detector.baseline.build import BuildOptions
from detector.clock import Clock
from detector.config import load_config
from detector.demo.faults import FAULTS
from detector.demo.findings import Findings, match
from detector.demo.flights import MODEL_NAME, MODEL_VERSION, DelayModel, Flight, write_training
from detector.demo.stream import FlightSource, split
from detector.service import Publisher, Service
from detector.sources import Source

log = logging.getLogger(__name__)

Tell = Callable[[str], None]
BuildFromFiles = Callable[[Sequence[str], BuildOptions], object]


@dataclass(frozen=True, slots=True)
class Stage:
    """The files the demonstration works on, as a user's would lie beside each other."""

    directory: Path

    @property
    def training(self) -> Path:
        """The training data."""
        return self.directory / "train.csv"

    @property
    def baseline(self) -> Path:
        """The baseline."""
        return self.directory / "baseline.json"

    @property
    def config(self) -> Path:
        """The configuration."""
        return self.directory / "demo.yaml"
