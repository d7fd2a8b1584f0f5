"""The search for what makes the client fail, when it does not say: partition by partition, then by offset.

The client of kafka-python 3.0 *never returns* from the poll after such an exception, so it is thrown away
each time. What our own reader of batches understands is passed over without this (`kafka_guard`).
"""

from collections.abc import Callable, Sequence
from typing import Any

from detector.batch import Partition
from detector.sources.kafka_client import first_readable, topic_partition
from detector.sources.kafka_contact import close_client

PROBE_TIMEOUT_MS = 1_000


class Prober:
    """Reads single partitions; makes a new client after each failure."""

    def __init__(self, new_client: Callable[[], Any]) -> None:
        self._new_client = new_client
        self._client: Any = None
        self.error: Exception | None = None
        """What the client raised last."""

    def first_readable(self, p: Partition, at: int, end: int) -> tuple[int, Sequence[Any]]:
        """Return the first offset from `at` on that can be read, and records from there."""
        records = self._read(p, at)
        if records is None:
            at, records = first_readable(at, end, lambda offset: self._read(p, offset))
        return at, records or ()

    def close(self) -> None:
        """Let go of the client."""
        client, self._client = self._client, None
        if client is not None:
            close_client(client)

    def _read(self, p: Partition, offset: int) -> Sequence[Any] | None:
        """Return records from `offset` on; None if they cannot be read.

        Raises:
            RetriableError: the brokers are away.
        """
        from kafka.errors import RetriableError

        if self._client is None:
            self._client = self._new_client()
        tp = topic_partition(p)
        self._client.assign([tp])
        self._client.seek(tp, offset)
        try:
            records: Sequence[Any] = self._client.poll(timeout_ms=PROBE_TIMEOUT_MS).get(tp, ())
        except RetriableError:
            raise
        except Exception as error:  # noqa: BLE001 - a bad record may raise anything
            self.error = error
            self.close()
            return None
        return records
