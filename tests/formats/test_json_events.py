"""JSON events: what is taken out of a payload, and what becomes of one that is not as it should be."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.batch import CellKind, Feature, FeatureSet, ModelKey
from detector.errors import ConfigError
from detector.formats import Catalog, EventFields, EventOptions, EventShape, formats
from tests.support.factories import KEY, START_S, event, records

FEATURES = FeatureSet.of(
    [
        Feature("amount", "float"),
        Feature("age", "int"),
        Feature("country", "string"),
        Feature("member", "bool"),
        Feature("score", "float", "prediction"),
    ]
)
GOOD = {"amount": 12.5, "age": 40, "country": "DE", "member": True}


def _decoder(options: EventOptions | None = None, shapes=None):
    shapes = shapes or {KEY: EventShape(FEATURES)}
    return formats.get("json")(options or EventOptions(), Catalog(shapes))


def _decode(*values, options=None, shapes=None):
    return _decoder(options, shapes).decode(records(values))


def _one(value, **more):
    """Return the columns of the only event, or the only reason."""
    found = _decode(value, **more)
    if found.rejected:
        ((_, reason),) = found.rejected
        return reason
    return found.batches[0].columns if found.batches else None


def _good(i: int = 0, **features):
    return event({**GOOD, **features}, START_S + i, prediction={"score": 0.25})


def test_a_good_event_becomes_one_column_position():
    """Numbers into the matrix, texts and booleans into lists, the time into seconds."""
    found = _decode(_good())
    columns = found.batches[0].columns

    assert found.time_s.tolist() == [START_S]
    assert columns.numeric.tolist() == [[12.5], [40.0], [0.25]]
    assert [list(c) for c in columns.categorical] == [["DE"], [True]]


BAD = {
    "undecodable": [
        b"",
        b"{",
        b"\xff\xfe",
        b"not json",
        b'{"a":1}trailing',
        b"[" * 100_000,
        b'{"features": {"country": "\\ud800"}}',
        b'"' + b"x" * 100,
    ],
    "not_an_object": [
        b"null", b"1", b'"text"', b"[]", b"[{}]",
        json.dumps({"model": "credit", "version": "1", "features": [1]}).encode(),
    ],
    "unknown_model": [
        event(GOOD, key=ModelKey("other", "1")),
        event(GOOD, key=ModelKey("credit", "9")),
        b'{"model": 7, "version": "1", "features": {}}',
        b'{"model": "credit", "version": true, "features": {}}',
        b'{"model": {"a": 1}, "version": "1"}',
    ],
    "bad_timestamp": [
        event(GOOD, None),
        event(GOOD, None, timestamp="yesterday"),
        event(GOOD, None, timestamp="2026-11-23T00:00:00"),
        event(GOOD, None, timestamp=1_790_000_000),
        event(GOOD, None, timestamp=True),
        event(GOOD, None, timestamp="0001-01-01T00:00:00Z"),
    ],
    "too_large": [b" " * (1 << 20) + _good()],
    "null_value": [None],
}  # fmt: skip
BAD_CASES = [
    pytest.param(reason, value, id=f"{reason}-{i}")
    for reason, values in BAD.items()
    for i, value in enumerate(values)
]


@pytest.mark.parametrize(("reason", "value"), BAD_CASES)
def test_one_bad_event_among_999_good_ones_changes_no_other_count(reason, value):
    """It is counted under its reason; every other event is as if it were not there."""
    good = [_good(i, amount=float(i)) for i in range(999)]
    expected = _decode(*good).batches[0].columns
    place = 500

    found = _decode(*good[:place], value, *good[place:])

    assert found.rejected == {("events", reason): 1}
    np.testing.assert_array_equal(found.batches[0].columns.numeric, expected.numeric)
    assert [list(c) for c in found.batches[0].columns.categorical] == [list(c) for c in expected.categorical]
    assert np.isnan(found.time_s[place])


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(
    st.binary(max_size=60)
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["model", "version", "features", "timestamp", "prediction", "amount", "label"]
                ),
                inner,
                max_size=5,
            )
        ),
        max_leaves=12,
    ).map(lambda document: json.dumps(document).encode())
)
def test_whatever_a_payload_holds_it_ends_in_exactly_one_place(value):
    """Any bytes: an event, a rejection or a label, and the event beside it unharmed."""
    found = _decode(_good(), value)
    n_events = sum(len(batch.rows) for batch in found.batches)

    assert n_events + sum(found.rejected.values()) + found.n_labels == 2
    assert found.batches[0].columns.numeric[0, 0] == 12.5


@pytest.mark.parametrize(
    ("features", "feature", "kind"),
    [
        ({"amount": "12.5"}, 0, CellKind.MISMATCH),
        ({"amount": True}, 0, CellKind.MISMATCH),
        ({"amount": {"value": 1}}, 0, CellKind.MISMATCH),
        ({"amount": [1]}, 0, CellKind.MISMATCH),
        ({"amount": float("nan")}, 0, CellKind.NON_FINITE),
        ({"amount": float("-inf")}, 0, CellKind.NON_FINITE),
        ({"amount": 10**400}, 0, CellKind.NON_FINITE),
        ({"country": 7}, 3, CellKind.MISMATCH),
        ({"member": "true"}, 4, CellKind.MISMATCH),
        ({"member": 1}, 4, CellKind.MISMATCH),
    ],
)
def test_a_wrong_cell_spoils_only_itself(features, feature, kind):
    """The rest of the event counts; the cell is a mismatch, or not finite."""
    columns = _one(_good(**features))

    assert (columns.odd.feature.tolist(), columns.odd.kind.tolist()) == ([feature], [kind])
    assert columns.numeric[1].tolist() == [40.0]


@pytest.mark.parametrize("features", [{}, {"amount": None, "age": None, "country": None, "member": None}])
def test_absent_and_null_features_are_missing(features):
    """There is no difference between a key that is not there and null."""
    columns = _one(event(features))

    assert np.isnan(columns.numeric).all()
    assert [list(c) for c in columns.categorical] == [[None], [None]]
    assert len(columns.odd.row) == 0


def test_unknown_keys_are_no_concern():
    """Services add fields; the detector reads those it knows."""
    assert _one(event({**GOOD, "new": [1, {"deep": None}]}, extra={"a": 1})).numeric[0].tolist() == [12.5]


def test_a_label_without_features_is_counted_apart():
    """The label of an earlier event is no event of its own, and no error."""
    found = _decode(b'{"model": "credit", "version": "1", "event_id": "7", "label": true}')

    assert (found.n_labels, found.rejected, found.batches) == (1, {}, ())


def test_an_event_without_a_time_takes_the_records():
    """The broker's timestamp is the next best; without one the event has no place in time."""
    made = records([event(GOOD, None), event(GOOD, None)])
    made.time_ms[:] = [int(START_S * 1000), -1]
    found = _decoder().decode(made)

    assert found.time_s[0] == START_S
    assert found.rejected == {("events", "bad_timestamp"): 1}


@pytest.mark.parametrize(
    ("time_format", "written"),
    [
        ("rfc3339", "2026-11-23T05:11:05+01:00"),
        ("iso8601", "2026-11-23T04:11:05"),
        ("s", 1_795_407_065),
        ("ms", 1_795_407_065_000),
        ("us", 1_795_407_065_000_000),
        ("ns", 1_795_407_065_000_000_000),
    ],
)
def test_each_time_format_is_read(time_format, written):
    """All of them say the same second."""
    found = _decode(event(GOOD, None, timestamp=written), options=EventOptions(time_format=time_format))

    assert found.time_s.tolist() == [1_795_407_065.0]


def test_events_of_several_models_and_versions_are_told_apart():
    """Each version has its own features; numbers and texts name versions alike."""
    other = FeatureSet.of([Feature("amount", "string")])
    shapes = {KEY: EventShape(FEATURES), ModelKey("credit", "2"): EventShape(other)}
    found = _decode(
        _good(),
        event({"amount": "much"}, key=ModelKey("credit", "2")),
        b'{"model": "credit", "version": 2, "timestamp": "2026-11-23T00:00:00Z", '
        b'"features": {"amount": "x"}}',
        shapes=shapes,
    )
    by_key = {batch.key.version: batch for batch in found.batches}

    assert by_key["1"].rows.tolist() == [0]
    assert by_key["2"].rows.tolist() == [1, 2]
    assert list(by_key["2"].columns.categorical[0]) == ["much", "x"]


def test_a_baseline_for_any_version_serves_those_without_their_own():
    """And a version with a baseline of its own keeps it."""
    shapes = {ModelKey("credit", "any"): EventShape(FEATURES), ModelKey("credit", "2"): EventShape(FEATURES)}
    found = _decode(*(event(GOOD, key=ModelKey("credit", v)) for v in ("1", "2", "77")), shapes=shapes)

    assert {batch.key.version: batch.rows.tolist() for batch in found.batches} == {"any": [0, 2], "2": [1]}


@pytest.mark.parametrize("value", [0.25, {"score": 0.25}, {"score": 0.25, "other": 1}])
def test_a_single_prediction_may_stand_alone(value):
    """With one prediction in the baseline, the object around it may be left out."""
    assert _one(event(GOOD, prediction=value)).numeric[2].tolist() == [0.25]


@pytest.mark.parametrize(
    ("fields", "document"),
    [
        ({"features": "", "model": None, "version": None}, {**GOOD, "timestamp": "2026-11-23T00:00:00Z"}),
        (
            {"features": "/data/in", "time": "/meta/at", "model": "/meta/m", "version": "/meta/v"},
            {"data": {"in": GOOD}, "meta": {"at": "2026-11-23T00:00:00Z", "m": "credit", "v": 1}},
        ),
        (
            {"features": {"amount": "/a~1b", "age": "/x/0", "country": "/c", "member": "/m"}},
            {"model": "credit", "version": "1", "timestamp": "2026-11-23T00:00:00Z",
             "a/b": 12.5, "x": {"0": 40}, "c": "DE", "m": True},
        ),
    ],
)  # fmt: skip
def test_fields_are_found_where_the_pointers_say(fields, document):
    """JSON pointers place every part, also each feature alone."""
    columns = _one(json.dumps(document).encode(), options=EventOptions(EventFields(**fields)))

    assert columns.numeric[:2].tolist() == [[12.5], [40.0]]
    assert [list(c) for c in columns.categorical] == [["DE"], [True]]


def test_a_feature_without_a_pointer_is_an_error_at_start():
    """A mapping that forgets a feature would see it missing for ever."""
    with pytest.raises(ConfigError, match="no pointer for feature 'age'"):
        _decoder(EventOptions(EventFields(features={"amount": "/a", "country": "/c", "member": "/m"})))


@pytest.mark.parametrize(
    "name", ['quo"te', "back\\slash", "new\nline", "é漢", "a/b", "~0", "", " ", "\u202e"]
)
def test_a_feature_may_have_any_name(name):
    """Names that a fast struct cannot have are read the patient way; both ways find the value."""
    shapes = {KEY: EventShape(FeatureSet.of([Feature(name, "float"), Feature("x", "float")]))}
    for ensure_ascii in (True, False):
        document = {**json.loads(event({})), "features": {name: 1.5, "x": 2.0}}
        columns = _one(json.dumps(document, ensure_ascii=ensure_ascii).encode(), shapes=shapes)
        assert columns.numeric.tolist() == [[1.5], [2.0]]


def test_slices_come_from_features_or_tags():
    """A slice column that is no feature is looked for among the tags."""
    shapes = {KEY: EventShape(FEATURES, ("country", "region"))}
    columns = _one(event(GOOD, tags={"region": "south"}), shapes=shapes)

    assert [list(s) for s in columns.slices] == [["DE"], ["south"]]
