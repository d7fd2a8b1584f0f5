"""The Kafka source in the troubles that networks, brokers and topics make; one broker for all of them."""

import logging
import socket
import ssl
import threading
import uuid

import pytest

from detector.batch import Loss, Partition
from detector.clock import SystemClock
from detector.sources.kafka_contact import BoundedSockets
from tests.support.kafka_broker import add_partitions
from tests.support.kafka_rig import KIND, Rig, closes, connected, numbers, read
from tests.support.processes import wait_until
from tests.support.producing import Producer


@pytest.fixture(scope="module")
def shared():
    rig = Rig()
    with rig.proxy, rig.locked, rig.broker:
        yield rig


@pytest.fixture
def rig(shared):
    yield shared
    shared.proxy.latency_s, shared.proxy.trickle, shared.proxy.change = 0.0, None, None
    shared.proxy.is_black_hole, shared.proxy.reset_after = False, None
    shared.close_all()


@pytest.mark.kafka
def test_a_connection_that_is_cut_all_the_time_loses_and_repeats_nothing(rig):
    """Every few polls all connections are reset: each record arrives once and in order."""
    topic = rig.topic()
    rig.send(topic, numbers(2000))
    source = rig.source(topic, rig.proxy.address, max_poll_records=100)
    polls = iter(range(1_000_000))
    values = read(source, 2000, meanwhile=lambda: next(polls) % 7 == 6 and rig.proxy.cut())

    assert values == numbers(2000)
    assert source.status().skipped == {}


@pytest.mark.kafka
@pytest.mark.parametrize("fault", ["slow", "trickle", "reset in an answer"])
def test_a_bad_network_loses_and_repeats_nothing(rig, fault):
    """Latency, a few bytes at a time, an end in the middle of an answer."""
    topic = rig.topic()
    rig.send(topic, numbers(500))
    source = rig.source(topic, rig.proxy.address)
    wait_until(lambda: connected(source), 30)
    values = []
    rig.send(topic, numbers(500, 500))
    match fault:
        case "slow":
            rig.proxy.latency_s = 0.1
        case "trickle":
            rig.proxy.trickle = 400
        case _:
            rig.proxy.reset_after = 300
    read(source, 1000, values)

    assert sorted(values, key=int) == numbers(1000)


@pytest.mark.kafka
def test_a_bit_that_flips_on_the_way_is_seen_and_fetched_again(rig):
    """The checksum tells; the second time the bytes are right, so nothing is lost."""
    topic = rig.topic()
    rig.send(topic, [b"x" * 500 + b"%d" % i for i in range(200)])
    flipped = []

    def flip(data):
        at = data.find(b"x" * 400)
        if flipped or at < 0:
            return data
        flipped.append(at)
        return data[: at + 200] + bytes([data[at + 200] ^ 4]) + data[at + 201 :]

    rig.proxy.change = flip
    source = rig.source(topic, rig.proxy.address)
    values = read(source, 200)

    assert flipped
    assert values == [b"x" * 500 + b"%d" % i for i in range(200)]
    assert source.status().skipped == {}


@pytest.mark.kafka
def test_a_network_that_swallows_everything_is_noticed_and_survived(rig):
    """Connections stay, answers do not come: not connected; when it is back reading goes on exactly there."""
    topic = rig.topic()
    rig.send(topic, numbers(10))
    source = rig.source(topic, rig.proxy.address)
    read(source, 10)
    rig.proxy.is_black_hole = True
    wait_until(lambda: not connected(source), 60, "the source notices")
    rig.send(topic, numbers(10, 10))
    rig.proxy.is_black_hole = False
    rig.proxy.cut()

    assert read(source, 10) == numbers(10, 10)


@pytest.mark.kafka
def test_a_source_lets_go_while_it_connects_to_a_network_that_swallows_everything(rig):
    """Also in the middle of an attempt; the polls before come back."""
    rig.proxy.is_black_hole = True
    source = rig.source(rig.topic(), rig.proxy.address)
    for _ in range(3):
        assert len(source.poll(0.1)) == 0

    assert closes(source)


@pytest.mark.kafka
def test_a_wrong_password_is_tried_once_and_explained(rig, caplog):
    """No storm that locks the account, and the log says what to check."""
    security = {"protocol": "SASL_PLAINTEXT", "mechanism": "PLAIN", "username": "drift", "password": "wrong"}
    before = rig.locked.n_connections
    source = rig.source(rig.topic(), rig.locked.address, security=security)
    with caplog.at_level(logging.ERROR, "detector"):
        wait_until(lambda: source.poll(0.1) is None or "refused" in caplog.text, 30)
        for _ in range(10):
            source.poll(0.1)

    assert "SaslAuthenticationFailedError" in caplog.text
    assert "check username and password_file (or oauth) in source.security" in caplog.text
    assert rig.locked.n_connections - before == 1
    assert source._retry_at_s - source._clock.monotonic_s() > 10.0


@pytest.mark.kafka
def test_a_missing_permission_is_named(rig, caplog):
    """The user exists, but may not read the topic."""
    topic = rig.topic()
    security = {"protocol": "SASL_PLAINTEXT", "mechanism": "PLAIN", "username": "drift", "password": "right"}
    source = rig.source(topic, rig.locked.address, security=security)
    with caplog.at_level(logging.ERROR, "detector"):
        wait_until(lambda: source.poll(0.1) is None or "refused" in caplog.text, 30)

    assert f"needs the permissions READ and DESCRIBE on topics {topic}" in caplog.text


@pytest.mark.kafka
def test_an_address_of_the_brokers_that_leads_nowhere_is_named(rig, caplog):
    """The usual mistake in containers: bootstrap works, advertised.listeners does not."""
    source = rig.source(rig.topic(), rig.far)
    with caplog.at_level(logging.WARNING, "detector"):
        wait_until(lambda: source.poll(0.1) is None or "no connection" in caplog.text, 40)

    assert f"127.0.0.1:{rig.nowhere}, which the brokers give as their own address" in caplog.text


@pytest.mark.kafka
def test_a_topic_created_again_while_nobody_looked_is_read_from_its_beginning(rig):
    """The stored offset exists in the new topic, too; its id tells that it means nothing."""
    topic = rig.topic()
    rig.send(topic, numbers(10))
    source = rig.source(topic)
    read(source, 10)
    positions, ids = source.positions(), source.topic_ids()
    assert closes(source)
    rig.broker.delete_topic(topic)
    rig.topic(topic)
    rig.send(topic, numbers(20, 100))
    source = rig.source(topic, start="latest")
    source.seek(positions, ids)

    assert read(source, 20) == numbers(20, 100)
    assert list(source.take_losses()) == [Loss(Partition(topic, 0), "recreated", 0, 10, 10)]
    assert source.topic_ids() != ids


@pytest.mark.kafka
def test_a_topic_created_again_while_it_is_read_begins_anew(rig):
    """Not connected while it is away; then read from its beginning, and the break is told."""
    topic = rig.topic()
    rig.send(topic, numbers(5))
    source = rig.source(topic)
    read(source, 5)
    rig.broker.delete_topic(topic)
    wait_until(lambda: not connected(source), 60, "it is noticed that the topic is gone")
    rig.topic(topic)
    rig.send(topic, numbers(20, 100))

    assert read(source, 20) == numbers(20, 100)
    assert [loss.reason for loss in source.take_losses()] == ["recreated"]
    wait_until(lambda: connected(source), 30)


@pytest.mark.kafka
def test_partitions_added_while_nobody_looked_are_read_from_their_beginning(rig):
    """Though the policy for new topics is to begin at the end."""
    topic = rig.topic()
    rig.send(topic, numbers(3))
    source = rig.source(topic, start="latest")
    add_partitions(rig.broker.bootstrap, topic, 2)
    with Producer(rig.broker.bootstrap) as producer:
        wait_until(lambda: len(producer._client.partitions_for(topic)) == 2, 30)
        producer.send(topic, [b"new"], 1)
    source.seek({Partition(topic, 0): 3}, {})

    assert read(source, 1) == [b"new"]


@pytest.mark.kafka
@pytest.mark.parametrize("codec", ["gzip", "zstd"])
def test_a_batch_that_would_fill_the_memory_is_passed_over(rig, codec):
    """A small batch of 20 MB: counted exactly; what lies before and behind it arrives."""
    topic = rig.topic()
    rig.send(topic, [b"before"])
    rig.send(topic, [bytes(20 << 20)], compression_type=codec, max_request_size=32 << 20)
    rig.send(topic, [b"behind"])
    source = rig.source(topic, max_batch_bytes=1 << 20)

    assert read(source, 2) == [b"before", b"behind"]
    assert list(source.take_losses()) == [Loss(Partition(topic, 0), "too_large_batch", 1, 1, 1)]
    assert source.positions() == {Partition(topic, 0): 3}


@pytest.mark.kafka
def test_a_poll_brings_only_so_many_bytes(rig):
    """Forty batches of half a megabyte, some kilobytes on the wire: a few a poll, all in the end."""
    topic = rig.topic()
    values = [b"%02d" % i + bytes(512 << 10) for i in range(40)]
    for value in values:
        rig.send(topic, [value], compression_type="gzip")
    source = rig.source(topic, max_batch_bytes=1 << 20)
    sizes, found = [], []

    def enough():
        records = source.poll(0.2)
        sizes.append(sum(map(len, records.values)))
        found.extend(records.values)
        return len(found) >= len(values)

    wait_until(enough, 60)
    assert found == values
    assert max(sizes) <= 2 << 20


@pytest.mark.kafka
def test_a_frozen_broker_and_one_that_is_killed(rig, caplog):
    """Frozen: noticed, said, and a source lets go. Killed: reading goes on exactly where it was."""
    topic = rig.topic()
    rig.send(topic, numbers(10))
    source, other = rig.source(topic), rig.source(topic)
    values = read(source, 10)
    read(other, 10)
    rig.broker.pause()
    try:
        with caplog.at_level(logging.WARNING, "detector"):
            wait_until(lambda: not connected(source), 60, "the source notices")
        assert "going on when they are back" in caplog.text
        assert closes(other)
    finally:
        rig.broker.resume()
    rig.broker.kill()
    rig.broker.start()
    rig.send(topic, numbers(10, 10))

    assert read(source, 20, values) == numbers(20)
    assert source.status().skipped == {}
    wait_until(lambda: connected(source), 60)


def test_a_broker_that_nobody_vouches_for_is_told_nothing(caplog, tmp_path):
    """The certificate is checked; the error says so, and there is no way without it."""
    spoken = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        _certify(context, tmp_path)
        threading.Thread(target=_accept, args=(server, context, spoken), daemon=True).start()
        made = KIND.Settings(
            bootstrap_servers=[f"127.0.0.1:{server.getsockname()[1]}"],
            topics=["t"],
            security={"protocol": "SSL"},
        )
        source = KIND.open(made, SystemClock())
        with caplog.at_level(logging.ERROR, "detector"):
            wait_until(lambda: source.poll(0.1) is None or "refused" in caplog.text, 30)
        assert closes(source)

    assert "certificate" in caplog.text
    assert "source.security.ca_file" in caplog.text
    assert spoken == []


def _certify(context, directory):
    import subprocess

    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=other",
         "-keyout", directory / "key.pem", "-out", directory / "cert.pem"],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    context.load_cert_chain(directory / "cert.pem", directory / "key.pem")


def _accept(server, context, spoken):
    while True:
        try:
            taken, _ = server.accept()
        except OSError:
            return
        try:
            with context.wrap_socket(taken, server_side=True) as wrapped:
                spoken.append(wrapped.recv(100))
        except OSError:
            taken.close()


def test_a_name_that_nobody_resolves_holds_nothing_up(monkeypatch):
    """It counts as unknown after a while; the answer serves the next attempt, and threads do not pile up."""
    answered, asked = threading.Event(), []

    def slow(host, *_):
        asked.append(host)
        answered.wait(30)
        return [("the", "address")]

    monkeypatch.setattr("detector.sources.kafka_contact.RESOLVE_TIMEOUT_S", 0.01)
    monkeypatch.setattr("detector.sources.kafka_contact.socket.getaddrinfo", slow)
    sockets = BoundedSockets()
    name = f"{uuid.uuid4().hex}.example"
    for _ in range(5):
        assert sockets.dns_lookup(name, 9092) == []
    assert asked == [name]
    answered.set()

    wait_until(lambda: sockets.dns_lookup(name, 9092) == [("the", "address")], 10)
