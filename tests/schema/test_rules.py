"""Each numbered rule: broken just beyond its limit, and not at it."""

import math
from dataclasses import replace

import pytest

from detector.anomaly import Anomaly
from detector.errors import InputError
from detector.schema import (
    BoolDomain,
    FeatureSchema,
    Pattern,
    Presence,
    Range,
    RowLimits,
    Schema,
    Values,
)
from detector.schema.check import examples, share, shortened
from detector.schema.model import LIFECYCLES
from detector.schema.validate import Circumstances, check_schema, validate
from detector.summary.model import ColumnSummary, DataSummary
from tests.schema.looking import EMPTY, anomalies_of, kinds, kinds_of

INT, FLOAT, TEXT, BOOL = (FeatureSchema(type_) for type_ in ("int", "float", "string", "bool"))
ALWAYS, SOMETIMES = Presence(1.0, 1), Presence(0.0, 1)
AB = Values(("a", "b"))


def _schema_kinds(feature, rules="own"):
    return [a.kind for a in check_schema(Schema({"x": feature}, rules=rules))]


def test_01_a_feature_has_a_type():
    """A feature without one is not looked at further."""
    assert _schema_kinds(FeatureSchema(None)) == ["FEATURE_MISSING_TYPE"]
    assert kinds(["1"], FeatureSchema(None), domain=Range(5, 6)) == ["FEATURE_MISSING_TYPE"]
    assert _schema_kinds(TEXT) == []


@pytest.mark.parametrize(
    ("parts", "broken"),
    [
        ({"presence": Presence(1.0)}, False),
        ({"presence": Presence(1.000001)}, True),
        ({"presence": Presence(-0.1)}, True),
        ({"presence": Presence(0.5, -1)}, True),
        ({"min_share": 0.0}, False),
        ({"min_share": 1.1}, True),
        ({"unique_min": 3, "unique_max": 3}, False),
        ({"unique_min": 3, "unique_max": 2}, True),
        ({"domain": Range(3, 3, "float")}, False),
        ({"domain": Range(3, 2, "float")}, True),
        ({"domain": Values(("a", "b"))}, False),
        ({"domain": Values(("a", "a"))}, True),
    ],
)
def test_02_what_cannot_be_meant_is_told_of_the_schema(parts, broken):
    """Shares between 0 and 1, least below most, no value twice."""
    feature = replace(FLOAT if isinstance(parts.get("domain"), Range) else TEXT, **parts)

    assert _schema_kinds(feature) == (["INVALID_SCHEMA_SPECIFICATION"] if broken else [])


def test_02_a_least_share_needs_values_only_to_tfdv():
    """Ours is of the type too, and of any domain."""
    feature = replace(FLOAT, min_share=0.9)

    assert _schema_kinds(feature) == []
    assert _schema_kinds(feature, "tfdv") == ["INVALID_SCHEMA_SPECIFICATION"]


@pytest.mark.parametrize(
    ("type_", "domain", "fits"),
    [
        ("int", Range(0, 1, "int"), True),
        ("int", Range(0, 1, "float"), False),
        ("float", Range(0, 1, "float"), True),
        ("float", Range(0, 1, "int"), False),
        ("string", Range(0, 1, "int"), True),
        ("bool", Range(0, 1, "int"), False),
        ("string", AB, True),
        ("string", Values((1, 2)), False),
        ("int", Values((1, 2)), True),
        ("int", AB, False),
        ("float", Values((1, 2)), False),
        ("string", Pattern("a"), True),
        ("int", Pattern("a"), False),
        ("int", BoolDomain(), True),
        ("float", BoolDomain(), True),
        ("string", BoolDomain("yes", "no"), True),
        ("string", BoolDomain(), False),
    ],
)
def test_03_a_domain_fits_the_type(type_, domain, fits):
    """Ranges of numbers for numbers, or for texts that are to be numbers; texts for texts."""
    expected = [] if fits else ["DOMAIN_INVALID_FOR_TYPE"]

    assert _schema_kinds(FeatureSchema(type_, domain=domain)) == expected


def test_04_a_shared_domain_is_defined():
    """A name that no domain has."""
    assert _schema_kinds(replace(TEXT, domain_name="nope")) == ["INVALID_DOMAIN_SPECIFICATION"]


ENVIRONMENTS = Schema(
    {"x": replace(TEXT, presence=ALWAYS), "y": replace(TEXT, presence=ALWAYS, not_in_environments=("B",))},
    environments=("A", "B"),
)


def test_05_a_column_is_new_where_the_schema_has_none_or_not_here():
    """In an environment it does not belong to; an empty column there is no matter."""
    both = {"x": ["1a"], "y": ["2a"]}

    assert kinds_of(ENVIRONMENTS, both | {"z": ["3a"]}) == ["SCHEMA_NEW_COLUMN"]
    assert kinds_of(ENVIRONMENTS, both, environment="A") == []
    assert kinds_of(ENVIRONMENTS, both, environment="B") == ["SCHEMA_NEW_COLUMN"]
    assert kinds_of(ENVIRONMENTS, both | {"y": [EMPTY]}, environment="B") == []


def test_06_a_required_column_is_there():
    """Where it is expected, and where either limit of presence is above 0."""
    assert kinds_of(ENVIRONMENTS, {"x": ["1a"]}) == ["SCHEMA_MISSING_COLUMN"]
    assert kinds_of(ENVIRONMENTS, {"x": ["1a"]}, environment="A") == ["SCHEMA_MISSING_COLUMN"]
    assert kinds_of(ENVIRONMENTS, {"x": ["1a"]}, environment="B") == []
    for presence, missing in ((Presence(), False), (Presence(0.1), True), (Presence(0.0, 1), True)):
        schema = Schema({"x": replace(TEXT, presence=presence), "y": TEXT})
        assert kinds_of(schema, {"y": ["a"]}) == (["SCHEMA_MISSING_COLUMN"] if missing else [])


def test_an_environment_that_nothing_names_is_refused():
    """It is a slip of the pen; the message names those there are."""
    with pytest.raises(InputError, match=r"'SERVNG' is not in the schema; it has A, B$"):
        kinds_of(ENVIRONMENTS, {"x": ["1a"]}, environment="SERVNG")


def test_a_feature_may_belong_to_one_environment_more():
    """Beside those of the whole schema."""
    feature = replace(TEXT, presence=ALWAYS, in_environments=("C",))
    schema = Schema({"x": feature, "y": replace(TEXT, in_environments=("C",))}, environments=("A",))

    for environment, expected in (("A", ["SCHEMA_MISSING_COLUMN"]), ("C", ["SCHEMA_MISSING_COLUMN"])):
        assert kinds_of(schema, {"y": ["a"]}, environment=environment) == expected
    assert kinds_of(schema, {"x": ["a"]}, environment="C") == []


def test_07_a_required_column_has_a_value_somewhere():
    """If it has none, nothing else is said of it."""
    assert kinds([EMPTY] * 5, presence=ALWAYS, one_value_a_row=True) == ["FEATURE_TYPE_NOT_PRESENT"]
    assert kinds([EMPTY] * 5, presence=Presence()) == []


@pytest.mark.parametrize(
    ("missing", "least", "broken"),
    [(0, 1.0, False), (1, 1.0, True), (10, 0.9, False), (11, 0.9, True), (99, 0.01, False), (50, 0.0, False)],
)
def test_08_enough_rows_have_a_value(missing, least, broken):
    """The least share itself is enough, whatever 1 - 0.9 is in binary."""
    cells = [EMPTY] * missing + ["a"] * (100 - missing)
    expected = ["FEATURE_TYPE_LOW_FRACTION_PRESENT"] if broken else []

    assert kinds(cells, presence=Presence(least, 1)) == expected


@pytest.mark.parametrize(("n", "broken"), [(10, False), (9, True)])
def test_09_enough_values_in_all(n, broken):
    """A window is not asked: it has no fixed size."""
    expected = ["FEATURE_TYPE_LOW_NUMBER_PRESENT"] if broken else []

    assert kinds(["a"] * n, presence=Presence(0.0, 10)) == expected
    assert kinds(["a"] * n, presence=Presence(0.0, 10), tolerance=0.01) == []


def test_10_a_fixed_shape_has_a_value_in_every_row():
    """TFDV says so beside the share."""
    feature = replace(TEXT, presence=ALWAYS, one_value_a_row=True)

    assert kinds(["a", "b"], feature) == []
    assert kinds(["a", EMPTY], feature) == ["FEATURE_TYPE_LOW_FRACTION_PRESENT", "INVALID_FEATURE_SHAPE"]


OTHER_TYPE = ["UNEXPECTED_DATA_TYPE"]
TYPES = [
    ("int", ["1", "2"], []),
    ("int", ["1", "x"], OTHER_TYPE),
    ("int", ["1", "2.5"], OTHER_TYPE),
    ("int", ["1", "2.0"], OTHER_TYPE),
    ("int", ["1", "1e3"], OTHER_TYPE),
    ("int", ["1", "nan"], OTHER_TYPE),
    ("int", ["1", "true"], OTHER_TYPE),
    ("int", ["1", "9" * 400], []),
    ("int", ["1", str(2**64)], []),
    ("int", ["1", "+5", " 6 "], []),
    ("int", ["1", "0x10"], OTHER_TYPE),
    ("float", ["1.5", "2"], []),
    ("float", ["1", "2"], ["UNEXPECTED_DATA_TYPE~"]),
    ("float", ["1.5", "x"], OTHER_TYPE),
    ("float", ["1.5", "inf"], []),
    ("string", ["a", "1"], []),
    ("string", ["1", "2"], OTHER_TYPE),
    ("string", ["1", "2.5"], OTHER_TYPE),
    ("string", ["true", "false"], []),
    ("bool", ["true", "False"], []),
    ("bool", ["1", "0"], OTHER_TYPE),
    ("bool", ["true", "yes"], ["BOOL_TYPE_UNEXPECTED_STRING"]),
]


@pytest.mark.parametrize(("type_", "cells", "expected"), TYPES)
def test_11_values_are_of_the_type(type_, cells, expected):
    """Whole numbers among numbers are a warning only: nothing is wrong with 2 where 2.5 may stand."""
    assert kinds(cells, FeatureSchema(type_, ALWAYS)) == expected


def test_11_whole_numbers_with_decimals_are_ints_where_some_may_be_missing():
    """So pandas writes them; without any gap that was allowed they are another type, as in TFDV."""
    for presence, cells, expected in (
        (SOMETIMES, ["1.0", EMPTY], []),
        (SOMETIMES, ["1.0", "2.0"], []),
        (ALWAYS, ["1.0", "2.0"], OTHER_TYPE),
        (SOMETIMES, ["1.5", EMPTY], OTHER_TYPE),
    ):
        assert kinds(cells, INT, presence=presence) == expected
    assert kinds(["1.0", EMPTY], INT, presence=SOMETIMES, rules="tfdv") == OTHER_TYPE


@pytest.mark.parametrize("lifecycle", LIFECYCLES)
def test_only_what_is_in_production_is_checked(lifecycle):
    """A feature that is planned, in trial, out of use or ignored breaks nothing, and is not new."""
    feature = replace(INT, presence=ALWAYS, domain=Range(0, 1, "int"), lifecycle=lifecycle)
    schema = Schema({"x": feature, "y": TEXT})

    assert bool(kinds_of(schema, {"x": ["7"], "y": ["a"]})) is (lifecycle == "production")
    assert bool(kinds_of(schema, {"y": ["a"]})) is (lifecycle == "production")


@pytest.mark.parametrize(
    ("rule", "cells", "parts", "kind"),
    [
        ("presence", ["a", EMPTY], {"presence": Presence(0.9)}, "FEATURE_TYPE_LOW_FRACTION_PRESENT"),
        ("domain", ["a", "c"], {"domain": AB}, "ENUM_TYPE_UNEXPECTED_STRING_VALUES"),
        ("domain", ["a1"], {"domain": Pattern("b")}, "ENUM_TYPE_UNEXPECTED_STRING_VALUES"),
        ("domain", ["7"], {"type": "int", "domain": Range(0, 1, "int")}, "INT_TYPE_BIG_INT"),
        ("domain", ["7"], {"type": "int", "domain": BoolDomain()}, "BOOL_TYPE_BIG_INT"),
        ("non_finite", ["1.5", "nan"], {"type": "float", "allow_nan": False}, "FLOAT_TYPE_HAS_NAN"),
    ],
)
def test_what_was_only_proposed_warns(rule, cells, parts, kind):
    """Nobody has confirmed it; without `proposed` it is an error, and other rules stay errors."""
    others = frozenset({"presence", "domain", "non_finite"}) - {rule}

    assert kinds(cells, **parts, proposed=frozenset({rule})) == [kind + "~"]
    assert kinds(cells, **parts, proposed=others) == [kind]


def _window(n, odd, **parts):
    """Return the kinds of a window of n events of which some are odd, with a tolerance of 1 %."""
    feature = replace(TEXT, **{"domain": AB, "presence": ALWAYS} | parts)
    return kinds(["z"] * odd + ["a"] * (n - odd), feature, tolerance=0.01)


@pytest.mark.parametrize("n", [100, 1000, 100_000])
def test_a_window_may_have_a_few_odd_values(n):
    """The tolerance and four of its standard errors: fewer than 1 in 10,000 windows at 1 % odd values."""
    allowed = math.floor(0.01 * n + 4 * math.sqrt(0.01 * n))

    assert _window(n, allowed) == []
    assert _window(n, allowed + 1) == ["ENUM_TYPE_UNEXPECTED_STRING_VALUES"]


def test_a_window_may_miss_a_few_values():
    """The same allowance for presence; a schema's own least share adds to it."""
    feature = replace(TEXT, presence=ALWAYS)

    assert kinds([EMPTY] * 50 + ["a"] * 950, feature, tolerance=0.01) != []
    assert kinds([EMPTY] * 20 + ["a"] * 980, feature, tolerance=0.01) == []
    assert kinds([EMPTY] * 100 + ["a"] * 900, feature, presence=Presence(0.9), tolerance=0.01) == []


def _live(n, least, *, never_named):
    """Return the kinds of a live window of n events, none of which has a value."""
    schema = Schema({"x": FeatureSchema("float", Presence(least, 1))})
    column = ColumnSummary("float", n, n, never_named=never_named)
    found = validate(schema, DataSummary(n, {"x": column}), Circumstances(tolerance=0.01))
    return [a.kind for a in found]


@pytest.mark.parametrize("never_named", [True, False])
def test_a_live_column_is_dropped_once_chance_is_ruled_out(never_named):
    """A column that half of the events lack is called dropped after 20 without it (p < 1e-6), not before."""
    kind = "SCHEMA_MISSING_COLUMN" if never_named else "FEATURE_TYPE_NOT_PRESENT"

    assert _live(19, 0.5, never_named=never_named) == []
    assert _live(20, 0.5, never_named=never_named) == [kind]
    assert _live(1, 1.0, never_named=never_named) == [kind]


def test_anomalies_come_in_the_order_of_the_schema_and_say_what_was_found():
    """By feature, then new columns, then the data set; the long text has counts and examples."""
    schema = Schema({"b": replace(TEXT, domain=AB), "a": replace(INT, presence=ALWAYS)}, RowLimits(min=9))
    found = anomalies_of(schema, {"new": ["1"] * 3, "b": ["a", "q", "q"]})

    assert [a.feature for a in found] == ["b", "a", "new", None]
    assert found[0] == Anomaly(
        "b",
        "ENUM_TYPE_UNEXPECTED_STRING_VALUES",
        "error",
        "unexpected values",
        "2 of 3 values (66.7 %) are not among the 2 of the schema: q (66.7 %)",
    )


def test_shares_and_values_are_never_misleading():
    """Neither 0 nor 100 percent where it is not; blanks are shown; at most ten values."""
    assert [share(n, 10_000) for n in (0, 1, 790, 9_999, 10_000)] == [
        "0 %",
        "< 0.1 %",
        "7.9 %",
        "> 99.9 %",
        "100 %",
    ]
    assert (shortened(" x"), shortened(""), shortened("a\nb\x1b")) == ("' x'", "''", "a\ufffdb\ufffd")
    assert len(shortened("x" * 500)) == 60
    assert examples({f"v{i:02d}": 1 for i in range(12)}, 100).endswith("v09 (1 %) and 2 more")
