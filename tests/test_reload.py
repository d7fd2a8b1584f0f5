"""Configuration and baselines read again while the service runs: all that is right, nothing that is not."""

import gc
import hashlib
import json
import logging
import weakref
from concurrent.futures import Future
from dataclasses import replace

import numpy as np
import pytest

from detector.batch import ModelKey
from detector.store import write_baseline
from tests.support.factories import KEY, baseline_of, training_rows
from tests.support.reloading import CONFIG, KeepingSink, Running

V2 = ModelKey(KEY.model, "2")


@pytest.fixture(scope="module")
def baseline():
    return replace(baseline_of(training_rows(np.random.default_rng(4), 3000)), version=None)


@pytest.fixture(scope="module")
def retrained():
    """On other data: other bins."""
    return replace(baseline_of(training_rows(np.random.default_rng(5), 3000)), version=None)


@pytest.fixture
def running(tmp_path, baseline):
    return Running(tmp_path, {"1": baseline})


def test_a_changed_file_takes_effect_without_a_signal(running):
    """Within two looks: `min_samples` of the new file is what windows are held to."""
    running.write(decision={"min_samples": 7})
    running.look()

    assert running.applied[-1].decision.min_samples == 7
    assert running.status.sha256 == hashlib.sha256(running.path.read_bytes()).hexdigest()
    assert running.metric(f'drift_config_info{{sha256="{running.status.sha256}"}}') == 1.0


def test_what_did_not_change_is_not_read_again(running):
    """Five minutes of looks at files that stand still."""
    running.look(60)

    assert running.applied == []


def test_with_reload_off_only_a_signal_counts(tmp_path, baseline):
    """`reload: off` looks at nothing; SIGHUP still reads everything again."""
    running = Running(tmp_path, {"1": baseline}, reload="off")
    running.write(reload="off", decision={"min_samples": 7})
    running.look(20)
    assert running.applied == []

    running.hup()
    assert running.applied[-1].decision.min_samples == 7


def test_windows_counters_and_alerts_go_on(running, rng):
    """A change of the policy: the window holds what it held, the alert fires on, and is told only once."""
    running.feed(rng, range(5), country="XX")
    before = running.view
    assert len(before.firing) > 0
    running.write(decision={"min_samples": 50}, alerts={"raise_after": 5})
    running.hup()

    assert running.view.firing == before.firing
    assert running.view.watermark_s == before.watermark_s
    running.feed(rng, range(5, 7), country="XX")
    assert running.n_in_window() == 1500
    assert running.accepted() == 7 * 300
    assert [t.status for t in running.sink.sent] == ["firing"] * len(running.sink.sent)
    assert len({t.id for t in running.sink.sent}) == len(running.sink.sent)


def test_no_event_is_lost_or_counted_twice_over_sixty_reloads(running, rng):
    """Events arrive between any two of them."""
    for minute in range(60):
        running.write(decision={"min_samples": 100 + minute})
        running.reloader.request()
        running.feed(rng, [minute], n=20)
    running.step()

    assert len(running.applied) == 60
    assert running.accepted() == 60 * 20
    assert sum(running.view.counters.rejected.values()) == 0
    assert running.n_in_window() == 100


def test_a_new_baseline_file_is_a_new_version(running, baseline, rng):
    """Its events were of an unknown model before; those of the other version go on."""
    running.feed(rng, range(2))
    running.feed(rng, [2], n=10, keys=(V2,))
    write_baseline(running.directory / "credit-2.json", baseline)
    running.look()
    running.feed(rng, range(3, 6), keys=(KEY, V2))

    assert running.versions == ["1", "2"]
    assert running.view.counters.rejected["memory", "unknown_model"] == 10
    assert (running.accepted(), running.accepted("2")) == (1500, 900)
    assert running.n_in_window("2") == 600
    assert running.n_in_window() == 1200


def test_a_replaced_baseline_begins_new_windows_for_that_version_only(tmp_path, baseline, retrained, rng):
    """Other bins: what was counted in the old ones cannot be held against the new."""
    running = Running(tmp_path, {"1": baseline, "2": baseline})
    running.feed(rng, range(4), keys=(KEY, V2))
    write_baseline(tmp_path / "credit-1.json", retrained)
    running.look()
    running.feed(rng, range(4, 6), keys=(KEY, V2))

    assert running.view.baselines[KEY].binning.is_like(retrained.binning)
    assert running.n_in_window("2") == 5 * 300
    assert running.n_in_window("1") == 300
    assert running.accepted("1") == running.accepted("2") == 6 * 300


def test_a_replaced_baseline_with_the_same_bins_keeps_the_windows(running, baseline, rng):
    """Only how they are judged is new."""
    running.feed(rng, range(4))
    write_baseline(running.directory / "credit-1.json", replace(baseline, label="repaid"))
    running.look()
    running.feed(rng, range(4, 6))

    assert running.view.baselines[KEY].label == "repaid"
    assert running.n_in_window() == 5 * 300


def test_alerts_of_a_model_that_goes_are_resolved(tmp_path, baseline, rng):
    """Their receivers would wait for ever; those of a model that stays fire on."""
    running = Running(tmp_path, {"1": baseline, "2": baseline})
    running.feed(rng, range(6), keys=(KEY, V2), country="XX")
    fired = {t.id for t in running.view.firing if t.key == V2}
    stay = [t for t in running.view.firing if t.key == KEY]
    assert fired
    assert stay
    (tmp_path / "credit-2.json").unlink()
    running.look()

    ended = [t for t in running.sink.sent if t.status == "resolved"]
    assert {t.id for t in ended} == fired
    assert all(t.ends_at_s == running.view.watermark_s for t in ended)
    assert [t for t in running.view.firing if t.key == KEY] == stay == list(running.view.firing)
    assert running.versions == ["1"]
    assert b'version="2"' not in running.metrics.page()[0]


def test_counters_of_a_version_that_comes_back_go_on(tmp_path, baseline, rng):
    """They never go backwards."""
    running = Running(tmp_path, {"1": baseline, "2": baseline})
    running.feed(rng, range(3), keys=(V2,))
    (tmp_path / "credit-2.json").unlink()
    running.look()
    write_baseline(tmp_path / "credit-2.json", baseline)
    running.look()
    running.feed(rng, [3], keys=(V2,))

    assert running.accepted("2") == 4 * 300


def test_other_window_lengths_begin_anew(running, rng):
    """Alerts that fire on windows that are no more end; the new windows fill from here on."""
    running.feed(rng, range(5), country="XX")
    running.write(windows={"pane": "2m", "lengths": ["4m"], "lateness": "0s"})
    running.hup()
    assert running.view.firing == ()
    assert {t.status for t in running.sink.sent} == {"firing", "resolved"}

    running.feed(rng, range(5, 11))
    assert {length for _, length in running.view.judged} == {240.0}
    assert running.view.judged[KEY, 240.0].evaluation.n[0] == 4 * 300
    assert sum(running.view.counters.rejected.values()) == 0


def test_a_config_map_is_swapped_by_its_link(tmp_path, baseline):
    """Kubernetes lets `..data` point at another directory; the files' own names stay links through it."""
    for name, min_samples in (("..v1", 100), ("..v2", 7)):
        (tmp_path / name).mkdir()
        text = json.dumps(CONFIG | {"decision": {"min_samples": min_samples}, "models": CONFIG["models"]})
        (tmp_path / name / "detector.yaml").write_text(text)
        write_baseline(tmp_path / name / "credit-1.json", replace(baseline, label=name))
    mounted = tmp_path / "mounted"
    mounted.mkdir()
    running = Running(mounted, {"1": baseline})
    for name in ("detector.yaml", "credit-1.json"):
        (mounted / name).unlink()
        (mounted / name).symlink_to(f"..data/{name}")
    (mounted / "..data").symlink_to(tmp_path / "..v1")
    running.look()
    assert running.view.baselines[KEY].label == "..v1"

    (mounted / "..tmp").symlink_to(tmp_path / "..v2")
    (mounted / "..tmp").replace(mounted / "..data")
    running.look()

    assert running.applied[-1].decision.min_samples == 7
    assert running.view.baselines[KEY].label == "..v2"


def test_what_needs_a_restart_is_said_and_left_as_it_is(running, caplog):
    """One line, and a metric until the file says what is running again; the rest takes effect."""
    caplog.set_level(logging.WARNING)
    running.write(http={"port": 1234}, source=CONFIG["source"] | {"topics": ["u"]}, alerts={"raise_after": 9})
    running.look()

    lines = [r.getMessage() for r in caplog.records if "restart" in r.getMessage()]
    assert lines == ["takes effect after a restart: source, http"]
    assert running.status.after_restart == ("source", "http")
    assert running.status.is_successful
    assert running.applied[-1].alerts.raise_after == 9
    assert running.applied[-1].http.port == 9723
    assert running.metric("drift_config_restart_required") == 1.0
    running.write(alerts={"raise_after": 9})
    running.look()
    assert running.metric("drift_config_restart_required") == 0.0


def test_sinks_come_and_go(running, rng, caplog):
    """One whose settings stay is the same; one that comes is told what fires; one that goes is closed."""
    caplog.set_level(logging.INFO)
    running.feed(rng, range(5), country="XX")
    first = list(running.sink.sent)
    running.write(alerts={"sinks": [{"kind": "log"}, {"kind": "log"}]})
    running.look()
    told = [r for r in caplog.records if r.name == "detector.sinks.log"]
    assert len(told) == len(running.view.firing) > 0
    assert running.sink.sent == first
    assert not running.sink.is_closed

    running.write(alerts={"sinks": []})
    running.look()
    assert running.sink.is_closed


def test_other_series_are_exported_at_once(running, rng):
    """`metrics.statistics` between two scrapes."""
    running.feed(rng, range(3))
    assert b'statistic="hellinger"' in running.metrics.page()[0]
    running.write(metrics={"statistics": ["missing"]})
    running.look()

    assert b'statistic="hellinger"' not in running.metrics.page()[0]
    assert b'statistic="missing"' in running.metrics.page()[0]


def test_the_loop_goes_on_while_files_are_read(tmp_path, baseline, rng):
    """Reading takes a while: until it is done events are read and judged as before."""
    waiting = []

    def later(task):
        done = Future()
        waiting.append(lambda: done.set_result(task()))
        return done

    running = Running(tmp_path, {"1": baseline}, aside=later)
    running.write(decision={"min_samples": 7})
    running.hup()
    running.feed(rng, range(3))
    assert running.applied == []
    assert running.accepted() == 900

    waiting.pop()()
    running.step()
    assert running.applied[-1].decision.min_samples == 7
    assert running.accepted() == 900


def test_a_thousand_reloads_leave_nothing_behind(tmp_path, baseline, rng):
    """Versions come and go, sinks too: what the service holds is of the configuration in force."""
    running = Running(tmp_path, {"1": baseline})
    dropped = []
    small = replace(baseline_of(training_rows(rng, 200)), version=None)
    for i in range(1000):
        (tmp_path / "credit-2.json").unlink(missing_ok=True)
        if i % 2:
            write_baseline(tmp_path / "credit-2.json", replace(small, label=f"l{i}"))
        running.hup()
        dropped += [weakref.ref(b) for key, b in running.view.baselines.items() if key == V2]
    gc.collect()

    assert len(running.applied) == 1000
    assert running.status.is_successful
    assert sum(ref() is not None for ref in dropped) <= 4
    assert len(running.view.counters.accepted) <= 2
    assert not running.sink.is_closed


def test_one_that_asks_while_files_are_read_is_heard_afterwards(running):
    """Two signals in a row: the second reads what was written after the first."""
    running.write(decision={"min_samples": 7})
    running.reloader.request()
    running.step()
    running.write(decision={"min_samples": 8})
    running.hup()

    assert running.applied[-1].decision.min_samples == 8


def test_a_sink_that_cannot_be_opened_leaves_none_of_the_new_ones_open(running, monkeypatch):
    """All or nothing: those that were opened before it are closed again."""
    from detector import reload

    opened = []

    def open_part(_kinds, settings, _clock):
        if opened:
            raise OSError("no")
        opened.append(KeepingSink())
        return opened[0]

    monkeypatch.setattr(reload, "open_part", open_part)
    running.write(alerts={"sinks": [{"kind": "log"} for _ in range(3)]})
    running.look()

    assert "OSError: no" in running.status.error
    assert opened[0].is_closed
    assert not running.sink.is_closed
