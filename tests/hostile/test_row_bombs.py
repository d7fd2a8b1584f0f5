"""Records that unfold to far more than they are: memory stays within what is meant for a poll, work too."""

import gzip
import io
import json
import tracemalloc
from collections import Counter

import numpy as np
import pytest

from detector.batch import Feature, FeatureSet, ModelKey
from detector.formats import Catalog, EventOptions, EventShape, decode_all, formats
from detector.formats.avro_schema import MAX_NOTHINGS, UnusableSchemaError, reader_of
from detector.formats.inference_log import BYTES_AT_ONCE, ROWS_AT_ONCE
from detector.replay.lines import BYTES_AT_ONCE as BLOCK_BYTES
from detector.replay.lines import bounded_lines, line_blocks
from tests.support.factories import KEY, START_S, event, records

MIB = 1 << 20
WIDE = FeatureSet.of([Feature(f"f{i}", "float") for i in range(2000)])
NARROW = FeatureSet.of([Feature("amount", "float"), Feature("country", "string")])


def _log(features=NARROW, name="kserve", **options):
    decoder = formats.get(name)(EventOptions(**options), Catalog({KEY: EventShape(features)}))
    kind = "io.seldon.serving.inference.request" if name == "seldon" else "x.inference.request"
    headers = {"ce_type": kind.encode(), "ce_inferenceservicename": KEY.model.encode()}

    def made(values):
        found = records(values)
        found.time_ms[:] = round(START_S * 1000)
        return type(found)(
            found.values,
            found.partition,
            found.offset,
            found.time_ms,
            found.partitions,
            [headers] * len(values),
        )

    return decoder, made


def _peak(call):
    """Return the bytes that a call needs beyond what there was, and what it returns."""
    tracemalloc.start()
    try:
        found = call()
        return tracemalloc.get_traced_memory()[1], found
    finally:
        tracemalloc.stop()


def _rejected(parts):
    return sum(
        (Counter({reason: n for (_, reason), n in part.rejected.items()}) for part in parts), Counter()
    )


def _full(cell, size=MIB - 100):
    """As many cells as fit into a record."""
    return b",".join([cell] * (size // (len(cell) + 1)))


BOMBS = {
    "empty rows": b'{"instances": [' + _full(b"{}") + b"]}",
    "rows of one cell": b'{"instances": [' + _full(b"[1]") + b"]}",
    "single cells": b'{"instances": [' + _full(b"1") + b"]}",
    "a tensor": b'{"inputs":[{"name":"amount","shape":[%d],"data":[%s]}]}'
    % (_full(b"1").count(b"1"), _full(b"1")),
    "two tensors": b'{"inputs":[%s,%s]}'
    % tuple(
        b'{"name":"%s","shape":[%d],"data":[%s]}'
        % (name, _full(b"1", MIB // 3).count(b"1"), _full(b"1", MIB // 3))
        for name in (b"amount", b"country")
    ),
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_a_record_of_more_rows_than_is_allowed_is_too_large(bomb):
    """A megabyte of rows, by any way of writing them: rejected, at 60 bytes for each of its own."""
    decoder, made = _log()
    good = json.dumps({"instances": [{"amount": 1.5, "country": "DE"}]}).encode()
    assert len(bomb) <= MIB
    poll = made([bomb, good])

    peak, found = _peak(lambda: decoder.decode(poll))

    assert found.rejected == {("events", "too_large"): 1}
    assert found.batches[0].columns.numeric.tolist() == [[1.5]]
    assert peak < 60 * MIB


def test_the_number_of_rows_is_a_setting():
    """Exactly so many pass."""
    decoder, made = _log(max_rows=3)
    found = decoder.decode(made([json.dumps({"instances": [[1, "DE"]] * n}).encode() for n in (3, 4)]))
    assert found.rejected == {("events", "not_an_object"): 1, ("events", "too_large"): 1}

    rows = [{"amount": 1.0}]
    found = decoder.decode(made([json.dumps({"instances": rows * n}).encode() for n in (3, 4)]))
    assert (len(found.batches[0].rows), found.rejected) == (3, {("events", "too_large"): 1})


def test_empty_rows_of_a_wide_model_are_counted_in_cells():
    """Ten thousand rows are allowed, and twenty million cells of them are not."""
    decoder, made = _log(WIDE)
    peak, found = _peak(
        lambda: decoder.decode(made([b'{"instances": [' + b",".join([b"{}"] * 10_000) + b"]}"]))
    )

    assert found.rejected == {("events", "too_large"): 1}
    assert peak < 4 * MIB


POLLS = {
    # 50 MB of dense rows that a bulk job scored, 2,000 each.
    "bulk scoring": (
        NARROW,
        json.dumps({"instances": [{"amount": 1.25, "country": "DE"}] * 2000}).encode(),
        600,
    ),
    # Rows that hold next to nothing.
    "sparse rows": (NARROW, b'{"instances": [' + b",".join([b"{}"] * 9000) + b"]}", 100),
    # As many cells as a record may have.
    "wide rows": (WIDE, b'{"instances": [' + b",".join([b"{}"] * 1000) + b"]}", 30),
    # Columns that nobody asked for.
    "columns of no feature": (
        NARROW,
        json.dumps({"instances": [{f"x{i}": i for i in range(60_000)}]}).encode(),
        30,
    ),
}


@pytest.mark.parametrize(("features", "value", "n"), POLLS.values(), ids=POLLS)
def test_a_poll_of_many_rows_is_decoded_in_parts_and_loses_nothing(features, value, n):
    """Every event is there, in the order of the records; memory is that of a part, not of the poll."""
    decoder, made = _log(features)
    poll = made([value] * n)
    per_record = len(decoder.decode(made([value])).batches[0].rows)
    rows, largest = [], 0

    def drain():
        nonlocal largest
        for part in decode_all(decoder, poll):
            assert part.rejected == {}
            rows.append(sum(len(batch.rows) for batch in part.batches))
            largest = max(largest, len(part))
            assert not np.isnan(part.time_s).any()

    peak, _ = _peak(drain)

    assert sum(rows) == per_record * n
    assert len(rows) > 1
    assert max(rows) <= ROWS_AT_ONCE + per_record
    assert largest * len(value) <= BYTES_AT_ONCE + 2 * len(value)
    assert peak < 120 * MIB


def test_parts_are_what_the_poll_is():
    """The parts' offsets and times, put together, are those of the poll."""
    decoder, made = _log()
    rows = [{"amount": float(i), "country": "DE"} for i in range(5000)]
    values = [json.dumps({"instances": rows[i : i + 5]}).encode() for i in range(0, 5000, 5)]
    values += [b"{", None, b" " * (2 * MIB)]
    large = json.dumps({"instances": [{"amount": 1.0, "junk": "x" * 900_000}]}).encode()
    parts = list(decode_all(decoder, made([*values[:500], large, large, large, *values[500:]])))

    assert len(parts) > 1
    assert np.concatenate([part.offset for part in parts]).tolist() == list(range(len(values) + 3))
    assert _rejected(parts) == {"undecodable": 1, "null_value": 1, "too_large": 1}
    amounts = np.concatenate([batch.columns.numeric[0] for part in parts for batch in part.batches])
    assert [a for a in amounts.tolist() if a != 1.0] == [float(i) for i in range(5000) if i != 1]


def test_avro_items_of_nothing_are_no_schema():
    """A record of a thousand nulls in a list: a kilobyte of it would be a million values."""

    def listed(fields):
        inner = {"type": "record", "name": "I", "fields": fields}
        return {
            "type": "record",
            "name": "E",
            "fields": [{"name": "a", "type": {"type": "array", "items": inner}}],
        }

    flag = {"name": "flag", "type": "boolean"}
    nothing = [{"name": f"n{i}", "type": "null"} for i in range(MAX_NOTHINGS + 1)]
    optional = [{"name": f"o{i}", "type": ["null", "double"]} for i in range(200)]
    for fields in (
        [flag, *nothing],
        [flag, {"name": "r", "type": {"type": "record", "name": "R", "fields": nothing}}],
    ):
        with pytest.raises(UnusableSchemaError, match="take no bytes"):
            reader_of(listed(fields))
        as_map = listed(fields)
        as_map["fields"][0]["type"] = {"type": "map", "values": as_map["fields"][0]["type"]["items"]}
        with pytest.raises(UnusableSchemaError, match="take no bytes"):
            reader_of(as_map)
    reader_of(listed([flag, *nothing[:-1]]))
    reader_of(listed([flag, *optional]))


def test_avro_lists_take_no_more_than_their_bytes_are_worth():
    """The worst list that a schema may describe, in a record of a megabyte."""
    fields = [{"name": "flag", "type": "boolean"}, *({"name": f"n{i}", "type": "null"} for i in range(2))]
    inner = {"type": "record", "name": "I", "fields": fields}
    schema = {
        "type": "record",
        "name": "E",
        "fields": [{"name": "a", "type": {"type": "array", "items": inner}}],
    }
    n = 100_000
    zigzag, head = 2 * n, b""
    while zigzag >= 0x80:
        head, zigzag = head + bytes([zigzag & 0x7F | 0x80]), zigzag >> 7
    payload = head + bytes([zigzag]) + b"\1" * n + b"\0"

    peak, (found, end) = _peak(lambda: reader_of(schema)(payload, 0))

    assert (len(found["a"]), end) == (n, len(payload))
    assert peak < 300 * n


def test_seldon_rows_are_bounded_too():
    """Named lists, and tensors."""
    decoder, made = _log(name="seldon")
    ones = _full(b"1", MIB // 2)
    n = ones.count(b"1")
    payloads = [
        b'{"data": {"names": ["amount"], "ndarray": [' + _full(b"[1]") + b"]}}",
        b'{"data": {"names": ["amount"], "tensor": {"shape": [%d, 1], "values": [%s]}}}' % (n, ones),
    ]
    peak, found = _peak(lambda: decoder.decode(made(payloads)))

    assert found.rejected == {("events", "too_large"): 2}
    assert peak < 60 * MIB


def test_a_recorded_line_of_gigabytes_is_one_event_too_large():
    """Read from gzip: a line is never in memory as a whole, and the one after it is read."""
    packed = io.BytesIO()
    with gzip.open(packed, "wb", compresslevel=1) as file:
        for _ in range(128):
            file.write(b"x" * MIB)
        file.write(b"\n{}\n")
    packed.seek(0)

    with gzip.open(packed) as file:
        peak, lines = _peak(lambda: list(bounded_lines(file, MIB)))

    assert [len(line) for line in lines] == [MIB + 1, 3]
    assert peak < 8 * MIB


def test_recorded_lines_come_in_blocks_of_bounded_size():
    """Two thousand of a megabyte each would be two gigabytes."""
    line = b"x" * MIB + b"\n"
    blocks = list(line_blocks(bounded_lines(io.BytesIO(line * 20), 2 * MIB)))

    assert [line for block in blocks for line in block] == [line] * 20
    assert max(sum(map(len, block)) for block in blocks) <= BLOCK_BYTES + 2 * MIB


def test_a_poll_of_single_events_is_one_part():
    """What does not unfold needs no parts."""
    decoder = formats.get("json")(EventOptions(), Catalog({ModelKey("credit", "1"): EventShape(NARROW)}))
    parts = list(decode_all(decoder, records([event({"amount": 1.0, "country": "DE"})] * 2000)))
    assert [len(part) for part in parts] == [2000]
