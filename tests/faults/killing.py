"""Ends the service by `kill -9` at moments that a seed decides.

Of five lives one ends while the program starts, two while a cut is written (as soon as something stirs in
the directory of state), two anywhere.
"""

import contextlib
import os
import time
from collections import Counter
from pathlib import Path

import numpy as np

from tests.faults.running import READY_WITHIN_S, Detector
from tests.support.processes import wait_until

LONGEST_LIFE_S = 2.0
"""From when it is ready."""


class Killer:
    """Starts and kills one detector."""

    def __init__(self, detector: Detector, rng: np.random.Generator) -> None:
        self._detector = detector
        self._rng = rng
        self.kills: Counter[str] = Counter()
        """By the moment."""

    def live_once(self) -> None:
        """Start it, let it live for a while, kill it."""
        moment = str(self._rng.choice(["starting", "saving", "anywhere"], p=[0.2, 0.4, 0.4]))
        program = self._detector.start()
        if moment == "starting":
            self._detector.live(self._rng.uniform(0.0, 1.2))
        else:
            wait_until(self._detector.is_ready, READY_WITHIN_S, "it is ready")
        if moment == "anywhere":
            self._detector.live(self._rng.uniform(0.0, LONGEST_LIFE_S))
        elif moment == "saving":
            before, deadline = _stirred(self._detector.state), time.monotonic() + LONGEST_LIFE_S
            while _stirred(self._detector.state) == before and time.monotonic() < deadline:
                time.sleep(0.0005)
            self._detector.live(self._rng.uniform(0.0, 0.02))
        program.kill()
        self.kills[moment] += 1


def _stirred(directory: Path) -> set[tuple[str, int, int]]:
    """Return what changes when anything is written: names, sizes and times."""
    found = set()
    with contextlib.suppress(OSError), os.scandir(directory) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):
                stat = entry.stat()
                found.add((entry.name, stat.st_size, stat.st_mtime_ns))
    return found
