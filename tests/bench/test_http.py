"""How long a scrape takes among a thousand slow or broken connections, and how many a second there are."""

import contextlib
import http.client
import socket
import threading
import time

import numpy as np
import pytest

from detector.metrics import Metrics
from detector.view import SourceStatus, view_of
from detector.web import WebServer
from tests.support.factories import KEY, START_S, Rig, baseline_of, event, training_rows

pytestmark = pytest.mark.bench

SAID = (b"", b"GET /metrics HTTP/1.1\r\n", bytes(range(256)), b"GET / HTTP/1.1\r\nContent-Length: 9\r\n\r\n")


@pytest.fixture
def port():
    rng = np.random.default_rng(8)
    rows = [row | {f"f{i}": float(rng.normal()) for i in range(40)} for row in training_rows(rng, 1000)]
    rig = Rig(baseline_of(rows))
    for minute in range(6):
        rig.feed([event(row, START_S + 60 * minute) for row in rows])
    rig.finish()
    metrics = Metrics()
    source = SourceStatus(connected=True)
    metrics.publish(
        view_of(
            rig.pipeline,
            {KEY: rig.models[KEY].baseline},
            source,
            revision=1,
            last_evaluation_s=None,
            ready=True,
        )
    )
    server = WebServer("127.0.0.1", 0, metrics, lambda: 0.0)
    yield server.start()
    server.stop()


def _scrape_s(port):
    began_s = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", "/metrics")
    answer = connection.getresponse()
    assert answer.status == 200
    n_bytes = len(answer.read())
    connection.close()
    return time.perf_counter() - began_s, n_bytes


NEW_PER_S = 200


def _flood(port, full, ends):
    """Open a thousand connections, then 200 a second in place of the oldest: five seconds each."""
    with contextlib.ExitStack() as stack:
        sockets = []
        while not ends.is_set():
            s = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=30))
            with contextlib.suppress(OSError):
                s.sendall(SAID[len(sockets) % len(SAID)])
            sockets.append(s)
            if len(sockets) > 1000:
                full.set()
                sockets.pop(0).close()
                time.sleep(1 / NEW_PER_S)


def test_scrapes_among_a_thousand_slow_and_broken_connections(port):
    """Prints the times of 500 scrapes: alone, and while another thread keeps a thousand connections open."""
    alone = [_scrape_s(port)[0] for _ in range(500)]
    full, ends = threading.Event(), threading.Event()
    flood = threading.Thread(target=_flood, args=(port, full, ends))
    flood.start()
    full.wait(60)
    try:
        among = [_scrape_s(port) for _ in range(500)]
    finally:
        ends.set()
        flood.join()
    for name, times in (("alone", alone), ("among 1,000", [s for s, _ in among])):
        tail = 1e3 * np.quantile(times, 0.99)
        print(
            f"{name}: median {1e3 * np.median(times):.1f}, 99 % {tail:.1f}, largest {1e3 * max(times):.1f} ms"
        )
    print(f"page: {among[0][1]:,} bytes")


def test_scrapes_a_second(port):
    """Prints how many one client gets over one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    began_s = time.perf_counter()
    for _ in range(2000):
        connection.request("GET", "/metrics", headers={"Accept-Encoding": "gzip"})
        connection.getresponse().read()
    print(f"{2000 / (time.perf_counter() - began_s):,.0f} scrapes/s")
