"""What a few events of a poll tell of their columns, read whole."""

import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.batch import Feature, FeatureSet
from detector.formats import EventFields, EventOptions
from detector.formats.base import EventShape
from detector.formats.json_events import Json
from detector.formats.sightings import EVERY, LEAST_A_POLL, MAX_NAME_LENGTH, MAX_NEW_NAMES, ColumnWatch

FEATURES = FeatureSet.of(
    [Feature("x", "float"), Feature("c", "string"), Feature("prediction.p", "float", "prediction")]
)
SHAPE = EventShape(FEATURES, ("region",), frozenset({"id", "label"}))


def _watch(shape, options):
    return ColumnWatch(shape, options, Json().document, Json.null)


def _look(document, shape=SHAPE, **fields):
    value = document if isinstance(document, bytes) else json.dumps(document).encode()
    watch = _watch(shape, EventOptions(EventFields(**fields)))
    (found,) = watch.look([value], np.array([0]))
    return set(found.new), set(found.null)


def test_new_columns_and_nulls():
    """Features, columns of the training data and slices are known; null is not the same as not there."""
    features = {"x": None, "new": 1, "id": "7", "label": 0, "region": "EU", "other": None}

    assert _look({"features": features}) == ({"new", "other"}, {"x"})


@pytest.mark.parametrize(
    ("document", "null"),
    [
        ({"features": {}}, set()),
        ({"features": {}, "prediction": None}, {"prediction.p"}),
        ({"features": {}, "prediction": {"p": None}}, {"prediction.p"}),
        ({"features": {}, "prediction": {"p": 1}}, set()),
        ({"features": {}, "prediction": 0.5}, set()),
        ({"features": {"prediction.p": None, "p": 1}}, set()),
    ],
)
def test_predictions_are_looked_for_in_their_own_place(document, null):
    """Not among the features."""
    assert _look(document)[1] == null


@pytest.mark.parametrize(
    "document",
    [{}, {"features": None}, {"features": [1]}, [], 7, None, b"{", b"\xff\xfe", b'"' + b"[" * 100_000],
)  # fmt: skip
def test_what_holds_no_features_tells_nothing(document):
    """And stops nothing: such events are none, or have nothing to say."""
    assert _look(document) == (set(), set())


def test_deep_nesting_stops_nothing():
    """An event that no parser follows to its end."""
    assert _look(b'{"features": ' + b"[" * 200_000) == (set(), set())


def test_nan_and_infinities_are_read_as_the_decoder_reads_them():
    """Python's json.dumps writes them; the event counts, so its columns do."""
    assert _look(b'{"features": {"x": NaN, "c": null, "new": -Infinity}}') == ({"new"}, {"c"})


def test_flat_events_know_their_own_parts():
    """The parts that pointers lead to are no columns, whatever they are called."""
    document = {"m": "credit", "meta": {"at": 1}, "x": 1, "c": None, "tags": {}, "what": 1}
    fields = {"features": "", "model": "/m", "version": None, "time": "/meta/at", "id": None}

    assert _look(document, **fields) == ({"what"}, {"c"})


def test_parts_inside_the_features_are_known_and_parts_elsewhere_are_not():
    """`/data/label` makes `label2` of /data known; the `time` of the event makes nothing of it known."""
    document = {"data": {"label2": 1, "timestamp": "t", "a/b": 1}, "timestamp": "t"}

    assert _look(document, features="/data", label="/data/label2", tags="/data/a~1b") == (
        {"timestamp"},
        set(),
    )


def test_features_with_pointers_of_their_own():
    """Null is seen wherever they lie, or the object they should lie in; there are no new columns."""
    places = {"x": "/a/x", "c": "/b/c", "elsewhere": "/z"}

    assert _look({"a": {"x": None, "y": 1}, "b": None}, features=places) == (set(), {"x", "c"})
    assert _look({"a": {}, "b": {"c": "v"}}, features=places) == (set(), set())


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(st.integers(0, 5000), st.integers(0, 5))
def test_a_few_events_spread_over_the_poll(n, first):
    """At least four where there are as many, else one in 64, the first among them; all of this version."""
    values = [json.dumps({"features": {f"n{i}": 1}}).encode() for i in range(2 * n + first)]
    rows = np.arange(first, 2 * n + first, 2)
    found = _watch(SHAPE, EventOptions()).look(values, rows)
    at = [sighting.row for sighting in found]

    assert min(n, LEAST_A_POLL) <= len(at) == len(set(at)) <= 2 * LEAST_A_POLL + n // EVERY
    assert n < EVERY * LEAST_A_POLL or len(at) == -(-n // EVERY)
    assert set(at) <= set(rows.tolist())
    assert at[:1] == rows[:1].tolist()
    assert all(sighting.new == (f"n{sighting.row}",) for sighting in found)
    assert len({b - a for a, b in pairwise(at)}) <= 1


def test_names_are_few_and_short():
    """An event of ten thousand columns with names of a kilobyte."""
    new, _ = _look({"features": {f"{i:05d}" + "n" * 1000: 1 for i in range(10_000)}})

    assert len(new) == MAX_NEW_NAMES
    assert {len(name) for name in new} == {MAX_NAME_LENGTH}
    assert min(new).startswith("00000")
    assert max(new).startswith(f"{MAX_NEW_NAMES - 1:05d}")
