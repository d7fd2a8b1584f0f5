"""Replay: recorded events, in any file they may be in, give what the live path gives."""

import csv
import gzip
import json
import subprocess

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from detector.errors import DataError
from detector.formats import EventFields, EventOptions
from detector.pipeline import Pipeline
from detector.replay.events import Recording
from detector.replay.openmetrics import OpenMetricsFile
from detector.replay.run import replay, replay_now
from detector.tables import find_files
from detector.times import format_time
from detector.watched import Monitored
from tests.support.availability import program
from tests.support.factories import (
    KEY,
    SPEC,
    START_S,
    Rig,
    baseline_of,
    catalog_of,
    decoder_of,
    event,
    training_rows,
)

WALL_S = START_S + 1e7

WARNED: list[str] = []
"""What replays warned of."""


@pytest.fixture(scope="module")
def baseline():
    return baseline_of(training_rows(np.random.default_rng(10), 3000))


def _rows(rng, n=800):
    times = (START_S + np.arange(n) * 0.5).tolist()
    return [(t, row) for t, row in zip(times, training_rows(rng, n), strict=True)]


def _replay(baseline, *paths, options=None):
    """Return the pipeline after the files, and its outcomes."""
    models = {KEY: Monitored(baseline)}
    options = options or EventOptions()
    recording = Recording(options, decoder_of(models, options), catalog_of(models), {KEY: baseline})
    pipeline, outcomes = Pipeline(SPEC, models), []
    events = recording.read(find_files([str(p) for p in paths]), lambda _: None)
    replay(events, pipeline, WALL_S, outcomes.append, WARNED.append)
    return pipeline, outcomes


def _windows(outcomes):
    return [
        (j.evaluation.window.end_s, j.evaluation.window.profile.counts.tobytes())
        for o in outcomes
        for j in o.judged
    ]


def _flat(rows):
    return [{"timestamp": format_time(t), **row} for t, row in rows]


def _write(kind, path, rows):
    if kind == "events":
        path.write_bytes(b"".join(event(row, t) + b"\n" for t, row in rows))
    elif kind == "events.gz":
        path.write_bytes(gzip.compress(b"".join(event(row, t) + b"\n" for t, row in rows)))
    elif kind == "flat":
        path.write_text("".join(json.dumps(row) + "\n" for row in _flat(rows)))
    elif kind == "csv":
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(_flat(rows)[0]))
            writer.writeheader()
            writer.writerows(_flat(rows))
    else:
        pq.write_table(pa.Table.from_pylist(_flat(rows)), path)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("events", "e.jsonl"), ("events.gz", "e.jsonl.gz"), ("flat", "e.jsonl"), ("csv", "e.csv"),
        ("parquet", "e.parquet"),
    ],
)  # fmt: skip
def test_every_kind_of_file_gives_the_windows_of_the_live_path(baseline, tmp_path, rng, kind, name):
    """The same events as payloads through the decoder, and as recorded in each kind of file."""
    rows = _rows(rng)
    rig = Rig(baseline)
    rig.feed([event(row, t) for t, row in rows])
    rig.finish()
    _write(kind, tmp_path / name, rows)
    pipeline, outcomes = _replay(baseline, tmp_path / name)

    assert pipeline.counters.accepted[KEY] == len(rows)
    assert _windows(outcomes) == _windows(rig.outcomes)


def test_a_recording_cut_into_files_is_one_recording(baseline, tmp_path, rng):
    """Days in files of their own, read one after the other."""
    rows = _rows(rng)
    _write("events", tmp_path / "all.jsonl", rows)
    for i in range(4):
        _write("events", tmp_path / f"part-{i}.jsonl", rows[200 * i : 200 * (i + 1)])

    whole = _windows(_replay(baseline, tmp_path / "all.jsonl")[1])
    assert _windows(_replay(baseline, *(tmp_path / f"part-{i}.jsonl" for i in range(4)))[1]) == whole


def test_files_that_overlap_in_time_are_warned_of(baseline, tmp_path, rng):
    """Read one after another, the second one's events would be late."""
    rows = _rows(rng)
    for i in range(2):
        _write("events", tmp_path / f"half-{i}.jsonl", rows[i::2])
    WARNED.clear()
    _replay(baseline, tmp_path / "half-0.jsonl", tmp_path / "half-1.jsonl")

    assert ["half-1.jsonl begins at" in text for text in WARNED] == [True]


def test_a_recording_that_begins_with_labels_is_one_of_events(baseline, tmp_path, rng):
    """Labels are normal on the topic; what the file is, the first event tells."""
    label = b'{"model": "credit", "version": "1", "event_id": "7", "label": true}\n'
    _write("events", tmp_path / "e.jsonl", _rows(rng, 20))
    path = tmp_path / "l.jsonl"
    path.write_bytes(label * 3 + (tmp_path / "e.jsonl").read_bytes() + b"rubbish\n")
    counters = _replay(baseline, path)[0].counters

    assert (counters.labels, counters.accepted[KEY]) == (3, 20)
    assert counters.rejected == {("l.jsonl", "undecodable"): 1}


def test_a_gzip_file_cut_short_is_one_clear_error(baseline, tmp_path, rng):
    """What was read before stays; the end is an error with the file's name."""
    _write("events.gz", tmp_path / "e.jsonl.gz", _rows(rng))
    data = (tmp_path / "e.jsonl.gz").read_bytes()
    (tmp_path / "e.jsonl.gz").write_bytes(data[: len(data) // 2])
    with pytest.raises(DataError, match=r"e.jsonl.gz: damaged gzip file"):
        _replay(baseline, tmp_path / "e.jsonl.gz")


def test_bad_lines_and_rows_are_counted(baseline, tmp_path, rng):
    """Lines that are no events, rows with a time that is none."""
    rows = _rows(rng, 50)
    path = tmp_path / "e.jsonl"
    _write("events", path, rows)
    with path.open("ab") as file:
        file.write(b"{\n[1]\n\n" + event({}, None) + b"\n")
    flat = _flat(rows)
    flat[3]["timestamp"] = "yesterday"
    (tmp_path / "f.jsonl").write_text("".join(json.dumps(row) + "\n" for row in flat))

    assert _replay(baseline, path)[0].counters.rejected == {
        ("e.jsonl", "undecodable"): 1,
        ("e.jsonl", "not_an_object"): 1,
        ("e.jsonl", "bad_timestamp"): 1,
    }
    assert _replay(baseline, tmp_path / "f.jsonl")[0].counters.rejected == {("f.jsonl", "bad_timestamp"): 1}


def test_a_table_without_a_timestamp_is_one_clear_error(baseline, tmp_path):
    """It names the column that was looked for and the setting."""
    (tmp_path / "f.csv").write_text("amount,age\n1,2\n")
    with pytest.raises(DataError, match=r"f.csv: no timestamp column 'timestamp'.*event.fields.time"):
        _replay(baseline, tmp_path / "f.csv")


def test_columns_are_found_by_the_last_part_of_their_pointers(baseline, tmp_path, rng):
    """`event.fields` says where live events have them; a table has columns of those names."""
    rows = [{"at": format_time(t), "m": KEY.model, "v": 1, **row} for t, row in _rows(rng, 50)]
    (tmp_path / "f.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    options = EventOptions(EventFields(time="/meta/at", model="/meta/m", version="/meta/v"))

    assert _replay(baseline, tmp_path / "f.jsonl", options=options)[0].counters.accepted[KEY] == 50


def test_one_event_of_the_far_future_does_not_end_the_recording(baseline, tmp_path, rng):
    """It is rejected; recordings that lie ahead of the clock as a whole are not."""
    rows = _rows(rng, 400)
    rows.insert(200, (WALL_S + 1e9, rows[0][1]))
    _write("events", tmp_path / "e.jsonl", rows)
    pipeline, _ = _replay(baseline, tmp_path / "e.jsonl")

    assert pipeline.counters.rejected == {("e.jsonl", "future"): 1}
    ahead = np.array([WALL_S + 1e8, WALL_S + 1e8 + 60])
    assert replay_now(ahead, -np.inf, WALL_S) == ahead[1]


@pytest.mark.prometheus
def test_prometheus_takes_the_openmetrics_file_at_its_event_time(baseline, tmp_path, rng):
    """`promtool tsdb create-blocks-from openmetrics` makes blocks of it."""
    _write("events", tmp_path / "e.jsonl", _rows(rng))
    _, outcomes = _replay(baseline, tmp_path / "e.jsonl")
    with OpenMetricsFile(tmp_path / "o.om") as file:
        for judged in (judged for outcome in outcomes for judged in outcome.judged):
            file.add(judged)
    blocks = ["tsdb", "create-blocks-from", "openmetrics", str(tmp_path / "o.om"), str(tmp_path / "blocks")]
    done = subprocess.run([str(program("promtool")), *blocks], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert any((tmp_path / "blocks").iterdir())
    assert f" {START_S + 60:.3f}\n" in (tmp_path / "o.om").read_text()
