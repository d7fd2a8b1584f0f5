"""Progress of long work: one line that rewrites itself on a terminal, nothing elsewhere."""

import sys
from typing import TextIO

from detector.clock import Clock, SystemClock

REFRESH_S = 0.1


class Progress:
    """Shows how much of a known amount of bytes has been worked through, and how fast."""

    def __init__(self, total_bytes: int, stream: TextIO | None = None, clock: Clock | None = None) -> None:
        self._total = max(total_bytes, 1)
        self._stream = sys.stderr if stream is None else stream
        self._clock = SystemClock() if clock is None else clock
        self._shown = self._stream.isatty()
        self._width = 0
        self.begin("")

    def begin(self, task: str) -> None:
        """Start anew with a task."""
        self._task = task
        self._done = 0
        self._started_s = self._clock.monotonic_s()
        self._drawn_s = 0.0

    def advance(self, n_bytes: int) -> None:
        """Count `n_bytes` more as done."""
        self._done += n_bytes
        now_s = self._clock.monotonic_s()
        if self._shown and now_s - self._drawn_s >= REFRESH_S:
            self._drawn_s = now_s
            self._draw(now_s)

    def _draw(self, now_s: float) -> None:
        share = min(self._done / self._total, 1.0)
        elapsed_s = max(now_s - self._started_s, 1e-3)
        rate = self._done / elapsed_s / 1e6
        left_s = elapsed_s * (1.0 - share) / max(share, 1e-6)
        bar = "#" * round(share * 24)
        text = f"{self._task:<14} [{bar:<24}] {share:>4.0%}  {rate:6.1f} MB/s  {left_s:5.0f} s left"
        self._width = max(self._width, len(text))
        self._stream.write("\r" + text.ljust(self._width))
        self._stream.flush()

    def end(self) -> None:
        """Wipe the line."""
        if self._shown and self._width:
            self._stream.write("\r" + " " * self._width + "\r")
            self._stream.flush()
