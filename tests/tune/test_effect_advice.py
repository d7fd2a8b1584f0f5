"""Choosing `min_effect` from counted episodes."""

import numpy as np

from detector.tune.effect_advice import Tried, advise_effect

GRID = (0.05, 0.1, 0.2, 0.3)


def _tried(columns, whole=(0, 0, 0, 0), base=0.1, in_force=None):
    """Episodes by feature along the grid; what is in force is the grid's value unless said otherwise."""
    levels = np.full(len(columns), base) if in_force is None else np.array(in_force)
    counts = np.array([*columns, whole]).T
    now = counts[GRID.index(base)]
    return Tried(np.concatenate((now[None], counts)), levels, base, GRID)


CALM = (0, 0, 0, 0)


def test_a_calm_history_changes_nothing():
    """And says that a smaller value would have done as well."""
    advice = advise_effect(_tried([CALM] * 5), allowed=1.0)

    assert advice.base == 0.1
    assert set(advice.levels) == {0.1}
    assert advice.keeps_budget
    assert advice.lowest == 0.05


def test_a_feature_that_swings_gets_its_own_and_the_others_keep_theirs():
    """The smallest that is quiet enough."""
    advice = advise_effect(_tried([(9, 6, 1, 0), *[CALM] * 4]), allowed=1.0)

    assert advice.levels.tolist() == [0.2, 0.1, 0.1, 0.1, 0.1]
    assert advice.total == 1


def test_where_most_features_swing_all_get_more():
    """Not an entry for each."""
    advice = advise_effect(_tried([(9, 6, 0, 0)] * 10), allowed=1.0)

    assert advice.base == 0.2
    assert set(advice.levels) == {0.2}


def test_what_no_value_silences_blinds_no_other_feature():
    """Then nothing is proposed at all."""
    advice = advise_effect(_tried([(5, 5, 5, 5), (1, 1, 0, 0)]), allowed=1.0)

    assert not advice.keeps_budget
    assert advice.levels.tolist() == [0.1, 0.1]
    assert advice.total == 6


def test_a_value_of_its_own_that_is_in_force_is_not_lowered():
    """A person has set it."""
    advice = advise_effect(_tried([CALM, (4, 4, 0, 0)], in_force=[0.3, 0.1]), allowed=0.0)

    assert advice.levels.tolist() == [0.3, 0.2]


def test_alerts_on_the_model_as_a_whole_count():
    """They are part of the budget."""
    advice = advise_effect(_tried([CALM] * 5, whole=(3, 2, 0, 0)), allowed=1.0)

    assert advice.base == 0.2
    assert advice.keeps_budget
