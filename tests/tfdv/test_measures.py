"""TFDV's measures, digit for digit: its own answers are the oracle."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.tables import find_files, read_chunks
from detector.tfdv.columns import MAX_DISTINCT, TfdvColumn
from detector.tfdv.compare import measure_as_tfdv
from detector.tfdv.histogram import standard_histogram
from detector.tfdv.measures import categorical_divergence, l_infinity, numeric_divergence

GOLDEN = Path(__file__).parent / "golden"
CASES = sorted(path.name for path in GOLDEN.iterdir() if path.is_dir())
NAMES = {
    "l_infinity": "L_INFTY",
    "jensen_shannon": "JENSEN_SHANNON_DIVERGENCE",
    "normalized_absolute_difference": "NORMALIZED_ABSOLUTE_DIFFERENCE",
}

algebra = settings(max_examples=60, deadline=None, derandomize=True, database=None)


def _measure(case, rows):
    train, serving = (find_files([str(GOLDEN / case / f"{side}.csv.gz")]) for side in ("train", "serving"))
    return measure_as_tfdv(
        lambda: read_chunks(train, rows=rows),
        lambda: read_chunks(serving, rows=rows),
        single_precision=True,
    )


@pytest.mark.parametrize("rows", [61, 100_000])
@pytest.mark.parametrize("case", CASES)
def test_every_measure_is_tfdvs_own(case, rows):
    """Equal to 1e-12, absent where TFDV reports nothing, whatever the chunks."""
    expected = json.loads((GOLDEN / case / "measurements.json").read_text())
    found = _measure(case, rows).features

    assert set(expected) <= set(found)
    for feature, measures in expected.items():
        for ours, theirs in NAMES.items():
            value = found[feature].values[ours]
            if measures.get(theirs) is None:
                assert value is None, (feature, ours)
            else:
                assert value == pytest.approx(measures[theirs], abs=1e-12), (feature, ours)


def test_ties_and_only_a_thousand_values_count_as_in_tfdv():
    """Of equally frequent values the greatest stay; what lies beyond is left out of the shares."""
    column = TfdvColumn("string")
    column._texts.update({f"v{i:04d}": 1 for i in range(1500)})

    assert sorted(column.texts()) == [f"v{i:04d}" for i in range(500, 1500)]


def test_a_point_never_matches_a_bucket_and_infinities_match_nothing():
    """Two faults of TFDV's that a team moving over must see reproduced."""
    point = standard_histogram(np.array([7.5]), np.array([100.0]))
    spread = standard_histogram(np.array([7.5, 8.5]), np.array([80.0, 20.0]))
    infinite = standard_histogram(np.array([1.0, 2.0, np.inf]), np.array([5.0, 5.0, 10.0]))

    assert numeric_divergence(point, spread) == pytest.approx(1.0)
    assert numeric_divergence(infinite, infinite) == pytest.approx(0.5)


@algebra
@given(
    st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=200),
    st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=200),
)
def test_divergence_of_numbers_is_symmetric_and_bounded(a, b):
    """0 for a side with itself, at most 1, the same both ways; the histogram keeps all mass."""
    p, q = (standard_histogram(*(x.astype(float) for x in np.unique(s, return_counts=True))) for s in (a, b))

    assert p.mass.sum() == pytest.approx(len(a))
    assert numeric_divergence(p, p) == pytest.approx(0.0, abs=1e-12)
    assert numeric_divergence(p, q) == pytest.approx(numeric_divergence(q, p), abs=1e-12)
    assert 0.0 <= numeric_divergence(p, q) <= 1.0 + 1e-12


@pytest.mark.parametrize(("p", "q", "expected"), [({}, {"a": 3.0, "b": 1.0}, 0.75), ({}, {}, 0.0)])
def test_an_empty_side_has_shares_of_zero(p, q, expected):
    """L-infinity is then the largest share of the other side; there is no divergence."""
    assert l_infinity(p, q) == expected
    assert categorical_divergence(p, q) is None


def test_a_column_of_many_distinct_numbers_stays_bounded_and_nearly_exact(rng):
    """Two million distinct values in bounded memory; the histogram moves by less than 1e-4 of the rows."""
    column = TfdvColumn("float")
    values = rng.normal(size=2_000_000)
    for part in np.array_split(values, 10):
        column._merge(np.sort(part), np.ones(len(part)))
    exact = standard_histogram(np.sort(values), np.ones(len(values)))
    found = column.histogram()

    assert len(column._values) <= 2 * MAX_DISTINCT + len(values) // 10
    assert found.mass.sum() == len(values)
    np.testing.assert_array_equal(found.low, exact.low)
    assert np.abs(found.mass - exact.mass).max() < 1e-4 * len(values)
