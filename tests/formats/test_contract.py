"""What every event format promises: the same events are the same columns, and nothing stops the decoder."""

import math
from collections import Counter

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.batch import REJECT_REASONS, CellKind, ModelKey
from detector.drift.policy import DecisionPolicy
from detector.formats import EventShape, formats
from detector.pipeline import Pipeline
from detector.watched import Monitored
from detector.windows.slices import Slices
from tests.formats.writing import FEATURES, GOOD, NAMES, SHAPE, WAYS, Way, Written
from tests.support.factories import KEY, SPEC, START_S, baseline_of, training_rows

each_way = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)

ROWS = [
    GOOD,
    {"amount": 1, "age": 2**53, "country": "", "member": False, "score": 1},
    {"amount": -1e300, "age": -7, "country": "Ünï\U0001f600", "member": True, "score": 0.0},
    {"amount": None, "age": 3, "country": None, "member": None, "score": 0.5},
    {"amount": "12", "age": True, "country": 7, "member": "true", "score": "0.5"},
    {"amount": False, "age": "x", "country": True, "member": 1, "score": True},
]


def _cells(found):
    """Return what is told of each feature by event: a value, None, or a `CellKind`; "untold" is left out."""
    cells = {name: [] for name in FEATURES.names}
    for batch in found.batches:
        columns = batch.columns
        odd = {
            (r, f): CellKind(k) for r, f, k in zip(*(a.tolist() for a in _arrays(columns.odd)), strict=True)
        }
        values = [*columns.numeric.tolist(), *map(list, columns.categorical)]
        for f, feature in enumerate(FEATURES.all):
            if columns.only in (None, feature.role):
                plain = [None if isinstance(v, float) and math.isnan(v) else v for v in values[f]]
                cells[feature.name] += [odd.get((row, f), value) for row, value in enumerate(plain)]
    return cells


def _arrays(odd):
    return odd.row, odd.feature, odd.kind


def test_every_format_is_tried():
    """A format that is added is added here."""
    assert {way.format for way in WAYS.values()} == set(formats.names())


@each_way
def test_the_same_events_are_the_same_columns(way):
    """Whatever they are written in, values, missing ones and mismatches."""
    expected = WAYS["json"].decoder().decode(WAYS["json"].records(WAYS["json"].write(ROWS, START_S)))
    found = way.decoder().decode(way.records(way.write(ROWS, START_S)))

    assert found.rejected == {}
    assert _cells(found) == _cells(expected)
    assert [batch.key for batch in found.batches] == [KEY] * (2 if way.apart else 1)
    assert found.time_s.tolist() == [START_S] * len(found.time_s)


@each_way
def test_rows_one_by_one_are_what_they_are_together(way):
    """No event has to do with those beside it in a poll, and order does not matter."""
    together = way.decoder().decode(way.records(way.write(ROWS, START_S)))
    written = [w for row in ROWS for w in way.write([row], START_S)]
    backwards = [w for row in reversed(ROWS) for w in way.write([row], START_S)]
    apart, turned = (way.decoder().decode(way.records(w)) for w in (written, backwards))

    assert _cells(apart) == _cells(together)
    assert _cells(turned) == {name: cells[::-1] for name, cells in _cells(together).items()}


# A cell of each feature: of its type, or of another that the Avro schema of the tests has a place for.
FLOATS = st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
OTHERS = st.none() | st.booleans() | st.integers(-(2**62), 2**62) | st.text()
CELLS = {"amount": FLOATS, "age": OTHERS, "country": OTHERS, "member": OTHERS, "score": FLOATS}


@settings(max_examples=80, deadline=None, derandomize=True, database=None)
@given(st.lists(st.fixed_dictionaries(CELLS), min_size=1, max_size=4))
def test_any_rows_are_the_same_in_every_format(rows):
    """Cells of any type, of the feature's or another."""
    expected = _cells(WAYS["json"].decoder().decode(WAYS["json"].records(WAYS["json"].write(rows, START_S))))
    for name, way in WAYS.items():
        found = way.decoder().decode(way.records(way.write(rows, START_S)))
        assert _cells(found) == expected, name


@pytest.fixture(scope="module")
def baseline():
    rng = np.random.default_rng(8)
    rows = training_rows(rng, 3000)
    scores = rng.random(len(rows)).round(3).tolist()
    return baseline_of(
        [{**row, "score": score} for row, score in zip(rows, scores, strict=True)], prediction=("score",)
    )


@each_way
def test_the_same_events_are_judged_alike(way, baseline):
    """Statistics, thresholds, states and anomalies of 400 drifting events, to the last bit."""
    rows = training_rows(np.random.default_rng(9), 400)
    rows = [{**row, "amount": 5 * row["amount"], "score": 0.1} for row in rows]
    rows = [dict(list(row.items())[i % 2 :]) for i, row in enumerate(rows)]

    expected, found = (_judged(one, rows, baseline) for one in (WAYS["json"], way))

    assert found.evaluation.state.tolist() == expected.evaluation.state.tolist()
    assert len(set(expected.evaluation.state[0].tolist())) > 1
    assert found.evaluation.n.tolist() == expected.evaluation.n.tolist() == [400]
    for name, statistic in expected.evaluation.statistics.items():
        other = found.evaluation.statistics[name]
        np.testing.assert_array_equal(other.value, statistic.value, name)
        np.testing.assert_array_equal(other.threshold, statistic.threshold, name)
    assert found.anomalies == expected.anomalies


def _judged(way: Way, rows, baseline):
    pipeline = Pipeline(SPEC, {KEY: Monitored(baseline, DecisionPolicy(min_samples=100), Slices())})
    decoder = way.decoder({KEY: EventShape(baseline.features, (), baseline.known)})
    written = [w for i in range(0, len(rows), 10) for w in way.write(rows[i : i + 10], START_S)]
    outcomes = list(pipeline.feed(decoder.decode(way.records(written)), START_S + 60))
    outcomes += pipeline.finish()
    assert pipeline.counters.rejected.total() == 0
    return outcomes[-1].judged[0]


_HUGE = b'{"inputs": [{"name": "amount", "shape": [%s], "datatype": "FP64", "data": [%s]}]}'
HOSTILE = [
    b"",
    b"\0",
    b"\xff\xfe",
    b"{}",
    b"[]",
    b"null",
    # Deep.
    b"[" * 200_000,
    b'{"a":' * 100_000,
    b"\x91" * 200_000,
    b"\x81\xa1a" * 100_000,
    # Lengths that nothing is behind: MessagePack's maps, lists and binaries, Avro's numbers.
    b"\xdf\xff\xff\xff\xff",
    b"\xdd\xff\xff\xff\xff",
    b"\xc6\xff\xff\xff\xff",
    b"\0\0\0\0\x01" + b"\xfe" * 9 + b"\x01",
    b"\0\0\0\0\x01\xff\xff\xff\xff\x0f",
    b"\0\0\0\0\x02abc",
    b"\x01\0\0\0\x01",
    # Rows that are none, or do not fit each other.
    b'{"instances": 7}',
    b'{"instances": []}',
    b'{"instances": [[]]}',
    b'{"instances": [[1], [1, 2]]}',
    b'{"instances": [{}, 1]}',
    b'{"instances": [NaN, 1e999, -1e999]}',
    b'{"instances": [null]}',
    # Shapes that the data do not fill.
    _HUGE % (b"1000000000, 0", b""),
    _HUGE % (b"9999999999999, 9999999999", b"1"),
    _HUGE % (b"-1, -1", b"1"),
    _HUGE % (b"true", b"1"),
    _HUGE % (b"2, 1", b"[1], 2"),
    _HUGE % (b"1," * 99 + b"1", b"1"),
    b'{"inputs": [{"name": "a", "shape": [1], "data": [1]}, {"name": "a", "shape": [1], "data": [1]}]}',
    b'{"inputs": [{"name": "a", "shape": [1], "data": [1]}, {"name": "b", "shape": [2], "data": [1, 2]}]}',
    b'{"inputs": [{}]}',
    b'{"inputs": {}}',
    b'{"data": {"tensor": {"shape": [2, 2], "values": [1]}}}',
    b'{"data": {"ndarray": {}}}',
    b'{"data": 1}',
    # Names that stand twice, or are none.
    b'{"data": {"names": ["amount", "amount"], "ndarray": [[1, 2]]}}',
    b'{"data": {"names": [1], "ndarray": [[1]]}}',
    b'{"specversion": "1.0", "type": 7, "data": {}}',
    b'{"specversion": "1.0", "data_base64": "%%%"}',
    b'{"specversion": "1.0", "data_base64": "e30="}',
    b'{"specversion": "1.0", "data_base64": 7}',
]


def _hostile(way: Way):
    """Payloads that somebody made a mistake in, or meant to."""
    good = way.write([GOOD], START_S)[0]
    assert good.value is not None
    cuts = range(0, len(good.value), max(1, len(good.value) // 40))
    yield from (Written(good.value[:cut], good.headers) for cut in cuts)
    yield from (Written(good.value + tail, good.headers) for tail in (b"\0", b"}", b"\xff" * 9))
    flipped = np.random.default_rng(3)
    for _ in range(200):
        wrong = bytearray(good.value)
        wrong[flipped.integers(len(wrong))] = flipped.integers(256)
        yield Written(bytes(wrong), good.headers)
    for value in HOSTILE:
        yield Written(value, good.headers)
        yield Written(value)
    for headers in (
        {"ce_type": b"\xff"},
        {"ce_type": b"x"},
        {"ce_time": b"never"},
        {"content-type": b"application/cloudevents+avro"},
    ):
        yield Written(good.value, {**good.headers, **headers})


@each_way
def test_a_hostile_payload_harms_no_other(way):
    """Each ends in exactly one place, under one of the eight reasons, with the same good events around it."""
    before, after = way.write([GOOD], START_S), way.write([GOOD], START_S)
    decoder = way.decoder()
    expected = Counter(dict.fromkeys(FEATURES.names, 2))
    reasons = Counter()
    for bad in _hostile(way):
        found = decoder.decode(way.records([*before, bad, *after]))
        places = {int(row) for batch in found.batches for row in batch.rows}
        assert len(places) + sum(found.rejected.values()) + found.n_labels == len(before) + 1 + len(after)
        told = Counter({name: len(cells) for name, cells in _cells(found).items()})
        assert all(told[name] >= expected[name] for name in expected)
        for name, cells in _cells(found).items():
            good = GOOD[name.removeprefix("prediction.")]
            assert (cells[0], cells[-1]) == (good, good)
        assert all(np.isfinite(b.columns.numeric[~np.isnan(b.columns.numeric)]).all() for b in found.batches)
        reasons.update(reason for _, reason in found.rejected)

    assert set(reasons) <= set(REJECT_REASONS)
    assert reasons["undecodable"] > 0


@each_way
def test_too_large_and_empty_records_have_their_reasons(way):
    """10 MB are not looked at, and nothing is no event."""
    found = way.decoder().decode(
        way.records([Written(b"\0" * 10_000_000), Written(None), *way.write([GOOD], START_S)])
    )

    assert {reason: n for (_, reason), n in found.rejected.items()} == {"too_large": 1, "null_value": 1}
    assert _cells(found)["amount"] == [12.5]


@each_way
def test_a_model_that_nobody_knows(way):
    """Is a reason of its own, where events name their model."""
    found = way.decoder({ModelKey("other", "1"): SHAPE}).decode(way.records(way.write([GOOD], START_S)))

    assert found.rejected == ({("events", "unknown_model"): 2 if way.apart else 1} if way.names_model else {})


@each_way
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_none(way, value):
    """NaN and infinities are not finite in every format; no other cell suffers."""
    found = way.decoder().decode(way.records(way.write([{**GOOD, "amount": value}, GOOD], START_S)))

    assert _cells(found) == {
        "amount": [CellKind.NON_FINITE, 12.5],
        "age": [40, 40],
        "prediction.score": [0.25, 0.25],
        "country": ["DE", "DE"],
        "member": [True, True],
    }


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(st.sampled_from(sorted(WAYS)), st.binary(max_size=80), st.booleans(), st.booleans())
def test_any_bytes_end_in_exactly_one_place(name, noise, with_headers, as_body):
    """Noise alone, and noise behind what the format begins with."""
    way = WAYS[name]
    (good, *_) = way.write([GOOD], START_S)
    start = {"avro": b"\0\0\0\0\x01"}.get(way.format, b"") if as_body else b""
    found = way.decoder().decode(
        way.records([good, Written(start + noise, good.headers if with_headers else {})])
    )
    places = {int(row) for batch in found.batches for row in batch.rows}

    assert len(places) + sum(found.rejected.values()) + found.n_labels == 2
    assert found.batches[0].columns.numeric[0, 0] == 12.5
    assert {reason for _, reason in found.rejected} <= set(REJECT_REASONS)


def test_names_are_those_of_the_tests():
    """The order of `NAMES` is that of bare lists."""
    assert set(NAMES) == {f.name for f in FEATURES.all if f.role == "feature"}


@pytest.mark.parametrize("key", [7, -1, None, True, 1.5, b"bytes"])
def test_a_key_that_is_no_text_is_no_column(key):
    """MessagePack has them; the event counts by what else it brings."""
    way = WAYS["msgpack"]
    event = msgspec.msgpack.decode(way.write([GOOD], START_S)[0].value)
    event["features"] |= {key: 1, "new": 2}
    found = way.decoder().decode(way.records([Written(msgspec.msgpack.encode(event))]))

    assert [batch.sightings[0].new for batch in found.batches] == [("new",)]
