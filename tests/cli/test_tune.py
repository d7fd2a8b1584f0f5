"""`tune`: a rehearsal on recorded events, and a proposal that keeps what it promises."""

import json
import re

import numpy as np
import pytest
import yaml

from detector.times import format_time
from tests.cli.running import write_config
from tests.support.factories import START_S, event

MINUTES = 720
PER_MINUTE = 60
DECISION = {"min_samples": 500, "min_effect": 0.1, "learn": "off"}
WINDOWS = {"pane": "5m", "lengths": ["10m", "1h"], "lateness": "0s"}


def _rows(rng, swing):
    """Rows of one minute: four calm features, and one whose mean is at `swing`."""
    x = rng.normal(size=(PER_MINUTE, 4)).round(3)
    kinds = rng.choice(["a", "b", "c"], PER_MINUTE, p=[0.5, 0.3, 0.2])
    return [
        {"x": a, "y": b, "z": c, "kind": str(k), "swing": round(d + swing, 3)}
        for (a, b, c, d), k in zip(x.tolist(), kinds.tolist(), strict=True)
    ]


def _history(path, swing_at):
    """Twelve hours of events; `swing_at(minute)` is the mean of the feature that swings."""
    rng = np.random.default_rng(4)
    with path.open("wb") as file:
        for minute in range(MINUTES):
            rows = _rows(rng, swing_at(minute))
            file.writelines(event(row, START_S + 60 * minute) + b"\n" for row in rows)
    return path


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    """Training data, a calm history, and one in which `swing` is away in every second of six two-hours."""
    directory = tmp_path_factory.mktemp("tune")
    rng = np.random.default_rng(3)
    with (directory / "train.jsonl").open("w") as file:
        file.writelines(json.dumps(row) + "\n" for _ in range(200) for row in _rows(rng, 0.0))
    _history(directory / "calm.jsonl", lambda _: 0.0)
    _history(directory / "swings.jsonl", lambda minute: 0.45 * (minute // 120 % 2))
    return directory


@pytest.fixture
def configured(stage, tmp_path, drift_detector):
    """A function that writes a configuration and returns its path."""
    baseline = tmp_path / "b.json"
    ran = drift_detector("baseline", "build", stage / "train.jsonl", "-o", baseline, "--model", "credit")
    assert ran.code == 0, ran.err

    def write(name="c.yaml", **sections):
        return write_config(tmp_path / name, baseline, **{"windows": WINDOWS, **sections})

    return write


def _merged(path, proposal):
    """Paste a proposal into a configuration, as its reader would."""
    document = yaml.safe_load(path.read_text())
    for section in ("windows", "decision"):
        document[section] = {**document.get(section, {}), **proposal.get(section, {})}
    for model in proposal.get("models", []):
        own = next(m for m in document["models"] if m["name"] == model["name"])
        own.setdefault("features", {}).update(model.get("features", {}))
    path.write_text(yaml.safe_dump(document))
    return path


def _fired(drift_detector, events, config):
    ran = drift_detector("replay", events, "-c", config)
    assert ran.code == 0, ran.err
    return json.loads(ran.out[ran.out.index("{\n") :])["alerts_fired"]


def test_what_is_proposed_keeps_the_budget_when_it_is_replayed(stage, configured, drift_detector):
    """The feature that swings gets a `min_effect` of its own, the others keep theirs, nothing fires."""
    config = configured(decision=DECISION)
    before = _fired(drift_detector, stage / "swings.jsonl", config)
    ran = drift_detector("tune", stage / "swings.jsonl", "-c", config, "--format", "json")
    record = json.loads(ran.out)
    version, proposal = record["versions"][0], yaml.safe_load(record["yaml"])

    assert ran.code == 0, ran.err
    assert before >= 3
    assert version["in_force"]["episodes"] == before
    assert list(proposal["models"][0]["features"]) == ["swing"]
    assert proposal["decision"]["min_effect"] == 0.1
    assert version["proposed"]["keeps_budget"]
    assert _fired(drift_detector, stage / "swings.jsonl", _merged(config, proposal)) == 0
    checked = drift_detector("check-config", config)
    assert checked.code == 0, checked.err


def test_what_each_effect_would_have_raised_is_what_a_replay_raises(stage, configured, drift_detector):
    """Counted at once for a whole grid, and by replays one by one."""
    config = configured(decision=DECISION)
    record = json.loads(drift_detector("tune", stage / "swings.jsonl", "-c", config, "--format", "json").out)
    counted = {row["min_effect"]: row["episodes"] for row in record["versions"][0]["grid"]}
    for level in (0.05, 0.2, 0.3):
        own = configured("own.yaml", decision={**DECISION, "min_effect": level})
        assert counted[level] == _fired(drift_detector, stage / "swings.jsonl", own), level


def test_what_is_learned_from_the_stream_holds_in_a_rehearsal_too(stage, configured, drift_detector):
    """The count with the settings in force is that of a replay which learns."""
    config = configured(decision={**DECISION, "learn": "auto"})
    record = json.loads(drift_detector("tune", stage / "swings.jsonl", "-c", config, "--format", "json").out)
    version = record["versions"][0]
    counted = {row["min_effect"]: row["episodes"] for row in version["grid"]}

    assert version["in_force"]["episodes"] == _fired(drift_detector, stage / "swings.jsonl", config)
    assert counted[0.1] == version["in_force"]["episodes"]
    assert any("learned from the stream" in doubt for doubt in version["cannot_know"])


def test_windows_that_hold_too_few_events_are_replaced(stage, configured, drift_detector):
    """60 a minute are 600 in 10 minutes, and 1,000 are asked for."""
    config = configured(decision={"min_samples": 1000})
    out = drift_detector("tune", stage / "calm.jsonl", "-c", config).out
    proposal = yaml.safe_load(out.split("PROPOSAL, to paste into the configuration\n")[1])

    assert "10m holds 600 events: too few for 1,000; 30m holds 1,800" in out
    assert proposal["windows"]["lengths"] == ["30m", "1h"]
    assert "models" not in proposal


def test_a_calm_history_is_said_to_be_one(stage, configured, drift_detector):
    """Text of at most 100 columns with all six parts, and what half a day cannot tell."""
    config = configured(decision=DECISION)
    ran = drift_detector("tune", stage / "calm.jsonl", "-c", config)

    assert ran.code == 0, ran.err
    assert re.findall(r"^(\d)\. ", ran.out, re.MULTILINE) == list("123456")
    assert max(map(len, ran.out.splitlines())) <= 100
    assert "Taken for healthy: nothing alarmed" in ran.out
    assert "less than a week" in ran.out
    assert "the baseline has no timestamps" in ran.out


def test_time_of_known_drift_does_not_count(stage, configured, drift_detector):
    """Nothing is left of swings when all of them are known."""
    config = configured(decision=DECISION)
    known = f"{format_time(START_S + 6000)}..{format_time(START_S + 60 * MINUTES)}"
    ran = drift_detector(
        "tune", stage / "swings.jsonl", "-c", config, "--known-drift", known, "--format", "json"
    )
    version = json.loads(ran.out)["versions"][0]

    assert ran.code == 0, ran.err
    assert version["in_force"]["episodes"] == 0
    assert version["days"] < 0.2
    assert version["days_of_known_drift"] > 0.3


def test_another_budget_is_rehearsed_and_proposed(stage, configured, drift_detector, tmp_path):
    """`--budget` goes into thresholds and YAML; `--output` takes all of it."""
    config, out = configured(decision=DECISION), tmp_path / "out.txt"
    ran = drift_detector("tune", stage / "calm.jsonl", "-c", config, "--budget", "0.2", "-o", out)

    assert (ran.code, ran.out) == (0, "")
    assert "false_alarms_per_30_days: 0.2  # as --budget says" in out.read_text()


ERRORS = {
    "no events": (["none.jsonl"], "none.jsonl"),
    "budget of nothing": (["{stage}/calm.jsonl", "--budget", "0"], "--budget 0"),
    "budget no number": (["{stage}/calm.jsonl", "--budget", "nan"], "--budget nan"),
    "no interval": (["{stage}/calm.jsonl", "--known-drift", "yesterday"], "FROM..TO"),
    "interval without end": (["{stage}/calm.jsonl", "--known-drift", "2026-01-01.."], "FROM..TO"),
    "interval backwards": (["{stage}/calm.jsonl", "--known-drift", "2026-01-03..2026-01-01"], "ends before"),
    "another model": (["{stage}/other.jsonl"], "no event of a model"),
    "output is an input": (["{stage}/calm.jsonl", "-o", "{stage}/calm.jsonl"], "overwritten"),
}


@pytest.mark.parametrize(("arguments", "said"), ERRORS.values(), ids=ERRORS)
def test_mistakes_are_told_in_one_line(stage, configured, drift_detector, arguments, said):
    """With exit code 2."""
    (stage / "other.jsonl").write_text('{"model": "other", "features": {"x": 1}}\n')
    config = configured()
    ran = drift_detector("tune", *(a.format(stage=stage) for a in arguments), "-c", config)

    assert ran.code == 2
    assert said in ran.err
    assert len(ran.err.splitlines()) == 1
