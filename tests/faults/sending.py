"""The stream on its way to the broker, while the service on the other side is disturbed."""

import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from tests.faults.workload import Workload
from tests.support.producing import Producer

PAUSE_S = 0.05
"""Between two sendings: records come all the time, not all at once."""


def send_parts(producer: Producer, topic: str, parts: Sequence[Sequence[bytes | None]]) -> int:
    """Send a part of every partition; return how many records that were."""
    for partition, values in enumerate(parts):
        if values:
            producer.send(topic, values, partition)
    return sum(map(len, parts))


class Stream:
    """Sends a workload on a thread of its own, no faster than `share` allows: a number from 0 to 1."""

    def __init__(
        self, bootstrap: str, topic: str, work: Workload, n_parts: int, share: Callable[[], float]
    ) -> None:
        self._bootstrap, self._topic, self._work = bootstrap, topic, work
        self._n_parts, self._share = n_parts, share
        self._given_up = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._error: BaseException | None = None
        self.sent = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._given_up.set()
        self._thread.join(60)
        assert error is not None or (self._error is None and not self._thread.is_alive()), self._error

    def _run(self) -> None:
        try:
            with Producer(self._bootstrap) as producer:
                for i, parts in enumerate(self._work.slices(self._n_parts)):
                    while not self._given_up.wait(PAUSE_S) and self._share() < i / self._n_parts:
                        pass
                    if self._given_up.is_set():
                        return
                    self.sent += send_parts(producer, self._topic, parts)
        except Exception as error:  # noqa: BLE001 - told where the thread is joined
            self._error = error
