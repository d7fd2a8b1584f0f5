"""The schema registry: asked once, never trusted, and waited for while it is away."""

import contextlib
import json
import logging
import socket
import threading
import uuid
from urllib.request import Request, urlopen

import pytest
from pydantic import ValidationError

from detector.batch import Partition
from detector.clock import ManualClock, SystemClock
from detector.errors import ConfigError
from detector.formats import Catalog, EventOptions, formats
from detector.sources import SchemaRegistry, SchemaSource
from detector.sources.memory import MemorySource
from detector.sources.schema_registry import (
    MAX_KEPT,
    MAX_LOOK_UPS,
    MAX_NOVEL_UNKNOWN,
    MAX_SAID,
    RETRY_MAX_S,
    UNKNOWN_FOR_S,
    SchemaRegistrySettings,
)
from tests.formats.writing import GOOD, KEY, SCHEMAS, SHAPE, START_S, WAYS, avro, document
from tests.support.schema_registry import FakeRegistry

EMPTY = '{"type": "record", "name": "R", "fields": []}'
LONG = {"type": "record", "name": "L", "fields": [{"name": "n", "type": "long"}]}


@pytest.fixture
def server():
    registry = FakeRegistry()
    yield registry
    registry.stop()


def _client(server, clock=None, **settings):
    return SchemaRegistry(SchemaRegistrySettings(url=server.url, **settings), clock or ManualClock())


def test_a_schema_is_asked_for_once(server):
    """However often it is needed."""
    server.add(7, LONG)
    client = _client(server)
    assert client.provide([7])
    assert client.provide({7})

    assert client.schema_of(7)(b"\x06", 0) == ({"n": 3}, 1)
    assert server.asked == ["/schemas/ids/7"]


def test_references_are_fetched_along_their_chain(server):
    """A type of another subject, which takes one of a third."""
    inner = {"type": "enum", "name": "x.Inner", "symbols": ["A", "B"]}
    middle = {"type": "record", "name": "x.Middle", "fields": [{"name": "i", "type": "x.Inner"}]}
    outer = {
        "type": "record",
        "name": "Outer",
        "fields": [{"name": "m", "type": "x.Middle"}, {"name": "i", "type": "x.Inner"}],
    }
    to_inner = {"name": "x.Inner", "subject": "in ner", "version": 3}
    server.by_subject["in%20ner", 3] = {"schema": str(inner).replace("'", '"')}
    server.by_subject["middle", 1] = {"schema": str(middle).replace("'", '"'), "references": [to_inner]}
    server.add(1, outer, references=[{"name": "x.Middle", "subject": "middle", "version": 1}, to_inner])
    client = _client(server)

    assert client.provide([1])
    assert client.schema_of(1)(b"\x02\x00", 0) == ({"m": {"i": "B"}, "i": "A"}, 2)


@pytest.mark.parametrize(
    "found",
    [
        {"schema": "not json"},
        {"schema": '{"type": "record"}'},
        {"schema": "{}", "schemaType": "PROTOBUF"},
        {"schema": '"string"'},
        {"schema": None},
        {},
        {"schema": EMPTY, "references": [{}]},
        {"schema": EMPTY, "references": [{"subject": "a", "version": 1}]},
        {"schema": EMPTY, "references": 5},
        {"schema": EMPTY, "references": [{"subject": "a", "version": float("inf")}]},
        {"schema": EMPTY, "references": [{"subject": "\ud800", "version": 1}]},
        {"schema": '{"type": "fixed", "name": "F", "size": "x"}'},
    ],
)  # fmt: skip
def test_a_schema_that_cannot_be_used_is_none(server, found):
    """Events by it are undecodable; nothing waits for it, and it is asked for again after a minute."""
    clock = ManualClock()
    client = _client(server, clock)
    server.by_number[1] = found
    assert client.provide([1])
    assert client.schema_of(1) is None

    server.add(1, LONG)
    assert client.provide([1])
    assert client.schema_of(1) is None
    clock.advance(UNKNOWN_FOR_S)
    assert client.provide([1])
    assert client.schema_of(1) is not None


def test_unknown_numbers_are_no_outage(server):
    """The registry says that there is no such schema, or is not even asked: the API counts to 2^31."""
    client = _client(server)
    assert client.provide([5, 1 << 31])

    assert not client.is_away
    assert (client.schema_of(5), client.schema_of(1 << 31)) == (None, None)
    assert server.asked == ["/schemas/ids/5"]


@pytest.mark.parametrize(
    "answer",
    [
        (500, b"{}"),
        (503, b""),
        (429, b"slow down"),
        (401, b"{}"),
        (403, b"{}"),
        (302, b"http://127.0.0.1:1/elsewhere"),
        (404, b"<html>not a registry</html>"),
        (404, b'{"error_code": "text"}'),
        (404, b"[]"),
        (200, b"<html>"),
        (200, b"[]"),
        (200, b"[" * 100_000),
        (200, b"\xff"),
    ],
)
def test_an_answer_that_says_nothing_of_the_schema(server, answer, caplog):
    """Is no reason to give up its events: it is asked again, later and later, and said once."""
    clock = ManualClock()
    client = _client(server, clock)
    server.answer = answer
    with caplog.at_level(logging.WARNING):
        for _ in range(12):
            assert not client.provide([1])
            assert 0 < client.wait_s() <= RETRY_MAX_S
            clock.advance(client.wait_s())
    server.answer = None
    server.add(1, LONG)

    assert client.is_away
    assert len(caplog.records) == 1
    assert client.provide([1])
    assert not client.is_away


def test_an_answer_that_drips_in_is_not_waited_for():
    """A byte now and then keeps a connection alive, and not the loop from going round."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        ended = threading.Event()

        def drip():
            connection, _ = listening.accept()
            with connection, contextlib.suppress(OSError):
                connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
                while not ended.wait(0.05):
                    connection.sendall(b"x")

        dripping = threading.Thread(target=drip, daemon=True)
        dripping.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        client = SchemaRegistry(SchemaRegistrySettings(url=url, timeout="200ms"), SystemClock())
        assert not client.provide([1])
        assert client.is_away
        ended.set()
        dripping.join(10)


def test_too_large_an_answer_is_none(server):
    """Nobody fills the memory."""
    server.answer = (200, b'{"schema": "' + b"x" * 5_000_000 + b'"}')

    assert not _client(server).provide([1])


def test_many_schemas_are_fetched_in_several_goes_and_not_all_kept(server):
    """A stream of ever new schemas neither stops the loop nor fills the memory."""
    client = _client(server)
    numbers = list(range(MAX_LOOK_UPS * 2 + 1))
    for n in [*numbers, *range(10_000, 10_000 + MAX_KEPT)]:
        server.add(n, LONG)
    assert [client.provide(numbers) for _ in range(3)] == [False, False, True]
    assert len(server.asked) == len(numbers)

    for n in range(1000, 1000 + MAX_KEPT):
        client.schema_of(n)
    for first in range(10_000, 10_000 + MAX_KEPT, MAX_LOOK_UPS):
        assert client.provide(range(first, first + MAX_LOOK_UPS))
    assert len(client._known) == MAX_KEPT


def test_the_password_goes_along_from_its_file(tmp_path):
    """And a wrong one is an outage with its reason."""
    server = FakeRegistry(user="drift:s3cret")
    server.add(1, LONG)
    (tmp_path / "password").write_text("s3cret\n")
    try:
        right = _client(server, username="drift", password_file=str(tmp_path / "password"))
        assert right.provide([1])
        wrong = _client(server, username="drift", password="guess")
        assert not wrong.provide([1])
    finally:
        server.stop()


def test_numbers_that_mean_nothing_do_not_flood_the_registry(server, caplog):
    """Four bytes of nonsense an event: so many requests and lines a minute, and what is known stays known."""
    clock = ManualClock()
    server.add(7, LONG)
    client = _client(server, clock)
    assert client.provide([7])
    with caplog.at_level(logging.WARNING):
        for first in range(1000, 21_000, 500):
            numbers = range(first, first + 500)
            wait = 0
            while not client.provide([*numbers, 7]) and wait < 100:
                wait += 1
            assert wait < 100
    assert len(server.asked) <= 1 + MAX_NOVEL_UNKNOWN + MAX_LOOK_UPS
    assert len(caplog.records) <= MAX_SAID + 1
    assert client.schema_of(7) is not None
    assert len(client._known) <= MAX_KEPT + 501

    clock.advance(UNKNOWN_FOR_S + 1)
    server.add(8, LONG)
    assert client.provide([8])
    assert client.schema_of(8) is not None


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"password_file": "/no/such/file", "username": "u"}, "schema_registry.password_file: /no/such/file"),
        ({"url": "https://r:1", "ca_file": "/no/such/file"}, "schema_registry.ca_file: /no/such/file"),
    ],
)
def test_files_that_are_not_there_are_errors_at_start(settings, why):
    """In one line that names the setting."""
    with pytest.raises(ConfigError, match=why):
        SchemaRegistry(SchemaRegistrySettings(**{"url": "http://r:1", **settings}), ManualClock())


@pytest.mark.parametrize(
    "settings",
    [
        {"url": "ftp://r"}, {"url": "r:8081"}, {"url": "http://"}, {"url": "http://u:p@r"}, {"url": "http://r?a=1"},
        {"url": "http://r:port"}, {"url": "http://r:0"}, {"url": "http://a b"}, {"url": "http://r\n"},
        {"username": "u"}, {"password": "p"}, {"ca_file": "x"}, {"timeout": "0s"}, {"timeout": "soon"},
    ],
)  # fmt: skip
def test_settings_that_cannot_be_meant_are_refused(settings):
    """Before anything is connected."""
    with pytest.raises(ValidationError):
        SchemaRegistrySettings(**{"url": "http://r:1", **settings})


class Rig:
    """A source of Avro events behind a registry, and a decoder."""

    def __init__(self, server):
        self.clock = ManualClock()
        self.memory = MemorySource(2)
        self.registry = _client(server, self.clock)
        self.source = SchemaSource(self.memory, self.registry, self.clock)
        self.decoder = formats.get("avro")(
            EventOptions(schemas=self.registry.schema_of), Catalog({KEY: SHAPE})
        )

    def poll(self):
        return self.decoder.decode(self.source.poll(0.5))


EVENT = WAYS["avro"].write([GOOD], START_S)[0].value


def test_events_wait_for_a_registry_that_is_away(server):
    """None is lost and none is undecodable; the position stays before them, and the loop goes round."""
    rig = Rig(server)
    server.stop()
    rig.memory.append(EVENT, 0)
    rig.memory.append(EVENT, 1)
    first, second = rig.memory.partitions
    for _ in range(5):
        found = rig.poll()
        assert len(found) == 0
        assert not rig.source.status().connected
        assert dict(rig.source.positions()) == {first: 0, second: 0}
        assert [p.position for p in rig.source.status().partitions] == [0, 0]
        assert list(rig.source.idle()) == []
        rig.memory.append(EVENT, 0)
    server.add(1, SCHEMAS[1])
    server.start()
    counts = [len(rig.poll().time_s) for _ in range(70)]

    assert sum(counts) == 7
    assert dict(rig.source.positions()) == {first: 6, second: 1}
    assert rig.source.status().connected
    assert list(rig.source.idle()) == [first, second]


def test_records_that_name_no_schema_need_no_registry(server):
    """JSON on the topic, tombstones, nothing at all: they are undecodable while it is away."""
    rig = Rig(server)
    server.stop()
    for value in (b"{}", None, b"", b"\0\0"):
        rig.memory.append(value)

    assert rig.poll().rejected == {("memory", "undecodable"): 3, ("memory", "null_value"): 1}
    assert rig.source.status().connected


def test_a_schema_that_nobody_knows_holds_nothing_up(server):
    """Its events are undecodable; those beside it count."""
    rig = Rig(server)
    server.add(1, SCHEMAS[1])
    for value in (EVENT, b"\0\0\0\0\x09abc", EVENT):
        rig.memory.append(value)
    found = rig.poll()

    assert found.rejected == {("memory", "undecodable"): 1}
    assert [batch.rows.tolist() for batch in found.batches] == [[0, 2]]


@pytest.mark.registry
def test_a_real_registry(registry):
    """A schema registered there is found by its number, with its reference; another number is unknown."""

    def register(subject, schema, **more):
        body = json.dumps({"schema": json.dumps(schema), **more}).encode()
        kind = {"Content-Type": "application/vnd.schemaregistry.v1+json"}
        with urlopen(Request(f"{registry}/subjects/{subject}/versions", body, kind), timeout=20) as response:
            return json.load(response)["id"]

    unique = f"T{uuid.uuid4().hex}"
    number = register(unique, SCHEMAS[1])
    enum = {"type": "enum", "name": unique, "symbols": ["A", "B"]}
    register(f"{unique}-enum", enum)
    outer = {"type": "record", "name": "Outer", "fields": [{"name": "e", "type": unique}]}
    with_reference = register(
        f"{unique}-outer", outer, references=[{"name": unique, "subject": f"{unique}-enum", "version": 1}]
    )
    client = SchemaRegistry(SchemaRegistrySettings(url=registry), ManualClock())

    assert client.provide([number, with_reference, 2_000_000_000])
    payload = avro(1, {**document(GOOD), "timestamp": round(START_S * 1000)})
    assert client.schema_of(number)(payload, 5)[1] == len(payload)
    assert client.schema_of(with_reference)(b"\x02", 0) == ({"e": "B"}, 1)
    assert client.schema_of(2_000_000_000) is None
    assert not client.is_away


def test_partitions_are_those_of_the_source(server):
    """Also while nothing comes."""
    rig = Rig(server)

    assert rig.source.poll(0).partitions == (Partition("memory", 0), Partition("memory", 1))
    rig.source.close()
