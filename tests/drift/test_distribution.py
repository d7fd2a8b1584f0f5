"""The distribution of a feature: shares of every bin, and nothing named that training does not name."""

from itertools import pairwise

import numpy as np
import pytest

from detector.drift.contributors import NEVER_SEEN
from detector.drift.distribution import MOST_NAMED, distribution, quantiles
from detector.profile import Profile
from tests.support.factories import Rig, baseline_of, event, training_rows

SECRET = "only in events"


def _profile(baseline, rows):
    """Count rows as they would be counted live."""
    rig = Rig(baseline)
    rig.feed([event(row) for row in rows])
    return rig.finish()[-1].judged[0].evaluation.window.profile.row(0)


def _of(baseline, rows, name, **options):
    feature = baseline.features.names.index(name)
    return distribution(baseline, baseline.profile.row(0), _profile(baseline, rows), feature, **options)


def _share(found, kind):
    return sum(b.current for b in found.bins if b.kind == kind)


@pytest.mark.parametrize("name", ["amount", "age", "country", "member"])
def test_the_shares_of_each_side_add_up_to_one(rng, name):
    """Whatever the cells hold: values, rare ones, never seen ones, none, other types."""
    baseline = baseline_of(training_rows(rng, 2000))
    rows = training_rows(rng, 200)
    rows += [{"amount": None, "age": 1e9, "country": SECRET}, {"amount": "x", "member": 3, "age": -5}]
    found = _of(baseline, rows, name)

    assert sum(b.reference for b in found.bins) == pytest.approx(1.0)
    assert sum(b.current for b in found.bins) == pytest.approx(1.0)
    assert (found.n_reference, found.n_current) == (2000, 202)


def test_numeric_bins_join_from_below_to_above(rng):
    """Each begins where the one before ends; the two ends lie outside the training range."""
    bins = _of(baseline_of(training_rows(rng, 2000)), [{"amount": -1.0}, {"amount": 1e9}], "amount").bins
    numeric = [b for b in bins if b.kind in ("values", "outside")]

    assert [b.kind for b in numeric if b.kind == "outside"] == ["outside"] * 2
    assert numeric[0].low is None
    assert numeric[-1].high is None
    assert all(a.high == b.low for a, b in pairwise(numeric))
    assert (numeric[0].current, numeric[-1].current) == (0.5, 0.5)


def test_a_value_on_an_edge_lies_right_of_it():
    """Values of three numbers have a bin each, one float wide."""
    rows = [{"x": float(i % 3)} for i in range(300)]
    found = _of(baseline_of(rows), [{"x": 1.0}], "x")
    (atom,) = [b for b in found.bins if b.current == 1.0]

    assert (atom.low, atom.high) == (1.0, np.nextafter(1.0, 2.0))
    assert atom.reference == pytest.approx(1 / 3)


def test_the_category_that_changed_most_comes_first(rng):
    """By change of share, then by size."""
    found = _of(baseline_of(training_rows(rng, 2000)), [{"country": "IT"}] * 10, "country")

    assert [b.name for b in found.bins if b.kind == "values"] == ["IT", "DE", "FR"]


def test_what_training_never_had_is_counted_but_not_named(rng):
    """It is taken out of the rest, and stands as one bin."""
    baseline = baseline_of(training_rows(rng, 2000))
    found = _of(baseline, [{"country": SECRET}, {"country": "DE"}], "country")

    assert _share(found, "unseen") == 0.5
    assert _share(found, "rest") == 0.0
    assert [b.name for b in found.bins if b.kind == "unseen"] == [NEVER_SEEN]
    assert SECRET not in str(found)


def test_categories_below_the_least_count_are_not_named(rng):
    """They count as rare values, and their share is kept."""
    rows = training_rows(rng, 1000) + [{"country": "LI"}] * 4
    baseline = baseline_of(rows)
    open_, closed = (_of(baseline, [{"country": "LI"}], "country", min_count=n) for n in (0, 5))

    assert "LI" in [b.name for b in open_.bins]
    assert "LI" not in [b.name for b in closed.bins]
    assert _share(closed, "rest") == 1.0
    assert sum(b.reference for b in closed.bins if b.kind == "rest") == pytest.approx(4 / 1004)


def test_of_many_categories_only_some_are_named():
    """The others are counted together, and how many they are is said."""
    rows = [{"c": f"value {i % 100}"} for i in range(5000)]
    found = _of(baseline_of(rows), rows[:1000], "c")
    (rest,) = [b for b in found.bins if b.kind == "rest"]

    assert len([b for b in found.bins if b.kind == "values"]) == MOST_NAMED
    assert rest.name == "rare values and 60 more"
    assert rest.current == pytest.approx(0.6)


def test_cells_without_a_value_have_bins_where_there_are_any(rng):
    """Missing, of another type and not finite each; none of them if both sides have none."""
    baseline = baseline_of(training_rows(rng, 1000))
    rows = [{"amount": None}, {"amount": "x"}, {"amount": "nan"}, {"amount": 1.0}]
    kinds = {b.kind for b in _of(baseline, training_rows(rng, 10), "amount").bins}

    assert _share(_of(baseline, rows, "amount"), "missing") == 0.25
    assert _share(_of(baseline, rows, "amount"), "type_mismatch") > 0
    assert kinds == {"values", "outside"}


def test_no_events_have_a_distribution_too(rng):
    """All shares are 0."""
    baseline = baseline_of(training_rows(rng, 1000))
    found = distribution(baseline, baseline.profile.row(0), Profile.zeros(baseline.layout), 0)

    assert found.n_current == 0
    assert {b.current for b in found.bins} == {0.0}


@pytest.mark.parametrize("share", [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99])
def test_quantiles_are_those_of_the_values_within_a_bin(rng, share):
    """The rank of the estimate is off by no more than one bin, 1/64 of the mass."""
    values = rng.lognormal(3, 1, 5000)
    baseline = baseline_of([{"x": x} for x in values.tolist()])
    (found,) = quantiles(baseline, baseline.profile.counts[0], 0, [share])

    assert (values <= found).mean() == pytest.approx(share, abs=1 / 64)


def test_quantiles_of_few_numbers_are_these_numbers():
    """An estimate in a bin of one value is that value, to the last digit."""
    baseline = baseline_of([{"x": float(i % 4)} for i in range(400)])

    found = quantiles(baseline, baseline.profile.counts[0], 0, [0.0, 0.2, 0.4, 0.6, 1.0])
    assert found.tolist() == [0.0, 0.0, 1.0, 2.0, 3.0]


def test_quantiles_that_are_not_known_are_none():
    """Outside the training range, of fewer than 20 values, and of categories."""
    baseline = baseline_of([{"x": float(i % 100), "c": "a"} for i in range(400)])
    outside = _profile(baseline, [{"x": -1.0}] * 10 + [{"x": 50.0}] * 80 + [{"x": 1e6}] * 10)
    few = _profile(baseline, [{"x": 50.0}] * 19)

    found = quantiles(baseline, outside.counts[0], 0, [0.05, 0.5, 0.95])
    assert np.isnan(found[[0, 2]]).all()
    assert 50.0 <= found[1] < 53.0
    assert np.isnan(quantiles(baseline, few.counts[0], 0, [0.5])).all()
    assert np.isnan(quantiles(baseline, outside.counts[0], 1, [0.5])).all()


def test_quantiles_of_a_range_beyond_all_floats_are_finite():
    """The width of the bin is more than the largest float."""
    rows = [{"x": x} for x in np.linspace(-1.7, 1.7, 400) * 1e308]
    baseline = baseline_of(rows)

    assert np.isfinite(quantiles(baseline, baseline.profile.counts[0], 0, [0.1, 0.5, 0.9])).all()
