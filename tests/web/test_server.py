"""The HTTP side: its routes, its headers, and that broken clients cannot take it away."""

import contextlib
import http.client
import json
import socket
from dataclasses import replace

import numpy as np
import pytest

from detector.drift.policy import DecisionPolicy, FeaturePolicy
from detector.errors import ConfigError
from detector.metrics import Metrics
from detector.view import ConfigStatus, SourceStatus, view_of
from detector.web import WebServer
from tests.support.drawn import overview_text
from tests.support.factories import KEY, START_S, Rig, baseline_of, event, training_rows
from tests.support.processes import free_port


@pytest.fixture(scope="module")
def rig():
    rng = np.random.default_rng(8)
    rows = training_rows(rng, 2000)
    for row in rows:
        row["<script>alert(1)</script>"] = 1.0
    rig = Rig(baseline_of(rows))
    for minute in range(5):
        changed = [{**row, "country": "<b>XX</b>"} for row in training_rows(rng, 500)]
        rig.feed([event(row, START_S + 60 * minute) for row in changed])
    rig.finish()
    return rig


@pytest.fixture
def served(rig):
    """(port, metrics, a list whose first item is the age of the beat)."""
    metrics, age = Metrics(), [0.0]
    baselines = {KEY: rig.models[KEY].baseline}
    metrics.publish(
        view_of(
            rig.pipeline, baselines, SourceStatus(connected=True), revision=1,
            last_evaluation_s=START_S, ready=True,
        )
    )  # fmt: skip
    server = WebServer("127.0.0.1", 0, metrics, lambda: age[0])
    yield server.start(), metrics, age
    server.stop()


def _get(port, path, method="GET", headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, path, headers=headers or {})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, dict(answer.getheaders()), body


@pytest.mark.parametrize(
    "path",
    [
        "/metrics",
        "/healthz",
        "/readyz",
        "/",
        "/alerts",
        "/schema",
        "/source",
        "/assets/page.js",
        "/assets/style.css",
        "/api/v1/status",
    ],
)
def test_the_documented_paths_answer(served, path):
    """With headers that forbid everything the pages do not need."""
    status, headers, body = _get(served[0], path)

    assert status == 200
    assert body
    assert headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "server" not in headers


@pytest.mark.parametrize("path", ["/admin", "/metrics/", "/../etc/passwd", "/openapi.json", "/docs"])
def test_no_other_path_answers(served, path):
    """404, whatever is asked for."""
    assert _get(served[0], path)[0] == 404


def test_no_other_method_is_allowed(served):
    """Nothing can be changed from outside."""
    assert _get(served[0], "/metrics", "POST")[0] == 405


def test_health_is_the_beat_of_the_loop(served):
    """A loop that has not come round for a minute is unhealthy; the page still answers."""
    port, _, age = served
    age[0] = 61.0
    status, _, body = _get(port, "/healthz")

    assert (status, json.loads(body)["alive"]) == (503, False)
    assert _get(port, "/metrics")[0] == 200


def test_readiness_follows_the_view(served, rig):
    """Not ready before the source was read."""
    port, metrics, _ = served
    metrics.publish(
        view_of(rig.pipeline, {}, SourceStatus(), revision=2, last_evaluation_s=None, ready=False)
    )
    status, _, body = _get(port, "/readyz")

    assert (status, json.loads(body)) == (503, {"ready": False, "source_connected": False})


def test_the_page_shows_what_drifts_and_escapes_what_data_say(served):
    """The drifting feature and its alert; names from data appear as text, never as markup."""
    body = _get(served[0], "/")[2].decode()

    assert "<strong>country</strong>" in body
    assert "&lt;script&gt;" in body
    assert body.count("<script") == 2, "its own"
    assert "<b>XX" not in body


def test_the_page_calls_no_feature_fine_that_nobody_judges():
    """An ignored feature is `not judged`, whatever it does; the others are ok or not."""
    rows = [{"amount": float(i % 100), "noise": float(i % 100)} for i in range(2000)]
    rig = Rig(
        baseline_of(rows),
        policy=DecisionPolicy(min_samples=100, features={"noise": FeaturePolicy(ignore=True)}),
    )
    rig.feed([event({**row, "noise": 1.0}, START_S) for row in rows])
    rig.finish()
    page = overview_text(
        view_of(
            rig.pipeline, {KEY: rig.models[KEY].baseline}, SourceStatus(),
            revision=1, last_evaluation_s=None, ready=True,
        )
    )  # fmt: skip
    noise = page.split(">noise</a></th>")[1].split("</tr>")[0]
    amount = page.split(">amount</a></th>")[1].split("</tr>")[0]

    assert "not judged" in noise
    assert ">ok<" not in noise
    assert "not judged" not in amount


def test_the_page_says_what_keeps_a_configuration_from_being_in_force(served, rig):
    """And nothing where it is in force."""
    port, metrics, _ = served
    assert b"onfiguration" not in _get(port, "/source")[2]
    metrics.publish(
        replace(metrics.view, config=ConfigStatus(error="c.yaml:3: <key>", after_restart=("source",)))
    )
    body = _get(port, "/alerts")[2].decode()

    assert "Configuration not reloaded, the former one is in force: c.yaml:3: &lt;key&gt;" in body
    assert "after a restart: source" in body


def test_two_hundred_half_open_connections_do_not_exhaust_it(served):
    """They are cut after a few seconds; meanwhile and afterwards others are answered."""
    port = served[0]
    open_sockets = []
    for i in range(200):
        s = socket.create_connection(("127.0.0.1", port))
        s.sendall(b"GET /metrics HTTP/1.1\r\n" if i % 2 else b"")
        open_sockets.append(s)
    assert _get(port, "/metrics")[0] == 200

    for s in open_sockets:
        s.settimeout(20)
        assert s.recv(1000) == b"", "cut without an answer"
        s.close()
    assert _get(port, "/healthz")[0] == 200


def test_a_request_that_never_ends_is_refused(served):
    """A header of 100 kB is more than any scraper sends."""
    with socket.create_connection(("127.0.0.1", served[0])) as s:
        s.sendall(b"GET / HTTP/1.1\r\nX: " + b"a" * 100_000)
        s.settimeout(20)
        assert s.recv(1000).startswith(b"HTTP/1.1 400")


def test_a_request_that_breaks_off_into_noise_leaves_no_traceback(caplog):
    """It is refused while its answer is being made, or cut off behind it: nobody fills the log with that."""
    server = WebServer("127.0.0.1", 0, Metrics(), lambda: 0.0)
    port = server.start()
    for _ in range(10):
        with socket.create_connection(("127.0.0.1", port)) as s:
            s.settimeout(20)
            s.sendall(b"POST /healthz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
            assert s.recv(1000).startswith(b"HTTP/1.1 400")
    with socket.create_connection(("127.0.0.1", port)) as s:
        s.settimeout(20)
        s.sendall(b"POST /healthz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        assert s.recv(1000).startswith(b"HTTP/1.1 405")
        with contextlib.suppress(ConnectionError):  # it was refused: nobody reads on
            s.sendall(b"zz\r\n")
            while s.recv(1000):
                pass
    server.stop()

    assert [r.getMessage() for r in caplog.records if r.exc_info] == []


def test_a_port_that_is_taken_is_one_clear_error():
    """Said at start, with the setting to change."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        server = WebServer("127.0.0.1", port, Metrics(), lambda: 0.0)
        with pytest.raises(ConfigError, match=rf"cannot listen on 127.0.0.1:{port} .*http.port"):
            server.start()


def test_a_stopped_server_lets_its_port_go(rig):
    """The next one can have it."""
    port = free_port()
    for _ in range(2):
        server = WebServer("127.0.0.1", port, Metrics(), lambda: 0.0)
        assert server.start() == port
        assert _get(port, "/")[0] == 503
        server.stop()
