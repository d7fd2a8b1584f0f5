"""Sending records to a broker."""

from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from kafka import KafkaProducer


class Producer:
    """Sends to explicit partitions and waits until everything is acknowledged."""

    def __init__(self, bootstrap: str, **options: Any) -> None:
        self._client = KafkaProducer(bootstrap_servers=bootstrap, linger_ms=5, acks="all", **options)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close(timeout=10)

    def send(
        self, topic: str, values: Sequence[bytes | None], partition: int = 0, time_ms: int | None = None
    ) -> None:
        """Send `values` in order."""
        sent = [
            # The client sends no record without either; a key tells of a tombstone whose it is.
            self._client.send(topic, value, b"key" if value is None else None, partition=partition,
                              timestamp_ms=time_ms)
            for value in values
        ]  # fmt: skip
        self._client.flush(timeout=60)
        for future in sent:
            future.get(timeout=30)


def send(
    bootstrap: str, topic: str, values: Sequence[bytes | None], partition: int = 0, **options: Any
) -> None:
    """Send `values` with a producer of their own."""
    with Producer(bootstrap, **options) as producer:
        producer.send(topic, values, partition)
