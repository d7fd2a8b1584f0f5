"""`make soak`: a day of traffic, 50 million events, as fast as can be, with state saved all the time.

A first day fills the windows and is not measured. In the second the memory must stay as it is, within 5 %.
Prints a line an hour of event time, and one at the end; the exit code is 1 where memory grew.
"""

import argparse
import json
import resource
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from detector.assembly import assemble
from detector.clock import SystemClock
from detector.config import load_config
from detector.metrics import Metrics
from detector.pipeline import Pipeline
from detector.resume import Memory
from detector.state import DirectoryStore
from tests.faults.setting import write_setting
from tests.faults.workload import training_rows
from tests.support.endless import EndlessSource
from tests.support.factories import START_S, baseline_of

DAY_S = 86400.0
WARM_UP_SHARE = 0.2
"""Events of the first day, as a share of those of the second."""
MOST_GROWTH = 0.05
SAMPLE_EVERY_S = 900.0
"""Of event time."""

CUT_EVERY_S = 2.0

WINDOWS = {"pane": "1m", "lengths": ["10m", "1h", "24h"], "lateness": "2m", "max_future": "3650d",
           "idle_after": "30d"}  # fmt: skip


class TimedMemory(Memory):
    """Keeps cuts, and how long the loop stood still for each."""

    newest: Pipeline

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.pauses_s: list[float] = []

    def after_round(self, pipeline: Pipeline, *others: Any) -> None:
        """Keep a cut where it is time to, by the watch."""
        self.newest = pipeline
        is_due, started_s = self._keeper.is_due, time.perf_counter()
        super().after_round(pipeline, *others)
        if is_due:
            self.pauses_s.append(time.perf_counter() - started_s)


@dataclass
class Usage:
    """What the process holds, sampled."""

    samples_mb: list[float] = field(default_factory=list)

    def sample(self) -> float:
        """Note how much it is now."""
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        self.samples_mb.append(pages * resource.getpagesize() / 1e6)
        return self.samples_mb[-1]

    @property
    def growth(self) -> float:
        """The median of the last tenth of the samples over that of the first, less 1."""
        n = max(3, len(self.samples_mb) // 10)
        return float(np.median(self.samples_mb[-n:]) / np.median(self.samples_mb[:n])) - 1.0


def main() -> int:
    """Run the two days."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=50_000_000, help="of the second day")
    wanted = parser.parse_args().events
    with tempfile.TemporaryDirectory() as directory:
        return _run(Path(directory), wanted)


def _run(directory: Path, wanted: int) -> int:
    baseline = baseline_of(training_rows(1, 20_000))
    path = write_setting(directory, baseline, {"kind": "replay"}, windows=WINDOWS)
    config = load_config(path, allow_replay=True)
    assembly = assemble(config)
    source = EndlessSource(training_rows(2, 50_000), WARM_UP_SHARE * wanted / DAY_S)
    clock = SystemClock()
    kept = TimedMemory(clock, DirectoryStore(directory / "state"), CUT_EVERY_S)
    service = assembly.service(source, [], Metrics(), clock, memory=kept)
    memory = Usage()
    started_s = _day(service, source, START_S + DAY_S, Usage(), "first day")
    before, source.rate = source.n, wanted / DAY_S
    busy_s = _day(service, source, START_S + 2 * DAY_S, memory, "second day")
    n = source.n - before
    counters, state = kept.newest.counters, kept.status()
    lost = source.n - counters.consumed.total()
    found = {
        "events": n, "events_a_second": round(n / busy_s), "seconds": round(started_s + busy_s),
        "evaluations": counters.evaluations.total(), "not_counted": lost + counters.rejected.total(),
        "rss_mb_first": round(memory.samples_mb[0], 1), "rss_mb_last": round(memory.samples_mb[-1], 1),
        "rss_mb_most": round(max(memory.samples_mb), 1), "growth": round(memory.growth, 4),
        "cuts": len(kept.pauses_s), "cuts_failed": state.n_failed, "cut_bytes": round(state.size_bytes),
        "cut_written_s": round(state.duration_s, 3),
        "pause_ms_p99": round(1e3 * float(np.quantile(kept.pauses_s, 0.99)), 2),
        "pause_ms_most": round(1e3 * max(kept.pauses_s), 2),
    }  # fmt: skip
    print(json.dumps(found))
    return int(memory.growth > MOST_GROWTH or found["not_counted"] > 0)


def _day(service, source: EndlessSource, until_s: float, memory: Usage, name: str) -> float:
    """Run until a moment of event time; return the seconds it took."""
    started_s, sample_at_s = time.perf_counter(), source.time_s
    while source.time_s < until_s:
        service.step()
        if source.time_s >= sample_at_s:
            sample_at_s += SAMPLE_EVERY_S
            rss_mb = memory.sample()
            if len(memory.samples_mb) % 4 == 1:
                hours = (source.time_s - START_S) / 3600
                print(f"{name}: hour {hours:4.1f}, {source.n:,} events, {rss_mb:.1f} MB", file=sys.stderr)
    return time.perf_counter() - started_s


if __name__ == "__main__":
    sys.exit(main())
