"""Natural variation learned from a stream: what is taken for it, what is not, and what it may cost."""

from dataclasses import replace

import numpy as np
import pytest

from detector.baseline import Baseline, Provenance
from detector.baseline.learning import (
    ENOUGH_DAYS,
    MAX_CELLS,
    MOST_DAYS,
    Learner,
    knowledge_of,
    learning_slot,
)
from detector.baseline.stream_variation import LEAST
from detector.baseline.variation import DAY_S
from tests.support.worlds import START_S, Model, rng_of, shares

N = 6
HOUR_S = 3600.0
EVENTS = 2000
CALM = np.full(N, np.inf)
WHERE_SIGMA_IS_SEEN = 0.4
"""Kolmogorov-Smirnov distance of two normal laws apart by a little, in units of their shift."""


@pytest.fixture(scope="module")
def model():
    return Model(N)


def _baseline(model, mu=0.0):
    counts = np.rint(shares(np.full(N, mu)) * 200_000).astype(np.int64)
    profile = model.profile(model.vector(counts, 200_000))
    provenance = Provenance((), "", 200_000, "2026-01-01T00:00:00Z", "0", 0)
    return Baseline(None, None, model.binning, profile, np.zeros(N), (), provenance)


def _learner(model, mu=0.0):
    return Learner(_baseline(model, mu), (HOUR_S,), HOUR_S)


def _teach(learner, model, mu, rng, *, first_hour=0, suspect=lambda _hour: CALM, events=EVENTS):
    """Teach hours of means (hours, F); return all that was learned, latest last."""
    found = [learner.knowledge]
    for hour, p in enumerate(shares(mu), first_hour):
        counts = model.vector(rng.multinomial(events, p), events)
        known = learner.add(START_S + hour * HOUR_S, counts, suspect(hour))
        found += [known] if known is not None else []
    return found


def _days(sizes, n_features=N):
    """Means by hour (24 x days, F) of days whose mean is given."""
    return np.repeat(np.asarray(sizes, float)[:, None], 24, axis=0) * np.ones(n_features)


def _reach(known, f=0):
    """How far the hours of a feature lie from the whole beyond chance: root mean square."""
    return float(np.sqrt(known.variation.excess["kolmogorov_smirnov"][0, f]))


def test_nothing_is_known_at_first_then_a_guess_then_enough(model):
    """Thresholds are wide at first, and said to be a guess until seven are over."""
    known = _teach(_learner(model), model, _days(np.zeros(9)), rng_of("learn", "stages"))

    assert [k.is_enough for k in known] == [k.days >= ENOUGH_DAYS for k in known]
    assert [k.days for k in known] == pytest.approx(range(9))
    assert known[0].text.endswith("0 of 7 days")
    assert known[3].text.endswith("3 of 7 days")
    assert known[-1].text.endswith("8 days")
    assert _reach(known[0]) > _reach(known[1]) > _reach(known[2]) > _reach(known[-1])


def test_days_that_move_by_themselves_are_measured(model):
    """Means of days with a standard deviation of .2: after four weeks within a third of it.

    Error rate: a standard deviation of 28 days is off by 13 % (one sigma), of six features' mean less.
    """
    rng = rng_of("learn", "measured")
    mu = np.repeat(rng.normal(0, 0.2, (29, N)), 24, axis=0)
    known = _teach(_learner(model), model, mu, rng)[-1]
    found = np.mean([_reach(known, f) for f in range(N)])

    assert known.days == MOST_DAYS
    assert found == pytest.approx(0.2 * WHERE_SIGMA_IS_SEEN, rel=0.33)


def test_a_constant_difference_from_training_is_no_variation(model):
    """Serving data half a standard deviation off from the first hour on: nothing varies."""
    known = _teach(_learner(model), model, _days(np.full(15, 0.5)), rng_of("learn", "offset"))[-1]

    assert _reach(known) < 0.01


def test_a_season_is_learned_and_a_constant_difference_stays_one(model):
    """The hours swing by .4 about a mean that is .5 off: what is expected swings about training's mean."""
    hours = np.arange(24 * 15) / 24
    swing = 0.4 * np.sin(2 * np.pi * hours)[:, None] * np.ones(N)
    known = _teach(_learner(model), model, 0.5 + swing, rng_of("learn", "season"))[-1]
    assert known.season is not None
    layout = model.layout
    means = []
    for hour in (6, 18):
        at = np.zeros((1, 48))
        at[0, hour] = 1.0
        expected, size = known.season.expected(at)
        first = np.isin(known.season.positions, np.arange(layout.segments.lengths[0]))
        p = expected[0][first] / expected[0][first].sum()
        means.append(float(p @ np.r_[-2.9, (_edges()[1:] + _edges()[:-1]) / 2, 2.9]))
        assert 0 < size[0] < 200_000

    # Each bin stands for its middle: right within a tenth.
    assert means == pytest.approx([0.4, -0.4], abs=0.1)
    assert _reach(known) < 0.02


def _edges():
    from tests.support.worlds import EDGES

    return np.clip(EDGES, -2.9, 2.9)


def test_what_drifts_after_the_first_week_is_left_out(model):
    """A step at day ten that was noticed changes nothing; the same, unnoticed, would be variation."""
    mu = _days(np.r_[np.zeros(10), np.full(10, 0.8)])
    since = np.where(np.arange(N) < 3, START_S + 10 * DAY_S, np.inf)
    known = _teach(
        _learner(model), model, mu, rng_of("learn", "step"), suspect=lambda h: since if h >= 240 else CALM
    )[-1]

    assert max(_reach(known, f) for f in (0, 1, 2)) < 0.02
    assert min(_reach(known, f) for f in (3, 4, 5)) > 0.05


def test_a_change_in_the_first_week_that_was_noticed_does_not_widen_its_own_threshold(model):
    """It goes on when the day is measured, so it may stay: it is left out, then and later."""
    mu = _days(np.r_[np.zeros(3), np.full(8, 0.8)])
    since = np.where(np.arange(N) < 3, START_S + 3 * DAY_S, np.inf)
    known = _teach(
        _learner(model), model, mu, rng_of("learn", "early"), suspect=lambda h: since if h >= 72 else CALM
    )

    assert all(max(_reach(k, f) for f in (0, 1, 2)) < 0.05 for k in known[1:])
    assert _reach(known[-1], 5) > 0.05


def test_what_comes_back_in_the_first_week_is_these_datas_own_way(model):
    """One day off that was noticed and ended by itself is variation: else it would alarm for ever."""
    mu = _days([0, 0, 0.8, 0, 0, 0, 0, 0, 0])
    drifts = np.full(N, START_S + 2 * DAY_S)
    known = _teach(
        _learner(model),
        model,
        mu,
        rng_of("learn", "back"),
        suspect=lambda h: drifts if 48 <= h < 72 else CALM,
    )[-1]

    assert _reach(known) > 0.08


def test_a_slow_change_is_not_taken_for_variation(model):
    """A mean that rises by .1 a day from day seven on, unnoticed: half of how far it lies, at the most.

    Fourteen days later it lies at a distance of .5; the root mean square of all days is a third of that.
    """
    rise = np.r_[np.zeros(7), 0.1 * np.arange(1, 15)]
    known = _teach(_learner(model), model, _days(rise), rng_of("learn", "slow"))[-1]

    assert _reach(known) < 0.05


def test_a_feature_that_drifts_from_the_first_hour_is_never_learned(model):
    """All it has is left out: nothing breaks, and it is held to the guess for want of better."""
    drifts = np.where(np.arange(N) < 1, START_S, np.inf)
    known = _teach(
        _learner(model), model, _days(np.full(10, 0.8)), rng_of("learn", "never"), suspect=lambda _: drifts
    )

    assert all(np.isfinite(table).all() for k in known for table in k.variation.excess.values())
    assert _reach(known[-1]) == pytest.approx(LEAST)
    assert _reach(known[-1], 1) < LEAST


def test_panes_of_a_day_are_learned_too(model):
    """A measurement that is under way is not begun anew: with three lengths it takes three panes."""
    learner = Learner(_baseline(model), (DAY_S, 2 * DAY_S, 4 * DAY_S), DAY_S)
    rng = rng_of("learn", "day panes")
    found = []
    for day in range(30):
        counts = model.vector(rng.multinomial(EVENTS, shares(np.zeros(N))), EVENTS)
        found.append(learner.add(START_S + day * DAY_S, counts, CALM))

    assert any(found)
    assert learner.knowledge.is_enough


def test_learning_ends_with_four_weeks(model):
    """From then on nothing changes, so a slow change is not learned away; and nothing is kept."""
    learner = _learner(model)
    before = _teach(learner, model, _days(np.zeros(29)), rng_of("learn", "end"))[-1]
    after = _teach(learner, model, _days(np.arange(9.0)), rng_of("learn", "ramp"), first_hour=29 * 24)

    assert before.days == MOST_DAYS
    assert after == [before]
    assert learner.days == 0


def test_a_gap_takes_no_room_and_is_no_history(model):
    """Four days, a month of silence, four days: eight days."""
    learner, rng = _learner(model), rng_of("learn", "gap")
    _teach(learner, model, _days(np.zeros(4)), rng)
    known = _teach(learner, model, _days(np.zeros(5)), rng, first_hour=24 * 34)[-1]

    assert known.days == pytest.approx(8)
    assert learner.days == pytest.approx(9)


def test_too_few_events_tell_nothing_and_stay_bounded(model):
    """One event an hour: what is known stays a guess, what is kept stays below five weeks."""
    learner = _learner(model)
    known = _teach(learner, model, _days(np.zeros(40)), rng_of("learn", "few"), events=1)[-1]

    assert not known.is_enough
    assert known.days < ENOUGH_DAYS
    assert learner.days <= MOST_DAYS + 1


def test_the_same_panes_teach_the_same(model):
    """Two learners, one stream: equal to the last bit."""
    a, b = (
        _teach(_learner(model), model, _days([0, 0.1, -0.1, 0.2, 0, 0, 0, 0, 0]), rng_of("learn", "same"))[-1]
        for _ in range(2)
    )

    assert all(np.array_equal(a.variation.excess[n], b.variation.excess[n]) for n in a.variation.excess)
    assert a.variation.tails == b.variation.tails


@pytest.mark.parametrize("n_features", [1, 40, 200, 1000, 10_000])
@pytest.mark.parametrize("pane_s", [1.0, 60.0, 900.0])
def test_slots_are_bounded_whatever_the_model_is_like(n_features, pane_s):
    """Wide models have longer slots; only beyond what slots of a day can hold is there more."""
    width = 70 * n_features
    slot_s = learning_slot(600.0, pane_s, width)

    assert slot_s >= max(600.0, pane_s)
    assert (MOST_DAYS + 1) * DAY_S / slot_s * width <= MAX_CELLS or slot_s == DAY_S


def test_a_baseline_that_knows_is_taken_at_its_word(model):
    """Nothing known: not enough. Variation of training data: enough, with its days."""
    bare = _baseline(model)
    variation = _teach(_learner(model), model, _days(np.zeros(9)), rng_of("learn", "word"))[-1].variation
    told = knowledge_of(replace(bare, variation=variation))

    assert not knowledge_of(bare).is_enough
    assert told.is_enough
    assert told.days == pytest.approx(8)
