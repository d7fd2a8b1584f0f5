"""The only place that reads a clock.

Event time drives windows and alerts and comes with the events. Wall time decides only what is
"future", monotonic time only how long something has lasted; both enter the judging core as
arguments.
"""

import time
from typing import Protocol


class Clock(Protocol):
    """Where the outer layers get their time from."""

    def now_s(self) -> float:
        """Wall time in seconds since the Unix epoch."""
        ...

    def monotonic_s(self) -> float:
        """Seconds on a clock that never goes back."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class SystemClock:
    """The machine's clocks."""

    def now_s(self) -> float:
        """Wall time in seconds since the Unix epoch."""
        return time.time()

    def monotonic_s(self) -> float:
        """Seconds on a clock that never goes back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


class ManualClock:
    """A clock that moves when told to: tests and simulations."""

    def __init__(self, now_s: float = 0.0) -> None:
        self._now_s = now_s
        self._monotonic_s = 0.0

    def now_s(self) -> float:
        """Wall time in seconds since the Unix epoch."""
        return self._now_s

    def monotonic_s(self) -> float:
        """Seconds since the clock was made."""
        return self._monotonic_s

    def sleep(self, seconds: float) -> None:
        """Move on at once."""
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass on both clocks."""
        self._now_s += seconds
        self._monotonic_s += seconds
