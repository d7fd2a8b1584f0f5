"""Cuts in a topic of a real Apache Kafka: the newest whole one of the highest term, whatever lies there."""

import time
import uuid
from dataclasses import replace

import numpy as np
import pytest
from kafka import KafkaConsumer, TopicPartition
from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    ConfigResource,
    ResourcePattern,
    ResourceType,
)

from detector.batch import Partition
from detector.clock import SystemClock
from detector.errors import StateError
from detector.sources.kafka_settings import KafkaSettings
from detector.state import Cut, StateAwayError, TopicStore
from detector.state.encoding import HEAD, VERSION, Encoder, head_of
from detector.state.topic_client import SETTINGS
from tests.support.kafka_broker import KafkaBroker, _Admin
from tests.support.processes import free_port
from tests.support.producing import Producer

pytestmark = pytest.mark.kafka

LARGE = 2_500_000
"""Bytes that take three pieces."""


def cut_of(sequence, term=1, n_bytes=100):
    noise = np.random.default_rng(sequence).bytes(n_bytes)
    return Cut({"noise": noise}, {Partition("events", 0): sequence}, sequence=sequence, term=term)


class Topic:
    """A topic of its own, and the stores of some replicas over it."""

    def __init__(self, bootstrap):
        self.bootstrap, self.name = bootstrap, f"state-{uuid.uuid4().hex[:8]}"

    def store(self, group="detector"):
        settings = KafkaSettings(bootstrap_servers=[self.bootstrap], topics=["events"])
        return TopicStore(settings.shared_options, self.name, group, SystemClock())

    def put(self, key, value):
        """Write a record that is not ours."""
        with Producer(self.bootstrap) as producer:
            producer._client.send(self.name, value, key=key.encode(), partition=0).get(timeout=10)

    def records(self):
        """The last value of each key, as compaction would leave it; tombstones are not there."""
        place = TopicPartition(self.name, 0)
        client = KafkaConsumer(bootstrap_servers=self.bootstrap, enable_auto_commit=False)
        client.assign([place])
        client.seek_to_beginning(place)
        [end] = client.end_offsets([place]).values()
        found = {}
        while client.position(place) < end:
            for record in client.poll(timeout_ms=500).get(place, ()):
                found[record.key.decode()] = record.value
        client.close()
        return {key: value for key, value in found.items() if value is not None}


@pytest.fixture
def topic(kafka):
    return Topic(kafka)


def sequences(store):
    return [cut.sequence for cut in store.load()]


def test_the_topic_is_made_compacted_with_one_partition(topic):
    store = topic.store()
    assert sequences(store) == []
    store.save(cut_of(1))
    with _Admin(topic.bootstrap) as admin:
        [found] = admin.describe_topics([topic.name])
        said = repr(admin.describe_configs([ConfigResource("TOPIC", topic.name)]))
    assert len(found["partitions"]) == 1
    assert "compact" in said
    assert SETTINGS["min.compaction.lag.ms"] in said


@pytest.mark.parametrize("n_bytes", [0, 100, 900_000, LARGE])
def test_what_was_kept_is_read_as_it_was(topic, n_bytes):
    cut = cut_of(1, n_bytes=n_bytes)
    store = topic.store()
    list(store.load())
    store.save(cut)
    assert next(topic.store().load()) == cut


def test_the_last_two_cuts_are_there_the_newest_first(topic):
    store = topic.store()
    list(store.load())
    for sequence in range(1, 6):
        store.save(cut_of(sequence))
    assert sequences(topic.store()) == [5, 4]


def test_a_smaller_cut_leaves_no_piece_of_a_larger_one(topic):
    store = topic.store()
    list(store.load())
    for sequence, n_bytes in enumerate([LARGE, LARGE, 10, 10], start=1):
        store.save(cut_of(sequence, n_bytes=n_bytes))
    assert len(topic.records()) == 4
    assert sequences(topic.store()) == [4, 3]


def test_groups_do_not_see_each_other(topic):
    """Nor where the name of one begins with that of the other."""
    for group, sequence in (("a", 1), ("a/1", 2), ("a/1/1", 3)):
        store = topic.store(group)
        assert sequences(store) == []
        store.save(cut_of(sequence))
    assert [sequences(topic.store(group)) for group in ("a", "a/1", "a/1/1")] == [[1], [2], [3]]


def test_a_zombie_that_writes_under_its_lower_term_is_ignored(topic):
    """At any moment after the new one has kept its first cut, though its own cuts are newer by number."""
    zombie, active = topic.store(), topic.store()
    list(zombie.load())
    zombie.save(cut_of(1, term=1))
    assert sequences(active) == [1]
    active.save(cut_of(2, term=2))
    zombie.save(cut_of(7, term=1))
    assert next(topic.store().load()).term == 2
    active.save(cut_of(3, term=2))
    zombie.save(cut_of(8, term=1))
    zombie.save(cut_of(9, term=1))
    assert next(topic.store().load()).sequence == 3


def test_lower_terms_are_removed_when_two_own_cuts_are_kept(topic):
    """Before, they are what there is when the first own one is damaged."""
    old = topic.store()
    list(old.load())
    for sequence in (1, 2):
        old.save(cut_of(sequence, term=1, n_bytes=LARGE))
    new = topic.store()
    assert sequences(new) == [2, 1]
    new.save(cut_of(3, term=2))
    assert sequences(topic.store()) == [3, 2, 1]
    new.save(cut_of(4, term=2))
    assert {key.split("/")[1] for key in topic.records()} == {"2"}
    assert sequences(topic.store()) == [4, 3]


def test_the_highest_term_is_known_though_nothing_whole_is_kept_under_it(topic):
    """A term that began to write and ended is not used again."""
    store = topic.store()
    list(store.load())
    store.save(cut_of(1, term=3))
    topic.put("detector/9/1/0", b"begun")
    other = topic.store()
    assert sequences(other) == [1]
    assert other.highest_term == 9


@pytest.mark.parametrize("n", [0, 1, 2])
def test_a_writer_that_ends_amid_a_cut_leaves_the_one_before(topic, n):
    """With any number of its pieces written over those of the older cut."""
    store = topic.store()
    list(store.load())
    for sequence in (1, 2):
        store.save(cut_of(sequence, n_bytes=LARGE))
    for i in range(n + 1):
        topic.put(f"detector/1/1/{i}", b"x" * 900_000)
    other = topic.store()
    assert sequences(other) == [2]
    assert other.n_damaged == 0


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("detector/1/2/1", None),
        ("detector/1/2/manifest", None),
        ("detector/1/2/manifest", b"{"),
        ("detector/1/2/manifest", b'{"sequence":2,"saved_s":0,"n_pieces":3,"length":9,"sha256":""}'),
        ("detector/1/2/manifest", b'{"sequence":2,"saved_s":0,"n_pieces":1e9,"length":-1,"sha256":""}'),
    ],
)
def test_damage_never_loads_a_wrong_cut(topic, key, value):
    """What is left of the newest is not used; the one before is."""
    store = topic.store()
    list(store.load())
    for sequence in (1, 2):
        store.save(cut_of(sequence, n_bytes=LARGE))
    topic.put(key, value)
    assert sequences(topic.store()) == [1]


def test_pieces_that_changed_and_a_manifest_after_them_are_damage(topic):
    """Every piece: no byte of another cut is taken for one of this."""
    store = topic.store()
    list(store.load())
    store.save(cut_of(1, n_bytes=LARGE))
    store.save(cut_of(2, n_bytes=LARGE))
    kept = topic.records()
    for i in range(3):
        key = f"detector/1/2/{i}"
        topic.put(key, kept[key][:-1] + bytes([kept[key][-1] ^ 1]))
        topic.put("detector/1/2/manifest", kept["detector/1/2/manifest"])
        other = topic.store()
        assert sequences(other) == [1]
        assert other.n_damaged == 1
        topic.put(key, kept[key])
        topic.put("detector/1/2/manifest", kept["detector/1/2/manifest"])
    assert sequences(topic.store()) == [2, 1]


def test_a_cut_that_was_copied_to_another_term_is_not_taken_for_its(topic):
    store = topic.store()
    list(store.load())
    store.save(cut_of(1))
    for key, value in topic.records().items():
        topic.put(key.replace("detector/1/", "detector/5/"), value)
    other = topic.store()
    assert [cut.term for cut in other.load()] == [1]
    assert other.n_damaged == 1


STRANGE = [
    "", "detector", "detector/1/1", "detector/x/1/0", "detector/1/3/0", "detector/1/1/-1", "detector/01/1/0",
    f"detector/{'9' * 40}/1/0", "d\u00e4/1/1/0",
]  # fmt: skip


@pytest.mark.parametrize("key", STRANGE)
def test_keys_that_nobody_here_writes_are_passed_over(topic, key):
    store = topic.store()
    list(store.load())
    store.save(cut_of(1))
    topic.put(key or "x", b"strange")
    other = topic.store()
    assert sequences(other) == [1]
    assert other.highest_term == 1


def test_a_cut_of_a_newer_version_stops_the_start_and_stays(topic):
    store = topic.store()
    list(store.load())
    store.save(cut_of(1))
    body = b"".join(Encoder().encode(cut_of(2)))[HEAD.size :]

    class Newer:
        def encode(self, cut):
            return [head_of(body, VERSION + 1), body]

    store._encoder = Newer()
    store.save(cut_of(2))
    with pytest.raises(StateError, match="newer"):
        list(topic.store().load())
    assert len(topic.records()) == 4


def test_a_store_that_has_read_before_reads_only_what_is_new(topic):
    """A replica that takes over a second time, and finds what others have kept since."""
    mine, other = topic.store(), topic.store()
    assert sequences(mine) == []
    mine.save(cut_of(1, term=1))
    assert sequences(other) == [1]
    for sequence in (2, 3):
        other.save(cut_of(sequence, term=2, n_bytes=LARGE))
    assert sequences(mine) == [3, 2]
    mine.save(replace(cut_of(4), term=3))
    assert next(other.load()).sequence == 4


def test_without_brokers_state_is_away_and_not_empty():
    """In bounded time; what cannot be read must not be taken for nothing."""
    topic = Topic(f"127.0.0.1:{free_port()}")
    began_s = time.monotonic()
    with pytest.raises(StateAwayError):
        topic.store().load()
    with pytest.raises(StateError):
        topic.store().save(cut_of(1))
    assert time.monotonic() - began_s < 60


@pytest.fixture(scope="module")
def strict_broker(tmp_path_factory):
    """A broker where nobody may make topics."""
    broker = KafkaBroker(
        tmp_path_factory.mktemp("kafka"),
        authorizer_class_name="org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        allow_everyone_if_no_acl_found="true",
    )
    with broker:
        everything = [(ResourceType.CLUSTER, "kafka-cluster"), (ResourceType.TOPIC, "*")]
        rules = [
            ACL("User:ANONYMOUS", "*", operation, permission, ResourcePattern(kind, name))
            for kind, name in everything
            for operation, permission in (
                (ACLOperation.ALL, ACLPermissionType.ALLOW),
                (ACLOperation.CREATE, ACLPermissionType.DENY),
            )
        ]
        with broker.admin() as admin:
            admin.create_acls(rules)
        yield broker


def test_who_may_not_make_the_topic_is_told_what_to_make(strict_broker):
    """In one line that can be copied, and the start stops."""
    topic = Topic(strict_broker.bootstrap)
    with pytest.raises(StateError) as refused:
        topic.store().load()

    assert not isinstance(refused.value, StateAwayError)
    assert f"kafka-topics --create --topic {topic.name} --partitions 1" in str(refused.value)
    assert "--config cleanup.policy=compact" in str(refused.value)
    assert "\n" not in str(refused.value)
