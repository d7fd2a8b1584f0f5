"""A schema as plain data and back."""

import json

import pytest
from hypothesis import given

from detector.schema import BoolDomain, FeatureSchema, Pattern, Presence, Range, RowLimits, Schema, Values
from detector.schema.record import schema_of_record, schema_record
from tests.schema.strategies import SCHEMAS
from tests.tables.reading import LAW


@LAW
@given(SCHEMAS)
def test_every_schema_comes_back(schema):
    """Through JSON too, as baselines keep it."""
    assert schema_of_record(json.loads(json.dumps(schema_record(schema)))) == schema


def test_only_what_differs_from_the_default_is_written():
    """A file is for people to read."""
    schema = Schema({"x": FeatureSchema("int", Presence(1.0, 1), Range(0, 9, "int"), allow_nan=False)})

    assert schema_record(schema) == {
        "features": {
            "x": {
                "type": "int",
                "presence": {"min_fraction": 1.0, "min_count": 1},
                "range": {"min": 0, "max": 9},
                "allow_nan": False,
            }
        }
    }
    assert schema_record(Schema({"x": FeatureSchema("int")})) == {"features": {"x": {"type": "int"}}}
    assert schema_record(Schema({}, RowLimits(max=9))) == {"features": {}, "rows": {"max": 9}}
    assert schema_record(Schema({})) == {"features": {}}


@pytest.mark.parametrize(
    "domain",
    [
        Values(("a", "b")),
        Values((1, 2)),
        Values(()),
        Range(None, None, "int"),
        Range(1, None, "float"),
        Range(0.5, 1.5, "float"),
        BoolDomain("yes", "no"),
        BoolDomain(),
        Pattern(""),
    ],
    ids=str,
)
@pytest.mark.parametrize("type_", ["int", "float", "string"])
def test_every_domain_comes_back_whatever_the_type(domain, type_):
    """Also where it does not fit the type: that is for the rules to say."""
    schema = Schema({"x": FeatureSchema(type_, domain=domain)}, RowLimits(max=3))

    assert schema_of_record(schema_record(schema)) == schema


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ([], "schema: "),
        ({}, "schema: .*features"),
        ({"features": {"x": {"typ": "int"}}}, "schema: .*`typ`"),
        ({"features": {"x": {"type": "integer"}}}, "schema: .*integer"),
        ({"features": {"x": {"values": ["a", 1]}}}, "schema: feature 'x' has texts and numbers"),
        ({"features": {"x": {"range": {}, "pattern": "a"}}}, "schema: feature 'x' has two domains"),
        ({"features": {"x": {"lifecycle": "gone"}}}, "schema: .*gone"),
    ],
)
def test_what_is_no_schema_is_refused(record, message):
    """With the place and the reason."""
    with pytest.raises(ValueError, match=f"^{message}"):
        schema_of_record(record)
