"""Three replicas of one detector as processes, what happens to the active one, and who is it then."""

import re
import signal
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from detector.clock import SystemClock
from detector.counters import Counters
from detector.sources.kafka_settings import KafkaSettings
from detector.state import Cut, TopicStore
from detector.tree import dict_of
from tests.faults.running import Detector
from tests.support.processes import wait_until

LOOK_EVERY_S = 0.1
ANSWER_WITHIN_S = 0.5
TAKEOVER_WITHIN_S = 60.0
GROUP = "replicas"
STATE_TOPIC_SUFFIX = "-state"

KILL, FREEZE, ROLL = "kill -9", "SIGSTOP", "SIGTERM"


class Watch:
    """Looks every 100 ms on the metrics page of each replica whether it is the active one."""

    def __init__(self, ports: list[int]) -> None:
        self._ports = ports
        self.seen: list[tuple[float, int]] = []
        """(monotonic time when the page was asked for, replica) of every page that said `drift_active 1`."""
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._look, args=(i,), daemon=True) for i in range(len(ports))
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(5)

    def active(self, since_s: float, but: int | None = None) -> tuple[float, int] | None:
        """Return when which replica was seen active first after a time, not counting one."""
        return min(((at, i) for at, i in self.seen if at >= since_s and i != but), default=None)

    def now(self) -> set[int]:
        """Return who was seen active in the last second."""
        after_s = time.monotonic() - 1.0
        return {i for at, i in self.seen[-100:] if at >= after_s}

    def _look(self, i: int) -> None:
        url = f"http://127.0.0.1:{self._ports[i]}/metrics"
        while not self._over.wait(LOOK_EVERY_S):
            at_s = time.monotonic()
            try:
                with urllib.request.urlopen(url, timeout=ANSWER_WITHIN_S) as answer:
                    page = answer.read().decode()
            except OSError:
                continue
            if re.search(r"^drift_active 1", page, re.MULTILINE):
                self.seen.append((at_s, i))


class Replicas:
    """Some detectors with one configuration, and how long nobody was active at each loss."""

    def __init__(self, detectors: list[Detector], bootstrap: str, topic: str) -> None:
        self.detectors = detectors
        self._bootstrap, self._topic = bootstrap, topic
        self.gaps_s: dict[str, list[float]] = {KILL: [], FREEZE: [], ROLL: []}
        self.watch = Watch([detector.port for detector in detectors])

    def __enter__(self) -> Self:
        for detector in self.detectors:
            detector.start()
        self.watch.__enter__()
        for detector in self.detectors:
            wait_until(detector.is_ready, TAKEOVER_WITHIN_S, "a replica is ready")
        self.active()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.watch.__exit__(None, None, None)
        for detector in self.detectors:
            if detector.program is not None:
                detector.program.kill()

    def active(self) -> int:
        """Return the active one, once there is exactly one."""
        wait_until(lambda: len(self.watch.now()) == 1, TAKEOVER_WITHIN_S, "exactly one is active")
        return next(iter(self.watch.now()))

    def lose(self, how: str) -> None:
        """Take the active one away, wait for the next, and have the old one come back as a standby."""
        old = self.active()
        program = self.detectors[old].running
        lost_s = time.monotonic()
        if how == KILL:
            program.kill()
        elif how == FREEZE:
            program.signal(signal.SIGSTOP)
        else:
            self.detectors[old].stop()
        self.gaps_s[how].append(self._taken_over(old, lost_s) - lost_s)
        if how == FREEZE:
            program.signal(signal.SIGCONT)
        else:
            self.detectors[old].start()
        wait_until(self.detectors[old].is_ready, TAKEOVER_WITHIN_S, "the old one is there again")

    def _taken_over(self, old: int, since_s: float) -> float:
        wait_until(lambda: self.watch.active(since_s, old), TAKEOVER_WITHIN_S, "another is active")
        found = self.watch.active(since_s, old)
        assert found is not None
        return found[0]

    def wait_for(self, n: int, within_s: float) -> None:
        """Wait until the active one has read n records."""

        def read() -> bool:
            return any(self.detectors[i].consumed >= n for i in self.watch.now())

        wait_until(read, within_s, f"{n} records are read")

    def stop(self) -> None:
        """End them in good order, the active one last."""
        active = self.active()
        for i in sorted(range(len(self.detectors)), key=lambda i: i == active):
            self.detectors[i].stop()

    def last_cut(self) -> Cut:
        """Return what the last active one has kept."""
        settings = KafkaSettings(bootstrap_servers=[self._bootstrap], topics=[self._topic])
        options, topic = settings.shared_options, self._topic + STATE_TOPIC_SUFFIX
        return next(TopicStore(options, topic, GROUP, SystemClock()).load())

    def counters(self) -> Counters:
        """Return what they have counted together."""
        return Counters.recall(dict_of(self.last_cut().tree)["counters"])


def sections(
    bootstrap: str, topic: str, session_timeout_s: float, every: str
) -> dict[str, dict[str, object]]:
    """Return source and state of a configuration for replicas."""
    return {
        "source": {
            "kind": "kafka", "bootstrap_servers": [bootstrap], "topics": [topic], "start": "earliest",
            "group_id": GROUP, "session_timeout": f"{session_timeout_s:.0f}s",
        },
        "state": {"kind": "kafka", "topic": topic + STATE_TOPIC_SUFFIX, "every": every},
    }  # fmt: skip


def made_in(directory: Path, n: int, write: Callable[[Path], Path]) -> list[Detector]:
    """Make n detectors, each in a directory of its own with a configuration that `write` puts there."""
    homes = [directory / f"replica-{i}" for i in range(n)]
    for home in homes:
        home.mkdir()
    return [Detector(write(home)) for home in homes]
