"""When cuts are kept: every few seconds, written on a thread of its own, one at a time.

The loop hands over what the pipeline remembers, which never changes afterwards, and goes on. Only when a
cut is on the disk is it told that it is durable: what is committed elsewhere must never be ahead of it.
"""

import logging
import threading

from detector.clock import Clock
from detector.errors import StateError
from detector.state.base import StateStore
from detector.state.encoding import Cut
from detector.view import StateStatus

log = logging.getLogger(__name__)

MOST_BYTES_PER_S = 1 << 20
"""Large cuts are kept less often, so that on average no more is written than this."""

MOST_BUSY = 0.05
"""The same of the share of time that goes into it."""

LAST_TIMEOUT_S = 4.0
"""So long the end waits for the last cut."""


class Keeper:
    """Hands cuts to a store; all but the writing is done by the loop's thread."""

    def __init__(self, store: StateStore, every_s: float, clock: Clock) -> None:
        self._store = store
        self._every_s = every_s
        self._clock = clock
        self._due_s = clock.monotonic_s() + every_s
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._durable: Cut | None = None
        self._sequence = 0
        self._last_s: float | None = None
        self._duration_s = self._size = 0.0
        self._n_failed = 0
        self._is_failing = False

    @property
    def is_due(self) -> bool:
        """Whether it is time for the next cut, and the last one is written."""
        return self._clock.monotonic_s() >= self._due_s and not self.is_writing

    @property
    def is_writing(self) -> bool:
        """Whether a cut is being written."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def next_sequence(self) -> int:
        """Number of the next cut."""
        return self._sequence + 1

    def begin_after(self, sequence: int) -> None:
        """Number the cuts on from one that was read."""
        self._sequence = max(self._sequence, sequence)

    def keep(self, cut: Cut) -> None:
        """Have a cut written; the one before must be."""
        self._sequence = cut.sequence
        self._due_s = self._clock.monotonic_s() + self._every_s
        self._thread = threading.Thread(target=self._write, args=(cut,), name="state", daemon=True)
        self._thread.start()

    def take_durable(self) -> Cut | None:
        """Return the latest cut that has become durable, once."""
        with self._lock:
            cut, self._durable = self._durable, None
        return cut

    def hasten(self) -> None:
        """Have the next cut kept at once."""
        self._due_s = self._clock.monotonic_s()

    def finish(self) -> bool:
        """Wait for a cut that is being written, some seconds at most; return whether it is."""
        if self._thread is not None:
            self._thread.join(LAST_TIMEOUT_S)
        return not self.is_writing

    def close(self) -> None:
        """Let go of the store, unless it is still being written to: the end of the program does it then."""
        if not self.is_writing:
            self._store.close()

    def status(self) -> StateStatus:
        """Say how keeping goes."""
        with self._lock:
            return StateStatus(
                self._last_s, self._duration_s, self._size, self._n_failed, self._store.n_damaged
            )

    def _write(self, cut: Cut) -> None:
        began_s = self._clock.monotonic_s()
        size = 0
        try:
            size = self._store.save(cut)
        except StateError as error:
            self._note_failure("state is not kept: %s; going on, and trying again", error)
        except Exception as error:  # noqa: BLE001 - a defect or no memory: the loop is worth more than its state
            self._note_failure("state is not kept; going on, and trying again", exc_info=error)
        else:
            self._note_success(cut, size, self._clock.monotonic_s() - began_s)
        duration_s = self._clock.monotonic_s() - began_s
        with self._lock:
            self._due_s = max(self._due_s, began_s + max(size / MOST_BYTES_PER_S, duration_s / MOST_BUSY))

    def _note_failure(self, text: str, *values: object, exc_info: BaseException | None = None) -> None:
        with self._lock:
            self._n_failed += 1
        if not self._is_failing:
            log.warning(text, *values, exc_info=exc_info)
        self._is_failing = True

    def _note_success(self, cut: Cut, size: int, duration_s: float) -> None:
        if self._is_failing:
            log.info("state is kept again")
        self._is_failing = False
        with self._lock:
            self._durable = cut
            self._last_s, self._duration_s, self._size = self._clock.now_s(), duration_s, float(size)
