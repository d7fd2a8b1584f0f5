"""What it costs the events that somebody looks: a scrape every second, under full load."""

import subprocess
import sys
import time

import numpy as np
import pytest

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

pytestmark = [pytest.mark.bench, pytest.mark.timeout(600)]

PAIRS = 12
SECONDS = 3.0
"""Of one half of a pair."""
MOST_SLOWER = 0.05

SCRAPER = """
import sys, time, urllib.request
request = urllib.request.Request(sys.argv[1], headers={"Accept-Encoding": "gzip"})
while True:
    with urllib.request.urlopen(request, timeout=10) as answer:
        answer.read()
    time.sleep(1.0)
"""


def _speed(service: Service, seconds: float = SECONDS) -> float:
    """Events a second of wall time, over a while."""
    started, n = time.perf_counter(), 0
    while (elapsed := time.perf_counter() - started) < seconds:
        n += service.step()
    return n / elapsed


def test_a_scrape_every_second_slows_ingestion_by_less_than_5_percent(capsys):
    """Pairs of a few seconds with and without, in turns; the median of their ratios."""
    of = baseline()
    models = {KEY: Monitored(of)}
    source = EndlessSource(list(rows(np.random.default_rng(2), 20_000)), EVENTS_A_SECOND)
    metrics, clock = Metrics(), SystemClock()
    spec = WindowSpec(pane_s=60, lengths_s=(600.0, 3600.0, 86400.0), lateness_s=120, max_future_s=1e12)
    service = Service(
        source, decoder_of(models), Pipeline(spec, models), {KEY: of}, [], metrics, clock, 3600.0
    )
    server = WebServer("127.0.0.1", 0, metrics, service.beat_age_s)
    url = f"http://127.0.0.1:{server.start()}/metrics"
    _speed(service)
    ratios, speeds = [], []
    try:
        for i in range(PAIRS):
            found = {}
            for scraped in (True, False) if i % 2 else (False, True):
                scraper = subprocess.Popen([sys.executable, "-c", SCRAPER, url]) if scraped else None
                if scraper is not None:
                    _speed(service, 1.0)  # until it has begun
                found[scraped] = _speed(service)
                if scraper is not None:
                    scraper.kill()
                    scraper.wait()
            ratios.append(found[True] / found[False])
            speeds.append(found[False])
    finally:
        server.stop()
    slower = 1 - float(np.median(ratios))
    low, high = np.quantile(ratios, [0.25, 0.75])
    with capsys.disabled():
        page_mb = len(metrics.page()[0]) / 1e6
        print(f"\nscraped once a second, 40 features, page of {page_mb:.2f} MB, {PAIRS} pairs:")
        print(f"  {np.median(speeds):,.0f} events/s without, {slower:.1%} slower with")
        print(f"  quartiles of the ratio {low:.3f} to {high:.3f}")

    assert slower < MOST_SLOWER
