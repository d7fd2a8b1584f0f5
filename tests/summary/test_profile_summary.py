"""The summary of a profile says what the summary of the file does that it came from."""

import json

import numpy as np
import pytest

from detector.baseline.build import count_columns
from detector.baseline.summary import column_summary, training_summary
from detector.columns import chunk_columns
from detector.profile import Profile
from detector.schema import FeatureSchema, Range, Schema
from detector.summary.collect import summarize
from detector.summary.model import QUANTILES
from detector.windows.slices import Slices
from tests.support.factories import baseline_of
from tests.tables.reading import read


def _rows(rng, n, shift=0.0):
    """Return rows of every type, with gaps, odd cells and a point mass."""
    rows = [
        {"amount": a, "visits": k, "country": c, "member": m, "gaps": g}
        for a, k, c, m, g in zip(
            (rng.lognormal(3, 1, n) + shift).tolist(),
            rng.poisson(3, n).tolist(),
            rng.choice(["DE", "FR", "IT"], n, p=[0.5, 0.3, 0.2]).tolist(),
            (rng.random(n) < 0.3).tolist(),
            np.where(rng.random(n) < 0.2, None, rng.normal(size=n)).tolist(),
            strict=True,
        )
    ]
    rows[5]["amount"], rows[6]["amount"], rows[7]["visits"] = "NaN", "-Infinity", "many"
    return rows


def _of_file(rows, expected=None):
    content = "".join(json.dumps(row) + "\n" for row in rows).encode()
    return summarize(lambda: read(content, "t.jsonl"), expected).columns


def _of_window(baseline, rows):
    """Count rows as a window and summarise its profile."""
    content = "".join(json.dumps(row) + "\n" for row in rows).encode()
    profile = Profile.zeros(baseline.layout)
    for chunk in read(content, "t.jsonl"):
        profile.merge(count_columns(chunk_columns(chunk, baseline.features), baseline, Slices()))
    return {f.name: column_summary(baseline, profile, i) for i, f in enumerate(baseline.features.all)}


def _assert_same_counts(found, of_file):
    for name, column in found.items():
        theirs = of_file[name]
        assert (column.rows, column.missing, column.mismatches) == (
            theirs.rows,
            theirs.missing,
            theirs.mismatches,
        ), name
        assert column.nan + column.infinite == theirs.nan + theirs.infinite, name
        assert column.type == theirs.type


def _assert_same_moments(found, of_file):
    for name, column in found.items():
        ours, theirs = column.numeric, of_file[name].numeric
        assert (ours is None) == (theirs is None), name
        if ours is not None:
            assert (ours.n, ours.min, ours.max) == (theirs.n, theirs.min, theirs.max), name
            assert ours.mean == pytest.approx(theirs.mean, rel=1e-9, abs=1e-12), name
            assert ours.std == pytest.approx(theirs.std, rel=1e-6), name


def test_training_data_are_told_as_from_their_file(rng):
    """A baseline holds the very figures, but for which values are not finite."""
    rows = _rows(rng, 4000)
    found, of_file = training_summary(baseline_of(rows)), _of_file(rows)

    assert found.keys() == of_file.keys()
    _assert_same_counts(found, of_file)
    _assert_same_moments(found, of_file)
    for name in ("amount", "visits", "gaps"):
        ours, theirs = found[name].numeric, of_file[name].numeric
        assert (ours.zeros, ours.fractional, ours.quantiles) == (
            theirs.zeros,
            theirs.fractional,
            theirs.quantiles,
        )
    for name, column in found.items():
        assert column.distinct == of_file[name].distinct, name
    assert dict(found["country"].values.counts) == dict(of_file["country"].values.counts)
    assert dict(found["member"].values.counts) == dict(of_file["member"].values.counts)


def test_a_window_is_told_as_from_a_file_of_its_events(rng):
    """Counts and moments exactly; what bins do not tell is None."""
    baseline, rows = baseline_of(_rows(rng, 4000)), _rows(rng, 900, shift=5.0)
    found, of_file = _of_window(baseline, rows), _of_file(rows)

    _assert_same_counts(found, of_file)
    _assert_same_moments(found, of_file)
    assert (found["amount"].numeric.zeros, found["amount"].distinct) == (None, None)


def test_quantiles_of_a_window_lie_within_a_bin_of_the_true_ones(rng):
    """Their ranks are right to 2 % of the rows, less than a bin holds; the window is training itself."""
    rows = _rows(rng, 4000)
    values = np.sort([row["amount"] for row in rows if isinstance(row["amount"], float)])
    found = _of_window(baseline_of(rows), rows)["amount"].numeric.quantiles
    ranks = np.searchsorted(values, found) / len(values)

    assert np.abs(ranks - QUANTILES).max() < 0.02


def test_values_that_training_had_are_named_and_others_counted(rng):
    """What they are called, a window does not know."""
    baseline = baseline_of(_rows(rng, 2000))
    rows = [{**row, "country": "XX"} if i < 7 else row for i, row in enumerate(_rows(rng, 500))]
    values = _of_window(baseline, rows)["country"].values

    assert values.unnamed == 7
    assert sum(values.counts.values()) == 493
    assert set(values.counts) == {"DE", "FR", "IT"}


def test_numbers_beyond_the_range_are_counted_as_far_as_bins_tell(rng):
    """Exactly where the limit lies outside of what training had; within a bin, the bin is not counted."""
    rows = _rows(rng, 4000)
    of_training = _of_file(rows)["amount"].numeric
    schema = Schema({"amount": FeatureSchema("float", domain=Range(of_training.min, of_training.max))})
    baseline = baseline_of(rows, schema=schema)
    window = [{**row, "amount": 1e6 if i < 3 else -1e6} if i < 8 else row for i, row in enumerate(rows)]
    found = _of_window(baseline, window)["amount"].numeric

    assert (found.above, found.below) == (3, 5)
    inside = _of_window(baseline, rows)["amount"].numeric
    assert (inside.above, inside.below) == (0, 0)
