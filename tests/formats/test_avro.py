"""Avro: what the library writes is what we read, and schemas that payloads could abuse are refused."""

import datetime as dt
import io
from decimal import Decimal

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.batch import CellKind
from detector.formats.avro_events import Avro, schema_id
from detector.formats.avro_schema import UnusableSchemaError, reader_of
from detector.formats.avro_values import ODD_PAYLOAD
from detector.formats.event_plan import Rejected
from tests.formats.writing import GOOD, READERS, SCHEMAS, START_S, WAYS, Written, avro, document


def _record(*types, name="R"):
    return {
        "type": "record",
        "name": name,
        "fields": [{"name": f"f{i}", "type": t} for i, t in enumerate(types)],
    }


def _written(schema, value):
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, fastavro.parse_schema(schema), value)
    return stream.getvalue()


def _read(schema, payload):
    value, end = reader_of(schema)(payload, 0)
    assert end == len(payload)
    return value


LONGS = st.integers(-(2**63), 2**63 - 1)
DOUBLES = st.floats(allow_nan=False)
SIMPLE = {
    "null": st.none(),
    "boolean": st.booleans(),
    "int": st.integers(-(2**31), 2**31 - 1),
    "long": LONGS,
    "float": st.floats(allow_nan=False, width=32),
    "double": DOUBLES,
    "bytes": st.binary(max_size=80),
    "string": st.text(max_size=80),
}


@st.composite
def _typed_values(draw):
    """A schema, and a value of it as the library takes it."""
    schema = draw(st.sampled_from([*SIMPLE, "optional", "array", "map", "enum", "fixed", "record"]))
    if schema in SIMPLE:
        return schema, draw(SIMPLE[schema])
    other = draw(st.sampled_from(["boolean", "long", "float", "double", "string"]))
    if schema == "optional":
        members = draw(st.permutations(["null", other]))
        return members, draw(st.none() | SIMPLE[other])
    if schema == "array":
        return {"type": "array", "items": other}, draw(st.lists(SIMPLE[other], max_size=4))
    if schema == "map":
        values = draw(st.dictionaries(st.text(max_size=3), SIMPLE[other], max_size=4))
        return {"type": "map", "values": other}, values
    if schema == "enum":
        name = draw(st.uuids().map(lambda u: f"E{u.hex}"))
        return {"type": "enum", "name": name, "symbols": ["A", "B", "C"]}, draw(st.sampled_from("ABC"))
    if schema == "fixed":
        name = draw(st.uuids().map(lambda u: f"F{u.hex}"))
        return {"type": "fixed", "name": name, "size": 3}, draw(st.binary(min_size=3, max_size=3))
    name = draw(st.uuids().map(lambda u: f"R{u.hex}"))
    return _record(other, ["null", other], name=name), {"f0": draw(SIMPLE[other]), "f1": draw(st.none())}


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(st.lists(_typed_values(), max_size=8))
def test_what_the_library_writes_is_what_we_read(fields):
    """Records of any types, numbers beside each other or not, there or not."""
    schema = _record(*[type_ for type_, _ in fields])
    value = {f"f{i}": value for i, (_, value) in enumerate(fields)}

    assert _read(schema, _written(schema, value)) == value


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(st.lists(_typed_values(), max_size=4), st.binary(max_size=60))
def test_noise_is_read_or_refused(fields, noise):
    """And nothing else: no length or number is believed before the bytes are there."""
    read = reader_of(_record(*[type_ for type_, _ in fields]))
    try:
        _, end = read(noise, 0)
    except ODD_PAYLOAD:
        return
    assert end <= len(noise)


LOCAL = dt.datetime(2026, 11, 23, 4, 11, 5)  # noqa: DTZ001 - it is what the type means
SIX = {"type": "fixed", "name": "D", "size": 6}
AT = dt.datetime(2026, 11, 23, 4, 11, 5, 250_000, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("type_", "written", "read"),
    [
        ({"type": "long", "logicalType": "timestamp-millis"}, AT, AT),
        ({"type": "long", "logicalType": "timestamp-micros"}, AT, AT),
        ({"type": "long", "logicalType": "timestamp-nanos"}, 1_795_407_065_250_000_000, AT),
        ({"type": "long", "logicalType": "local-timestamp-millis"}, LOCAL, LOCAL),
        ({"type": "long", "logicalType": "timestamp-millis"}, 2**62, 2**62),
        ({"type": "int", "logicalType": "date"}, dt.date(2026, 11, 23), "2026-11-23"),
        ({"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}, Decimal("-12.34"), -12.34),
        ({**SIX, "logicalType": "decimal", "precision": 9, "scale": 3}, Decimal("0.125"), 0.125),
        ({"type": "string", "logicalType": "uuid"}, "8a7b", "8a7b"),
        ({"type": "int", "logicalType": "time-millis"}, 5, 5),
        ({"type": "string", "logicalType": "what"}, "x", "x"),
    ],
)  # fmt: skip
def test_logical_types(type_, written, read):
    """Times are times, dates texts, decimals numbers; what nobody knows is what it is written as."""
    plain = (
        type_
        if not isinstance(written, str | int)
        else {k: v for k, v in type_.items() if k != "logicalType"}
    )

    assert _read(_record(type_), _written(_record(plain), {"f0": written})) == {"f0": read}


def test_names_are_found_in_their_namespaces():
    """A type is defined once, and referred to by its short or its full name, or from another schema."""
    money = {"type": "record", "name": "Money", "fields": [{"name": "sum", "type": "double"}]}
    schema = {
        "type": "record",
        "name": "shop.Order",
        "fields": [
            {"name": "a", "type": money},
            {"name": "b", "type": "Money"},
            {"name": "c", "type": "shop.Money"},
        ],
    }
    value = {name: {"sum": float(i)} for i, name in enumerate("abc")}
    apart = _record("shop.Money")

    assert _read(schema, _written(schema, value)) == value
    read = reader_of(apart, [{**money, "namespace": "shop"}])
    assert read(b"\0\0\0\0\0\0\xf0\x3f", 0) == ({"f0": {"sum": 1.0}}, 8)


NO_BYTES = {"type": "fixed", "name": "N", "size": 0}


def _twice_within_twice(depth):
    """A record of records, each of which holds the next twice: no byte, and 2^depth values."""
    schema = {"type": "record", "name": "R0", "fields": []}
    for i in range(depth):
        fields = [{"name": "a", "type": schema}, {"name": "b", "type": f"R{i}"}]
        schema = {"type": "record", "name": f"R{i + 1}", "fields": fields}
    return schema


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        (
            {"type": "record", "name": "L", "fields": [{"name": "next", "type": ["null", "L"]}]},
            "holds itself",
        ),
        (_record({"type": "array", "items": "null"}), "take no bytes"),
        (_record({"type": "array", "items": {"type": "record", "name": "E", "fields": []}}), "take no bytes"),
        (_record({"type": "array", "items": {"type": "fixed", "name": "N", "size": 0}}), "take no bytes"),
        (_record({**NO_BYTES, "logicalType": "decimal"}, {"type": "array", "items": "N"}), "take no bytes"),
        (_record({"type": "array", "items": {**NO_BYTES, "logicalType": "decimal"}}), "take no bytes"),
        (_record({**NO_BYTES, "size": -1}), "a size that is none"),
        (_record({**NO_BYTES, "size": "many"}), "a size that is none"),
        (_record({**NO_BYTES, "size": float("inf")}), "a size that is none"),
        (_twice_within_twice(30), "more than 100000 values"),
        ("string", "not the schema of a record"),
        (["null", _record("long")], "not the schema of a record"),
        (_record("Nowhere"), "unknown type 'Nowhere'"),
        ({"type": "record", "name": "R"}, "not an Avro schema"),
        (None, "not an Avro schema"),
        (7, "not an Avro schema"),
        (_record({"type": "bytes", "logicalType": "decimal", "scale": -1}), "scale is none"),
        (_record(*["long"] * 20_000), "more than 10000 types"),
    ],
)
def test_schemas_that_cannot_be_used(schema, why):
    """The reason is said; no payload is read by them."""
    with pytest.raises(UnusableSchemaError, match=why):
        reader_of(schema)


def test_a_schema_of_any_depth_is_read_or_refused():
    """A list in a list in a list, ten thousand times."""
    schema = "long"
    for _ in range(10_000):
        schema = {"type": "array", "items": schema}
    with pytest.raises(UnusableSchemaError, match="64 deep"):
        reader_of(_record(schema))


WHOLE = avro(1, document(GOOD) | {"timestamp": 0})


@pytest.mark.parametrize(
    "payload",
    [b"", b"\0", b"\0\0\0\0", b"\x01\0\0\0\x01", b"\0\0\0\0\x07", b"{}", WHOLE[:-1], WHOLE[:7]],
)
def test_what_is_not_written_so_is_undecodable(payload):
    """No magic byte, no schema, a schema that nobody knows, or bytes that end too early."""
    with pytest.raises(Rejected, match="undecodable"):
        Avro(READERS.get).document(payload)


def test_nothing_may_follow_a_record():
    """The schema's number then is another's, most likely."""
    whole = WAYS["avro"].write([GOOD], START_S)[0].value
    Avro(READERS.get).document(whole)
    with pytest.raises(Rejected):
        Avro(READERS.get).document(whole + b"\0")


def test_the_number_of_a_schema():
    """Four bytes after the magic one, big endian."""
    assert schema_id(b"\0\x01\0\0\x02abc") == (1 << 24) + 2
    assert schema_id(b"\x01\0\0\0\x02") is None
    assert schema_id(None) is None


def test_events_of_several_schemas_stand_side_by_side():
    """A field that an older schema lacks is missing; another type is a mismatch; a new one harms nothing."""
    fields = SCHEMAS[1]["fields"]
    features = {"type": "record", "name": "F2", "fields": [
        {"name": "age", "type": "string"},
        {"name": "country", "type": {"type": "enum", "name": "C", "symbols": ["DE", "FR"]}},
        {"name": "member", "type": "bytes"},
        {"name": "brand_new", "type": ["null", "double"]},
    ]}  # fmt: skip
    newer = {**SCHEMAS[1], "fields": [*fields[:3], {"name": "features", "type": features}, fields[4]]}
    way = WAYS["avro"]
    row = {"age": "40", "country": "FR", "member": b"x", "brand_new": None}
    second = avro(
        2,
        {**document(GOOD), "timestamp": round(START_S * 1000), "features": row},
        fastavro.parse_schema(newer),
    )
    readers = {**READERS, 2: reader_of(newer)}
    decoder = type(way)(way.format, way.write, type(way.options)(schemas=readers.get)).decoder()
    found = decoder.decode(way.records([*way.write([GOOD], START_S), Written(second)]))
    (batch,) = found.batches

    assert batch.columns.numeric[:, 0].tolist() == [12.5, 40, 0.25]
    assert list(batch.columns.categorical[0]) == ["DE", "FR"]
    assert sorted(zip(batch.columns.odd.feature.tolist(), batch.columns.odd.kind.tolist(), strict=True)) == [
        (1, CellKind.MISMATCH),
        (4, CellKind.MISMATCH),
    ]
    assert [s.new for s in batch.sightings] == [(), ("brand_new",)]
    assert "brand_new" not in batch.sightings[1].null
