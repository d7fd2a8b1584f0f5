"""What every sink promises, over real receivers: HTTP on loopback, the log, Apache Kafka."""

import json
import logging
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

from detector.clock import SystemClock
from detector.kinds import open_part
from detector.sinks import Sink, sinks
from detector.sinks.message import AlertMessage
from tests.support.kafka_broker import create_topic
from tests.support.notices import dataset_alert, ended, feature_alert, notice, notices, schema_alert
from tests.support.processes import free_port, wait_until
from tests.support.receiver import receiver

HTTP = ("alertmanager", "slack", "webhook")


@dataclass
class Told:
    """A sink, and what its receiver was told so far."""

    kind: str
    where: dict[str, Any]
    """Settings that say where the receiver is."""
    texts: Callable[[], list[str]]
    """One text an alert."""
    _opened: list[Sink]

    def open(self, **more: Any) -> Sink:
        part = sinks.get(self.kind)
        sink = open_part(sinks, part.Settings(**self.where, **more), SystemClock())
        self._opened.append(sink)
        return sink


def _where(kind: str, url: str) -> dict[str, Any]:
    return {"urls": [url]} if kind == "alertmanager" else {"url": url}


def _alerts(kind: str, body: Any) -> list[str]:
    if kind == "slack":
        return str(body["text"]).split("\n*")
    return [json.dumps(alert) for alert in (body if kind == "alertmanager" else body["alerts"])]


@pytest.fixture(params=[*HTTP, "log", pytest.param("kafka", marks=pytest.mark.kafka)])
def told(request, caplog):
    """Each kind of sink."""
    opened: list[Sink] = []
    kind = request.param
    caplog.set_level(logging.INFO)
    if kind == "log":
        yield Told(kind, {}, lambda: [r.message for r in caplog.records if r.name.endswith("log")], opened)
    elif kind == "kafka":
        bootstrap = request.getfixturevalue("kafka")
        topic = create_topic(bootstrap, f"alerts-{uuid.uuid4().hex[:8]}", 1)
        where = {"bootstrap_servers": [bootstrap], "topic": topic}
        yield Told(kind, where, lambda: [v.decode() for _, v in read(bootstrap, topic)], opened)
    else:
        with receiver() as inbox:
            texts = lambda: [text for r in inbox.requests for text in _alerts(kind, r.body)]  # noqa: E731
            yield Told(kind, _where(kind, inbox.url), texts, opened)
    for sink in opened:
        sink.close()


def read(bootstrap: str, topic: str) -> list[tuple[str, bytes]]:
    """Return all (key, value) of a topic with one partition."""
    from kafka import KafkaConsumer, TopicPartition

    consumer = KafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest", group_id=None)
    place = TopicPartition(topic, 0)
    consumer.assign([place])
    end, found = consumer.end_offsets([place])[place], []
    while len(found) < end:
        for of in consumer.poll(timeout_ms=500).values():
            found += [(record.key.decode(), record.value) for record in of]
    consumer.close()
    return found


def test_every_kind_of_sink_is_held_to_this_contract():
    """A new sink is not forgotten here."""
    assert sinks.names() == sorted([*HTTP, "kafka", "log"])


def test_everything_is_told_once_and_counted(told):
    """Of a moment, and of the next."""
    sink = told.open()
    sink.send(notices("amount", "age"))
    sink.send([notice(dataset_alert())])
    wait_until(lambda: sink.status().sent == 3, 60, "3 are sent")

    texts = told.texts()
    assert len(texts) == 3
    for name, text in zip(("amount", "age", "credit 1 as a whole"), texts, strict=True):
        assert name in text or told.kind == "log"
    status = sink.status()
    assert (status.name, status.failed, status.dropped, status.queued) == (told.kind, 0, 0, 0)


def test_the_end_is_told_after_the_beginning(told):
    """Also when both come at once."""
    sink = told.open()
    began = feature_alert("age")
    sink.send([notice(began), notice(ended(began), action="none")])
    wait_until(lambda: sink.status().sent == 2, 60, "both are sent")
    first, second = told.texts()

    assert "fired from" not in first
    assert "resolved" in second.lower() or "no longer drifts" in second


@pytest.mark.parametrize(
    ("setting", "wanted"),
    [
        ({"only": ["DriftDatasetDrifted"]}, 1),
        ({"severity": ["warning"]}, 2),
        ({"only": ["DriftFeatureDrifted"], "severity": ["critical"]}, 0),
    ],
)
def test_a_sink_is_told_only_of_what_it_is_for(told, setting, wanted):
    """By name and by severity; both must fit."""
    sink = told.open(name="mine", **setting)
    sink.send([notice(feature_alert()), notice(dataset_alert()), notice(schema_alert())])
    wait_until(lambda: sink.status().queued == 0, 60, "the queue is empty")

    assert sink.status().sent == wanted
    assert sink.status().name == "mine"
    assert len(told.texts()) == wanted


def test_names_of_any_characters_are_told(told):
    """Quotes, line ends, markup, other alphabets, half a character, marks that turn text around."""
    names = ['a"b\n=c', "<!channel> *b* & |x|", "年齢", "\ud800", "\u202egnp", "x" * 300]
    sink = told.open()
    sink.send(notices(*names))
    wait_until(lambda: sink.status().sent == len(names), 60, "all are sent")

    assert len(told.texts()) == len(names)
    assert "<!channel>" not in "".join(told.texts()) or told.kind != "slack"


def test_numbers_that_are_none_are_told(told):
    """NaN and infinity, which JSON does not have."""
    sink = told.open()
    odd = [feature_alert("a"), feature_alert("b")]
    for i, value in enumerate((float("nan"), float("inf"))):
        object.__setattr__(odd[i], "value", value)
        object.__setattr__(odd[i], "threshold", value)
    sink.send([notice(t) for t in odd])

    wait_until(lambda: sink.status().sent == 2, 60, "both are sent")


def test_the_end_of_the_program_tells_what_is_left(told):
    """`close` waits for it, and may be called again."""
    sink = told.open()
    sink.send(notices("a", "b", "c"))
    sink.close()
    sink.close()

    assert len(told.texts()) == 3


def _dead(kind: str) -> dict[str, Any]:
    address = f"127.0.0.1:{free_port()}"
    if kind == "kafka":
        return {"bootstrap_servers": [address], "topic": "t"}
    return _where(kind, f"http://{address}")


@pytest.mark.parametrize("kind", [*HTTP, "kafka"])
def test_a_receiver_that_is_not_there_holds_nobody_up(kind):
    """`send` takes everything, `status` shows it as queued, `close` ends in time with one attempt each."""
    delivery = {"timeout": "500ms", "flush": "30s"}
    settings = sinks.get(kind).Settings(**_dead(kind), delivery=delivery)
    sink = open_part(sinks, settings, SystemClock())
    for _ in range(2):
        sink.send(notices("a", "b"))
    sink.close()
    status = sink.status()

    assert status.sent == 0
    assert (status.failed, status.queued) == (4, 0)


@pytest.mark.parametrize("kind", HTTP)
def test_a_receiver_that_hangs_holds_nobody_up(kind):
    """The caller goes on while the receiver has not answered; it is told when it comes to itself."""
    with receiver() as inbox:
        inbox.answers = ["hang"]
        delivery = {"timeout": "10s", "flush": "20s"}
        settings = sinks.get(kind).Settings(**_where(kind, inbox.url), delivery=delivery)
        sink = open_part(sinks, settings, SystemClock())
        sink.send(notices("a"))
        inbox.wait_for(1)
        sink.send(notices("b"))
        assert sink.status().queued == 2
        inbox.let_go.set()
        sink.close()

    assert sink.status().sent == 2


def test_no_thread_is_left_behind(told):
    """Once a sink is closed."""
    sink = told.open(name="leaves-nothing")
    sink.send(notices("a"))
    sink.close()

    assert not [t.name for t in threading.enumerate() if t.name == "sink-leaves-nothing"]


@pytest.mark.kafka
def test_the_alerts_topic_holds_messages_as_documented(kafka):
    """One message a transition: it validates, the key says which alert, the header is the idempotency key."""
    topic = create_topic(kafka, f"alerts-{uuid.uuid4().hex[:8]}", 1)
    kind = sinks.get("kafka")
    sink = open_part(sinks, kind.Settings(bootstrap_servers=[kafka], topic=topic), SystemClock())
    began = feature_alert("age")
    sink.send([notice(began), notice(ended(began), action="none"), notice(dataset_alert())])
    sink.close()
    found = read(kafka, topic)
    messages = [msgspec.json.decode(value, type=AlertMessage) for _, value in found]

    assert [key for key, _ in found] == [
        "credit|1|age|all|hellinger",
        "credit|1|age|all|hellinger",
        "credit|1||all|drifted_features_ratio",
    ]
    assert [m.status for m in messages] == ["firing", "resolved", "firing"]
    assert len({m.idempotency_key for m in messages}) == 3
    assert messages[0].id == messages[1].id


@pytest.mark.kafka
def test_a_topic_that_is_not_there_yet_gets_everything_once_it_is(kafka):
    """Nothing is lost meanwhile, and the topic is not made by the sink."""
    topic = f"alerts-{uuid.uuid4().hex[:8]}"
    kind = sinks.get("kafka")
    settings = kind.Settings(bootstrap_servers=[kafka], topic=topic, delivery={"timeout": "2s"})
    sink = open_part(sinks, settings, SystemClock())
    sink.send(notices("a", "b"))
    create_topic(kafka, topic, 1)
    wait_until(lambda: sink.status().sent == 2, 60, "both are sent")
    sink.close()

    assert len(read(kafka, topic)) >= 2
