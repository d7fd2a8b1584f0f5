"""A window that is not full yet varies like a shorter one."""

import numpy as np

from detector.baseline import Baseline, Provenance
from detector.baseline.variation import Tail, Variation
from detector.drift.judge import Judge
from detector.drift.policy import DecisionPolicy
from detector.profile import Profile
from detector.windows.sliding import WindowProfile
from tests.support.worlds import EDGES, KEY, Model, rng_of, shares


def _baseline(excess_by_length):
    """A model of one feature whose windows of an hour and of a day vary by so much."""
    model = Model(1)
    counts = (shares(np.zeros(1))[0] * 1e6).astype(np.int64)[None]
    provenance = Provenance((), "", int(counts.sum()), "2026-01-01T00:00:00Z", "0", 0, timestamp="t")
    ones = np.ones((2, 1))
    excess = np.array(excess_by_length)[:, None] ** 2
    variation = Variation(
        (3600.0, 86400.0),
        (700, 700),
        dict.fromkeys(("hellinger", "kolmogorov_smirnov", "l_infinity"), excess),
        60 * ones,
        500 * ones,
        (Tail(0.0, 0.4, 2.0, 1000.0),) * 2,
    )
    profile = model.profile(model.vector(counts, int(counts.sum())))
    return model, Baseline(
        None, None, model.binning, profile, np.zeros(1), (), provenance, variation=variation
    )


def test_a_day_that_holds_one_hour_is_held_to_what_hours_do():
    """A mean off by .3 is nothing for an hour, and drift for a day; 20,000 events, seed 1."""
    model, baseline = _baseline([0.05, 0.001])
    judge = Judge(KEY, baseline, DecisionPolicy(min_samples=500))
    counts = rng_of("warm-up", 1).multinomial(20_000, shares(np.full(1, 0.3))[0])[None]
    profile: Profile = model.profile(model.vector(counts, 20_000))
    assert len(EDGES) + 1 == counts.shape[1]

    def state(covered_s):
        window = WindowProfile(86400.0, 0.0, 86400.0, profile, covered_s=covered_s)
        return judge.evaluate(window).state[0, 0]

    assert [state(s) for s in (3600.0, 86400.0, None)] == [1, 2, 2]
