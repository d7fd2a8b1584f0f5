"""What a sink is: a place that is told when alerts begin and end."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from pydantic import BaseModel

from detector.alerts import Transition
from detector.clock import Clock
from detector.registry import Registry


class Sink(Protocol):
    """Delivers alert transitions, at least once; receivers recognise repeats by `Transition.id`."""

    def send(self, transitions: Sequence[Transition]) -> None:
        """Deliver; never raises for what the far side does."""
        ...

    def close(self) -> None:
        """Let go of everything."""
        ...


class SinkKind(Protocol):
    """A kind of sink: its settings, and how one is opened from them."""

    Settings: type[BaseModel]

    @property
    def open(self) -> Callable[[Any, Clock], Sink]:
        """(settings, clock) -> sink."""
        ...


sinks: Registry[SinkKind] = Registry("sink kind")
