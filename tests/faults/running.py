"""The service as a process that can be ended in any way and started again, and what it says of itself."""

import contextlib
import re
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from detector.counters import Counters
from detector.errors import StateError
from detector.state import Cut, decode
from detector.state.directory import NAMES, read_cut
from detector.tree import dict_of
from tests.faults.oracle import Oracle
from tests.faults.reference import Reference, by_reason
from tests.support.processes import Program, free_port, wait_until

READ_WITHIN_S = 120.0
"""By then everything that was sent is read, whatever happened before."""

EXIT_WITHIN_S = 15.0

READY_WITHIN_S = 30.0


class Detector:
    """One configuration, run over and over."""

    def __init__(self, config: Path, wrapper: Sequence[str] = (), **env: str) -> None:
        self.directory = config.parent
        self.port = free_port()
        self._command = [*wrapper, sys.executable, "-m", "detector", "run", "--config", str(config)]
        self._env = {"DRIFT_LOG__FORMAT": "json", "DRIFT_HTTP__PORT": str(self.port), **env}
        self.log = self.directory / "detector.log"
        self.program: Program | None = None
        self.stops_s: list[float] = []
        """How long it took to end, each time that it was asked to."""

    def start(self) -> Program:
        """Start it; returns at once."""
        self.program = Program(self._command, self.log, self._env)
        return self.program

    def start_and_wait(self) -> float:
        """Start it; return after how many seconds it is ready."""
        started_s = time.monotonic()
        self.start()
        wait_until(self.is_ready, READY_WITHIN_S, "it is ready")
        return time.monotonic() - started_s

    def is_ready(self) -> bool:
        """Whether it says that it is."""
        return bool(self._get("/readyz"))

    @property
    def running(self) -> Program:
        """The process of now."""
        assert self.program is not None, "not started"
        return self.program

    def live(self, seconds: float) -> None:
        """Let it run for a while; that it ends by itself is a mistake of its."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = self.running.process.wait(seconds)
            raise AssertionError(f"it ended by itself, exit code {code}:\n{self.running.tail()}")

    def stop(self) -> None:
        """End it in good order; that must not take long."""
        started_s = time.monotonic()
        code = self.running.terminate(EXIT_WITHIN_S)
        self.stops_s.append(time.monotonic() - started_s)
        assert code == 0, f"exit code {code}:\n{self.running.tail()}"

    def page(self) -> str:
        """The metrics as they are now; empty while there is no page."""
        return self._get("/metrics")

    def _get(self, path: str) -> str:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.read().decode()
        except OSError:
            return ""

    def metric(self, name: str) -> float:
        """The sum of a metric over its labels, 0 where there is none."""
        found = re.findall(rf"^{name}(?:\{{.*\}})? (\S+)$", self.page(), re.MULTILINE)
        return sum(map(float, found))

    def metric_by(self, name: str, label: str) -> dict[str, float]:
        """The values of a metric that are not 0, by one of its labels."""
        found: Counter[str] = Counter()
        for labels, value in re.findall(rf"^{name}\{{(.*)\}} (\S+)$", self.page(), re.MULTILINE):
            found[re.search(rf'(?:^|,){label}="(.*?)"', labels)[1]] += float(value)
        return {key: value for key, value in found.items() if value}

    @property
    def consumed(self) -> int:
        """Records read, over all lives."""
        return int(self.metric("drift_events_consumed_total"))

    def wait_for(self, n: int, within_s: float = READ_WITHIN_S) -> None:
        """Wait until n records are read; fails at once where the process has ended."""

        def read() -> bool:
            assert self.running.is_running, f"it ended:\n{self.running.tail()}"
            return self.consumed >= n

        try:
            wait_until(read, within_s, f"{n} records are read")
        except AssertionError as error:
            raise AssertionError(f"{error}; {self.consumed} so far\n{self.running.tail()}") from None

    @property
    def state(self) -> Path:
        """Where its state is kept."""
        return self.directory / "state"

    def last_cut(self) -> Cut:
        """The newest whole cut in its state."""
        found = []
        for name in NAMES:
            data = read_cut(self.state / name)
            with contextlib.suppress(StateError):
                found += [] if data is None else [decode(data)]
        return max(found, key=lambda cut: cut.sequence)

    def counters(self) -> Counters:
        """What the newest cut has counted."""
        return Counters.recall(dict_of(self.last_cut().tree)["counters"])


def finish(detector: Detector, right: Oracle, like: Reference) -> list[str]:
    """Wait until all is read, end the service in good order, and say what is not as it has to be.

    One line a difference, of what it counted, on its page and in its last cut, and of what it judged.
    """
    detector.wait_for(right.consumed)
    page = {
        "consumed": detector.consumed,
        "accepted": int(detector.metric("drift_events_accepted_total")),
        "rejected": {
            k: int(n) for k, n in detector.metric_by("drift_events_rejected_total", "reason").items()
        },
        "evaluations": int(detector.metric("drift_evaluations_total")),
    }
    detector.stop()
    counters = detector.counters()
    cut = {
        "consumed": counters.consumed.total(),
        "accepted": counters.accepted.total(),
        "rejected": by_reason(counters.rejected),
        "evaluations": counters.evaluations.total(),
    }
    wanted = {
        "consumed": right.consumed, "accepted": right.accepted, "rejected": right.rejected,
        "evaluations": right.evaluations,
    }  # fmt: skip
    found = [
        f"{place}: {name} {got[name]!r}, not {want!r}"
        for place, got in (("page", page), ("cut", cut))
        for name, want in wanted.items()
        if got[name] != want
    ]
    if counters.evaluation_digest != like.digest:
        found.append("evaluations: not those of an undisturbed run")
    return found + like.mismatches
