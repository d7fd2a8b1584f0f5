"""The examples in docs/event-formats.md are read as it says."""

import json
import re
from pathlib import Path

import fastavro
import msgspec
import pytest
import yaml

from detector.config.sections import Event
from detector.formats import Catalog, formats
from detector.formats.avro_schema import reader_of
from tests.formats.writing import GOOD, KEY, SHAPE, START_S, WAYS, Written, attributes, avro, binary, document

TEXT = (Path(__file__).parents[2] / "docs" / "event-formats.md").read_text(encoding="utf-8")


def _blocks(section, language):
    """Return the examples in one language of a section."""
    (body,) = [part for part in TEXT.split("\n## ") if part.startswith(f"{section}\n")]
    return re.findall(rf"```{language}\n(.*?)```", body, re.DOTALL)


JSON = {name: [json.loads(text) for text in _blocks(name, "json")] for name in formats.names()}
YAML = {name: [yaml.safe_load(text) for text in _blocks(name, "yaml")] for name in formats.names()}


def _read(settings, *written, schemas=None):
    options = Event.model_validate(settings).options()
    options = type(options)(options.fields, options.time_format, options.max_bytes, options.settings, schemas)
    found = formats.get(settings["format"])(options, Catalog({KEY: SHAPE})).decode(
        WAYS["json"].records(written)
    )
    assert found.rejected == {}
    (batch,) = found.batches
    cells = [*(row[0] for row in batch.columns.numeric.tolist()), *(c[0] for c in batch.columns.categorical)]
    return batch.columns, dict(zip(SHAPE.features.names, cells, strict=True))


WHOLE = {"amount": 12.5, "age": 40.0, "country": "DE", "member": True, "prediction.score": 0.25}
EXAMPLES = [
    ({"format": "json"}, Written(json.dumps(JSON["json"][0]).encode())),
    (YAML["json"][0]["event"], Written(json.dumps(JSON["json"][1]).encode())),
    ({"format": "msgpack"}, Written(msgspec.msgpack.encode(JSON["json"][0]))),
]


@pytest.mark.parametrize(("settings", "written"), EXAMPLES)
def test_an_object_a_record(settings, written):
    """Nested, flat, and in MessagePack."""
    assert _read(settings, written)[1] == WHOLE


def test_avro():
    """By the schema that is shown."""
    (schema,) = JSON["avro"]
    event = {**document(GOOD), "timestamp": round(START_S * 1000)}
    value = avro(1, event, fastavro.parse_schema(schema))

    assert _read(YAML["avro"][0]["event"], Written(value), schemas={1: reader_of(schema)}.get)[1] == WHOLE


CLOUD_EVENT, V2 = JSON["kserve"]
REQUESTS = [
    ("kserve", Written(json.dumps(CLOUD_EVENT).encode())),
    ("kserve", binary(V2, attributes("request", START_S))),
    ("seldon", binary(JSON["seldon"][0], attributes("request", START_S, "io.seldon.serving.inference"))),
]


@pytest.mark.parametrize(("name", "written"), REQUESTS)
def test_requests_of_model_servers(name, written):
    """Features and nothing else."""
    columns, cells = _read({"format": name}, written)

    assert columns.only == "feature"
    assert {k: v for k, v in cells.items() if k != "prediction.score"} == {
        k: v for k, v in WHOLE.items() if k != "prediction.score"
    }


def test_names_for_bare_lists():
    """The setting that is shown gives them."""
    settings = YAML["kserve"][0]["event"]
    request = binary({"instances": [[12.5, 40, "DE", True]]}, attributes("request", START_S))

    assert _read(settings, request)[1]["country"] == "DE"


def test_every_format_is_documented():
    """With a section of its own."""
    assert re.findall(r"^## (\w+)$", TEXT, re.MULTILINE) == ["json", "msgpack", "avro", "kserve", "seldon"]
    assert set(formats.names()) == {"json", "msgpack", "avro", "kserve", "seldon"}
