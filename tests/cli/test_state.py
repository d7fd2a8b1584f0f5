"""`state show`: what is kept, from a directory that a detector may be using."""

import json

import numpy as np
import pytest

from detector.batch import Partition
from detector.report.state import WIDTH
from detector.state import Cut, DirectoryStore
from detector.state.encoding import HEAD, VERSION, head_of
from detector.times import format_time
from detector.tree import Frozen
from tests.cli.running import write_config
from tests.support.factories import START_S, Rig, baseline_of, event, training_rows

HOSTILE = "\x1b[2J\u202ename" + "x" * 200


@pytest.fixture(scope="module")
def rig():
    rng = np.random.default_rng(8)
    rig = Rig(baseline_of([{**row, HOSTILE: 1.0 + i % 7} for i, row in enumerate(training_rows(rng, 2000))]))
    for minute in range(8):
        rows = [{**row, "country": "XX", HOSTILE: 3.0} for row in training_rows(rng, 200)]
        rig.feed([*(event(row, START_S + 60 * minute) for row in rows), b"rubbish"])
    return rig


@pytest.fixture
def store(tmp_path, rig):
    """A directory with two cuts of a detector that is still running."""
    store = DirectoryStore(tmp_path / "state")
    for sequence in (1, 2):
        positions = {Partition("events", n): 1608 * sequence + n for n in (1, 0)}
        store.save(Cut(rig.pipeline.remember(), positions, {}, None, "ab" * 32, sequence, START_S + sequence))
    yield store
    store.close()


def contents(directory):
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in directory.iterdir()}


def test_the_newest_is_shown_while_a_detector_has_the_directory(drift_detector, tmp_path, store):
    before = contents(tmp_path / "state")
    ran = drift_detector("state", "show", tmp_path / "state")

    assert (ran.code, ran.err) == (0, "")
    assert f"saved      {format_time(START_S + 2)[:19].replace('T', ' ')}, sequence 2" in ran.out
    assert "position   events 0: 3,216\nposition   events 1: 3,217\n" in ran.out
    assert "events     1,608 read, 1,600 accepted\nrejected   undecodable 8\n" in ran.out
    assert contents(tmp_path / "state") == before


def test_the_record_has_windows_counters_and_alerts(drift_detector, tmp_path, store, rig):
    record = json.loads(drift_detector("state", "show", tmp_path / "state", "--format", "json").out)
    [model] = record["models"]
    firing = {(t.alert, t.feature, t.slice) for t in rig.pipeline.firing}

    assert record["problems"] == []
    assert record["positions"][1] == {"topic": "events", "partition": 1, "offset": 3217}
    assert record["counters"]["evaluation_digest"] == rig.pipeline.counters.evaluation_digest != ""
    assert record["counters"]["rejected"] == {"undecodable": 8}
    assert model["windows_end"] == record["closed_until"] == format_time(START_S + 420)
    assert [(ring["pane_s"], ring["panes"], ring["events"]) for ring in model["panes"]] == [(60.0, 5, 1000)]
    assert {(a["alert"], a["feature"], a["slice"]) for a in record["alerts"]} == firing
    assert any(feature == "country" for _, feature, _ in firing)


def test_the_digest_of_counts_tells_one_event_more(drift_detector, tmp_path, store, rig):
    def digest():
        ran = drift_detector("state", "show", tmp_path / "state", "--format", "json")
        return json.loads(ran.out)["models"][0]["panes"][0]["counts_digest"]

    tree = rig.pipeline.remember()
    before = digest()
    [ring] = tree["models"][0]["watched"]["windows"]["rings"]
    index, pane = ring[1][0]
    ring[1][0] = [index, Frozen({**pane.value, "counts": pane.value["counts"] + 1})]
    store.save(Cut(tree, {}, sequence=3, saved_s=START_S))

    assert digest() != before


def test_names_from_data_are_harmless_and_lines_short(drift_detector, tmp_path, store):
    out = drift_detector("state", "show", tmp_path / "state").out

    assert all(c.isprintable() or c == "\n" for c in out)
    assert max(len(line) for line in out.splitlines() if not line.startswith("file  ")) <= WIDTH


def test_no_value_of_the_data_is_shown(drift_detector, tmp_path, store):
    for form in ("text", "json"):
        assert '"XX"' not in drift_detector("state", "show", tmp_path / "state", "--format", form).out


def test_of_a_damaged_newest_the_older_is_shown_and_it_is_said(drift_detector, tmp_path, store):
    newest = tmp_path / "state" / "cut-2"
    newest.write_bytes(newest.read_bytes()[:-1])
    ran = drift_detector("state", "show", tmp_path / "state")
    record = json.loads(drift_detector("state", "show", tmp_path / "state", "--format", "json").out)

    assert ran.code == 0
    assert ran.out.startswith("NOT USED   ")
    assert "is cut short" in ran.out
    assert "sequence 1" in ran.out
    assert record["problems"] == [f"{newest}: is cut short or too long"]


def test_what_makes_no_sense_is_not_shown(drift_detector, tmp_path, store):
    """A whole file of something else, or of times that no calendar has."""
    store.save(Cut({"models": 3}, {}, sequence=3))
    assert "cut-1: makes no sense" in drift_detector("state", "show", tmp_path / "state").out.replace(
        "\n", ""
    )
    store.save(Cut(None, {}, sequence=4, saved_s=1e300))
    ran = drift_detector("state", "show", tmp_path / "state")

    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert "cut-1: makes no sense" in ran.err
    assert "cut-2: makes no sense" in ran.err


def test_state_of_a_newer_version_is_named(drift_detector, tmp_path, store):
    for name in ("cut-1", "cut-2"):
        path = tmp_path / "state" / name
        body = path.read_bytes()[HEAD.size :]
        path.write_bytes(head_of(body, VERSION + 1) + body)
    ran = drift_detector("state", "show", tmp_path / "state")

    assert ran.code == 2
    assert "newer than" in ran.err


@pytest.mark.parametrize("name", ["missing", "empty", "a-file"])
def test_where_nothing_is_kept_that_is_one_line_and_code_2(drift_detector, tmp_path, name):
    (tmp_path / "empty").mkdir()
    (tmp_path / "a-file").write_text("x")
    ran = drift_detector("state", "show", tmp_path / name)

    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert name in ran.err


def test_replay_tells_the_digest_of_its_evaluations(drift_detector, tmp_path, data, baseline):
    """The same for the same events, another for others."""
    config = write_config(tmp_path / "detector.yaml", baseline)

    def digest(events):
        out = drift_detector("replay", events, "--config", config).out
        return json.loads(out[out.index("{\n") :])["evaluation_digest"]

    short = tmp_path / "short.jsonl"
    short.write_bytes(b"".join((data / "events.jsonl").read_bytes().splitlines(keepends=True)[:3000]))

    assert len(digest(data / "events.jsonl")) == 32
    assert digest(data / "events.jsonl") == digest(data / "events.jsonl")
    assert digest(data / "events.jsonl") != digest(short)
