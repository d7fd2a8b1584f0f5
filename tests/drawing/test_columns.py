"""Columns of a figure hold the mass of the bins, wherever the edges lie."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.drawing.columns import by_density, by_share
from detector.drift.distribution import Bin


def _bins(edges, mass):
    edges = np.sort(np.array(edges))
    mass = np.array(mass[: len(edges) - 1]) / max(sum(mass[: len(edges) - 1]), 1e-9)
    return [
        Bin("b", "values", float(low), float(high), float(m), float(m))
        for low, high, m in zip(edges[:-1], edges[1:], mass, strict=True)
    ]


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(
    st.lists(st.floats(-1.7e308, 1.7e308), min_size=2, max_size=40, unique=True)
    | st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=40, unique=True),
    st.lists(st.floats(0, 1), min_size=39, max_size=39),
)
def test_no_mass_is_lost_or_made_up(edges, mass):
    """All of it by share; by density all but two tails of 0.2% of both sides together."""
    bins = _bins(edges, mass)
    whole = sum(b.reference for b in bins)

    assert by_share(bins).reference.sum() == pytest.approx(whole)
    assert by_density(bins).reference.sum() <= whole + 1e-9
    assert by_density(bins).reference.sum() >= whole - 0.01


def test_the_worst_of_a_range_below_all_floats():
    """Edges one float apart near zero."""
    found = by_density(_bins([0.0, 5e-324, 1e-323], [0.5, 0.5]))

    assert np.isfinite(found.edges).all()
    assert found.reference.sum() == pytest.approx(1.0)
