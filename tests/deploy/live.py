"""A detector that runs in earnest: the real service and page over events that a thread makes now."""

import json
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from detector.clock import SystemClock
from detector.drift.policy import DecisionPolicy
from detector.kinds import open_part
from detector.metrics import Metrics
from detector.pipeline import Pipeline
from detector.resume import Memory
from detector.runs import AlertPolicy
from detector.service import Service
from detector.sinks import sinks
from detector.sources import AlwaysOnDuty
from detector.sources.memory import MemorySource
from detector.state import DirectoryStore
from detector.times import format_time
from detector.watched import Monitored
from detector.web.server import WebServer
from detector.windows.slices import Slices
from detector.windows.spec import WindowSpec
from tests.support.factories import KEY, baseline_of, decoder_of, training_rows

SPEC = WindowSpec(pane_s=1.0, lengths_s=(2.0, 4.0), lateness_s=0.0)
TICK_S = 0.25
EVENTS_A_TICK = 150


class Traffic:
    """Events of a model that answers `score`; from the next second on, `shifted` leaves the training data."""

    def __init__(self) -> None:
        self._rng = np.random.default_rng(11)
        self.shifted: frozenset[str] = frozenset()
        self.flows = True
        self._now: tuple[int, frozenset[str]] = (0, frozenset())

    def rows(self, n: int) -> list[dict[str, Any]]:
        """Make n rows as they are now."""
        rows = training_rows(self._rng, n)
        for row, score in zip(rows, self._rng.beta(2, 5, n).tolist(), strict=True):
            row["score"] = score
            if "amount" in self._now[1]:
                row["amount"] = round(row["amount"] ** 0.3, 2)
            if "age" in self._now[1]:
                row["age"] = 18 + (row["age"] - 18) // 4
            if "member" in self._now[1]:
                row["member"] = row["member"] or row["age"] % 2 == 0
        return rows

    def events(self, n: int, now_s: float) -> list[bytes]:
        """Make n events that happen now, one of them no event at all."""
        if self._now[0] != int(now_s):
            # Whole panes only: half a pane more of one feature than of another is nobody's question here.
            self._now = (int(now_s), self.shifted)
        made = []
        for row in self.rows(n):
            score = row.pop("score")
            event = {"model": KEY.model, "version": KEY.version, "timestamp": format_time(now_s)}
            made.append(json.dumps(event | {"features": row, "prediction": {"score": score}}).encode())
        return [*made, b"rubbish"]


@contextmanager
def live_detector() -> Iterator[tuple[int, Traffic]]:
    """Run a detector; yield the port of its page, and what it is fed."""
    traffic, clock, source, metrics = Traffic(), SystemClock(), MemorySource(), Metrics()
    baseline = baseline_of(traffic.rows(8000), prediction=("score",), slices=("country",))
    policy = DecisionPolicy(min_samples=100)
    models = {KEY: Monitored(baseline, policy, Slices({"country": ("DE", "FR")}))}
    pipeline = Pipeline(SPEC, models, AlertPolicy(raise_after=2, clear_after=2))
    told = open_part(sinks, sinks.get("log").Settings(), clock)
    stop = threading.Event()
    kept = tempfile.TemporaryDirectory()
    memory = Memory(clock, DirectoryStore(Path(kept.name)), every_s=1.0)
    service = Service(
        source,
        decoder_of(models),
        pipeline,
        {KEY: baseline},
        [told],
        metrics,
        clock,
        memory=memory,
        duty=AlwaysOnDuty("three"),
    )

    def run() -> None:
        # The source and the loop on one thread: a list that grows while it is read is for tests only.
        while not stop.wait(TICK_S):
            if traffic.flows:
                for event in traffic.events(EVENTS_A_TICK, clock.now_s()):
                    source.append(event)
            service.step()

    server = WebServer("127.0.0.1", 0, metrics, service.beat_age_s)
    thread = threading.Thread(target=run, daemon=True)
    port = server.start()
    thread.start()
    try:
        yield port, traffic
    finally:
        stop.set()
        thread.join(30)
        server.stop()
        memory.last(pipeline, source, [told], "")
        memory.close()
        kept.cleanup()
