"""The commands as people and scripts use them: output, exit codes, errors of one line."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from detector.batch import ModelKey
from tests.cli.running import write_config
from tests.support.factories import event

KAFKA = {"kind": "kafka", "bootstrap_servers": ["localhost:9092"], "topics": ["t"]}


def _one_line_error(ran, *words):
    assert ran.code == 2, ran
    assert ran.err.count("\n") == 1, ran.err
    assert ran.err.startswith("drift-detector")
    for word in words:
        assert word in ran.err


def test_without_a_command_help_is_shown_and_the_code_is_2(drift_detector):
    """So that a script that forgot its command fails."""
    ran = drift_detector()

    assert ran.code == 2
    assert "First look:" in ran.out


@pytest.mark.parametrize(
    "command", ["demo", "baseline", "baseline build", "compare", "replay", "tune", "run", "check-config"]
)
def test_every_command_teaches_by_examples(drift_detector, command):
    """`--help` ends with examples that can be copied."""
    ran = drift_detector(*command.split(), "--help")

    assert ran.code == 0
    assert "examples:\n  drift-detector" in ran.out


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["compare"], ["replay", "x.jsonl"], ["demo", "--port", "web"]]
)
def test_usage_errors_are_one_line_and_code_2(drift_detector, arguments):
    """With a pointer to the help."""
    _one_line_error(drift_detector(*arguments), "--help")


def test_a_baseline_is_built_and_shown(drift_detector, baseline):
    """As text and as JSON with its provenance."""
    shown = drift_detector("baseline", "show", baseline)
    record = json.loads(drift_detector("baseline", "show", baseline, "--format", "json").out)

    assert "model credit, version 1: 5,000 rows, 2 numeric and 2 categorical" in shown.out
    assert max(map(len, shown.out.splitlines())) <= 100
    assert re.fullmatch(r"[0-9a-f]{64}", record["sha256"])


def test_compare_exits_0_for_the_same_and_1_for_drift(drift_detector, data, baseline):
    """So that a CI pipeline can stop at drift."""
    same = drift_detector("compare", baseline, data / "same.csv")
    drifted = drift_detector("compare", data / "train.csv", data / "drifted.csv")

    assert (same.code, drifted.code) == (0, 1)
    assert "drift in 0 of 4 features" in same.out
    assert "drift in 2 of 4 features" in drifted.out
    assert "values never seen in training" in drifted.out


def test_compare_json_has_the_documented_shape(drift_detector, data, baseline, tmp_path):
    """Features with state, statistics and contributors; anomalies apart."""
    out = tmp_path / "report.json"
    drift_detector("compare", baseline, data / "drifted.csv", "--format", "json", "-o", out)
    record = json.loads(out.read_text())
    country = record["features"]["country"]

    assert (record["reference"]["rows"], record["current"]["rows"]) == (5000, 3000)
    assert (country["type"], country["state"]) == ("string", "drift")
    assert set(country["statistics"]["l_infinity"]) == {"value", "threshold", "p_value"}
    assert set(country["contributors"][0]) == {"bin", "reference", "current"}
    assert {(a["feature"], a["kind"], a["severity"]) for a in record["anomalies"]} == {
        ("country", "ENUM_TYPE_UNEXPECTED_STRING_VALUES", "error"),
        ("amount", "FLOAT_TYPE_BIG_FLOAT", "warning"),
    }
    assert set(record["anomalies"][0]) == {"feature", "kind", "severity", "short", "long"}


def test_tfdvs_measures_decide_by_fixed_thresholds_only(drift_detector, data, baseline, tmp_path):
    """As TFDV does: numbers with digits, exit code 1 above a threshold of the configuration."""
    thresholds = {"statistics": {"l_infinity": {"threshold": 0.3}, "jensen_shannon": {"threshold": 0.9}}}
    config = write_config(tmp_path / "c.yaml", baseline, decision=thresholds, source=KAFKA)
    sides = (data / "train.csv", data / "drifted.csv")
    plain = drift_detector("compare", data / "train.csv", data / "same.csv", "--measures", "tfdv")
    decided = drift_detector("compare", *sides, "--measures", "tfdv", "-c", config, "--format", "json")
    country = json.loads(decided.out)["features"]["country"]

    assert (plain.code, decided.code) == (0, 1)
    assert max(map(len, plain.out.splitlines())) <= 80
    assert (country["state"], country["statistics"]["l_infinity"]["threshold"]) == ("drift", 0.3)
    assert json.loads(decided.out)["features"]["amount"]["statistics"]["l_infinity"]["value"] == 0.0
    refused = drift_detector("compare", baseline, data / "same.csv", "--measures", "tfdv")
    _one_line_error(refused, "needs data on both sides")


def test_columns_that_come_and_go_are_anomalies(drift_detector, data, baseline, tmp_path):
    """TFDV's names for them."""
    lines = (data / "same.csv").read_text().splitlines()
    path = tmp_path / "other.csv"
    path.write_text("\n".join(["amount,age,country,vip", *lines[1:]]))
    record = json.loads(drift_detector("compare", baseline, path, "--format", "json").out)

    assert {(a["feature"], a["kind"]) for a in record["anomalies"]} == {
        ("member", "SCHEMA_MISSING_COLUMN"),
        ("vip", "SCHEMA_NEW_COLUMN"),
    }


def test_predictions_are_found_in_flat_tables_and_in_events(drift_detector, tmp_path, rng):
    """A baseline of a flat table, compared with events whose prediction is an object, or stands alone."""
    rows = [{"x": x, "score": x / 2} for x in rng.normal(size=2000).tolist()]
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for wrap in (lambda s: {"score": s}, lambda s: s):
        events = (event({"x": row["x"]}, prediction=wrap(row["score"])) for row in rows)
        (tmp_path / "e.jsonl").write_bytes(b"\n".join(events))
        base = ["baseline", "build", tmp_path / "t.jsonl", "-o", tmp_path / "b.json", "--prediction", "score"]
        assert drift_detector(*base).code == 0
        ran = drift_detector("compare", tmp_path / "b.json", tmp_path / "e.jsonl")
        assert (ran.code, "drift in 0 of 2 features; anomalies: 0" in ran.out) == (0, True), ran.out


def test_replay_writes_evaluations_alerts_and_a_summary(drift_detector, data, baseline, tmp_path):
    """The records of the documented shape, the summary last; exit code 0 whatever was found."""
    config = write_config(tmp_path / "c.yaml", baseline)
    out = tmp_path / "result.jsonl"
    ran = drift_detector("replay", data / "events.jsonl", "-c", config, "-o", out)
    records = [json.loads(line) for line in out.read_text().splitlines()]
    alerts = [r for r in records if r["type"] == "alert"]
    summary = records[-1]

    assert ran.code == 0
    assert {r["type"] for r in records} == {"evaluation", "alert", "summary"}
    assert [(a["status"], a["feature"]) for a in alerts] == [("firing", "country")]
    assert summary["type"] == "summary"
    assert (summary["events_read"], summary["events_accepted"]) == (3602, 3600)
    assert summary["rejected"] == {"undecodable": 1, "unknown_model": 1}
    assert "alert=DriftSchemaAnomaly" in ran.out
    assert "would have alerted 1 time:\n  2026-09-2" in ran.out
    assert re.search(r"country +to the end +300 of 1,500 values", ran.out)


def test_replay_to_standard_output_is_json_lines_only(drift_detector, data, baseline, tmp_path):
    """So that it can be piped."""
    config = write_config(tmp_path / "c.yaml", baseline)
    ran = drift_detector("replay", data / "events.jsonl", "-c", config, "-o", "-")

    assert ran.code == 0
    assert all(json.loads(line)["type"] for line in ran.out.splitlines())


def test_check_config_says_what_run_would(drift_detector, baseline, tmp_path):
    """Good: the models and the number of series. Bad: every problem with file and line, code 2."""
    good = write_config(tmp_path / "good.yaml", baseline)
    bad = write_config(tmp_path / "bad.yaml", baseline, windows={"pane": "1m", "lengths": ["90s"]}, htpp={})
    fine, wrong = drift_detector("check-config", good), drift_detector("check-config", bad)

    assert fine.code == 0
    assert "metric series" in fine.err
    assert wrong.code == 2
    assert len(wrong.err.splitlines()) == 2
    assert all(re.match(rf"{tmp_path}/bad.yaml:\d+: ", line) for line in wrong.err.splitlines())


TOPIC, DIRECTORY = {"kind": "kafka", "topic": "state"}, {"kind": "directory", "directory": "state"}


def test_check_config_tells_the_bound_on_memory(drift_detector, baseline, tmp_path):
    """A cut is part of it wherever it is kept, and only where one is kept."""
    told = {}
    for name, sections in {"none": {}, "topic": {"state": TOPIC}, "directory": {"state": DIRECTORY}}.items():
        config = write_config(tmp_path / f"{name}.yaml", baseline, source=KAFKA, **sections)
        ran = drift_detector("check-config", config)
        (told[name],) = [line for line in ran.err.splitlines() if line.startswith("memory: at most ")]

    assert " state " not in told["none"]
    assert told["topic"] == told["directory"]
    assert " state " in told["topic"]


@pytest.mark.parametrize(
    ("memory", "code", "text"), [("256MiB", 0, "warning: limits"), ("128MiB", 2, "limits")]
)
def test_check_config_holds_the_bound_against_the_limit(
    drift_detector, baseline, tmp_path, memory, code, text
):
    """More than may be needed is warned of; what is always there, the program alone here, must fit."""
    config = write_config(tmp_path / "c.yaml", baseline, source=KAFKA, limits={"memory": memory})
    ran = drift_detector("check-config", config)

    assert ran.code == code
    assert f"{text}.memory: " in ran.err


ERRORS = {
    "no data file": (["compare", "none.csv", "none.csv"], ["none.csv"]),
    "no baseline file": (["compare", "none.json", "none.csv"], ["none.csv"]),
    "no config": (["replay", "{data}/events.jsonl", "-c", "none.yaml"], ["none.yaml"]),
    "no events": (["replay", "none.jsonl", "-c", "{config}"], ["none.jsonl"]),
    "output not writable": (
        ["baseline", "build", "{data}/train.csv", "-o", "/none/b.json"],
        ["/none/b.json", "cannot be written"],
    ),
    "replay output not writable": (
        ["replay", "{data}/events.jsonl", "-c", "{config}", "-o", "/none/r"],
        ["cannot be written"],
    ),
    "run with a replay source": (["run", "-c", "{config}"], ["replay"]),
    "baseline is data": (["baseline", "show", "{data}/train.csv"], ["not a baseline file"]),
}


@pytest.mark.parametrize(("arguments", "words"), ERRORS.values(), ids=ERRORS)
def test_input_errors_are_one_line_and_code_2(drift_detector, data, baseline, tmp_path, arguments, words):
    """What, where, and the remedy; no traceback."""
    config = write_config(tmp_path / "c.yaml", baseline)
    ran = drift_detector(*(a.format(data=data, config=config) for a in arguments))

    _one_line_error(ran, *words) if arguments[0] != "run" else None
    assert ran.code == 2
    assert "Traceback" not in ran.err
    assert all(word in ran.err for word in words)


@pytest.mark.parametrize("command", ["build", "compare", "replay", "openmetrics"])
def test_an_output_that_is_an_input_is_refused(drift_detector, data, baseline, tmp_path, command):
    """Nothing is destroyed: the file is as it was."""
    config = write_config(tmp_path / "c.yaml", baseline)
    path = tmp_path / ("x.jsonl" if command in ("replay", "openmetrics") else "x.csv")
    path.write_bytes((data / ("events.jsonl" if path.suffix == ".jsonl" else "train.csv")).read_bytes())
    before = path.read_bytes()
    arguments = {
        "build": ["baseline", "build", path, "-o", path],
        "compare": ["compare", baseline, path, "-o", path],
        "replay": ["replay", path, "-c", config, "-o", path],
        "openmetrics": ["replay", path, "-c", config, "--openmetrics", path],
    }[command]

    _one_line_error(drift_detector(*arguments), "one of the inputs")
    assert path.read_bytes() == before


def test_compare_takes_the_rules_of_the_baselines_own_model(drift_detector, data, baseline, tmp_path):
    """Another model's rules are refused; the minimum of rows stays that of a comparison."""
    other = [{"name": "other", "baselines": "x.json", "features": {"*": {"ignore": True}}}]
    wrong = write_config(tmp_path / "other.yaml", baseline, models=other)
    right = write_config(tmp_path / "own.yaml", baseline, decision={})
    lines = (data / "drifted.csv").read_text().splitlines()[:500]
    (tmp_path / "few.csv").write_text("\n".join(lines))

    _one_line_error(drift_detector("compare", baseline, data / "drifted.csv", "-c", wrong), "'credit'")
    assert drift_detector("compare", baseline, tmp_path / "few.csv", "-c", right).code == 1


def test_events_of_another_model_are_refused(drift_detector, data, baseline):
    """A topic of several models must be taken apart before training or comparing."""
    mixed = data / "events.jsonl"  # its last lines are rubbish and an event of model `other`
    lines = [line for line in mixed.read_bytes().splitlines() if line != b"rubbish"]
    path = data / "mixed.jsonl"
    path.write_bytes(b"\n".join([*lines[:50], event({"age": 1}, key=ModelKey("other", "1"))]))

    _one_line_error(drift_detector("compare", baseline, path), "events of model 'other'")
    build = ("baseline", "build", path, "-o", data / "x.json", "--model", "credit")
    _one_line_error(drift_detector(*build), "events of model 'other'")


def test_check_config_finds_what_could_never_work(drift_detector, data, baseline, tmp_path):
    """Two models that events cannot tell apart, a slice of a number; a pattern for nothing is a warning."""
    two = [{"name": n, "baselines": str(baseline)} for n in ("credit", "b")]
    fields = {"fields": {"model": None}}
    slices = [{"name": "credit", "baselines": str(baseline), "slices": [{"column": "age", "values": ["1"]}]}]
    typo = [{"name": "credit", "baselines": str(baseline), "features": {"contry": {"ignore": True}}}]

    def check(**sections):
        return drift_detector("check-config", write_config(tmp_path / "c.yaml", baseline, **sections))

    _one_line_error(check(models=two, event=fields), "event.fields.model: null")
    _one_line_error(check(models=slices), "'age' is a number")
    assert "'contry', but the baseline has no such feature" in check(models=typo).err


def test_a_baseline_of_another_model_is_refused(drift_detector, data, baseline, tmp_path):
    """Listed under a model it was not built for."""
    config = write_config(
        tmp_path / "c.yaml", baseline, models=[{"name": "other", "baselines": str(baseline)}]
    )

    _one_line_error(drift_detector("check-config", config), "baseline of model 'credit'", "'other'")


def test_a_full_disk_behind_standard_output_is_one_line(baseline):
    """`> /dev/full` stands for it."""
    with Path("/dev/full").open("wb") as full:
        command = [sys.executable, "-m", "detector", "baseline", "show", str(baseline)]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)

    assert done.returncode == 2
    assert done.stderr.splitlines() == ["drift-detector: no space left where the output goes; make room"]
