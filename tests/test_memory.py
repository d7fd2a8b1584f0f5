"""The bound on memory: what it follows from, what is told of it, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest

from detector.batch import Columns, ModelKey
from detector.errors import ConfigError
from detector.memory import CERTAIN, MIB, Part, Surroundings, check_memory, memory_parts, memory_text, total
from detector.pipeline import Pipeline
from detector.watched import Monitored
from detector.windows.slices import Slices
from detector.windows.spec import WindowSpec
from tests.support.factories import KEY, START_S, baseline_of

SPEC = WindowSpec()
AROUND = Surroundings(n_series=1000)
SLICES = Slices({"country": ("DE", "FR", "IT")})


@pytest.fixture(scope="module")
def baseline():
    return baseline_of([{"amount": x} for x in np.random.default_rng(1).normal(size=500).tolist()])


def _parts(models, spec=SPEC, around=AROUND):
    return {part.name: part.n_bytes for part in memory_parts(spec, models, around)}


def test_closed_panes_are_those_that_windows_keep(baseline):
    """A day and more of minutes: whatever rings hold is counted, and no more than a twentieth beyond."""
    windows = Pipeline(SPEC, {KEY: Monitored(baseline)}).watched[KEY].windows
    first, most = int(START_S // 60), 0
    for pane in range(first, first + 1600):
        windows.add(Columns(1, np.array([[0.5]]), ()), np.array([60.0 * pane]), None)
        most = max(most, sum(len(ring) for ring in windows._rings.values()))
        windows.close(pane)
        most = max(most, sum(len(ring) for ring in windows._rings.values()))
    kept = most * windows.pane_bytes + len(SPEC.lengths_s) * 8 * windows.layout.width

    assert kept <= _parts({KEY: Monitored(baseline)})["windows"] <= 1.05 * kept


def test_slices_and_versions_multiply_what_they_multiply(baseline):
    """Closed panes have a row a slice; every version has all of its own."""
    one, sliced = _parts({KEY: Monitored(baseline)}), _parts({KEY: Monitored(baseline, slices=SLICES)})
    three = _parts({ModelKey("m", str(i)): Monitored(baseline) for i in range(3)})

    assert sliced["windows"] == len(SLICES) * one["windows"]
    assert sliced["history"] == one["history"]
    for name in ("windows", "history", "baselines"):
        assert three[name] == 3 * one[name]
    assert three["source"] == one["source"]


def test_open_panes_follow_lateness_where_they_are_large(baseline):
    """What lateness keeps open is counted: it may be more than what is allowed otherwise."""
    many = {ModelKey("m", str(i)): Monitored(baseline, slices=SLICES) for i in range(400)}
    short, long = (_parts(many, replace(SPEC, lateness_s=60.0 * n)) for n in (2, 128))

    assert long["open panes"] > 4 * short["open panes"]
    assert long["windows"] == short["windows"]


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"max_poll_records": 20_000}, "a poll"),
        ({"max_batch_bytes": 128 * MIB}, "source"),
        ({"n_series": 9000}, "metrics"),
        ({"n_queued": 9000}, "alerts"),
    ],
)
def test_each_limit_raises_its_own_part(baseline, change, name):
    """And no other."""
    models = {KEY: Monitored(baseline)}
    before, after = _parts(models), _parts(models, around=replace(AROUND, **change))

    assert [part for part in before if after[part] != before[part]] == [name]
    assert after[name] > before[name]


def test_without_state_no_cut_is_counted(baseline):
    """Nothing is encoded then."""
    assert "state" not in _parts({KEY: Monitored(baseline)}, around=replace(AROUND, keeps_state=False))


PARTS = (Part("program", 100 * MIB), Part("windows", 50 * MIB), Part("metrics", 30 * MIB), Part("history", 0))


def test_what_is_told_names_the_largest_first_and_nothing_empty():
    """In whole MiB, rounded up."""
    assert memory_text(PARTS) == "memory: at most 180 MiB: program 100, windows 50, metrics 30"


def test_a_bound_within_the_limit_is_no_news():
    """Or without any limit; nine tenths of it may be used."""
    assert check_memory(PARTS, None) == check_memory(PARTS, 200 * MIB) == ()
    assert total(PARTS) == 180 * MIB


def test_a_bound_above_the_limit_is_warned_of_with_what_to_lower():
    """The largest part that can be lowered, and how."""
    (warning,) = check_memory(PARTS, 199 * MIB)

    assert "limits.memory: at most 180 MiB" in warning
    assert "(windows, 50 MiB): fewer slices" in warning


def test_what_is_always_there_must_fit():
    """Program, baselines and full windows: nothing helps them later."""
    assert set(CERTAIN) == {"program", "baselines", "windows"}
    with pytest.raises(ConfigError, match=r"take 150 MiB once windows are full.*fewer slices"):
        check_memory(PARTS, 150 * MIB)
