"""One model version as it is watched: what explaining its alerts may cost."""

import numpy as np
import pytest

from detector.watched import MAX_SWAP_SEARCHES, Monitored, Watched
from tests.support.factories import KEY, SPEC
from tests.support.faults import Faults, N, train, training


@pytest.fixture(scope="module")
def faults():
    """The seeded baseline of 20,000 rows of 13 features."""
    return Faults(train(np.random.default_rng(5)))


def test_swaps_are_looked_for_in_so_many_features_of_a_pane_and_no_more(faults):
    """Hundreds of alerts at once must not hold up the stream; the next pane is a new one."""
    columns = training(np.random.default_rng(3), N)
    columns |= {"carrier": columns["plan"], "plan": columns["carrier"]}
    evaluation, f = faults.evaluate(columns), faults.baseline.features.names.index("carrier")
    watched = Watched(KEY, Monitored(faults.baseline), SPEC)

    causes = [watched.explain(evaluation, 0, f).cause for _ in range(MAX_SWAP_SEARCHES + 1)]
    watched.close(0, -np.inf)

    assert causes[:-1] == ["swapped_columns"] * MAX_SWAP_SEARCHES
    assert causes[-1] != "swapped_columns"
    assert watched.explain(evaluation, 0, f).cause == "swapped_columns"
