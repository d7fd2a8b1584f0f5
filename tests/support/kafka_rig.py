"""A broker with several addresses for tests of trouble, and sources over it."""

import threading
import uuid
from collections.abc import Callable
from typing import Any

from detector.clock import SystemClock
from detector.sources import Source, sources
from tests.support.kafka_broker import KafkaBroker, Listener, create_topic
from tests.support.processes import free_port, wait_until
from tests.support.producing import send
from tests.support.tcp_proxy import TcpProxy

KIND = sources.get("kafka")
USERS = 'org.apache.kafka.common.security.plain.PlainLoginModule required user_drift="right";'


class Rig:
    """A broker with an address behind a proxy, one that asks for a password, and one that leads nowhere."""

    def __init__(self) -> None:
        behind, locked = free_port(), free_port()
        self.proxy, self.locked = TcpProxy(behind), TcpProxy(locked)
        self.far = f"127.0.0.1:{free_port()}"
        self.nowhere = free_port()
        self.broker = KafkaBroker(
            beside=[
                Listener("PROXIED", behind, self.proxy.port),
                Listener("LOCKED", locked, self.locked.port, "SASL_PLAINTEXT"),
                Listener("FAR", int(self.far.split(":")[1]), self.nowhere),
            ],
            sasl_enabled_mechanisms="PLAIN",
            listener_name_locked_plain_sasl_jaas_config=USERS,
            authorizer_class_name="org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            super_users="User:ANONYMOUS",
        )
        self._opened: list[Source] = []

    def topic(self, name: str | None = None, partitions: int = 1) -> str:
        """Create a topic."""
        return create_topic(self.broker.bootstrap, name or f"trouble-{uuid.uuid4().hex[:8]}", partitions)

    def send(self, topic: str, values: list[bytes], **options: Any) -> None:
        """Send to partition 0, not through the proxy."""
        send(self.broker.bootstrap, topic, values, **options)

    def source(self, topic: str, address: str | None = None, start: str = "earliest", **settings: Any) -> Any:
        """Open a source; `close_all` closes it."""
        servers = [address or self.broker.bootstrap]
        made = KIND.Settings(bootstrap_servers=servers, topics=[topic], start=start, **settings)
        self._opened.append(KIND.open(made, SystemClock()))
        return self._opened[-1]

    def close_all(self) -> None:
        """Every source lets go in time, whatever has become of its broker."""
        for source in self._opened:
            assert closes(source)
        self._opened.clear()


def closes(source: Source) -> bool:
    """Close on a thread, so that a source that does not end fails a test instead of the whole run."""
    closing = threading.Thread(target=source.close, daemon=True)
    closing.start()
    closing.join(20)
    return not closing.is_alive()


def read(
    source: Source, n: int, values: list[Any] | None = None, meanwhile: Callable[[], object] = lambda: None
) -> list[Any]:
    """Return n values that are delivered next; `meanwhile` is called after each poll."""
    found: list[Any] = [] if values is None else values

    def enough() -> bool:
        found.extend(source.poll(0.1).values)
        meanwhile()
        return len(found) >= n

    wait_until(enough, 90, f"{n} records")
    return found


def connected(source: Source) -> bool:
    """Poll once, and tell whether the source is connected."""
    source.poll(0.1)
    return source.status().connected


def numbers(n: int, first: int = 0) -> list[bytes]:
    """Return n different values in order."""
    return [b"%d" % i for i in range(first, first + n)]
