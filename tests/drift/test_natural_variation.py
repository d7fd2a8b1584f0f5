"""Decisions on data that vary by themselves: silence where they only do that, an alarm beyond."""

import numpy as np
import pytest

from detector.drift.evaluation import State
from tests.support.worlds import EVENTS, Model, World, judge_of, live, rng_of

N = 20


@pytest.fixture(scope="module", params=["day", "season"])
def world(request):
    """A model of 20 features, its world going on, and its judge."""
    model, world = Model(N), World(request.param, rng_of("natural", request.param), N)
    return model, world, judge_of(model.train(world))


def test_what_training_data_did_by_themselves_is_no_drift(world):
    """Three days: expected false alarms at the budget 0.02, so one alert fails in 2 % of seeds."""
    model, stream, judge = world
    fired = [t for _, transitions, _ in live(model, stream, judge, days=3) for t in transitions]

    assert not fired


def test_a_shift_beyond_it_is_drift(world):
    """Half a standard deviation from the first pane on: at least 90 % of the features within two hours."""
    model, stream, judge = world
    found = set()
    for pane, transitions, _ in live(model, stream, judge, days=1, change=lambda _, mu: (mu + 0.5, 1.0)):
        found |= {t.feature for t in transitions if t.feature is not None and pane <= 24}

    assert len(found) >= 0.9 * N


def test_a_season_that_stays_away_is_drift():
    """The hours have lost their swing of 0.4: half the features and more are found within the day."""
    model, world = Model(N), World("season", rng_of("natural", "missing dip"), N)
    judge = judge_of(model.train(world))
    hours = np.arange(288) / 288
    swing = 0.4 * np.sin(2 * np.pi * hours[:, None] + world.phase)
    found = set()
    for _, transitions, _ in live(model, world, judge, days=1, change=lambda _, mu: (mu - swing, 1.0)):
        found |= {t.feature for t in transitions if t.feature is not None}

    assert len(found) >= 0.5 * N


def test_without_timestamps_thresholds_know_sampling_only(world):
    """The same features without their variation are held to less."""
    from dataclasses import replace

    model, stream, judge = world
    bare = judge_of(replace(judge.baseline, variation=None, season=None))
    evaluation = next(e for _, _, e in live(model, stream, judge, days=1))
    again = bare.evaluate(evaluation.window)
    name = "kolmogorov_smirnov"

    assert evaluation.n[0] > 4 * EVENTS
    assert np.all(again.statistics[name].threshold <= evaluation.statistics[name].threshold + 1e-9)
    assert State.OK in evaluation.state
