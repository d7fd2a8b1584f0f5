"""What a sink is: a place that is told when alerts begin and end."""

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from detector.kinds import Kind
from detector.notice import Notice
from detector.registry import Registry
from detector.tree import Tree
from detector.view import SinkStatus


class Sink(Protocol):
    """Tells of alerts, at least once; receivers recognise repeats by `Notice.idempotency_key`.

    `send` and `status` are called by the service's thread, and never wait for the far side.
    """

    def send(self, notices: Sequence[Notice]) -> None:
        """Take over what is to be told, of those that this sink is for; never raises."""
        ...

    def status(self) -> SinkStatus:
        """Say what became of everything so far."""
        ...

    def remember(self) -> Tree:
        """Return what is still to be told, and whatever else has to survive a restart."""
        ...

    def recall(self, tree: Tree) -> None:
        """Go on with what a sink with these settings remembered; before anything is sent.

        Raises:
            ValueError: the tree is nothing such; the sink is as it was.
        """
        ...

    def heed(self, may_tell: Callable[[], bool]) -> None:
        """Deliver nothing while `may_tell` says no; it is asked by any thread, before each attempt."""
        ...

    def forget(self) -> None:
        """Drop what waits to be told, and what is known to be told: another replica goes on with it."""
        ...

    def close(self) -> None:
        """Tell what is left, in a few seconds at most, and let go of everything."""
        ...


class PromptSink:
    """What every sink has in common that tells at once: nothing waits, nothing has to survive a restart."""

    def remember(self) -> Tree:
        """Nothing: what was sent is told."""

    def recall(self, tree: Tree) -> None:
        """Nothing was remembered."""

    def heed(self, may_tell: Callable[[], bool]) -> None:
        """Nothing is told later than when it is sent."""

    def forget(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """Nothing to let go of."""


def close_all(some: Iterable[Sink]) -> None:
    """Close sinks at the same time: together they take no longer than the slowest."""
    threads = [threading.Thread(target=sink.close, name="close", daemon=True) for sink in some]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


SinkKind = Kind[Sink]
"""A kind of sink: its settings, and how one is opened from them."""

sinks: Registry[SinkKind] = Registry("sink kind")
