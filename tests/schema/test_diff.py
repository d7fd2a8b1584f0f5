"""What differs between two schemas."""

from dataclasses import fields, replace

import pytest
from hypothesis import given

from detector.report.schema_notes import difference_text
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
from detector.schema.diff import Difference, diff, domain_words
from tests.schema.strategies import SCHEMAS
from tests.tables.reading import LAW

BASE = Schema({"x": FeatureSchema("int"), "y": FeatureSchema("string", domain=Values(("a", "b")))})

CHANGES = [
    pytest.param({"type": "float"}, "type", "int", "float", id="type"),
    pytest.param(
        {"presence": Presence(1.0, 1)},
        "presence",
        "at least 0 of the rows, 0 values",
        "at least 1 of the rows, 1 value",
        id="presence",
    ),
    pytest.param({"domain": Range(0, 9, "int")}, "domain", None, "int 0 to 9", id="range"),
    pytest.param({"domain_name": "d"}, "domain_name", None, "d", id="domain name"),
    pytest.param({"min_share": 0.9}, "min_share", "1.0", "0.9", id="min share"),
    pytest.param({"unique_min": 3}, "unique_min", None, "3", id="unique min"),
    pytest.param({"unique_max": 3}, "unique_max", None, "3", id="unique max"),
    pytest.param({"allow_nan": False}, "allow_nan", "true", "false", id="nan"),
    pytest.param({"allow_infinite": False}, "allow_infinite", "true", "false", id="infinite"),
    pytest.param({"one_value_a_row": True}, "one_value_a_row", "false", "true", id="shape"),
    pytest.param({"in_environments": ("B", "A")}, "in_environments", None, "A, B", id="in environments"),
    pytest.param({"not_in_environments": ("A",)}, "not_in_environments", None, "A", id="not in"),
    pytest.param({"role": "id"}, "role", "feature", "id", id="role"),
    pytest.param({"lifecycle": "planned"}, "lifecycle", "production", "planned", id="lifecycle"),
    pytest.param({"drift": {"l_infinity": 0.1}}, "drift", None, "l_infinity 0.1", id="drift"),
    pytest.param({"skew": {"jensen_shannon": 0.2}}, "skew", None, "jensen_shannon 0.2", id="skew"),
    pytest.param({"proposed": frozenset({"domain"})}, "proposed", None, "domain", id="proposed"),
]


def test_every_part_of_a_feature_is_tried():
    """A part that a difference would not show could be changed unseen; notes say nothing."""
    assert {next(iter(case.values[0])) for case in CHANGES} == {f.name for f in fields(FeatureSchema)} - {
        "note"
    }


@pytest.mark.parametrize(("change", "what", "before", "after"), CHANGES)
def test_each_part_of_a_feature(change, what, before, after):
    """In words, and the other way round the other way round."""
    changed = replace(BASE, features={**BASE.features, "x": replace(BASE.features["x"], **change)})

    assert diff(BASE, changed) == [Difference("x", what, before, after)]
    assert diff(changed, BASE) == [Difference("x", what, after, before)]


@pytest.mark.parametrize(
    ("change", "what", "after"),
    [
        ({"rows": RowLimits(min=5, previous_max_ratio=2.0)}, "rows", "min 5, previous_max_ratio 2"),
        ({"environments": ("TRAINING", "SERVING")}, "environments", "SERVING, TRAINING"),
    ],
)
def test_the_whole(change, what, after):
    """Of no feature."""
    assert diff(BASE, replace(BASE, **change)) == [Difference(None, what, None, after)]


def test_the_rules_that_judge_differ_too():
    """TFDV's or ours."""
    assert diff(BASE, replace(BASE, rules="tfdv")) == [Difference(None, "rules", "own", "tfdv")]


def test_values_that_came_and_went():
    """Only those, a few of them; their order does not matter."""
    values = tuple(f"v{i}" for i in range(9))
    more = replace(
        BASE, features={**BASE.features, "y": FeatureSchema("string", domain=Values(("b", *values)))}
    )
    turned = replace(
        BASE, features={**BASE.features, "y": FeatureSchema("string", domain=Values(("b", "a")))}
    )

    assert diff(BASE, more) == [
        Difference("y", "values", "a", None),
        Difference("y", "values", None, "v0, v1, v2, v3, v4 and 4 more"),
    ]
    assert diff(BASE, turned) == []


def test_features_that_came_and_went():
    """With their types."""
    other = replace(BASE, features={"x": BASE.features["x"], "z": FeatureSchema("float")})

    assert diff(BASE, other) == [
        Difference("y", "feature", "string", None),
        Difference("z", "feature", None, "float"),
    ]


@LAW
@given(SCHEMAS, SCHEMAS)
def test_a_schema_differs_from_others_and_not_from_itself(a, b):
    """And as much the other way round; the text has lines of at most 80 columns."""
    there, back = diff(a, b), diff(b, a)

    assert diff(a, a) == []
    assert len(there) == len(back)
    assert all(len(line) <= 80 for line in difference_text(there).splitlines())


@pytest.mark.parametrize(
    ("domain", "words"),
    [
        (Values(("a",)), "1 value: a"),
        (Range(None, 1.25), "float any to 1.25"),
        (BoolDomain(), "bool: 0 or 1"),
        (BoolDomain("yes", "no"), "bool: 'no' or 'yes'"),
        (Pattern("[a-z]"), "pattern [a-z]"),
    ],
)
def test_a_domain_in_a_few_words(domain, words):
    """For people."""
    assert domain_words(domain) == words


def test_differences_for_people():
    """What was there with a minus, what is there now with a plus; no difference is said too."""
    other = replace(BASE, features={"x": FeatureSchema("float")}, rows=RowLimits(min=5))

    assert difference_text(diff(BASE, other)).splitlines() == [
        "data set",
        "  + rows: min 5",
        "x",
        "  - type: int",
        "  + type: float",
        "y",
        "  - feature: string",
    ]
    assert difference_text([]) == "the schemas say the same"
