"""Acceptance scenarios at reduced counts: 20 runs each, the first ones of the full counts in the bench.

Error rates: a scenario whose true share of drift is at its target t fails where fewer than t - .15 of 20
runs find it: in 4 % of seeds for t = .75, 3 % for .88, below .1 % from .98 on. A null that drifted once in
1,000 runs would fail in 2 %.
"""

import pytest

from tests.support.long_tail import CHANGES, LongTail
from tests.support.scenarios import SCENARIOS, Wobble, found

RUNS = 20
ROOM = 0.15
MIN_EFFECT = 0.05
"""The smallest change that matters in the scenarios; it is no default."""

QUICK = [s for s in SCENARIOS if not s.gap and s.n <= 10_000 and not (s.silent and s.n > 1000)]
"""What misses its target (`gap` says why) is in the bench alone."""


@pytest.mark.parametrize("scenario", QUICK, ids=[s.name for s in QUICK])
def test_numbers(scenario):
    """Raw values through the whole chain: silent on the same law, and each change is found often enough."""
    drifting, runs = found(scenario, MIN_EFFECT, RUNS)

    if scenario.silent:
        assert drifting <= scenario.target * runs
    else:
        assert drifting >= (scenario.target - ROOM) * runs


@pytest.fixture(scope="module")
def wobble():
    return Wobble(rows=1000, columns=4)


@pytest.mark.parametrize("shift", [0.0, 0.5])
def test_hours_that_wobble(wobble, shift):
    """What hours did in training is no drift, half a standard deviation beyond it is."""
    drifting, runs = wobble.found(shift, MIN_EFFECT, 40)

    assert drifting == 0 if shift == 0 else drifting >= 0.95 * runs


@pytest.fixture(scope="module")
def tail():
    return LongTail(100_000, 100_000, min_effect=MIN_EFFECT)


def test_a_long_tail_is_no_drift(tail):
    """One value in nine was never seen in training, as Good and Turing expect: five windows, silence."""
    unseen, expected = tail.unseen(20_000)

    assert 0.08 < unseen < 0.16
    assert abs(unseen - expected) < 0.01
    assert tail.found(CHANGES["8 null"], 5) == 0
