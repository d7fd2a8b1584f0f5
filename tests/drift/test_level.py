"""The budget shared out, and the exact chances of rates."""

import numpy as np
import pytest
from scipy import stats

from detector.baseline.variation import Tail, Variation
from detector.drift.level import Level, most_events, rate_p_value, reach


def test_the_budget_is_shared_out_over_all_decisions():
    """100 features, 3 statistics, every 5 minutes for 30 days: 3.9e-7 each."""
    level = Level(1.0, 100, pane_s=300.0)

    assert level.sampling(3) == pytest.approx(1 / (100 * 3 * 8640))
    assert Level(1.0, 100, 2, 3, 300.0).sampling(3) == pytest.approx(level.sampling(3) / 6)
    assert Level(4.0, 100, pane_s=300.0).sampling(3) == pytest.approx(4 * level.sampling(3))


def test_excursions_are_asked_for_as_often_as_they_end():
    """At least once a day, more often where they are shorter."""
    level = Level(1.0, 100)

    assert level.natural(3, np.array([1.0, 30.0, 300.0])) == pytest.approx([1 / 9000, 1 / 9000, 1 / 90000])


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
    tail = (Tail(0.0, 0.3, 1.9),)
    variation = Variation((3600.0,), (700,), {}, np.array([[60.0, 60.0]]), np.array([[5.0, 500.0]]), tail)
    few, many = reach(variation, 0, np.array([1e-5, 1e-5]))

    assert few > 2 * many
    assert many == pytest.approx(max(stats.t.isf(5e-6, 499), tail[0].reach(np.array(1e-5))))
