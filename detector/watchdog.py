"""Ends the process when it is stuck, or takes more memory than it may: whoever started it starts it anew.

A thread that looks now and then. What the service knows lies in its last cut, written as a whole or not at
all, so ending at once loses nothing that a crash would not lose. The last words go to standard error, with
the stacks of all threads where something is stuck.
"""

import faulthandler
import logging
import os
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from detector.memory import SHARE_OF_LIMIT

log = logging.getLogger(__name__)

EXIT_CODE = 70

STUCK_AFTER_S = 120.0
"""A loop that has not come round for so long will not come round: no single step may take so long."""

STUCK_LOOKS = 3
"""It is looked at so often before the end: a process that stood still as a whole (SIGSTOP, a machine that
slept) wakes up with an old beat, and is left the time to come round."""

LOOK_EVERY_S = 5.0

NO_LIMIT = 1 << 50
"""Control groups without a limit name a number like this, or more."""

CGROUP_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
"""Of version 2 and of version 1, as a container sees its own."""


@dataclass(frozen=True, slots=True)
class Watchdog:
    """What is watched, and how patiently."""

    beat_age_s: Callable[[], float]
    """Seconds since the loop came round."""
    memory_limit: int | None = None
    """Bytes that the process may take; None: as many as there are."""
    stuck_after_s: float = STUCK_AFTER_S
    look_every_s: float = LOOK_EVERY_S

    def start(self) -> None:
        """Watch until the process ends."""
        threading.Thread(target=self._run, name="watchdog", daemon=True).start()

    def _run(self) -> None:
        pause, looks = threading.Event(), 0
        while not pause.wait(self.look_every_s):
            reason, is_stuck = self.reason(), self.beat_age_s() > self.stuck_after_s
            looks = looks + 1 if is_stuck else 0
            if reason is not None and (not is_stuck or looks >= STUCK_LOOKS):
                _end(reason, with_stacks=is_stuck)

    def reason(self) -> str | None:
        """Return why the process has to end; None: it may go on."""
        age_s = self.beat_age_s()
        if age_s > self.stuck_after_s:
            return f"the loop has not come round for {age_s:.0f} s"
        resident = resident_bytes()
        if self.memory_limit is not None and resident > SHARE_OF_LIMIT * self.memory_limit:
            return (
                f"{resident >> 20} MiB of memory are in use and {self.memory_limit >> 20} MiB allowed; "
                "allow more, or lower source.max_batch_bytes and source.max_poll_records"
            )
        return None


def _end(reason: str, *, with_stacks: bool) -> None:
    log.critical("ending with exit code %d: %s", EXIT_CODE, reason)
    if with_stacks:
        faulthandler.dump_traceback(file=sys.stderr, all_threads=True)
    sys.stderr.flush()
    # Nothing is closed in good order: what is stuck would be waited for.
    os._exit(EXIT_CODE)


def resident_bytes() -> int:
    """Return the memory that the process takes; 0 where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def cgroup_limit(files: tuple[Path, ...] = CGROUP_LIMITS) -> int | None:
    """Return the bytes that the container may take; None where it has no limit."""
    for file in files:
        try:
            limit = int(file.read_text())
        except (OSError, ValueError):
            # There is no such file, or it says `max`.
            continue
        return limit if 0 < limit < NO_LIMIT else None
    return None
