"""The latest events: at least twenty of them, of as few panes as hold those."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.profile import Layout, Profile, count
from detector.windows.latest import MIN_LATEST, LatestPanes
from tests.support.made import BINNING, CENTERS, random_columns

LAYOUT = Layout.of(BINNING)


def _profile(rng, n):
    return count(BINNING, LAYOUT, CENTERS, random_columns(rng, n), None, np.zeros(n, np.int64), 1)


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(st.integers(0, 2**32 - 1), st.lists(st.integers(0, 40), min_size=1, max_size=12))
def test_the_fewest_panes_from_the_end_that_hold_enough(seed, sizes):
    """Empty panes between change nothing; what is held is the sum of the panes, and no pane is changed."""
    rng = np.random.default_rng(seed)
    latest = LatestPanes()
    panes = []
    for pane, n in enumerate(sizes):
        if n:
            panes.append(_profile(rng, n))
            latest.add(pane, panes[-1])
        wanted = Profile.zeros(LAYOUT)
        for profile in reversed(panes):
            wanted.merge(profile)
            if wanted.n_events >= MIN_LATEST:
                break
        found = latest.profile
        if found is None:
            assert not panes
        else:
            assert (found.counts == wanted.counts).all()
            assert (found.low == wanted.low).all()
            assert len(latest._panes) <= MIN_LATEST

    assert sum(profile.n_events for profile in panes) == sum(sizes)


def test_panes_that_no_window_reaches_are_forgotten(rng):
    """Down to none."""
    latest = LatestPanes()
    for pane in range(3):
        latest.add(pane, _profile(rng, 8))
    latest.drop_before(2)
    assert latest.profile is not None
    assert latest.profile.n_events == 8
    latest.drop_before(3)
    assert latest.profile is None
