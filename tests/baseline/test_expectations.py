"""A window against the schema: the check of all features at once hides nothing that the rules would say."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.baseline.build import count_columns
from detector.baseline.expectations import AT_ONCE, MIN_EVENTS, Expectations
from detector.baseline.live_feature import MAX_NEW_COLUMNS
from detector.batch import CellKind, Columns, OddCells
from detector.schema import BoolDomain, FeatureSchema, Pattern, Presence, Range, Schema, Values
from detector.windows.news import ColumnNews
from detector.windows.slices import Slices
from detector.windows.sliding import WindowProfile
from tests.support.factories import baseline_of

NUMBERS = ("real", "whole", "zero_one", "many")
TEXTS = ("text", "digits", "word")
NAMES = (*NUMBERS, *TEXTS, "yes")


def _rows(rng, n):
    return [
        {
            "real": rng.normal().__round__(3), "whole": int(rng.integers(0, 9)),
            "zero_one": int(rng.random() < 0.3), "many": int(rng.integers(0, 400)),
            "text": str(rng.choice(["a", "b", "c"])), "digits": str(rng.integers(0, 30)),
            "word": str(rng.choice(["true", "false"])), "yes": bool(rng.random() < 0.5),
        }
        for _ in range(n)
    ]  # fmt: skip


@pytest.fixture(scope="module")
def baseline():
    return baseline_of(_rows(np.random.default_rng(3), 3000))


def _sets(pool):
    return st.sets(st.sampled_from(pool), min_size=1).map(lambda values: Values(tuple(sorted(values))))


def _numbers(of):
    ends = st.one_of(st.none(), st.sampled_from([-1, 0, 1, 2, 5, 8, 100, 399]))
    bools = st.just(BoolDomain())
    ranges = st.builds(lambda a, b: Range(*sorted((a, b)) if None not in (a, b) else (a, b), of), ends, ends)
    if of == "float":
        return st.one_of(st.none(), bools, ranges)
    sets = st.sets(st.sampled_from([*range(-2, 12), 50, 399, 400]), min_size=1).map(
        lambda v: Values(tuple(sorted(v)))
    )
    return st.one_of(st.none(), bools, ranges, sets)


TEXT_DOMAINS = st.one_of(
    st.none(),
    st.sets(st.sampled_from(["a", "b", "c", "true", "7", "new"]), min_size=1).map(
        lambda v: Values(tuple(sorted(v)))
    ),
    st.sampled_from([Pattern("[a-c]"), Pattern("[0-9]+"), Pattern("(?s).*")]),
    st.sampled_from([BoolDomain("true", "false"), BoolDomain("true"), BoolDomain("7", "8")]),
    st.sampled_from([Range(of="int"), Range(0, 20, "int"), Range(5.0, None), Range(None, 9.5)]),
)


@st.composite
def _features(draw, type_, domains):
    """Anything that a schema may say of a feature, broken sense included."""
    return FeatureSchema(
        type_,
        Presence(draw(st.sampled_from([0.0, 0.01, 0.3, 0.95, 1.0])), draw(st.sampled_from([0, 1, 50]))),
        draw(domains),
        min_share=draw(st.sampled_from([0.0, 0.5, 0.9, 1.0])),
        allow_nan=draw(st.booleans()),
        allow_infinite=draw(st.booleans()),
        one_value_a_row=draw(st.booleans()),
        not_in_environments=draw(st.sampled_from([(), (), (), ("SERVING",)])),
        unique_min=draw(st.sampled_from([None, 100])),
        lifecycle=draw(st.sampled_from(["production", "production", "production", "planned"])),
        proposed=draw(st.sampled_from([frozenset(), frozenset({"domain"}), frozenset({"presence"})])),
    )


SCHEMAS = st.builds(
    lambda real, whole, zero_one, many, text, digits, word, yes, rules: Schema(
        {"real": real, "whole": whole, "zero_one": zero_one, "many": many,
         "text": text, "digits": digits, "word": word, "yes": yes},
        environments=("TRAINING", "SERVING"), rules=rules,
    ),
    _features("float", _numbers("float")), _features("int", _numbers("int")),
    _features("int", _numbers("int")), _features("int", _numbers("int")),
    _features("string", TEXT_DOMAINS), _features("string", TEXT_DOMAINS), _features("string", TEXT_DOMAINS),
    _features("bool", st.none()), st.sampled_from(["own", "tfdv"]),
)  # fmt: skip

POOLS = {
    "real": [-9.0, -1.0, 0.0, 0.5, 1.0, 2.0, 9.0], "whole": [-3.0, 0.0, 1.0, 4.0, 8.0, 40.0],
    "zero_one": [0.0, 1.0, 1.0, 2.0, -1.0, 0.5], "many": [-5.0, 0.0, 3.0, 200.0, 399.0, 400.0, 7777.0],
    "text": ["a", "b", "new", "A"], "digits": ["7", "12", "29", "-4", "x"],
    "word": ["true", "false", "maybe"], "yes": [True, False],
}  # fmt: skip


def _profile(baseline, rng, n):
    """n events; of each feature most are sound, or none, or nearly all of one odd sort."""
    numeric, texts, odd = [], [], []
    for f, name in enumerate(baseline.features.names):
        share = rng.choice([0.0, 0.0, 0.005, 0.03, 0.3, 1.0])
        pool = POOLS[name][: int(rng.integers(1, len(POOLS[name]) + 1))]
        values = [pool[i] for i in rng.integers(0, len(pool), n).tolist()]
        none = np.flatnonzero(rng.random(n) < share).tolist()
        kinds = rng.choice([0, CellKind.MISMATCH, CellKind.NON_FINITE], 2).tolist()
        for i in none:
            values[i] = None
            kind = kinds[i % 2]
            if kind and not (kind == CellKind.NON_FINITE and name not in NUMBERS):
                odd.append((i, f, kind))
        (numeric if name in NUMBERS else texts).append(values)
    columns = Columns(n, np.array(numeric, dtype=np.float64), tuple(texts), OddCells.of(odd))
    return count_columns(columns, baseline, Slices())


class EveryFeature(Expectations):
    """Asks the rules about every feature."""

    def _suspects(self, window):
        return np.ones(len(self._checks), dtype=bool)

    def _suspects_at_once(self, latest):
        enough = latest is not None and latest.n_events >= MIN_EVENTS
        return np.full(len(self._checks), enough)


@settings(max_examples=400, deadline=None, derandomize=True, database=None)
@given(
    SCHEMAS, st.integers(0, 2**32 - 1), st.sampled_from([1, 19, 20, 27, 100, 400, 3000]),
    st.sampled_from([1e-4, 0.01, 0.3]), st.sampled_from([None, "TRAINING"]),
    st.sampled_from(["given", "inferred"]),
)  # fmt: skip
def test_the_check_of_all_features_at_once_hides_no_anomaly(
    baseline, schema, seed, n, tolerance, environment, origin
):
    """The same anomalies, in the same order, as the rules find that are asked about every feature.

    And each is among those that have a series on the page.
    """
    rng = np.random.default_rng(seed)
    known = replace(baseline, schema=schema, provenance=replace(baseline.provenance, schema=origin))
    latest = None if rng.random() < 0.2 else _profile(known, rng, int(rng.choice([5, 20, 60])))
    null = frozenset(name for name in NAMES if rng.random() < 0.5)
    window = WindowProfile(60.0, 0.0, 60.0, _profile(known, rng, n), latest, ColumnNews(frozenset(), null))
    quick, thorough = (kind(known, tolerance, environment) for kind in (Expectations, EveryFeature))
    found = quick.broken_by(window)

    assert found == thorough.broken_by(window)
    assert {(a.feature, a.kind) for a in found} <= set(quick.possible)
    assert len({(a.feature, a.kind) for a in found}) == len(found)


def test_sound_features_are_not_asked_about(baseline, rng):
    """A window like the training data: no feature is suspected, and so no rule is asked."""
    expectations = Expectations(baseline, 0.01)
    rows = _rows(rng, 500)
    numbers = np.array([[float(row[name]) for row in rows] for name in NUMBERS])
    columns = Columns(500, numbers, tuple([row[name] for row in rows] for name in (*TEXTS, "yes")))
    window = count_columns(columns, baseline, Slices())

    assert not expectations._suspects(window).any()
    assert not expectations._suspects_at_once(window).any()


@pytest.mark.parametrize("n", [MIN_EVENTS - 1, MIN_EVENTS])
def test_so_many_events_are_needed(baseline, rng, n):
    """Nineteen events without any value tell nothing, twenty do."""
    nothing = Columns(n, np.full((4, n), np.nan), ([None] * n,) * 4)
    window = WindowProfile(60.0, 0.0, 60.0, count_columns(nothing, baseline, Slices()))
    found = Expectations(baseline, 0.01).broken_by(window)

    assert {a.kind for a in found} == ({"SCHEMA_MISSING_COLUMN"} if n >= MIN_EVENTS else set())
    assert len(found) == (8 if n >= MIN_EVENTS else 0)


def test_only_some_kinds_are_told_by_the_latest_events(baseline, rng):
    """A window that is sound and a last pane full of odd values: types and dropped columns, no more."""
    n = 60
    texts = (["new"] * n, ["x"] * n, ["maybe"] * n, [True] * n)
    numbers = np.array([[1e9] * n, [-50] * n, [7] * n, [np.nan] * n])
    odd = OddCells.of([(i, 0, CellKind.MISMATCH) for i in range(n)])
    numbers[0] = np.nan
    latest = count_columns(Columns(n, numbers, texts, odd), baseline, Slices())
    found = Expectations(baseline, 0.01).broken_by(WindowProfile(60.0, 0.0, 60.0, baseline.profile, latest))

    assert {(a.feature, a.kind) for a in found} == {
        ("real", "UNEXPECTED_DATA_TYPE"), ("many", "SCHEMA_MISSING_COLUMN")
    }  # fmt: skip
    assert {a.kind for a in found} <= AT_ONCE


@pytest.mark.parametrize("n", [0, 1, MAX_NEW_COLUMNS, MAX_NEW_COLUMNS + 1, 500])
def test_new_columns_are_named_one_by_one_up_to_a_flood(baseline, n):
    """Beyond that they are one anomaly of the data set, with a few for examples."""
    names = frozenset(f"new-{i:03d}" for i in range(n))
    window = WindowProfile(60.0, 0.0, 60.0, baseline.profile, None, ColumnNews(names))
    found = Expectations(baseline, 0.01).broken_by(window)

    if n <= MAX_NEW_COLUMNS:
        assert [a.feature for a in found] == sorted(names)
    else:
        assert [a.feature for a in found] == [None]
        assert "'new-000', 'new-001'" in found[0].long
        assert len(found[0].long) < 200
    assert {a.kind for a in found} <= {"SCHEMA_NEW_COLUMN"}


def test_a_baseline_without_a_schema_expects_nothing(baseline):
    """As a file of an older version is: no anomaly, and no series."""
    old = Expectations(replace(baseline, schema=Schema({})), 0.01)
    window = WindowProfile(60.0, 0.0, 60.0, baseline.profile, None, ColumnNews(frozenset({"new"})))

    assert old.broken_by(window) == ()
    assert old.possible == ()
