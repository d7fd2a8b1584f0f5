"""The same logical events, written in every format."""

import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import fastavro
import msgspec

from detector.batch import Feature, FeatureSet, ModelKey, Records
from detector.formats import Catalog, Decoder, EventFields, EventOptions, EventShape, formats
from detector.formats.avro_schema import reader_of
from detector.formats.inference_log import InferenceSettings
from detector.times import format_time
from tests.support.factories import KEY, START_S, records

FEATURES = FeatureSet.of(
    [
        Feature("amount", "float"),
        Feature("age", "int"),
        Feature("country", "string"),
        Feature("member", "bool"),
        Feature("prediction.score", "float", "prediction"),
    ]
)
NAMES = ("amount", "age", "country", "member")
SHAPE = EventShape(FEATURES)

Row = Mapping[str, Any]
"""Cells by name: those of `NAMES`, and `score`."""

GOOD: Row = {"amount": 12.5, "age": 40, "country": "DE", "member": True, "score": 0.25}


@dataclass(frozen=True)
class Written:
    """One record."""

    value: bytes | None
    headers: Mapping[str, bytes] = field(default_factory=dict)


SCHEMAS: dict[int, Any] = {
    1: {
        "type": "record",
        "name": "Event",
        "namespace": "credit",
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
                        {"name": "amount", "type": ["null", "double", "string", "boolean"]},
                        {"name": "age", "type": ["null", "long", "double", "string", "boolean"]},
                        {"name": "country", "type": ["null", "string", "long", "boolean"]},
                        {"name": "member", "type": ["null", "boolean", "string", "long"]},
                    ],
                },
            },
            {
                "name": "prediction",
                "type": {
                    "type": "record",
                    "name": "Prediction",
                    "fields": [{"name": "score", "type": ["null", "double", "string", "boolean"]}],
                },
            },
        ],
    }
}
READERS = {number: reader_of(schema) for number, schema in SCHEMAS.items()}
_PARSED = {number: fastavro.parse_schema(schema) for number, schema in SCHEMAS.items()}


def avro(number: int, document: Mapping[str, Any], schema: Any = None) -> bytes:
    """A record as Confluent's serializer writes it, by the library's own encoder."""
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, schema or _PARSED[number], document)
    return b"\0" + number.to_bytes(4, "big") + stream.getvalue()


def document(row: Row, time_s: float = START_S, key: ModelKey = KEY) -> dict[str, Any]:
    """An event as an object."""
    return {
        "model": key.model,
        "version": key.version,
        "timestamp": format_time(time_s),
        "features": {name: row[name] for name in NAMES if name in row},
        "prediction": {"score": row["score"]} if "score" in row else {},
    }


def _flat(row: Row, time_s: float) -> dict[str, Any]:
    return {
        "ts": format_time(time_s),
        "out": row.get("score"),
        **{name: row[name] for name in NAMES if name in row},
    }


def _as_avro(row: Row, time_s: float) -> bytes:
    whole = document(row, time_s)
    whole["timestamp"] = round(time_s * 1000)
    whole["features"] = {name: row.get(name) for name in NAMES}
    whole["prediction"] = {"score": row.get("score")}
    return avro(1, whole)


def attributes(kind: str, time_s: float, prefix: str = "org.kubeflow.serving.inference") -> dict[str, str]:
    """The attributes of a CloudEvent, as the logger of a model server sets them."""
    return {
        "specversion": "1.0",
        "id": "0f1c",
        "type": f"{prefix}.{kind}",
        "source": "http://localhost:9081/",
        "time": format_time(time_s),
        "inferenceservicename": KEY.model,
        "namespace": "shop",
        "endpoint": "default",
    }


def binary(data: Any, of: Mapping[str, str]) -> Written:
    """A CloudEvent in binary mode."""
    headers = {f"ce_{name}": text.encode() for name, text in of.items()}
    return Written(json.dumps(data).encode(), {"content-type": b"application/json", **headers})


def structured(data: Any, of: Mapping[str, str]) -> Written:
    """The same in structured mode."""
    document = {**of, "datacontenttype": "application/json", "data": data}
    return Written(json.dumps(document).encode(), {"content-type": b"application/cloudevents+json"})


def tensors(columns: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Columns in the Open Inference Protocol, a tensor each."""
    kinds = {float: "FP64", int: "INT64", bool: "BOOL"}
    return [
        {
            "name": name,
            "shape": [len(cells), 1],
            "datatype": kinds.get(type(cells[0]), "BYTES"),
            "data": [*cells],
        }
        for name, cells in columns.items()
    ]


def _columns(rows: Sequence[Row], names: Sequence[str]) -> dict[str, list[Any]]:
    return {name: [row.get(name) for row in rows] for name in names if any(name in row for row in rows)}


def _kserve_v1(rows: Sequence[Row], time_s: float) -> list[Written]:
    instances = [{name: row[name] for name in NAMES if name in row} for row in rows]
    return [
        binary({"instances": instances}, attributes("request", time_s)),
        structured({"predictions": [row.get("score") for row in rows]}, attributes("response", time_s)),
    ]


def _kserve_lists(rows: Sequence[Row], time_s: float) -> list[Written]:
    instances = [[row.get(name) for name in NAMES] for row in rows]
    return [
        structured({"instances": instances}, attributes("request", time_s)),
        binary({"predictions": [[row.get("score")] for row in rows]}, attributes("response", time_s)),
    ]


def _kserve_v2(rows: Sequence[Row], time_s: float) -> list[Written]:
    response = {"model_name": "credit", "outputs": tensors(_columns(rows, ["score"]))}
    return [
        binary({"id": "0f1c", "inputs": tensors(_columns(rows, NAMES))}, attributes("request", time_s)),
        binary(response, attributes("response", time_s)),
    ]


def _seldon(rows: Sequence[Row], time_s: float) -> list[Written]:
    def message(names: Sequence[str]) -> dict[str, Any]:
        return {"data": {"names": [*names], "ndarray": [[row.get(name) for name in names] for row in rows]}}

    of = {kind: attributes(kind, time_s, "io.seldon.serving.inference") for kind in ("request", "response")}
    return [binary(message(NAMES), of["request"]), binary(message(["score"]), of["response"])]


def _seldon_headers(rows: Sequence[Row], time_s: float) -> list[Written]:
    """Seldon's own way into Kafka: headers without a prefix, and here the Open Inference Protocol."""
    return [
        Written(
            w.value,
            {name.removeprefix("ce_"): text for name, text in w.headers.items()} | {"ce-ignored": b"x"},
        )
        for w in _kserve_v2(rows, time_s)
    ]


@dataclass(frozen=True)
class Way:
    """One way of writing events: a format, how it is set up, and what a few rows of one time look like."""

    format: str
    write: Callable[[Sequence[Row], float], list[Written]]
    options: EventOptions = field(default_factory=EventOptions)
    apart: bool = False
    """Whether features and predictions come in records of their own."""
    own_time: bool = True
    names_model: bool = True

    def decoder(self, shapes: Mapping[ModelKey, EventShape] | None = None) -> Decoder:
        """Make the decoder."""
        return formats.get(self.format)(self.options, Catalog(shapes or {KEY: SHAPE}))

    def records(self, written: Sequence[Written]) -> Records:
        """Put records into a poll; each has the time of the events, as brokers stamp it."""
        made = records([w.value for w in written])
        made.time_ms[:] = round(START_S * 1000)
        return Records(
            made.values,
            made.partition,
            made.offset,
            made.time_ms,
            made.partitions,
            [w.headers for w in written],
        )


def _each(write: Callable[[Row, float], bytes]) -> Callable[[Sequence[Row], float], list[Written]]:
    return lambda rows, time_s: [Written(write(row, time_s)) for row in rows]


LISTS = InferenceSettings(feature_names=NAMES, prediction_names={"credit": ("score",)})

WAYS = {
    "json": Way("json", _each(lambda row, at: json.dumps(document(row, at)).encode())),
    "json, flat": Way(
        "json",
        _each(lambda row, at: json.dumps(_flat(row, at)).encode()),
        EventOptions(
            EventFields(
                model=None, version=None, id=None, time="/ts", features="", prediction="/out", label=None
            )
        ),
        names_model=False,
    ),
    "msgpack": Way("msgpack", _each(lambda row, at: msgspec.msgpack.encode(document(row, at)))),
    "avro": Way("avro", _each(_as_avro), EventOptions(schemas=READERS.get)),
    "kserve v1": Way("kserve", _kserve_v1, apart=True),
    "kserve v1, lists": Way("kserve", _kserve_lists, EventOptions(settings=LISTS), apart=True),
    "kserve v2": Way("kserve", _kserve_v2, apart=True),
    "seldon": Way("seldon", _seldon, apart=True),
    "seldon v2, headers": Way("seldon", _seldon_headers, apart=True, own_time=False),
}
