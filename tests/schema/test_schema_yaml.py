"""A schema as people read and edit it: the YAML comes back as it was, the table fits a terminal."""

from dataclasses import replace

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.config.schema_file import load_schema
from detector.report.schema import schema_text, schema_yaml
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
from tests.schema.strategies import SCHEMAS, TEXTS

LAW = settings(max_examples=200, deadline=None, derandomize=True, database=None)


@pytest.fixture(scope="module")
def load(tmp_path_factory):
    """Write a text to a file and load it."""
    path = tmp_path_factory.mktemp("schema") / "schema.yaml"

    def written(text):
        path.write_text(text, encoding="utf-8", newline="")
        return load_schema(path)

    return written


def _without_notes(schema):
    features = {name: replace(feature, note=None) for name, feature in schema.features.items()}
    return replace(schema, features=features, note=None)


WRITTEN = """\
# Inferred from 3 rows of a.csv
format: streaming-drift-detector schema
format_version: 1
rows: {min: 100, previous_max_ratio: 2.0}
environments: [TRAINING, SERVING]
rules: tfdv
features:
  age:   # saw 17 to 90
    type: int
    presence: {min_fraction: 1.0, min_count: 1}
    range: {min: 0, max: 130}
    allow_nan: false
    proposed: [domain, non_finite]
  country:
    type: string
    presence: {min_fraction: 0.95}
    values: [AR, "no", "1", New York]
    min_share: 0.9
  flag:
    type: int
    bool: {}
  answer:
    type: string
    bool: {true: "yes", false: "no"}
    unique: {max: 2}
  code:
    type: string
    pattern: "[A-Z]{3}"
    role: id
  digits:
    type: string
    range: {of: int}
    drift: {l_infinity: 0.01}
  size:
    type: int
    values: [1, 2]
    not_in_environments: [SERVING]
  rate:
    type: float
    one_value_a_row: true
    lifecycle: deprecated
  "no":
    type: null
    domain_name: lost
"""


def test_the_yaml_is_what_a_person_would_write():
    """Only what differs from the default, a feature a block, notes as remarks."""
    schema = Schema(
        {
            "age": FeatureSchema(
                "int",
                Presence(1.0, 1),
                Range(0, 130, "int"),
                allow_nan=False,
                proposed=frozenset(["non_finite", "domain"]),
                note="saw 17 to 90",
            ),
            "country": FeatureSchema(
                "string", Presence(0.95), Values(("AR", "no", "1", "New York")), min_share=0.9
            ),
            "flag": FeatureSchema("int", domain=BoolDomain()),
            "answer": FeatureSchema("string", domain=BoolDomain("yes", "no"), unique_max=2),
            "code": FeatureSchema("string", domain=Pattern("[A-Z]{3}"), role="id"),
            "digits": FeatureSchema("string", domain=Range(of="int"), drift={"l_infinity": 0.01}),
            "size": FeatureSchema("int", domain=Values((1, 2)), not_in_environments=("SERVING",)),
            "rate": FeatureSchema("float", one_value_a_row=True, lifecycle="deprecated"),
            "no": FeatureSchema(None, domain_name="lost"),
        },
        RowLimits(100, previous_max_ratio=2.0),
        ("TRAINING", "SERVING"),
        "tfdv",
        note="Inferred from 3 rows\nof a.csv",
    )

    assert schema_yaml(schema) == WRITTEN


@LAW
@given(schema=SCHEMAS)
def test_every_schema_comes_back(load, schema):
    """But for its notes, which are remarks."""
    assert load(schema_yaml(schema)) == _without_notes(schema)


@LAW
@given(text=TEXTS | st.text("ab'\"\\#:-?,[]{}&*!|>%@` \n\t\r\x85\u2028\ufeff", max_size=15))
def test_every_text_comes_back(load, text):
    """As a name, a value, a word, an environment, or in a remark; whatever YAML takes it for."""
    feature = FeatureSchema("string", domain=Values((text, text + "x")), in_environments=(text,), note=text)
    other = FeatureSchema("string", domain=BoolDomain(text, None), note=text * 2)
    schema = Schema({text: feature, f"{text}.": other}, environments=(text,), note=text)

    assert load(schema_yaml(schema)) == _without_notes(schema)


@pytest.mark.parametrize("text", ["x" * 10_000, "é" * 10_000, "a b\n" * 2_500, "\0" * 10_000, "😀 " * 5_000])
def test_a_long_text_comes_back(load, text):
    """Also as a name, though YAML has a limit for keys."""
    schema = Schema({text: FeatureSchema("string", domain=Values((text,)))})

    assert load(schema_yaml(schema)) == schema


def test_long_lists_are_an_item_a_line(load):
    """So that a change of one value is a change of one line."""
    schema = Schema({"x": FeatureSchema("string", domain=Values(tuple(f"value {i}" for i in range(50))))})

    text = schema_yaml(schema)

    assert "    values:\n      - value 0\n      - value 1\n" in text
    assert max(map(len, text.splitlines())) <= 100
    assert load(text) == schema


@LAW
@given(SCHEMAS)
def test_the_yaml_reads_the_same_elsewhere(schema):
    """By PyYAML's own rules texts stay texts, and no other character than printable ones is written."""
    text = schema_yaml(schema)

    assert all(line.isprintable() for line in text.split("\n"))
    features = yaml.safe_load(text)["features"]
    assert list(features) == list(schema.features)
    for name, feature in schema.features.items():
        if isinstance(feature.domain, Values):
            assert tuple(features[name]["values"]) == feature.domain.values


def test_limits_that_are_none_are_not_written(load):
    """An infinite limit holds for every number; YAML as read here has no word for it."""
    schema = Schema({"x": FeatureSchema("float", domain=Range(float("-inf"), 1.0))})

    assert load(schema_yaml(schema)).features["x"].domain == Range(None, 1.0)


@LAW
@given(SCHEMAS)
def test_the_table_has_a_line_a_feature_and_fits_a_terminal(schema):
    """Whatever names and values hold."""
    lines = schema_text(schema).split("\n")

    assert all(len(line) <= 80 and line.isprintable() for line in lines)
    assert len(lines) >= 2 + len(schema.features)


def test_the_table_says_what_is_expected_in_a_few_words():
    """Name, type, presence, domain, and what matters most of the rest."""
    schema = Schema(
        {
            "age": FeatureSchema(
                "int", Presence(1.0, 1), Range(0, 130, "int"), proposed=frozenset(["domain"])
            ),
            "a name that is much too long": FeatureSchema("string", Presence(0.955, 1), Values(("a", "b"))),
            "id": FeatureSchema("string", Presence(0.0, 1), role="id"),
            "gone": FeatureSchema(None, domain_name="lost", lifecycle="deprecated"),
        },
        RowLimits(1000, 2_000_000),
        rules="tfdv",
        left_out=("feature 'x': url_domain",),
    )

    assert schema_text(schema).splitlines() == [
        "rows: min 1,000, max 2,000,000",
        "judged: as TFDV does",
        "left out: 1 thing(s) that the file says",
        "",
        "feature               type    presence  domain                    and",
        "age                   int     always    int 0 to 130              proposed",
        "a name that is much…  string  95.5%     2 values: a, b",
        "id                    string  once                                id",
        "gone                  none    any       lost: not defined         deprecated",
    ]
