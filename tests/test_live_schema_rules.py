"""Live windows held against the schema: each rule, and what a person may write in one."""

from dataclasses import replace

import numpy as np
import pytest

from detector.drift.policy import DecisionPolicy, FeaturePolicy
from detector.schema import BoolDomain, Presence, Range, Values
from detector.windows.spec import WindowSpec
from tests.support.factories import KEY, baseline_of, training_rows
from tests.support.live_schema import (
    N_TRAINING,
    NEW_COLUMN,
    PANE,
    Live,
    anomalies_of,
    broken_row,
    on_page,
    sound_rows,
    without,
)


@pytest.fixture(scope="module")
def baseline():
    return baseline_of(sound_rows(np.random.default_rng(1), N_TRAINING))


def test_categories_at_the_rate_that_training_leads_to_expect_are_sound(rng):
    """Of 600 training rows 40 had a text seen once: about as many live ones are new, and no anomaly."""

    def rows(n):
        rare = rng.random(n) < 0.08
        return [
            {"x": i % 7.0, "city": f"rare-{rng.integers(400)}" if rare[i] else f"c{i % 9}"} for i in range(n)
        ]

    baseline = baseline_of(rows(600))
    assert isinstance(baseline.schema.features["city"].domain, Values)
    live = Live(baseline)
    for _ in range(40):
        live.feed(rows(PANE))
    live.close()

    assert set().union(*map(anomalies_of, live.rig.outcomes)) == set()


def test_a_closed_set_that_a_person_wrote_is_taken_at_its_word(rng):
    """The same texts against a given closed set: those outside are an anomaly."""
    rows = [{"x": float(i % 7), "city": "a" if rng.random() < 0.95 else f"rare-{i}"} for i in range(600)]
    schema = replace(baseline_of(rows).schema.features["city"], domain=Values(("a",)), min_share=1.0)
    inferred = baseline_of(rows)
    given = replace(inferred.schema, features={**inferred.schema.features, "city": schema})
    live = Live(baseline_of(rows, schema=given))
    live.feed(rows[:PANE])

    assert live.close() == [{("city", "ENUM_TYPE_UNEXPECTED_STRING_VALUES")}]


def test_the_schema_of_tfdv_loses_columns_too(rng):
    """There, what training had in part is required by count only: how often it had it is known."""
    rows = sound_rows(rng, 5000)
    inferred = baseline_of(rows)
    features = dict(inferred.schema.features)
    features["ratio"] = replace(features["ratio"], presence=Presence(0.0, 1), proposed=frozenset())
    features["age"] = replace(features["age"], one_value_a_row=True, presence=Presence(1.0, 1))
    live = Live(baseline_of(rows, schema=replace(inferred.schema, features=features, rules="tfdv")))
    live.feed(without(sound_rows(rng, PANE), "ratio"))
    first = live.feed([row | {"age": None if i % 3 else 30} for i, row in enumerate(sound_rows(rng, PANE))])

    assert first == [{("ratio", "SCHEMA_MISSING_COLUMN")}]
    assert ("age", "INVALID_FEATURE_SHAPE") in live.close()[0]


def test_one_row_without_a_value_does_not_break_a_fixed_shape(rng):
    """TFDV forbids a single one; a live window may have its share of odd ones."""
    rows = training_rows(rng, 2000)
    inferred = baseline_of(rows)
    features = {n: replace(f, one_value_a_row=True) for n, f in inferred.schema.features.items()}
    live = Live(baseline_of(rows, schema=replace(inferred.schema, features=features, rules="tfdv")))
    live.feed([*training_rows(rng, PANE), {**training_rows(rng, 1)[0], "age": None}])

    assert live.close() == [set()]


def test_tolerance_null_switches_it_off(baseline, rng):
    """No anomaly, no series, no alert by the schema."""
    live = Live(baseline, policy=DecisionPolicy(min_samples=100, schema_tolerance=None))
    live.feed([broken_row(row) for row in sound_rows(rng, PANE)])

    assert live.close() == [set()]
    assert live.rig.pipeline.watched[KEY].possible_anomalies == ()


def test_ignored_features_are_not_held_against_it(baseline, rng):
    """Nothing of `amount` and `age`; columns are still new."""
    policy = DecisionPolicy(min_samples=100, features={"a*": FeaturePolicy(ignore=True)})
    live = Live(baseline, policy=policy)
    live.feed([broken_row(row) for row in sound_rows(rng, PANE)])

    assert live.close() == [{NEW_COLUMN}]
    assert not [f for f, _ in live.rig.pipeline.watched[KEY].possible_anomalies if f in ("amount", "age")]


def test_features_of_another_environment_are_neither_missed_nor_welcome(rng):
    """`age` belongs to TRAINING: served without it is fine, served with it is an unexpected column."""
    rows = training_rows(rng, 3000)
    inferred = baseline_of(rows)
    features = dict(inferred.schema.features)
    features["age"] = replace(features["age"], not_in_environments=("SERVING",))
    schema = replace(inferred.schema, features=features, environments=("TRAINING", "SERVING"))
    ageless = without(training_rows(rng, PANE), "age")
    served, trained = (Live(baseline_of(rows, schema=schema), environment=e) for e in (None, "TRAINING"))
    served.feed(ageless)
    trained.feed(ageless)

    assert served.feed(training_rows(rng, PANE)) == [set()]
    assert served.close() == [{NEW_COLUMN}]
    assert on_page(served.rig.pipeline) == {NEW_COLUMN, ("age", "SCHEMA_NEW_COLUMN")}
    assert trained.close() == [{("age", "SCHEMA_MISSING_COLUMN")}]


def _nan_events(rows, name):
    # Python's json.dumps writes NaN, which is no JSON.
    return [row | {name: float("nan")} for row in rows]


def test_nan_where_training_had_none_is_shown_and_no_error_before_somebody_says_so(baseline, rng):
    """The rule is proposed: a warning, not in the metric that rules alert by. Confirmed, it is an error."""
    live = Live(baseline)
    live.feed(_nan_events(sound_rows(rng, PANE), "amount"))
    live.close()
    warned = [a for o in live.rig.outcomes for j in o.judged for a in j.anomalies]
    features = {n: replace(f, proposed=frozenset()) for n, f in baseline.schema.features.items()}
    confirmed = Live(replace(baseline, schema=replace(baseline.schema, features=features)))
    confirmed.feed(_nan_events(sound_rows(rng, PANE), "amount"))

    assert [(a.feature, a.kind, a.severity) for a in warned] == [("amount", "FLOAT_TYPE_HAS_NAN", "warning")]
    assert on_page(live.rig.pipeline) == set()
    assert confirmed.close() == [{("amount", "FLOAT_TYPE_HAS_NAN")}]
    assert ("firing", "amount", "FLOAT_TYPE_HAS_NAN") in confirmed.told
    assert on_page(confirmed.rig.pipeline) == {("amount", "FLOAT_TYPE_HAS_NAN")}


def test_events_with_nan_tell_of_their_columns_like_others(baseline, rng):
    """A client that writes NaN in every event: its new columns and its nulls are seen all the same."""
    live = Live(baseline)
    live.feed(
        [row | {"channel": "app", "country": None} for row in _nan_events(sound_rows(rng, PANE), "ratio")]
    )

    assert live.close() == [{NEW_COLUMN, ("country", "FEATURE_TYPE_NOT_PRESENT")}]


def test_a_given_closed_set_may_have_values_that_training_never_had(rng):
    """`--schema` allows ES and a tariff 7: sound live, though training had neither; XX and 9 are not."""
    rows = [row | {"tariff": i % 3} for i, row in enumerate(training_rows(rng, 3000))]
    inferred = baseline_of(rows)
    features = dict(inferred.schema.features)
    features["country"] = replace(features["country"], domain=Values(("DE", "ES", "FR", "IT")))
    features["tariff"] = replace(features["tariff"], domain=Values((0, 1, 2, 7)), proposed=frozenset())
    features["age"] = replace(
        features["age"], domain=Values(tuple(range(18, 91))), proposed=frozenset(), min_share=1.0
    )
    live = Live(baseline_of(rows, schema=replace(inferred.schema, features=features)))

    def served(**changed):
        return [row | {"tariff": i % 3} | changed for i, row in enumerate(training_rows(rng, PANE))]

    live.feed(served(country="ES", tariff=7))
    found = [*live.feed(served(country="XX", tariff=-4)), *live.close()]

    kind = "ENUM_TYPE_UNEXPECTED_STRING_VALUES"
    assert found == [set(), {("country", kind), ("tariff", kind)}]


def test_a_closed_set_of_many_numbers_is_no_false_alarm(rng):
    """500 whole numbers share bins: what may be among them is not called outside."""
    rows = [{"zone": int(z), "x": float(z)} for z in rng.integers(0, 500, 5000)]
    inferred = baseline_of(rows)
    features = dict(inferred.schema.features)
    features["zone"] = replace(features["zone"], domain=Values(tuple(range(500))), proposed=frozenset())
    live = Live(baseline_of(rows, schema=replace(inferred.schema, features=features)))
    live.feed(rows[:PANE])

    assert live.close() == [set()]


def test_ranges_that_a_person_wrote(rng):
    """Numbers beyond either end: by side, of whole numbers and of others, at more than the tolerance."""
    rows = training_rows(rng, 3000)
    inferred = baseline_of(rows)
    features = dict(inferred.schema.features)
    features["age"] = replace(features["age"], domain=Range(18, 120, "int"), proposed=frozenset())
    features["amount"] = replace(features["amount"], domain=Range(0.0, 1e6), proposed=frozenset())
    baseline = baseline_of(rows, schema=replace(inferred.schema, features=features))

    def found(**changed):
        live = Live(baseline)
        live.feed([row | {k: change(i) for k, change in changed.items()}
                   for i, row in enumerate(training_rows(rng, PANE))])  # fmt: skip
        return live.close()[0]

    assert found(age=lambda i: -1 if i % 10 == 0 else 40) == {("age", "INT_TYPE_SMALL_INT")}
    assert found(age=lambda i: 999 if i % 10 == 0 else 40) == {("age", "INT_TYPE_BIG_INT")}
    assert found(amount=lambda i: -1.0 if i % 2 else 5.0) == {("amount", "FLOAT_TYPE_SMALL_FLOAT")}
    assert found(amount=lambda i: 1e7 if i % 2 else 5.0) == {("amount", "FLOAT_TYPE_BIG_FLOAT")}
    assert found(age=lambda i: 999 if i == 0 else 40, amount=lambda i: 1e6) == set()


def test_whole_numbers_that_are_neither_0_nor_1(baseline, rng):
    """`flag` was 0 or 1: 2 and -1 are told apart."""
    assert baseline.schema.features["flag"].domain == BoolDomain()
    live = Live(baseline, WindowSpec(pane_s=60, lengths_s=(60,), lateness_s=0))
    live.feed([row | {"flag": 2} for row in sound_rows(rng, PANE)])
    big = live.feed([row | {"flag": -1} for row in sound_rows(rng, PANE)])

    assert [*big, *live.close()] == [{("flag", "BOOL_TYPE_BIG_INT")}, {("flag", "BOOL_TYPE_SMALL_INT")}]
