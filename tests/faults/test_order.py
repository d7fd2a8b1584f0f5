"""The order in which partitions are read against each other is chance; what comes of it is not."""

import numpy as np
import pytest

from tests.faults import setting
from tests.faults.form import SEED, either
from tests.faults.reference import reference

ORDERS = either(5, 100)


@pytest.mark.timeout(either(180, 1800))
def test_in_whatever_order_partitions_are_read_the_outcome_is_the_same(expected, home, tell):
    """Counts, states and anomalies of every window, to the last one, and the alerts."""
    stream = expected(either(24_000, 120_000))
    config = setting.write_setting(home, stream.baseline, {"kind": "replay"})
    rng = np.random.default_rng(SEED)
    outcomes = set()
    for _ in range(ORDERS):
        found = reference(stream.work, config, stream.right, stream.work.interleaved(rng))
        outcomes.add((found.outcome, found.digest, tuple(found.keys), tuple(found.mismatches)))
    tell(events=len(stream.work), orders=ORDERS, outcomes=len(outcomes))

    assert outcomes == {(stream.like.outcome, stream.like.digest, tuple(stream.like.keys), ())}
