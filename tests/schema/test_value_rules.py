"""The rules about values and distances: broken just beyond their limits, and not at them."""

import math
from dataclasses import replace

import pytest

from detector.schema import (
    BoolDomain,
    FeatureSchema,
    Pattern,
    Range,
    RowLimits,
    Schema,
    Values,
)
from detector.schema.check import Against
from detector.schema.validate import DATA_RULES, validate
from detector.summary.model import ColumnSummary, DataSummary, NumericSummary
from tests.schema.looking import EMPTY, kinds, kinds_of

INT, FLOAT, TEXT, BOOL = (FeatureSchema(type_) for type_ in ("int", "float", "string", "bool"))
AB = Values(("a", "b"))


@pytest.mark.parametrize(("odd", "broken"), [(10, False), (11, True)])
@pytest.mark.parametrize(
    ("good", "bad", "feature"),
    [
        ("7", "x", INT),
        ("7", "7.5", INT),
        ("a", "z", replace(TEXT, domain=AB)),
        ("a", "zz", replace(TEXT, domain=Pattern("[a-z]"))),
        ("7", "99", replace(INT, domain=Range(0, 9, "int"))),
        ("7.5", "-1.5", replace(FLOAT, domain=Range(0.0, 9.0))),
        ("7.5", "nan", replace(FLOAT, allow_nan=False)),
        ("true", "maybe", BOOL),
        ("0", "2", replace(INT, domain=BoolDomain())),
        ("yes", "ja", replace(TEXT, domain=BoolDomain("yes", "no"))),
    ],
)
def test_a_least_share_lets_that_many_values_be_odd(good, bad, feature, odd, broken):
    """Of the type and inside the domain: 90 of 100 are enough for 0.9, 89 are not."""
    found = kinds([good] * (100 - odd) + [bad] * odd, feature, min_share=0.9)

    assert len(found) == broken


@pytest.mark.parametrize(
    ("cells", "domain", "broken"),
    [
        (["a", "b"], AB, False),
        (["a", "c"], AB, True),
        (["a", " a"], AB, True),
        (["a", "A"], AB, True),
        (["a", EMPTY], AB, False),
        (["a1", "b2"], Pattern("[a-z][0-9]"), False),
        (["a1", "b22"], Pattern("[a-z][0-9]"), True),
        (["a1", "xb2"], Pattern("[a-z][0-9]"), True),
    ],
)
def test_12_texts_are_in_the_set_or_match_the_pattern_whole(cells, domain, broken):
    """A missing cell is no value."""
    expected = ["ENUM_TYPE_UNEXPECTED_STRING_VALUES"] if broken else []

    assert kinds(cells, domain=domain) == expected


def test_12_whole_numbers_may_be_a_closed_set():
    """Which TFDV has no words for."""
    assert kinds(["1", "2", "2"], INT, domain=Values((1, 2))) == []
    assert kinds(["1", "3"], INT, domain=Values((1, 2))) == ["ENUM_TYPE_UNEXPECTED_STRING_VALUES"]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["0", "9"], []),
        (["0", "10"], ["INT_TYPE_BIG_INT"]),
        (["-1", "9"], ["INT_TYPE_SMALL_INT"]),
        (["-1", "10"], ["INT_TYPE_BIG_INT", "INT_TYPE_SMALL_INT"]),
        ([str(10**30)], ["INT_TYPE_BIG_INT"]),
    ],
)
def test_13_numbers_lie_in_the_range(cells, expected):
    """Both ends included, and each end on its own."""
    assert kinds(cells, INT, domain=Range(0, 9, "int")) == expected
    halves = [kinds(cells, INT, domain=Range(*ends, "int")) for ends in ((0, None), (None, 9))]
    assert sorted(halves[0] + halves[1]) == expected
    floats = [kind.replace("INT_TYPE", "FLOAT_TYPE").replace("_INT", "_FLOAT") for kind in expected]
    assert kinds([*cells, "5.5"], FLOAT, domain=Range(0.0, 9.0)) == floats


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.0, 9.0, []),
        (-0.5, 9.0, ["FLOAT_TYPE_SMALL_FLOAT"]),
        (0.0, 9.5, ["FLOAT_TYPE_BIG_FLOAT"]),
    ],
)
def test_13_where_only_the_extremes_are_known_they_decide(low, high, expected):
    """As of a baseline that an older version wrote."""
    column = ColumnSummary("float", 9, 0, numeric=NumericSummary(9, 1.0, 1.0, low, high))
    schema = Schema({"x": replace(FLOAT, domain=Range(0.0, 9.0))})

    assert [a.kind for a in validate(schema, DataSummary(9, {"x": column}))] == expected


@pytest.mark.parametrize(
    ("cells", "of", "expected"),
    [
        (["a", "1"], "int", ["INT_TYPE_NOT_INT_STRING"]),
        (["a", "1.5"], "float", ["FLOAT_TYPE_STRING_NOT_FLOAT"]),
    ],
)
def test_13_texts_with_a_range_are_to_be_numbers(cells, of, expected):
    """Written in a text column, whatever the reason."""
    assert kinds(cells, domain=Range(of=of)) == expected


def test_14_no_nan_and_no_infinity_where_they_are_not_allowed():
    """Each for itself; both are allowed unless it is said."""
    cells = ["1.5", "nan", "-inf"]

    assert kinds(cells, FLOAT) == []
    assert kinds(cells, FLOAT, allow_nan=False) == ["FLOAT_TYPE_HAS_NAN"]
    assert kinds(cells, FLOAT, allow_infinite=False) == ["FLOAT_TYPE_HAS_INF"]


@pytest.mark.parametrize(
    ("type_", "cells", "domain", "expected"),
    [
        ("int", ["0", "1"], BoolDomain(), []),
        ("int", ["0", "2"], BoolDomain(), ["BOOL_TYPE_BIG_INT"]),
        ("int", ["-1", "1"], BoolDomain(), ["BOOL_TYPE_SMALL_INT"]),
        ("float", ["0.0", "1.0"], BoolDomain(), []),
        ("float", ["0.0", "0.5"], BoolDomain(), ["BOOL_TYPE_UNEXPECTED_FLOAT"]),
        ("float", ["0.0", "-0.5"], BoolDomain(), ["BOOL_TYPE_UNEXPECTED_FLOAT"]),
        ("string", ["yes", "no"], BoolDomain("yes", "no"), []),
        ("string", ["yes", "ja"], BoolDomain("yes", "no"), ["BOOL_TYPE_UNEXPECTED_STRING"]),
        ("string", ["yes", "no"], BoolDomain("yes"), ["BOOL_TYPE_UNEXPECTED_STRING"]),
    ],
)
def test_15_bools_are_bools(type_, cells, domain, expected):
    """0 and 1 of numbers, the two words of texts; a single 0.5 is found, which TFDV misses."""
    assert kinds(cells, FeatureSchema(type_), domain=domain) == expected


@pytest.mark.parametrize(("n", "expected"), [(2, "LOW"), (3, None), (5, None), (6, "HIGH")])
def test_16_as_many_distinct_values_as_expected(n, expected):
    """Of numbers too; a window holds not all of them, and is not asked."""
    limits = {"unique_min": 3, "unique_max": 5}
    found = [f"FEATURE_TYPE_{expected}_UNIQUE"] if expected else []

    assert kinds([f"v{i % n}" for i in range(60)], **limits) == found
    assert kinds([i % n for i in range(60)], INT, **limits) == found
    assert kinds([f"v{i % n}" for i in range(60)], **limits, tolerance=0.01) == []


def test_16_one_limit_alone_is_one_limit():
    """To TFDV a limit that is not set is 0, and numbers have no distinct values."""
    assert kinds(["a", "b"], unique_min=2) == []
    assert kinds(["a", "b"], unique_max=2) == []
    assert kinds(["a", "b"], unique_min=2, rules="tfdv") == ["FEATURE_TYPE_HIGH_UNIQUE"]
    assert kinds(["1", "2"], INT, unique_min=2, rules="tfdv") == ["FEATURE_TYPE_NO_UNIQUE"]


def _against(value, present=("x",), relation="drift", rows=100):
    measured = {"x": {"l_infinity": value, "jensen_shannon": None}}
    return (Against(relation, rows, measured, frozenset(present)),)


@pytest.mark.parametrize(("value", "broken"), [(0.1, False), (math.nextafter(0.1, 1), True), (None, False)])
def test_17_a_distance_breaks_above_its_threshold(value, broken):
    """Strictly; one that was not measured never does. Drift and skew have thresholds of their own."""
    schema = Schema({"x": replace(TEXT, drift={"l_infinity": 0.1, "jensen_shannon": 0.0})})
    found = kinds_of(schema, {"x": ["a"]}, against=_against(value))

    assert found == (["COMPARATOR_L_INFTY_HIGH"] if broken else [])
    assert kinds_of(schema, {"x": ["a"]}, against=_against(value, relation="skew")) == []


def test_17_without_anything_to_compare_with_that_is_said():
    """Where there is a threshold; otherwise nobody asked."""
    schema = Schema({"x": replace(TEXT, skew={"l_infinity": 0.1})})
    against = _against(None, present=(), relation="skew")

    assert kinds_of(schema, {"x": ["a"]}, against=against) == ["COMPARATOR_CONTROL_DATA_MISSING"]
    assert kinds_of(Schema({"x": TEXT}), {"x": ["a"]}, against=against) == []


@pytest.mark.parametrize(
    ("limits", "n", "expected"),
    [
        (RowLimits(min=5), 5, []),
        (RowLimits(min=5), 4, ["DATASET_LOW_NUM_EXAMPLES"]),
        (RowLimits(max=5), 5, []),
        (RowLimits(max=5), 6, ["DATASET_HIGH_NUM_EXAMPLES"]),
    ],
)
def test_18_as_many_rows_as_expected(limits, n, expected):
    """The most alone is a limit too, but not to TFDV."""
    schema = Schema({"x": TEXT}, limits)

    assert kinds_of(schema, {"x": ["a"] * n}) == expected
    assert kinds_of(replace(schema, rules="tfdv"), {"x": ["a"] * n}) == (
        expected if limits.max is None else []
    )


@pytest.mark.parametrize(
    ("n", "expected"),
    [(49, ["COMPARATOR_LOW_NUM_EXAMPLES"]), (50, []), (200, []), (201, ["COMPARATOR_HIGH_NUM_EXAMPLES"])],
)
def test_19_about_as_many_rows_as_before(n, expected):
    """A ratio to the data set before; serving data may be of any size."""
    schema = Schema({"x": TEXT}, RowLimits(previous_min_ratio=0.5, previous_max_ratio=2.0))

    assert kinds_of(schema, {"x": ["a"] * n}, against=_against(None)) == expected
    assert kinds_of(schema, {"x": ["a"] * n}, against=_against(None, relation="skew")) == []
    assert kinds_of(schema, {"x": ["a"] * n}, against=_against(None, rows=0)) == []
    assert len(DATA_RULES) == 2
