"""What decoding costs in each format, beside JSON: the same events of 40 features, rows and all."""

import gc
import io
import json
import time

import fastavro
import msgspec
import numpy as np
import pytest

from detector.batch import Feature, FeatureSet
from detector.formats import Catalog, EventOptions, EventShape, formats
from detector.formats.avro_schema import reader_of
from detector.times import format_time
from tests.bench.events40 import NUMBERS, TEXTS, rows
from tests.formats.writing import Written, attributes, binary, tensors
from tests.support.factories import KEY, START_S, records

pytestmark = pytest.mark.bench

N = 2_000
ROUNDS = 5
MOST_RATIO = {
    "json": 1.0,
    "msgpack": 1.5,
    "avro": 6.0,
    "kserve v1": 6.0,
    "kserve v2": 6.0,
    "seldon": 6.0,
    "1 a request": 15.0,
}
"""Decoding is the smaller part of what an event costs, and JSON's own reader is hard to match."""

FEATURES = FeatureSet.of([Feature(n, "float") for n in NUMBERS] + [Feature(t, "string") for t in TEXTS])
SCHEMA = {
    "type": "record",
    "name": "Event",
    "fields": [
        {"name": "model", "type": "string"},
        {"name": "version", "type": "string"},
        {"name": "timestamp", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {
            "name": "features",
            "type": {
                "type": "record",
                "name": "Features",
                "fields": [
                    *({"name": n, "type": ["null", "double"]} for n in NUMBERS),
                    *({"name": t, "type": ["null", "string"]} for t in TEXTS),
                ],
            },
        },
    ],
}


def _document(row):
    return {"model": KEY.model, "version": KEY.version, "timestamp": format_time(START_S), "features": row}


def _avro(row, schema):
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, schema, _document(row) | {"timestamp": round(START_S * 1000)})
    return b"\0\0\0\0\x01" + stream.getvalue()


def _kserve(data):
    return binary(data, attributes("request", START_S))


def _contestants():
    """Format, rows a record, and the records."""
    made = list(rows(np.random.default_rng(2), N))
    schema = fastavro.parse_schema(SCHEMA)
    yield "json", "json", [Written(json.dumps(_document(row)).encode()) for row in made]
    yield "msgpack", "msgpack", [Written(msgspec.msgpack.encode(_document(row))) for row in made]
    yield "avro", "avro", [Written(_avro(row, schema)) for row in made]
    # A null in each event, so that the numbers are not read at once.
    sparse = [{**row, NUMBERS[i % 30]: None} for i, row in enumerate(made)]
    yield "avro, a null in each event", "avro", [Written(_avro(row, schema)) for row in sparse]
    for n in (1, 10):
        parts = [made[i : i + n] for i in range(0, N, n)]
        columns = [{name: [row[name] for row in part] for name in (*NUMBERS, *TEXTS)} for part in parts]
        yield f"kserve v1, {n} a request", "kserve", [_kserve({"instances": part}) for part in parts]
        yield f"kserve v2, {n} a request", "kserve", [_kserve({"inputs": tensors(c)}) for c in columns]
        messages = [
            {"names": [*c], "ndarray": [list(row) for row in zip(*c.values(), strict=True)]} for c in columns
        ]
        yield f"seldon, {n} a request", "seldon", [_kserve({"data": message}) for message in messages]


def _us_an_event(name, written):
    options = EventOptions(schemas={1: reader_of(SCHEMA)}.get)
    decoder = formats.get(name)(
        options if name == "avro" else EventOptions(), Catalog({KEY: EventShape(FEATURES)})
    )
    made = records([w.value for w in written])
    poll = type(made)(
        made.values, made.partition, made.offset, made.time_ms, made.partitions, [w.headers for w in written]
    )
    best = float("inf")
    # As `Service.run` does: garbage is collected between polls.
    gc.disable()
    for _ in range(ROUNDS):
        gc.collect()
        started = time.process_time()
        found = decoder.decode(poll)
        best = min(best, time.process_time() - started)
    gc.enable()
    assert found.rejected == {}
    assert sum(len(batch.rows) for batch in found.batches) == N
    return best / N * 1e6


def test_decoding_in_each_format(capsys):
    """CPU an event, several of which may be in a record: no format gets slower unnoticed."""
    found = {label: _us_an_event(name, written) for label, name, written in _contestants()}
    with capsys.disabled():
        print(f"\ndecoding alone, 40 features, best of {ROUNDS}:")
        for label, us in found.items():
            print(f"  {label:<28} {us:6.2f} us CPU an event, {us / found['json']:.2f} of JSON's")

    for label, us in found.items():
        # A request of one row in the v2 protocol is four times as long as the JSON event, and 40 objects.
        assert (
            us <= found["json"] * MOST_RATIO["1 a request" if "1 a request" in label else label.split(",")[0]]
        )
