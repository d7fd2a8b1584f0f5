"""Telling the sinks: only by the active one of several replicas, and by what sinks they were told so far."""

from collections.abc import Callable, Iterable, Sequence

from detector.notice import Notice
from detector.sinks import Sink
from detector.view import SinkStatus

MAX_RETIRED = 100
"""Names of sinks that are no more of which it is known what they told: those that went last."""


class Telling:
    """The sinks there are, and what those have told that are no more."""

    def __init__(self, sinks: Sequence[Sink], may_tell: Callable[[], bool]) -> None:
        """`may_tell` is asked before anything leaves, by the threads of the sinks, too."""
        self._may_tell = may_tell
        self._retired: dict[str, SinkStatus] = {}
        self.sinks = sinks
        for sink in sinks:
            sink.heed(may_tell)

    def tell(self, sinks: Iterable[Sink], notices: Sequence[Notice]) -> None:
        """Hand notices over to sinks; to none where they are not to be told."""
        if notices and self._may_tell():
            for sink in sinks:
                sink.send(notices)

    def replace(self, sinks: Sequence[Sink]) -> None:
        """Go on with other sinks, some of which may be there already."""
        self._retire([sink for sink in self.sinks if all(sink is not other for other in sinks)])
        self.sinks = sinks
        for sink in sinks:
            sink.heed(self._may_tell)

    def forget(self) -> None:
        """Drop what waits to be told, and what is known to be told: it is another's by now."""
        for sink in self.sinks:
            sink.forget()

    def statuses(self) -> tuple[SinkStatus, ...]:
        """Say what became of everything so far."""
        statuses = tuple(sink.status() for sink in self.sinks)
        names = {status.name for status in statuses}
        return statuses + tuple(status for name, status in self._retired.items() if name in names)

    def _retire(self, gone: Iterable[Sink]) -> None:
        """Remember what sinks have told that go: one of the same name may take their place."""
        for sink in gone:
            told = sink.status()
            before = self._retired.pop(told.name, SinkStatus(told.name))
            sent, failed = before.sent + told.sent, before.failed + told.failed
            self._retired[told.name] = SinkStatus(told.name, sent, failed, before.dropped + told.dropped)
        for name in list(self._retired)[:-MAX_RETIRED]:
            del self._retired[name]
