"""A slice by a column that is a feature: inside it that feature has one value, which says nothing."""

import numpy as np
import pytest

from detector.drift.evaluation import State
from detector.drift.policy import DecisionPolicy
from detector.windows.slices import Slices
from detector.windows.spec import WindowSpec
from tests.support.factories import START_S, Rig, baseline_of, event, training_rows

SPEC = WindowSpec(pane_s=60, lengths_s=(600.0,), lateness_s=0)
BY_COUNTRY = Slices({"country": ("DE", "FR")})
BY_BOOL = Slices({"member": ("true", "false")})


def run(rng, slices, with_slices, change=lambda row: row, minutes=30):
    """Half an hour of events as in training, changed; returns the rig."""
    more = {"slices": slices.columns} if with_slices else {}
    rig = Rig(baseline_of(training_rows(rng, 4000), **more), SPEC, DecisionPolicy(min_samples=100), slices)
    for minute in range(minutes):
        rig.feed([event(change(row), START_S + 60 * minute) for row in training_rows(rng, 200)])
    return rig


def firing(rig):
    return {(t.slice, t.feature) for t in rig.pipeline.firing}


@pytest.mark.parametrize("with_slices", [True, False])
@pytest.mark.parametrize(("slices", "column"), [(BY_COUNTRY, "country"), (BY_BOOL, "member")])
def test_sound_data_raise_nothing_in_their_own_slices(rng, slices, column, with_slices):
    """Whether the baseline has slices of its own or they are held against all training data."""
    rig = run(rng, slices, with_slices)
    (judged,) = rig.pipeline.latest.values()
    f = judged.evaluation.features.names.index(column)

    assert firing(rig) == set()
    assert (judged.state[1:, f] == State.OK).all()
    for found in judged.evaluation.statistics.values():
        assert np.isnan(found.threshold[1:, f]).all()


def test_what_else_changes_in_a_slice_is_found(rng):
    rig = run(
        rng, BY_COUNTRY, True,
        lambda row: {**row, "amount": row["amount"] * 5} if row["country"] == "FR" else row,
    )  # fmt: skip

    assert ("country=FR", "amount") in firing(rig)
    assert ("country=DE", "amount") not in firing(rig)
    assert not {feature for _, feature in firing(rig)} & {"country"}


def test_the_column_itself_is_judged_among_all_events(rng):
    rig = run(rng, BY_COUNTRY, False, lambda row: {**row, "country": "IT" if row["age"] < 60 else "DE"})

    assert ("all", "country") in firing(rig)


def test_a_slice_by_no_feature_changes_nothing():
    """Nothing is left out where the column is not among the features."""
    assert not Slices({"region": ("north", "south")}).own(("amount", "age")).any()
    own = BY_COUNTRY.own(("amount", "country"))
    assert own.tolist() == [[False, False], [False, True], [False, True]]
