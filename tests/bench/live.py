"""One contestant reading a whole topic: `python -m tests.bench.live ours|naive BOOTSTRAP TOPIC N BASELINE`.

Prints as JSON the CPU seconds of all threads from the first record to the last, and the memory.
"""

import gc
import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from detector.clock import SystemClock
from detector.metrics import Metrics
from detector.pipeline import Pipeline
from detector.service import Service
from detector.sources import sources
from detector.store import read_baseline
from detector.times import parse_rfc3339
from detector.watched import Monitored
from detector.windows.spec import WindowSpec
from tests.bench.events40 import NUMBERS, TEXTS
from tests.support.factories import KEY, decoder_of

SPEC = WindowSpec(pane_s=60, lengths_s=(600.0,), lateness_s=0)
"""One window length, as the naive loop has."""


def ours(bootstrap: str, topic: str, baseline_path: str) -> tuple[Callable[[], int], Callable[[], None]]:
    """The service as it is run, with its sinks and pages left out."""
    baseline = read_baseline(Path(baseline_path))
    models = {KEY: Monitored(baseline)}
    kind = sources.get("kafka")
    settings = kind.Settings(bootstrap_servers=[bootstrap], topics=[topic], start="earliest")
    clock = SystemClock()
    pipeline = Pipeline(SPEC, models)
    service = Service(
        kind.open(settings, clock), decoder_of(models), pipeline, {KEY: baseline}, [], Metrics(), clock
    )
    # As `Service.run` does: it collects garbage between polls, every ten seconds.
    gc.collect()
    gc.freeze()
    gc.disable()
    return service.step, service.finish


def naive(bootstrap: str, topic: str, baseline_path: str) -> tuple[Callable[[], int], Callable[[], None]]:
    """What people write first: json.loads, append, and np.histogram (Counter for texts) a window."""
    from collections import Counter

    from kafka import KafkaConsumer, TopicPartition

    baseline = read_baseline(Path(baseline_path))
    edges = {
        feature.name: baseline.binning.of(i).edges for i, feature in enumerate(baseline.features.numeric)
    }
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, group_id=None, max_poll_records=2000)
    tp = TopicPartition(topic, 0)
    consumer.assign([tp])
    consumer.seek_to_beginning(tp)
    window: dict[str, list] = {name: [] for name in (*NUMBERS, *TEXTS)}
    ends = [None]

    def close() -> None:
        for name in NUMBERS:
            np.histogram(window[name], edges[name])
        for name in TEXTS:
            Counter(window[name])
        for values in window.values():
            values.clear()

    def step() -> int:
        n = 0
        for record in consumer.poll(timeout_ms=500).get(tp, ()):
            event = json.loads(record.value)
            at = parse_rfc3339(event["timestamp"])
            ends[0] = ends[0] or at + 600
            if at >= ends[0]:
                close()
                ends[0] += 600
            features = event["features"]
            for name, values in window.items():
                values.append(features[name])
            n += 1
        return n

    return step, close


def main() -> None:
    """Run one contestant."""
    who, bootstrap, topic, n, baseline_path = sys.argv[1:]
    step, finish = {"ours": ours, "naive": naive}[who](bootstrap, topic, baseline_path)
    done = 0
    while done == 0:
        done = step()
    started, wall, half_mb = time.process_time(), time.perf_counter(), 0.0
    first = done
    while done < int(n):
        done += step()
        half_mb = half_mb or (_rss_mb() if done >= int(n) / 2 else 0.0)
    finish()
    used = time.process_time() - started
    print(
        json.dumps(
            {
                "us_an_event": used / (done - first) * 1e6,
                "events_a_second": (done - first) / (time.perf_counter() - wall),
                "rss_mb": _rss_mb(),
                "rss_mb_half_way": half_mb,
                "peak_mb": _peak_mb(),
            }
        )
    )


def _rss_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def _peak_mb() -> float:
    # Not getrusage: its peak is inherited from the process that started this one.
    status = Path("/proc/self/status").read_text().splitlines()
    return float(next(line for line in status if line.startswith("VmHWM")).split()[1]) * 1024 / 1e6


if __name__ == "__main__":
    main()
