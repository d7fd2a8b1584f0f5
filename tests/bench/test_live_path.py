"""Speed and memory of the live path from a real Kafka topic, on one core, beside the naive loop."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest

from detector.store import write_baseline
from tests.bench.events40 import baseline, payloads
from tests.support.producing import send

pytestmark = [pytest.mark.bench, pytest.mark.kafka, pytest.mark.timeout(600)]

N = 200_000
ROUNDS = 3
LEAST_RATIO = 2.5
MOST_MB = 250.0


def _run(who, bootstrap, topic, path):
    one_core = [shutil.which("taskset"), "-c", "0"] if shutil.which("taskset") else []
    command = [*one_core, sys.executable, "-m", "tests.bench.live", who, bootstrap, topic, str(N), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_live_path_against_the_naive_loop(kafka, make_topic, tmp_path, capsys):
    """40 features: at least 2.5 times the naive loop's events a CPU second, under 250 MB, and flat."""
    topic = make_topic()
    send(kafka, topic, payloads(np.random.default_rng(2), N))
    path = tmp_path / "baseline.json"
    write_baseline(path, baseline())
    found = {who: [] for who in ("ours", "naive")}
    for _ in range(ROUNDS):
        for who, runs in found.items():
            runs.append(_run(who, kafka, topic, path))
    best = {who: min(r["us_an_event"] for r in runs) for who, runs in found.items()}
    ratio = best["naive"] / best["ours"]
    ours = found["ours"][-1]
    with capsys.disabled():
        print(f"\nlive path, 40 features, {N:,} events from Apache Kafka, one core, best of {ROUNDS}:")
        for who, runs in found.items():
            speed = max(r["events_a_second"] for r in runs)
            print(
                f"  {who:<6} {best[who]:6.1f} us CPU an event, {speed:8,.0f} events/s, "
                f"{runs[-1]['peak_mb']:.0f} MB at the peak"
            )
        print(f"  ratio  {ratio:.2f}")
        print(f"  memory half way {ours['rss_mb_half_way']:.0f} MB, at the end {ours['rss_mb']:.0f} MB")

    assert ratio >= LEAST_RATIO
    assert ours["peak_mb"] < MOST_MB
    assert ours["rss_mb"] < 1.1 * ours["rss_mb_half_way"]
