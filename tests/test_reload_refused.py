"""What is wrong with a new configuration or baseline leaves the old one in force, and says so once."""

import logging
from dataclasses import replace

import numpy as np
import pytest

from detector.batch import ModelKey
from detector.store import write_baseline
from tests.support.factories import baseline_of, training_rows
from tests.support.reloading import EVERY_S, Running

NOTHING_TO_WATCH = {"models": [{"name": "other", "baselines": "other.json"}]}


@pytest.fixture(scope="module")
def baseline():
    return replace(baseline_of(training_rows(np.random.default_rng(4), 3000)), version=None)


@pytest.fixture
def running(tmp_path, baseline):
    return Running(tmp_path, {"1": baseline})


BROKEN = {
    "not yaml": lambda r: r.path.write_text("models: [{name"),
    "empty": lambda r: r.path.write_text(""),
    "gone": lambda r: r.path.unlink(),
    "unknown key": lambda r: r.write(dicision={}),
    "no such baseline": lambda r: r.write(**NOTHING_TO_WATCH),
    "too many series": lambda r: r.write(metrics={"max_series": 3}),
    "a wrong source": lambda r: r.write(source={"kind": "kafka"}),
    "a wrong sink": lambda r: r.write(alerts={"sinks": [{"kind": "pigeon"}]}),
    "half a baseline": lambda r: (r.directory / "credit-2.json").write_bytes(
        (r.directory / "credit-1.json").read_bytes()[:5000]
    ),
    "a damaged baseline": lambda r: (r.directory / "credit-1.json").write_bytes(b"{}"),
    "no baseline": lambda r: (r.directory / "credit-1.json").unlink(),
    "another's baseline": lambda r: _of_another_model(r.directory),
}


def _of_another_model(directory):
    rows = training_rows(np.random.default_rng(0), 200)
    write_baseline(directory / "credit-3.json", replace(baseline_of(rows), model="churn", version=None))


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_what_is_wrong_leaves_the_old_in_force(running, rng, caplog, broken):
    """One line in the log, a metric that says so, the time of the last success as it was; work goes on."""
    running.feed(rng, range(3))
    before = running.status
    caplog.set_level(logging.WARNING)
    broken(running)
    caplog.clear()
    running.look()

    assert running.status.error
    assert running.metric("drift_config_last_reload_successful") == 0.0
    assert running.metric("drift_config_last_reload_success_timestamp_seconds") == before.loaded_s
    assert running.status.sha256 == before.sha256
    [record] = [r for r in caplog.records if r.levelno >= logging.WARNING]
    assert record.getMessage().startswith("configuration not reloaded, the old one stays in force: ")
    assert "\n" not in record.getMessage()
    running.feed(rng, range(3, 6))
    assert running.n_in_window() == 5 * 300


def test_after_a_failure_a_right_file_is_taken(running, baseline):
    """The file in which the mistake is mended, or the baseline that was missing."""
    running.write(**NOTHING_TO_WATCH)
    running.look()
    assert running.status.error
    write_baseline(running.directory / "other.json", replace(baseline, model="other", version="7"))
    running.look()

    assert running.status.is_successful
    assert list(running.view.baselines) == [ModelKey("other", "7")]
    assert running.status.loaded_s == pytest.approx(running.clock.now_s(), abs=EVERY_S)


@pytest.mark.parametrize("by_signal", [False, True])
def test_a_failure_is_told_once(running, caplog, by_signal):
    """The same wrong file is not tried again, whoever noticed it first."""
    caplog.set_level(logging.WARNING)
    running.path.write_text("models: [")
    if by_signal:
        running.hup()
    running.look(20)

    assert len([r for r in caplog.records if "not reloaded" in r.getMessage()]) == 1


def test_a_file_that_is_still_being_written_is_waited_for(running, baseline):
    """It grows from look to look; only the whole of it is read."""
    write_baseline(running.directory / "whole", baseline)
    data = (running.directory / "whole").read_bytes()
    for share in range(1, 11):
        (running.directory / "credit-2.json").write_bytes(data[: len(data) * share // 10])
        running.step(EVERY_S)
    assert running.status.is_successful
    assert running.versions == ["1"]

    running.look()
    assert running.versions == ["1", "2"]
