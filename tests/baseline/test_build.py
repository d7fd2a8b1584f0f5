"""Building baselines: bins of equal mass, atoms, vocabularies, and memory that does not grow."""

import json
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.baseline.build import BuildOptions, build_baseline
from detector.baseline.edges import N_BINS, category_binning, numeric_binning
from detector.errors import DataError
from detector.tables import find_files, read_chunks
from tests.support.factories import PROVENANCE, baseline_of, training_rows

algebra = settings(max_examples=80, deadline=None, derandomize=True, database=None)


def _counts(baseline, name):
    f = baseline.features.names.index(name)
    start = baseline.layout.segments.starts[f]
    return baseline.profile.counts[0, start : start + baseline.binning.of(f).length]


def test_bins_hold_equal_mass(rng):
    """No inner bin of a continuous feature holds more than twice its share; nothing is outside."""
    baseline = baseline_of([{"x": x} for x in rng.normal(0, 1, 20_000).tolist()])
    counts = _counts(baseline, "x")

    assert counts.sum() == 20_000
    assert counts[0] == counts[-1] == 0
    assert counts.max() <= 2 * 20_000 / N_BINS


def test_a_frequent_value_is_an_atom_with_a_bin_of_its_own(rng):
    """Zeros that make up a third of a continuous feature are counted apart from their neighbours."""
    values = np.where(rng.random(9000) < 1 / 3, 0.0, rng.normal(0, 1, 9000))
    baseline = baseline_of([{"x": x} for x in values.tolist()])
    bins = {baseline.binning.of(0).describe(i): n for i, n in enumerate(_counts(baseline, "x").tolist())}

    assert bins["0"] == (values == 0).sum()


@algebra
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32), min_size=1, max_size=300))
def test_edges_increase_and_hold_every_training_value(values):
    """Whatever the values: edges are finite and sorted, and no training value lies outside them."""
    found = np.array(values, dtype=np.float64)
    edges = numeric_binning(found, found.min(), found.max()).edges

    assert np.isfinite(edges).all()
    assert (np.diff(edges) > 0).all()
    assert edges[0] <= found.min()
    assert found.max() < edges[-1]


def test_few_distinct_values_have_a_bin_each():
    """Ratings from 1 to 5 are five bins, and what lies between them is seen."""
    baseline = baseline_of([{"stars": i % 5 + 1} for i in range(1000)])
    counts = _counts(baseline, "stars")

    assert sorted(counts[counts > 0].tolist()) == [200] * 5


def test_the_long_tail_of_a_category_goes_to_buckets_and_is_not_unseen(rng):
    """At most 256 values have counters; training values are never `unseen`; singletons are known."""
    values = [f"v{i}" for i in rng.zipf(1.3, 20_000).clip(max=10**6).tolist()]
    baseline = baseline_of([{"c": v} for v in values])
    binning = baseline.binning.of(0)

    assert len(binning.values) <= 256
    assert _counts(baseline, "c").sum() == 20_000
    assert baseline.profile.counts[0, baseline.layout.unseen].sum() == 0
    assert baseline.facts[0].distinct == len(set(values))
    assert baseline.facts[0].singletons == sum(values.count(v) == 1 for v in set(values))


def test_a_vocabulary_is_in_the_order_of_frequency():
    """Most frequent first, ties by name: the same data give the same file."""
    found = category_binning({"b": 5, "a": 5, "c": 9}, is_complete=True)

    assert found.values == ("c", "a", "b")


@pytest.mark.parametrize("rows_at_once", [1, 7, 10_000])
def test_the_baseline_does_not_depend_on_the_chunks(tmp_path, rng, rows_at_once):
    """Read in chunks of any size, the counts are the same."""
    path = tmp_path / "train.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in training_rows(rng, 300)))
    files = find_files([str(path)])

    def build(rows):
        return build_baseline(
            lambda: read_chunks(files, rows=rows),
            BuildOptions(slices=("country",)),
            PROVENANCE,
            lambda _: None,
        )

    found, expected = build(rows_at_once), build(100)
    np.testing.assert_array_equal(found.profile.counts, expected.profile.counts)
    np.testing.assert_allclose(found.profile.sums, expected.profile.sums)


def test_columns_have_the_roles_they_are_given():
    """Label, id, timestamp and excluded columns are no features; predictions are marked."""
    rows = [
        {"id": i, "t": "2026-11-23T00:00:00Z", "x": i % 9, "junk": 1, "score": i / 100, "y": True}
        for i in range(100)
    ]
    baseline = baseline_of(rows, id="id", timestamp="t", label="y", prediction=("score",), exclude=("junk",))

    assert [(f.name, f.role) for f in baseline.features.all] == [("x", "feature"), ("score", "prediction")]
    assert baseline.label == "y"
    assert set(baseline.provenance.left_out) == {"id", "t", "y", "junk"}
    assert baseline.provenance.first_event == "2026-11-23T00:00:00Z"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"label": "nope"}, "no column 'nope'"),
        ({"timestamp": "country"}, "expected ISO 8601"),
        ({"slices": ("age",)}, "only text and bool"),
        ({"exclude": ("age", "amount", "country", "member")}, "no feature is left"),
    ],
)
def test_options_that_do_not_fit_the_data_are_refused(rng, options, message):
    """One clear line that names the column."""
    with pytest.raises(DataError, match=message):
        baseline_of(training_rows(rng, 50), **options)


def test_memory_does_not_grow_with_the_rows(tmp_path, rng, monkeypatch):
    """Five times the rows need no more memory at the peak, within a tenth, once the sample is full."""
    monkeypatch.setattr("detector.baseline.build.sampled_rows", lambda _: 10_000)
    block = "".join(json.dumps(row) + "\n" for row in training_rows(rng, 20_000))

    def peak(repeats):
        path = tmp_path / f"{repeats}.jsonl"
        path.write_text(block * repeats)
        files = find_files([str(path)])
        tracemalloc.start()
        build_baseline(lambda: read_chunks(files, rows=2000), BuildOptions(), PROVENANCE, lambda _: None)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    assert peak(10) <= 1.1 * peak(2)
