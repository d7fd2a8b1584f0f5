"""A bad network between service and brokers: cut, slow, a trickle, and one that swallows everything.

The producer has a good one. The service goes on by itself each time, within bounds, and everything adds up.
"""

from collections.abc import Iterator

import pytest

from tests.faults.form import either
from tests.faults.proxy import Network
from tests.faults.running import Detector, finish
from tests.faults.sending import Stream
from tests.faults.setting import CUT_EVERY, write_setting
from tests.faults.workload import N_PARTITIONS
from tests.support.kafka_broker import KafkaBroker, create_topic
from tests.support.processes import free_port

N_EVENTS = either(24_000, 120_000)
CUTS = either(8, 60)
SWALLOWED_S = either(8, 60)

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(either(180, 1800))]


@pytest.fixture(scope="module")
def places() -> Iterator[tuple[KafkaBroker, Network]]:
    """A broker, and the network by which the service reaches it; others reach it without."""
    port, controller, inner = free_port(), free_port(), free_port()
    with Network(inner) as network:
        broker = KafkaBroker(
            listeners=f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller},BAD://127.0.0.1:{inner}",
            advertised_listeners=f"PLAINTEXT://127.0.0.1:{port},BAD://127.0.0.1:{network.port}",
            listener_security_protocol_map="PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,BAD:PLAINTEXT",
            controller_quorum_voters=f"1@127.0.0.1:{controller}",
        )
        broker.port = port
        with broker:
            yield broker, network


class Run:
    """A detector behind the bad network."""

    def __init__(self, broker: KafkaBroker, network: Network, stream, home, topic: str) -> None:
        self.network, self.stream, self.topic, self.bootstrap = network, stream, topic, broker.bootstrap
        create_topic(broker.bootstrap, topic, N_PARTITIONS)
        bad = f"127.0.0.1:{network.port}"
        source = {"kind": "kafka", "bootstrap_servers": [bad], "topics": [topic], "start": "earliest"}
        state = {"kind": "directory", "directory": str(home / "state"), "every": CUT_EVERY}
        self.detector = Detector(write_setting(home, stream.baseline, source, state=state))
        self.detector.start()

    def stream_of(self, share=lambda: 1.0) -> Stream:
        """The stream on its way."""
        return Stream(self.bootstrap, self.topic, self.stream.work, 40, share)


@pytest.fixture
def run(places, expected, home, request) -> Iterator[Run]:
    broker, network = places
    found = Run(broker, network, expected(N_EVENTS), home, request.node.name.replace("_", "-")[:60])
    yield found
    network.heal()
    found.detector.running.kill()


def test_connections_that_are_cut_again_and_again(run, tell):
    """In the middle of whatever they carry."""
    cuts = 0
    with run.stream_of(lambda: (cuts + 1) / CUTS):
        for cuts in range(1, CUTS + 1):  # noqa: B007 - the stream goes by it
            run.detector.live(0.7)
            run.network.cut()
    found = finish(run.detector, run.stream.right, run.stream.like)
    tell(events=len(run.stream.work), cuts=CUTS, connections=run.network.connections, mismatches=len(found))

    assert found == []


def test_a_network_that_is_slow_and_one_that_trickles(run, tell):
    """100 ms for every chunk; then a few bytes at a time and a cut in the middle; then all is well again."""
    with run.stream_of():
        run.network.delay_s = 0.1
        run.detector.live(4.0)
        run.network.delay_s, run.network.chunk = 0.001, 7
        run.detector.live(4.0)
        run.network.cut()
        run.network.heal()
    found = finish(run.detector, run.stream.right, run.stream.like)
    tell(events=len(run.stream.work), mismatches=len(found))

    assert found == []


def test_a_network_that_swallows_everything(run, tell):
    """No answer and no error for a while: nobody hangs for good."""
    with run.stream_of():
        run.detector.wait_for(len(run.stream.work) // 10)
        run.network.swallow()
        run.detector.live(SWALLOWED_S)
        run.network.heal()
    found = finish(run.detector, run.stream.right, run.stream.like)
    tell(events=len(run.stream.work), swallowed_s=SWALLOWED_S, mismatches=len(found))

    assert found == []
