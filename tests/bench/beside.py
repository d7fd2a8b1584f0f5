"""What something beside it costs a service that reads as fast as it can: pairs with and without, in turns."""

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from detector.clock import SystemClock
from detector.metrics import Metrics
from detector.pipeline import Pipeline
from detector.service import Service
from detector.watched import Monitored
from detector.web import WebServer
from detector.windows.spec import WindowSpec
from tests.bench.events40 import EVENTS_A_SECOND, baseline, rows
from tests.support.endless import EndlessSource
from tests.support.factories import KEY, decoder_of

PAIRS = 12
SECONDS = 3.0
"""Of one half of a pair."""
SPEC = WindowSpec(pane_s=60, lengths_s=(600.0, 3600.0, 86400.0), lateness_s=120, max_future_s=1e12)


@dataclass
class Found:
    """Of each pair the speed with over the speed without, and the speeds without, in events a second."""

    ratios: list[float]
    speeds: list[float]

    @property
    def slower(self) -> float:
        """How much slower it is at the median, as a share."""
        return 1 - float(np.median(self.ratios))

    def __str__(self) -> str:
        low, high = np.quantile(self.ratios, [0.25, 0.75])
        return (
            f"{np.median(self.speeds):,.0f} events/s without, {self.slower:.1%} slower with; "
            f"quartiles of the ratio {low:.3f} to {high:.3f} ({len(self.ratios)} pairs)"
        )


@contextmanager
def serving() -> Iterator[tuple[Service, Metrics, str]]:
    """A service over 40 features that is served: itself, its metrics and its address."""
    of = baseline()
    models = {KEY: Monitored(of)}
    source = EndlessSource(list(rows(np.random.default_rng(2), 20_000)), EVENTS_A_SECOND)
    metrics, clock = Metrics(), SystemClock()
    service = Service(
        source, decoder_of(models), Pipeline(SPEC, models), {KEY: of}, [], metrics, clock, 3600.0
    )
    server = WebServer("127.0.0.1", 0, metrics, service.beat_age_s)
    port = server.start()
    try:
        yield service, metrics, f"http://127.0.0.1:{port}"
    finally:
        server.stop()


def speed(service: Service, seconds: float = SECONDS) -> float:
    """Return the events a second of wall time, over a while."""
    started, n = time.perf_counter(), 0
    while (elapsed := time.perf_counter() - started) < seconds:
        n += service.step()
    return n / elapsed


def compared(service: Service, program: str, arguments: Sequence[str], begin_s: float = 1.0) -> Found:
    """Return what a Python program beside it costs; `begin_s` pass until it has begun."""
    speed(service)
    ratios, speeds = [], []
    for i in range(PAIRS):
        found = {}
        for is_beside in (True, False) if i % 2 else (False, True):
            beside = subprocess.Popen([sys.executable, "-c", program, *arguments]) if is_beside else None
            if beside is not None:
                speed(service, begin_s)
            found[is_beside] = speed(service)
            if beside is not None:
                beside.kill()
                beside.wait()
        ratios.append(found[True] / found[False])
        speeds.append(found[False])
    return Found(ratios, speeds)
