"""`status`: what an instance answers, at 80 columns; one clear line where nothing does."""

import contextlib
import json
import re
import socket
import threading

import numpy as np
import pytest

from detector.batch import Partition
from detector.cli.status import fetch, watch
from detector.clock import ManualClock
from detector.metrics import Metrics
from detector.report.status import WIDTH, status_text
from detector.times import format_time
from detector.view import ConfigStatus, PartitionStatus, SourceStatus, view_of
from detector.web import WebServer
from detector.web.status import MAX_FEATURES, status_record
from tests.support.factories import KEY, SPEC, START_S, Rig, baseline_of, event, training_rows
from tests.support.processes import free_port

HOSTILE = "\x1b[2J\u202ename" + "x" * 200


@pytest.fixture(scope="module")
def rig():
    rng = np.random.default_rng(8)
    rows = [{**row, HOSTILE: 1.0 + i % 7} for i, row in enumerate(training_rows(rng, 2000))]
    rig = Rig(baseline_of(rows))
    for minute in range(6):
        changed = [{**row, "country": "XX", HOSTILE: 3.0} for row in training_rows(rng, 500)]
        rig.feed([*(event(row, START_S + 60 * minute) for row in changed), b"rubbish"])
    rig.finish()
    return rig


def _view(rig, uptime_s=60.0, **config):
    source = SourceStatus(True, (PartitionStatus(Partition("events", 0), 5, 1205),))
    return view_of(
        rig.pipeline, {KEY: rig.models[KEY].baseline}, source,
        revision=1, last_evaluation_s=START_S, ready=True, published_s=START_S + 400, uptime_s=uptime_s,
        config=ConfigStatus("ab" * 32, START_S, **config),
    )  # fmt: skip


@pytest.fixture
def served(rig):
    """The address of a running instance, and what it publishes."""
    metrics = Metrics()
    metrics.publish(_view(rig))
    server = WebServer("127.0.0.1", 0, metrics, lambda: 0.0)
    yield f"http://127.0.0.1:{server.start()}", metrics
    server.stop()


def test_the_record_says_what_there_is(rig):
    """Windows, what drifts with its cause, alerts, rejected events by reason."""
    record = json.loads(json.dumps(status_record(_view(rig))))
    [model] = record["models"]
    country = next(f for f in record["features"] if f["feature"] == "country")

    assert (record["ready"], record["events"]["rejected"]) == (True, {"undecodable": 6})
    assert record["source"]["topics"][0] == {
        "topic": "events", "partitions": 1, "lag_records": 1200, "events_consumed": 3006,
        "last_event_at": format_time(START_S + 300),
    }  # fmt: skip
    assert (model["model"], model["version"], model["events_accepted"]) == ("credit", "1", 3000)
    assert [w["window_s"] for w in model["windows"]] == [300.0]
    assert model["windows"][0]["features"]["drift"] == 2
    assert country["state"] == "drift"
    assert country["cause"] == "ENUM_TYPE_UNEXPECTED_STRING_VALUES"
    assert country["value"] > country["threshold"]
    assert record["alerts_total"] == len(record["alerts"]) > 0


def test_names_from_data_are_cut_and_harmless(rig):
    """In the record and on the terminal."""
    record = status_record(_view(rig))

    assert max(len(f["feature"]) for f in record["features"]) == 128
    for text in (json.dumps(record, ensure_ascii=False), status_text(record)):
        assert "\x1b" not in text
        assert "\u202e" not in text


def test_the_record_of_a_thousand_features_is_bounded(rng):
    """All of them drift; the worst are told, and how many there are."""
    names = [f"feature-{i}" for i in range(1000)]
    rows = [dict(zip(names, rng.normal(size=1000).tolist(), strict=True)) for _ in range(300)]
    rig = Rig(baseline_of(rows), SPEC)
    for minute in range(4):
        moved = [dict(zip(names, (rng.normal(size=1000) + 3).tolist(), strict=True)) for _ in range(150)]
        rig.feed([event(row, START_S + 60 * minute) for row in moved])
    rig.finish()
    record = status_record(_view(rig))

    assert record["features_total"] == 1000
    assert len(record["features"]) == MAX_FEATURES
    assert len(json.dumps(record)) < 500_000


def test_text_is_at_most_80_columns_wide(rig):
    """Whatever names and errors are."""
    record = status_record(_view(rig, error="word " * 80, after_restart=("source", "http", "state")))

    assert max(map(len, status_text(record).splitlines())) <= WIDTH


def test_two_looks_tell_the_events_a_second(rig):
    """Between looks of one process; not across a restart."""
    before, after = status_record(_view(rig)), status_record(_view(rig, uptime_s=62.0))
    after["events"] = after["events"] | {"consumed": before["events"]["consumed"] + 246}
    restarted = status_record(_view(rig, uptime_s=1.0))

    assert "123 a second" in status_text(after, before)
    assert "a second" not in status_text(restarted, after)
    assert "a second" not in status_text(after)


def test_a_running_instance_is_shown(served, drift_detector):
    """As text for people and as JSON for programs."""
    url, _ = served
    text = drift_detector("status", "--url", url)
    as_json = drift_detector("status", "--url", url, "--format", "json")

    assert (text.code, as_json.code) == (0, 0)
    assert "credit 1" in text.out
    assert "country" in text.out
    assert "undecodable 6" in text.out
    assert json.loads(as_json.out)["models_total"] == 1


def test_the_api_before_the_first_view_says_that_it_is_not_ready():
    """503, as /readyz."""
    server = WebServer("127.0.0.1", 0, Metrics(), lambda: 0.0)
    port = server.start()
    with pytest.raises(Exception, match="answers 503 to /api/v1/status"):
        fetch(f"http://127.0.0.1:{port}")
    server.stop()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://127.0.0.1:{port}", r"no answer \(Connection refused\).*name another with --url"),
        ("127.0.0.1:9723", "no address; write it like http://127.0.0.1:9723"),
        ("file:///etc/passwd", "no address"),
        ("http://", "no address"),
        ("http://[::1", "no address"),
        ("http://127.0.0.1:none", "no answer|no address"),
    ],
)
def test_where_nothing_answers_it_ends_with_one_line(drift_detector, url, said):
    """Exit code 2."""
    ran = drift_detector("status", "--url", url.format(port=free_port()))

    assert ran.code == 2
    assert ran.err.count("\n") == 1
    assert re.search(said, ran.err)


@contextlib.contextmanager
def _answering(answer):
    """The port of something that answers whatever it is asked with these bytes."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve():
            connection, _ = listening.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        thread.join(10)


OK = b"HTTP/1.0 200 OK\r\n\r\n"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (OK + b"<html>", "not as a drift detector"),
        (OK + b"[]", "not as a drift detector"),
        (OK + b"{}", "not as a drift detector"),
        (OK + b'{"uptime_s": 1}', "no drift detector of this version"),
        (OK + b'{"uptime_s": 1, "source": [], "config": 7}', "no drift detector of this version"),
        (OK + b"\xff\xfe", "not as a drift detector"),
        (OK + b"[" * 100_000, "not as a drift detector"),
        (OK, "not as a drift detector"),
        (b"HTTP/1.0 404 Not Found\r\n\r\n", "answers 404 to /api/v1/status"),
        (b"HTTP/1.0 302 Found\r\nLocation: file:///etc/passwd\r\n\r\n", "answers 302"),
        (b"SSH-2.0-OpenSSH\r\n", "no answer"),
        (b"", "no answer"),
    ],
)
def test_what_is_no_detector_is_told_apart(drift_detector, answer, said):
    """Something else listens there: one line, whatever it says."""
    with _answering(answer) as port:
        ran = drift_detector("status", "--url", f"http://127.0.0.1:{port}")

    assert ran.code == 2
    assert said in ran.err
    assert ran.err.count("\n") == 1


def test_watching_goes_on_while_the_instance_is_away(served, rig, capsys):
    """The second look shows a rate, the third that there is no answer, the fourth is as before."""
    url, metrics = served
    looks = []

    class Clock(ManualClock):
        def sleep(self, seconds):
            looks.append(capsys.readouterr().out)
            metrics.view = None if len(looks) == 2 else _view(rig, 60.0 + 2 * len(looks))
            if len(looks) == 4:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        watch(url, "text", fetch(url), Clock())

    assert "a second" not in looks[0]
    assert "0 a second" in looks[1]
    assert "answers 503" in looks[2]
    assert "credit 1" in looks[3]
