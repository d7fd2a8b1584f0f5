"""Changes of the configuration while the service runs, as its loop takes them over."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from detector.baseline import Baseline
from detector.batch import ModelKey
from detector.formats import Decoder
from detector.pipeline import Pipeline
from detector.sinks import Sink
from detector.view import ConfigStatus


@dataclass(frozen=True, slots=True)
class Change:
    """What a service goes on with when its configuration has changed."""

    pipeline: Pipeline
    """A new one, whose settings and model versions the running one takes on."""
    decoder: Decoder
    baselines: Mapping[ModelKey, Baseline]
    sinks: Sequence[Sink]
    new_sinks: Sequence[Sink]
    """Those that have not been told yet what fires."""
    idle_after_s: float


class Changes(Protocol):
    """Where changes of the configuration come from; asked by the loop between polls."""

    def take(self) -> Change | None:
        """Return what to go on with, once, if there is something; never waits."""
        ...

    def made(self) -> None:
        """Note that the change last taken is made."""
        ...

    def status(self) -> ConfigStatus:
        """Say which configuration is in force."""
        ...


class NoChanges:
    """A configuration that stays as it is."""

    def __init__(self, status: ConfigStatus | None = None) -> None:
        self._status = status or ConfigStatus()

    def take(self) -> None:
        """Return nothing, ever."""

    def made(self) -> None:
        """Never called."""

    def status(self) -> ConfigStatus:
        """Say what is in force."""
        return self._status
