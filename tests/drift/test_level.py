"""The budget shared out, and the exact chances of rates."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from detector.baseline.variation import TAIL_SHARE, Tail, Variation
from detector.drift.level import Excursions, Level, common_chance, most_events, rate_p_value

TAIL = Tail(0.0, 0.4, 2.0, 1000.0)


def test_the_budget_is_shared_out_over_all_decisions():
    """Half of it over 100 features, 3 statistics, every 5 minutes for 30 days: 1.9e-7 each."""
    level = Level(1.0, 100, pane_s=300.0)

    assert level.sampling(3) == pytest.approx(0.5 / (100 * 3 * 8640))
    assert Level(1.0, 100, 2, 3, 300.0).sampling(3) == pytest.approx(level.sampling(3) / 6)
    assert Level(4.0, 100, pane_s=300.0).sampling(3) == pytest.approx(4 * level.sampling(3))
    assert Level(1.0, 100, 2, 3, 300.0).natural == pytest.approx(0.5 / 6)


@pytest.mark.parametrize("budget", [1e-300, 1e-9, 1e3, 1e9])
def test_a_budget_beyond_all_bounds_still_leaves_a_chance_that_has_a_quantile(budget):
    """Of 2,000 features by the minute, and of one by the day: the rates' limit stays a number."""
    for level in (Level(budget, 2000, 10, 3), Level(budget, 1, pane_s=86400.0)):
        most = most_events(np.array([0.0, 50.0]), np.full(2, 1000.0), np.full(2, 2000.0), level.sampling(8))

        assert np.isfinite(most).all()


def _excursions(n, tail=TAIL, freedom=1000.0):
    return Excursions(tail, np.full(n, freedom))


def test_excursions_are_asked_for_as_often_as_they_end():
    """At least once a day, more often where they are shorter: so many alarm that the budget is used up."""
    looks = np.array([1.0, 30.0, 300.0])
    chance = common_chance(looks, [(_excursions(3), np.zeros(3))], 0.5)

    assert chance * (30 + 30 + 300) == pytest.approx(0.5, rel=1e-6)


def test_a_feature_whose_excursions_do_not_matter_leaves_its_share_to_the_others():
    """Of two features one never reaches `min_effect` by itself: the other may use the whole budget."""
    looks, excursions = np.array([60.0, 60.0]), _excursions(2)

    def shared(*units):
        return common_chance(looks, [(excursions, np.array(units))], 0.5)

    alone = shared(0.0, np.inf)
    assert alone == pytest.approx(2 * shared(0.0, 0.0), rel=1e-6)
    # It takes what is left of the budget, were `min_effect` to guard it a little only.
    weakly = shared(0.0, TAIL.reach(np.array(0.1 * alone)))
    assert weakly == pytest.approx(0.9 * alone, rel=1e-6)


def test_excursions_that_matter_to_nobody_take_no_chance():
    """Where `min_effect` guards everything, an excursion is what one window in twenty shows."""
    found = common_chance(np.array([60.0]), [(_excursions(1), np.array([np.inf]))], 0.5)

    assert found == pytest.approx(TAIL_SHARE)


@pytest.mark.parametrize("shape", [0.0, 0.2])
def test_the_chance_of_an_excursion_is_the_inverse_of_its_reach(shape):
    """To rounding, over the whole tail."""
    tail, alpha = Tail(shape, 0.5, 2.0), np.array([0.05, 1e-3, 1e-6, 1e-9])

    np.testing.assert_allclose(tail.chance(tail.reach(alpha)), alpha, rtol=1e-9)


@pytest.mark.parametrize("alpha", [1e-3, 1e-6])
@pytest.mark.parametrize(("expected", "n", "m"), [(0, 1000, 1e5), (10, 1000, 1e4), (1000, 1e4, 1e5)])
def test_a_rate_exceeds_its_bound_with_the_chance_it_is_given(expected, n, m, alpha):
    """Exact: one more than the bound is at most alpha, the bound itself is more."""
    bound = float(most_events(np.array(float(expected)), np.array(n), np.array(m), alpha))

    above, at = (
        float(rate_p_value(np.array(x), n, np.array(float(expected)), m)) for x in (bound + 1, bound)
    )
    assert above <= alpha < at


def test_the_p_value_of_a_rate_is_the_binomial_one():
    """Given the sum of both counts, that of the window is binomial."""
    count, n, expected, m = 12, 1000.0, 30.0, 10_000.0
    named = stats.binom.sf(count - 1, count + 30, n / (n + m))

    assert float(rate_p_value(np.array(float(count)), n, np.array(expected), m)) == pytest.approx(named)
    assert float(rate_p_value(np.array(0.0), n, np.array(expected), m)) == 1.0


def test_few_training_days_reach_further_than_many():
    """Student's t: a root mean square of five independent windows is worth little."""
    few, many = Excursions(Tail(0.0, 0.3, 1.9), np.array([4.0, 499.0])).reach(1e-5)

    assert few > 2 * many
    assert many == pytest.approx(max(stats.t.isf(5e-6, 499), Tail(0.0, 0.3, 1.9).reach(np.array(1e-5))))


def test_rates_have_a_tail_of_their_own_and_no_more_independent_windows_than_days():
    """Of 672 hours, 28 days; a file of an older version knows the tail of the distances only."""
    own = Tail(0.1, 0.5, 2.0, 1000.0)
    looks = np.array([[60.0]])
    variation = Variation((3600.0,), (672,), {}, looks, np.array([[500.0]]), (TAIL,), (own,))

    assert Excursions.of_rates(variation, 0) == Excursions(own, np.array([27.0]))
    assert Excursions.of_distances(variation, 0).freedom == 499.0
    older = replace(variation, rate_tails=())
    assert Excursions.of_rates(older, 0).tail == TAIL
