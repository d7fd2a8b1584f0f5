"""What a sink is: a place that is told when alerts begin and end."""

from collections.abc import Sequence
from typing import Protocol

from detector.alerts import Transition
from detector.kinds import Kind
from detector.registry import Registry


class Sink(Protocol):
    """Delivers alert transitions, at least once; receivers recognise repeats by `Transition.id`."""

    def send(self, transitions: Sequence[Transition]) -> None:
        """Deliver; never raises for what the far side does."""
        ...

    def close(self) -> None:
        """Let go of everything."""
        ...


SinkKind = Kind[Sink]
"""A kind of sink: its settings, and how one is opened from them."""

sinks: Registry[SinkKind] = Registry("sink kind")
