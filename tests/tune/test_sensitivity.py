"""The smallest change that would be seen: changed counts, and what the judge makes of samples of them."""

import numpy as np
import pytest
from scipy.special import ndtr

from detector.drift.evaluation import State
from detector.drift.judge import Judge
from detector.drift.level import Level
from detector.drift.policy import DecisionPolicy
from detector.profile import NumericBinning
from detector.runs import AlertPolicy
from detector.tune.sensitivity import SHARES, SHIFTS, Sight, moved, moved_whole, swapped
from detector.windows.sliding import WindowProfile
from detector.windows.spec import WindowSpec
from tests.support.factories import KEY, baseline_of
from tests.support.worlds import EDGES, Model, World, rng_of, shares

N = 20_000


@pytest.mark.parametrize("by", [-0.7, -0.05, 0.0, 0.25, 3.0, 20.0])
def test_moved_normal_values_lie_as_the_moved_law_says(by):
    """No bin's cumulative share is off by more than the share of the widest bin, 1/64; nothing is lost."""
    binning = NumericBinning(EDGES)
    found = moved(binning, shares(np.zeros(1))[0], by)

    assert found.sum() == pytest.approx(1.0)
    assert np.all(found >= -1e-12)
    assert np.cumsum(found)[:-1] == pytest.approx(ndtr(EDGES - by), abs=1 / 64)


def test_a_frequent_single_value_stays():
    """A zero is a zero still, when the rest is larger."""
    binning = NumericBinning(np.array([0.0, np.nextafter(0.0, 1.0), 1.0, 2.0]))
    found = moved(binning, np.array([0.0, 0.5, 0.3, 0.2, 0.0]), 0.5)

    assert found == pytest.approx([0.0, 0.5, 0.15, 0.25, 0.1])


def test_whole_numbers_move_in_whole_steps():
    """By a quarter on average: a quarter of each moves by one. The bin between 1 and 2 stays empty."""
    binning = NumericBinning(np.array([0.0, 1.0, np.nextafter(1.0, 2.0), 2.0, 3.0]))
    found = moved_whole(binning, np.array([0.0, 0.4, 0.4, 0.0, 0.2, 0.0]), 0.25)

    assert found == pytest.approx([0.0, 0.3, 0.4, 0.0, 0.25, 0.05])


def test_categories_swap_no_more_than_there_is():
    """From the most frequent to the next."""
    assert swapped(np.array([0.2, 0.7, 0.1]), 0.3) == pytest.approx([0.5, 0.4, 0.1])
    assert swapped(np.array([0.2, 0.7, 0.1]), 1.0) == pytest.approx([0.9, 0.0, 0.1])
    assert swapped(np.array([1.0]), 0.5) == pytest.approx([1.0])


@pytest.fixture(scope="module")
def world():
    """A model of 10 normal features whose days vary, and a judge of windows of an hour."""
    model, stream = Model(10), World("day", rng_of("sensitivity"), 10)
    baseline = model.train(stream)
    # Made of counts alone, it lacks what the moments tell.
    baseline.profile.squares[:] = baseline.n_events
    judge = Judge(KEY, baseline, DecisionPolicy(min_samples=500), level=Level(1.0, 10))
    return model, judge


def _share_seen(model, judge, shifts, rng):
    """Return the share of 40 sampled windows that drift, by feature, when each has moved by its shift."""
    seen = np.zeros(len(shifts))
    for _ in range(40):
        row = model.vector(np.stack([rng.multinomial(N, p) for p in shares(shifts)]), N)
        window = WindowProfile(3600.0, 0.0, 3600.0, model.profile(row))
        seen += judge.evaluate(window).state[0] == State.DRIFT
    return seen / 40


def test_what_is_said_to_be_seen_is_seen_and_half_of_it_is_not(world, rng):
    """In sampled windows of the very size: at least 75 % at the figure, at most 10 % at half of it."""
    model, judge = world
    found = Sight(judge, WindowSpec(lengths_s=(3600.0,)), AlertPolicy(), {3600.0: N}).smallest()[2]

    assert np.all((found > 0.05) & (found < 1.0))
    assert _share_seen(model, judge, found, rng).min() >= 0.75
    assert _share_seen(model, judge, found / 2.0, rng).max() <= 0.1


def test_sooner_takes_more(world):
    """A window of a day holds only part of a change that is an hour old."""
    _, judge = world
    sight = Sight(judge, WindowSpec(lengths_s=(14400.0,)), AlertPolicy(), {14400.0: N})
    hour, day, lasting = np.nan_to_num(sight.smallest(), nan=np.inf)

    assert np.all(hour > day)
    assert np.all(day == lasting)


def test_nothing_is_seen_in_windows_of_too_few_events(world):
    """Nor before the first pane is over."""
    _, judge = world
    few = Sight(judge, WindowSpec(lengths_s=(3600.0,)), AlertPolicy(), {3600.0: 400}).smallest()
    coarse = WindowSpec(pane_s=7200.0, lengths_s=(7200.0,), lateness_s=0.0)

    assert np.isnan(few).all()
    assert np.isnan(Sight(judge, coarse, AlertPolicy(), {7200.0: N}).smallest()[0]).all()


def test_categories_and_whole_numbers_have_figures_too(rng):
    """Shares of events, of a flag and of texts; a larger `min_effect` asks for more."""
    rows = [
        {"n": int(k), "c": str(c), "flag": bool(b), "empty": None}
        for k, c, b in zip(
            rng.poisson(3, N), rng.choice(["a", "b", "c"], N), rng.random(N) < 0.3, strict=True
        )
    ]
    baseline = baseline_of(rows)
    found = {}
    for level in (0.1, 0.3):
        judge = Judge(KEY, baseline, DecisionPolicy(min_effect=level), level=Level(1.0, 4))
        sight = Sight(judge, WindowSpec(), AlertPolicy(), {600.0: 2000, 3600.0: 12_000, 86400.0: 288_000})
        found[level] = dict(zip(baseline.features.names, sight.smallest()[1].tolist(), strict=True))

    assert 0.1 <= found[0.1]["c"] <= 0.1 * SHARES[1] / SHARES[0]
    # Of so large a change the Hellinger distance tells before the largest share does.
    assert 0.25 <= found[0.3]["c"] <= 0.3 * SHARES[1] / SHARES[0]
    assert SHIFTS[0] < found[0.1]["n"] < found[0.3]["n"] < 1.0
    assert found[0.1]["flag"] < found[0.3]["flag"] or np.isnan(found[0.3]["flag"])
    assert "empty" not in found or np.isnan(found[0.1]["empty"])
