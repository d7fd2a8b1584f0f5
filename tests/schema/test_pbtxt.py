"""TFDV's schema.pbtxt: what TFDV wrote is read, what it can say comes back, what it cannot is said."""

from pathlib import Path

import pytest
from hypothesis import given, settings

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
from detector.schema.pbtxt import read_pbtxt, write_pbtxt
from tests.schema.strategies import OF_TFDV, SCHEMAS

GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.pbtxt"))
LAW = settings(max_examples=200, deadline=None, derandomize=True, database=None)


def _golden(name):
    return read_pbtxt((Path(__file__).parent / "golden" / f"{name}.pbtxt").read_text(), name)


def _feature(text):
    """Return the feature of a text about one, and what was left out."""
    schema = read_pbtxt(f'feature {{ name: "x" {text} }}', "s")
    return schema.features["x"], schema.left_out


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_what_tfdv_wrote_is_understood_completely(path):
    """Nothing of TFDV's own schemas of tables is left out, and written again they say the same."""
    schema = read_pbtxt(path.read_text(), path.name)

    written, lost = write_pbtxt(schema)

    assert schema.features
    assert (schema.left_out, lost) == ((), ())
    assert read_pbtxt(written, "written") == schema


def test_an_inferred_schema_is_written_as_tfdv_wrote_it():
    """Byte for byte, so that a schema in version control does not change."""
    text = (Path(__file__).parent / "golden" / "inferred.pbtxt").read_text()

    assert write_pbtxt(read_pbtxt(text, "s"))[0] == text


DENSE = {"presence": Presence(1.0, 1), "one_value_a_row": True}


def test_the_edits_of_tfdv_are_read():
    """Ranges, bools, environments, limits of rows and of distinct values."""
    assert _golden("seed_name_age").features == {
        "name": FeatureSchema("string", domain=Values(("Carolina", "Evgenii", "Judi", "Rebeca")), **DENSE),
        "age": FeatureSchema("int", domain=Range(17, 90, "int"), **DENSE),
    }
    bools = {name: feature.domain for name, feature in _golden("bool_domain").features.items()}
    assert bools["b_int"] == bools["b_float"] == BoolDomain()
    assert bools["b_ok"] == BoolDomain("TRUE", "FALSE")
    assert bools["b_yesno"] == Values(("no", "yes"))
    environments = _golden("environments")
    assert environments.environments == ("TRAINING", "SERVING")
    assert environments.features["label"].not_in_environments == ("SERVING",)
    constraints = _golden("constraints")
    assert constraints.rows == RowLimits(100, 1000, 0.5, 2.0)
    assert (constraints.features["city"].unique_min, constraints.features["city"].unique_max) == (20, 40)
    assert _golden("unseen_category").features["lenient"].min_share == 0.9
    assert _golden("presence_drop").features["tolerant"] == FeatureSchema("float", Presence(0.9, 1))


def test_every_schema_of_tfdv_is_judged_as_tfdv_does():
    """Where its rules and ours differ."""
    assert read_pbtxt("", "s") == Schema({}, rules="tfdv")


@pytest.mark.parametrize(
    ("text", "feature"),
    [
        pytest.param("", FeatureSchema(None), id="no type"),
        pytest.param("type: TYPE_UNKNOWN", FeatureSchema(None), id="type unknown"),
        pytest.param("type: 2", FeatureSchema("int"), id="type by number"),
        pytest.param(
            "type: BYTES domain: 'c'", FeatureSchema("string", domain_name="c"), id="domain not defined"
        ),
        pytest.param(
            "type: BYTES string_domain { name: 'c' value: ['b', 'a'] }",
            FeatureSchema("string", domain=Values(("b", "a"))),
            id="values of its own, in their order",
        ),
        pytest.param(
            "type: BYTES int_domain {}", FeatureSchema("string", domain=Range(of="int")), id="digits"
        ),
        pytest.param(
            "type: INT float_domain { min: -1e3 max: .5f }",
            FeatureSchema("int", domain=Range(-1000.0, 0.5)),
            id="a range of the wrong type is for the rules",
        ),
        pytest.param("type: INT int_domain {}", FeatureSchema("int", domain=Range(of="int")), id="no limits"),
        pytest.param(
            "type: INT int_domain { min: -9223372036854775808 max: 0x7fffffffffffffff }",
            FeatureSchema("int", domain=Range(-(1 << 63), (1 << 63) - 1, "int")),
            id="all 64 bits",
        ),
        pytest.param(
            "type: FLOAT float_domain { disallow_nan: true }",
            FeatureSchema("float", allow_nan=False),
            id="only a ban of NaN",
        ),
        pytest.param(
            "type: FLOAT float_domain { min: 0 disallow_inf: true }",
            FeatureSchema("float", domain=Range(0.0), allow_infinite=False),
            id="a limit, and no infinity",
        ),
        pytest.param(
            "type: BYTES float_domain { disallow_nan: true }",
            FeatureSchema("string", domain=Range(), allow_nan=False),
            id="texts that are numbers",
        ),
        pytest.param("type: INT shape {}", FeatureSchema("int", one_value_a_row=True), id="scalar"),
        pytest.param("type: INT value_count { min: 1 max: 1 }", FeatureSchema("int"), id="value count"),
        pytest.param("type: INT value_count { min: 1 }", FeatureSchema("int"), id="least value count"),
        pytest.param(
            "type: INT value_counts { value_count { max: 1 } }", FeatureSchema("int"), id="value counts"
        ),
        pytest.param(
            "drift_comparator { infinity_norm { threshold: 0.1 }"
            "  jensen_shannon_divergence { threshold: 0.2 } }"
            "skew_comparator < normalized_abs_difference: < threshold: 3 > >",
            FeatureSchema(
                None,
                drift={"l_infinity": 0.1, "jensen_shannon": 0.2},
                skew={"normalized_absolute_difference": 3.0},
            ),
            id="comparators",
        ),
        pytest.param("deprecated: true", FeatureSchema(None, lifecycle="deprecated"), id="deprecated"),
        pytest.param("lifecycle_stage: DISABLED", FeatureSchema(None, lifecycle="ignored"), id="disabled"),
        pytest.param("lifecycle_stage: BETA", FeatureSchema(None), id="beta is in production"),
        pytest.param(
            "in_environment: ['A', 'B']; in_environment: 'C',",
            FeatureSchema(None, in_environments=("A", "B", "C")),
            id="lists and separators",
        ),
    ],
)
def test_what_a_feature_may_say(text, feature):
    """In all the ways that the text format has, with nothing left out."""
    assert _feature(text) == (feature, ())


@pytest.mark.parametrize(
    ("text", "feature", "left_out"),
    [
        pytest.param("type: BYTES\n url_domain {}", FeatureSchema("string"), "url_domain (line 2)", id="url"),
        pytest.param(
            "type: INT int_domain { min: 1 is_categorical: true }",
            FeatureSchema("int", domain=Range(1, None, "int")),
            "int_domain.is_categorical (line 1)",
            id="categorical",
        ),
        pytest.param(
            "drift_comparator { jensen_shannon_divergence { threshold: 1 source: QUANTILES } }",
            FeatureSchema(None, drift={"jensen_shannon": 1.0}),
            "drift_comparator.jensen_shannon_divergence.source (line 1)",
            id="quantiles",
        ),
        pytest.param("value_count { min: 2 }", FeatureSchema(None), "value_count (line 1)", id="lists"),
        pytest.param("shape { dim { size: 2 } }", FeatureSchema(None), "shape (line 1)", id="vectors"),
        pytest.param("shape { dim {} }", FeatureSchema(None), "shape (line 1)", id="vectors of any length"),
        pytest.param(
            "float_domain { min: -inf max: 1 }",
            FeatureSchema(None, domain=Range(None, 1.0)),
            "float_domain.min (line 1)",
            id="infinite limit",
        ),
        pytest.param("annotation { tag: 't' }", FeatureSchema(None), "annotation (line 1)", id="annotation"),
        pytest.param(
            "presence { min_count: 1 of_tomorrow: 2 }",
            FeatureSchema(None, Presence(0.0, 1)),
            "presence.of_tomorrow (line 1)",
            id="a field of a later version",
        ),
        pytest.param(
            "lifecycle_stage: VALIDATION_DERIVED",
            FeatureSchema(None),
            "lifecycle_stage (line 1)",
            id="lifecycle stage that a table has not",
        ),
        pytest.param(
            "type: INT bool_domain { true_value: 'yes' }",
            FeatureSchema("int", domain=BoolDomain()),
            "bool_domain.true_value (line 1)",
            id="words of a number",
        ),
    ],
)
def test_what_this_model_lacks_is_left_out_and_said(text, feature, left_out):
    """With the feature, the field and the line."""
    assert _feature(text) == (feature, (f'feature "x": {left_out}',))


def test_what_lies_beside_the_features_is_left_out_and_said():
    """Domains that nobody has, features of other sorts, constraints between versions."""
    schema = read_pbtxt(
        'feature { name: "s" type: STRUCT struct_domain {} }\n'
        'string_domain { name: "d" value: "a" }\n'
        'string_domain { name: "d" }\n'
        "dataset_constraints { min_examples_count: 1 num_examples_version_comparator {} }\n"
        "weighted_feature {} weighted_feature {}\n"
        "tensor_representation_group { key: '' }",
        "s",
    )

    assert schema == Schema({}, RowLimits(1), rules="tfdv", left_out=schema.left_out)
    assert schema.left_out == (
        'string_domain "d": stands twice, only the first counts (line 3)',
        'feature "s": all of it, for no column has such a type (line 1)',
        'string_domain "d": no feature has it (line 2)',
        "schema: weighted_feature (line 5)",
        "schema: tensor_representation_group (line 6)",
        "schema: dataset_constraints.num_examples_version_comparator (line 4)",
    )


@LAW
@given(OF_TFDV)
def test_what_tfdv_can_say_comes_back(schema):
    """Reading what was written gives the same schema, and nothing was left out."""
    written, lost = write_pbtxt(schema)

    assert lost == ()
    assert read_pbtxt(written, "s") == schema


@LAW
@given(SCHEMAS)
def test_every_schema_can_be_written_for_tfdv(schema):
    """Whatever it holds; what is read back says no more, and the second time nothing is lost."""
    written, lost = write_pbtxt(schema)
    first = read_pbtxt(written, "s")

    assert first.left_out == ()
    assert first.features.keys() == schema.features.keys()
    assert all(line.isprintable() for line in lost)
    assert write_pbtxt(first) == (write_pbtxt(first)[0], ())
    assert read_pbtxt(write_pbtxt(first)[0], "s") == first


def test_what_tfdv_has_no_words_for_is_said():
    """A line a feature."""
    schema = Schema(
        {
            "code": FeatureSchema("string", domain=Pattern("x"), min_share=0.9, role="id"),
            "flag": FeatureSchema("bool"),
            "size": FeatureSchema("int", domain=Values((1, 2)), allow_nan=False, note="saw 1 to 2"),
            "rate": FeatureSchema("float", domain=BoolDomain(), allow_nan=False, drift={"hellinger": 0.1}),
            "age": FeatureSchema("int", domain=Range(0, 1, "int"), proposed=frozenset(["domain"])),
        },
        note="Inferred from 3 rows",
    )

    text, lost = write_pbtxt(schema)

    assert lost == (
        'feature "code": pattern; min_share, for the domain is not one of texts; role id',
        'feature "flag": type bool, for it has none: written as a text that is true or false',
        'feature "size": values that are whole numbers; note',
        'feature "rate": no NaN or infinity, for the domain is not one of floats; drift by hellinger',
        'feature "age": proposed (domain): its anomalies will be errors',
        "schema: its note",
    )
    flag = read_pbtxt(text, "s").features["flag"]
    assert (flag.type, flag.domain) == ("string", BoolDomain("true", "false"))


def test_limits_between_whole_numbers_say_the_same_of_whole_numbers():
    """TFDV's range of ints has whole limits."""
    text, lost = write_pbtxt(Schema({"x": FeatureSchema("int", domain=Range(0.5, 9.5, "int"))}))

    assert lost == ()
    assert read_pbtxt(text, "s").features["x"].domain == Range(1, 9, "int")
