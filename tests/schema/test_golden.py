"""TFDV's own answers as the oracle: its schemas, the anomalies it finds, and where ours differ on purpose."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from detector.columns import Chunk
from detector.schema.infer import InferOptions, infer_schema
from detector.schema.pbtxt import read_pbtxt
from detector.schema.validate import Circumstances, expectations, validate
from detector.summary.collect import summarize
from detector.tables import find_files, read_chunks
from detector.tables.object_column import ObjectColumn
from detector.tfdv.compare import measure_as_tfdv
from tests.tables.reading import refusal

GOLDEN = Path(__file__).parents[1] / "tfdv" / "golden"
CASES = sorted(path.name for path in GOLDEN.iterdir() if path.is_dir())
RULES = json.loads((Path(__file__).parent / "schema_rules.json").read_text())["cases"]

LOW_FRACTION, SHAPE = "FEATURE_TYPE_LOW_FRACTION_PRESENT", "INVALID_FEATURE_SHAPE"
UNSEEN = "ENUM_TYPE_UNEXPECTED_STRING_VALUES"

THRESHOLD = 0.01
"""Of every comparator in TFDV's runs."""


def _reader(case, side):
    files = find_files([str(GOLDEN / case / f"{side}.csv.gz")])
    return lambda: read_chunks(files)


def _expected(case):
    return json.loads((GOLDEN / case / "anomalies.json").read_text())


def _schema_of_tfdv(case):
    edited, inferred = (GOLDEN / case / name for name in ("edited.pbtxt", "inferred.pbtxt"))
    path = edited if edited.exists() else inferred
    return read_pbtxt(path.read_text(), path.name)


def _kinds(anomalies):
    """Return the kinds by feature, a warning with `~`."""
    found = {}
    for a in anomalies:
        mark = "~" if a.severity == "warning" else ""
        found.setdefault(a.feature or "(data set)", []).append(a.kind + mark)
    return {feature: sorted(kinds) for feature, kinds in found.items()}


def _found(schema, case, side="serving", **about):
    data = summarize(_reader(case, side), expectations(schema))
    return _kinds(validate(schema, data, Circumstances(**about)))


def _differences(found, expected):
    return {
        feature: (expected.get(feature, []), found.get(feature, []))
        for feature in found.keys() | expected.keys()
        if found.get(feature, []) != expected.get(feature, [])
    }


def _against(case, before, after, relation):
    found = measure_as_tfdv(_reader(case, before), _reader(case, after), single_precision=True)
    return found.against(relation)


def test_there_are_fourteen_cases():
    """None of them was lost."""
    assert len(CASES) == 14
    assert len(RULES) == 17


@pytest.mark.parametrize("case", CASES)
def test_anomalies_by_tfdvs_schema_are_tfdvs(case):
    """The same kinds, feature by feature, in its environment."""
    expected = _expected(case)

    assert _found(_schema_of_tfdv(case), case, environment=expected["environment"]) == expected["validate"]


def _with_comparators(case, relation):
    """Return TFDV's schema with a threshold for everything, of every feature."""
    schema, names = _schema_of_tfdv(case), ("l_infinity", "jensen_shannon", "normalized_absolute_difference")
    limits = {relation: dict.fromkeys(names, THRESHOLD)}
    return replace(schema, features={name: replace(f, **limits) for name, f in schema.features.items()})


@pytest.mark.parametrize("case", CASES)
def test_drift_comparators_break_where_tfdvs_do(case):
    """Serving as the current data, training as those before; the ratio of the rows too."""
    expected, against = _expected(case), _against(case, "train", "serving", "drift")
    schema = _with_comparators(case, "drift")
    found = _found(schema, case, environment=expected["environment"], against=(against,))

    assert found == expected["drift"]


UNCOMPARED = {
    # A column without one value in the serving data: TFDV does not compare it, and does not say so.
    "presence_drop": {"all_gone": ([], ["COMPARATOR_CONTROL_DATA_MISSING"])},
}


@pytest.mark.parametrize("case", CASES)
def test_skew_comparators_break_where_tfdvs_do(case):
    """Training as the data, serving as what it is held against."""
    against = _against(case, "serving", "train", "skew")

    found = _found(_with_comparators(case, "skew"), case, "train", against=(against,))

    assert _differences(found, _expected(case)["skew"]) == UNCOMPARED.get(case, {})


@pytest.mark.parametrize("case", CASES)
def test_inference_like_tfdv_is_tfdvs(case):
    """`--like-tfdv` gives the very schema that TFDV inferred from the same file."""
    path = GOLDEN / case / "inferred.pbtxt"
    theirs = read_pbtxt(path.read_text(), path.name)
    ours = infer_schema(summarize(_reader(case, "train"), strict=True), InferOptions(tfdv=True))

    assert dict(ours.features) == dict(theirs.features)
    assert (ours.rows, ours.environments, ours.rules) == (theirs.rows, theirs.environments, theirs.rules)


NOT_EDITED = {
    "constraints": {
        "city": (["FEATURE_TYPE_LOW_UNIQUE"], []),
        "num": (["FEATURE_TYPE_NO_UNIQUE"], []),
        "plan": (["FEATURE_TYPE_HIGH_UNIQUE"], []),
        "(data set)": (["DATASET_LOW_NUM_EXAMPLES"], []),
    },
    "environments": {"label": ([], ["SCHEMA_MISSING_COLUMN"])},
    "presence_drop": {
        "counted": (
            [LOW_FRACTION, "FEATURE_TYPE_LOW_NUMBER_PRESENT", SHAPE],
            [LOW_FRACTION, SHAPE],
        ),
        "tolerant": ([LOW_FRACTION], []),
    },
    "seed_name_age": {"age": (["INT_TYPE_BIG_INT"], [])},
    "unseen_category": {"lenient": ([], [UNSEEN])},
}
"""What TFDV found, and what the schema as inferred finds: all of them rules that a person added later."""


@pytest.mark.parametrize("case", CASES)
def test_the_schema_inferred_like_tfdv_differs_only_where_a_person_edited_theirs(case):
    """No difference but for edits: unique and row limits, environments, presence, ranges, least shares."""
    schema = infer_schema(summarize(_reader(case, "train"), strict=True), InferOptions(tfdv=True))

    assert _differences(_found(schema, case), _expected(case)["validate"]) == NOT_EDITED.get(case, {})


BEYOND = {
    # Ranges are proposed from training data: serving data beyond them are a warning. TFDV has no range.
    "numeric_shift": {
        "bimodal": ([], ["FLOAT_TYPE_BIG_FLOAT~", "FLOAT_TYPE_SMALL_FLOAT~"]),
        "count_int": ([], ["INT_TYPE_BIG_INT~"]),
        "scale_shift": ([], ["FLOAT_TYPE_BIG_FLOAT~", "FLOAT_TYPE_SMALL_FLOAT~"]),
        "disjoint": ([], ["FLOAT_TYPE_BIG_FLOAT~"]),
        "outlier": ([], ["FLOAT_TYPE_BIG_FLOAT~"]),
    },
    # One missing value breaks TFDV's presence and its shape: one cause, of which we name one.
    # `tolerant` and `cat_tolerant`: where training misses some, a least share is proposed.
    "presence_drop": {
        "always": ([LOW_FRACTION, SHAPE], [LOW_FRACTION]),
        "cat": ([LOW_FRACTION, SHAPE], [LOW_FRACTION]),
        "one_gone": ([LOW_FRACTION, SHAPE], [LOW_FRACTION]),
        "counted": ([LOW_FRACTION, "FEATURE_TYPE_LOW_NUMBER_PRESENT", SHAPE], [LOW_FRACTION]),
        "tolerant": ([LOW_FRACTION], [LOW_FRACTION + "~"]),
    },
    # TFDV's range was given by hand, ours is proposed.
    "seed_name_age": {"age": (["INT_TYPE_BIG_INT"], ["INT_TYPE_BIG_INT~"])},
    # Whole numbers fit among numbers: an error to TFDV, worth a warning to us.
    "type_change": {"float_to_int": (["UNEXPECTED_DATA_TYPE"], ["UNEXPECTED_DATA_TYPE~"])},
}
"""What TFDV found, and what our own inferred schema finds, beside rules that a person added to theirs."""


@pytest.mark.parametrize("case", CASES)
def test_our_own_inferred_schema_differs_from_tfdv_only_as_listed(case):
    """Every difference one by one, with its reason above."""
    schema = infer_schema(summarize(_reader(case, "train")))
    listed = NOT_EDITED.get(case, {}) | BEYOND.get(case, {})

    assert _differences(_found(schema, case), _expected(case)["validate"]) == listed


@pytest.mark.parametrize("case", CASES)
def test_training_data_satisfy_the_schemas_inferred_from_them(case):
    """Ours, and the one like TFDV's."""
    strict = infer_schema(summarize(_reader(case, "train"), strict=True), InferOptions(tfdv=True))

    assert _found(strict, case, "train") == {}
    assert _found(infer_schema(summarize(_reader(case, "train"))), case, "train") == {}


OTHER_RULES = {
    # TFDV says nothing of no rows at all; that would be the quietest way to break.
    "empty serving frame": {name: ["FEATURE_TYPE_NOT_PRESENT"] for name in "xci"},
}


@pytest.mark.parametrize("rule", [r for r in RULES if "utf-8" not in r["name"]], ids=lambda r: r["name"])
def test_each_schema_rule_of_tfdv(rule):
    """The same kinds for its small examples, but for those listed with a reason."""
    schema, cells = read_pbtxt(rule["schema"], "s.pbtxt"), rule["data"]
    n = len(next(iter(cells.values())))
    chunk = Chunk(n, {name: ObjectColumn(column) for name, column in cells.items()}, "x", 1)
    data = summarize(lambda: [chunk], expectations(schema))
    found = validate(schema, data, Circumstances(rule["environment"]))

    assert _kinds(found) == OTHER_RULES.get(rule["name"], rule["anomalies"])


def test_text_that_is_not_utf_8_never_gets_as_far_as_a_rule():
    """ENUM_TYPE_INVALID_UTF8 in TFDV; here the file is refused, with its line."""
    assert refusal(b"c\na\n\xff\xfe\n").startswith("line 3: not UTF-8")
