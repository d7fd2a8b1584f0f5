"""Traffic in windows of any length, and the lengths that are proposed for it."""

import numpy as np
import pytest

from detector.batch import ModelKey
from detector.tune import traffic as module
from detector.tune.traffic import Traffic
from detector.tune.window_advice import Load, advise_windows
from detector.windows.spec import WindowSpec

KEY = ModelKey("m", "1")
DAY_S = 86400.0


def _load(per_minute, days=10.0, min_samples=1000):
    """Steady traffic."""
    rng = np.random.default_rng(1)
    traffic = Traffic(60.0)
    for start in range(0, int(days * 1440), 1440):
        n = rng.poisson(per_minute, 1440)
        traffic.add(np.repeat(DAY_S * 20000 + 60.0 * (start + np.arange(1440)), n))
    return Load(traffic, min_samples, np.inf)


def _lengths(load, **spec):
    return advise_windows({KEY: load}, WindowSpec(**spec)).lengths_s


def test_windows_hold_what_was_counted():
    """Sliding sums over slots, those that begin before the history left out; NaN is no time."""
    traffic = Traffic(60.0)
    traffic.add(np.array([0.0, 10.0, 60.0, 130.0, 131.0, 600.0, np.nan]))

    assert traffic.in_windows(120.0).tolist() == [3, 3, 1]
    assert traffic.in_windows(120.0, until_s=300.0).tolist() == [3, 3]
    assert traffic.in_windows(DAY_S).tolist() == [6]
    assert traffic.span_s() == 660.0
    assert Traffic(60.0).in_windows(60.0).tolist() == []


def test_slots_are_bounded(monkeypatch):
    """Two become one where there are too many; no event is lost."""
    monkeypatch.setattr(module, "MOST_SLOTS", 100)
    traffic = Traffic(60.0)
    traffic.add(60.0 * np.arange(1000.0))

    assert traffic.slot_s == 960.0
    assert traffic.in_windows(1e9).tolist() == [1000]


def test_thin_windows_give_way_to_the_shortest_that_is_filled():
    """140 events in 10 minutes are too few for 1,000: two hours hold 1,680."""
    advice = advise_windows({KEY: _load(14)}, WindowSpec())

    assert advice.lengths_s == (7200.0, 86400.0)
    assert len(advice.reasons) == 2
    assert "10m holds 1" in advice.reasons[0]
    assert "too few for 1,000; 2h holds 1,6" in advice.reasons[0]


def test_windows_that_are_filled_stay_as_they_are():
    """Nobody is asked to change what works."""
    advice = advise_windows({KEY: _load(500)}, WindowSpec())

    assert advice.lengths_s == WindowSpec().lengths_s
    assert not advice.reasons


def test_little_traffic_lowers_min_samples_instead():
    """60 events a day: a week holds 420, so 200 are asked for."""
    advice = advise_windows({KEY: _load(60 / 1440, days=60)}, WindowSpec())

    assert advice.min_samples[KEY] == 200
    assert advice.lengths_s == (604800.0,)


def test_next_to_no_traffic_is_said_and_changes_nothing():
    """A week holds a dozen events."""
    advice = advise_windows({KEY: _load(2 / 1440, days=60)}, WindowSpec())

    assert advice.lengths_s == WindowSpec().lengths_s
    assert "too little traffic" in advice.reasons[0]


def test_a_length_that_the_history_is_too_short_for_is_not_judged():
    """Two hours say nothing of 24h."""
    assert _lengths(_load(500, days=1), lengths_s=(600.0, 604800.0)) == (600.0, 604800.0)


@pytest.mark.parametrize("pane_s", [60.0, 7200.0])
def test_lengths_are_whole_panes(pane_s):
    """Whatever the pane is."""
    lengths = _lengths(_load(14), pane_s=pane_s, lengths_s=(7200.0, 86400.0))

    assert all(length_s % pane_s == 0 for length_s in lengths)


def test_a_length_stays_that_one_of_several_versions_fills():
    """Settings of windows are shared by all; the thin one gets the shortest that it fills besides."""
    loads = {KEY: _load(14), ModelKey("busy", "1"): _load(500)}
    advice = advise_windows(loads, WindowSpec())

    assert advice.lengths_s == (600.0, 3600.0, 7200.0, 86400.0)
