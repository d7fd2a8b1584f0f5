"""Connecting on a thread of its own, so that the loop comes round and can end meanwhile."""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from detector.batch import Partition
from detector.sources import kafka_client
from detector.sources.kafka_contact import Contacts, close_client, leave, new_client


@dataclass(frozen=True, slots=True)
class Survey:
    """What there is to read, as the brokers say."""

    partitions: tuple[Partition, ...]
    topic_ids: Mapping[str, str]
    cluster_id: str | None
    begins: Mapping[Partition, int]
    """Offset of the first record there is."""
    ends: Mapping[Partition, int]
    """Offset behind the last one."""
    starts: Mapping[Partition, int]
    """Where reading begins that was not read before."""


Starts = Callable[[Any, tuple[Partition, ...], Mapping[Partition, int], Mapping[Partition, int]], Any]
"""(client, partitions, begins, ends) -> starts."""


def survey(client: Any, topics: tuple[str, ...], starts: Starts) -> Survey:
    """Ask the brokers what there is; takes a few seconds at most.

    Raises:
        KafkaError: they do not tell.
    """
    kafka_client.look_up_topics(client, topics)
    partitions = kafka_client.partitions_of(client, topics)
    begins = kafka_client.beginnings(client, partitions)
    ends = kafka_client.ends(client, partitions)
    return Survey(
        partitions,
        kafka_client.topic_ids_of(client, topics),
        kafka_client.cluster_id_of(client),
        begins,
        ends,
        starts(client, partitions, begins, ends),
    )


class Opening:
    """A client on its way."""

    def __init__(self, options: Mapping[str, Any], ask: Callable[[Any], Survey]) -> None:
        self.contacts = Contacts()
        self._options = options
        self._ask = ask
        self._made: Future[tuple[Any, Survey]] = Future()
        self._is_abandoned = False
        threading.Thread(target=self._run, name="kafka-connect", daemon=True).start()

    def wait(self, timeout_s: float) -> tuple[Any, Survey] | None:
        """Return the client and what it found, None if they are not there yet.

        Raises:
            Exception: whatever the client raised.
        """
        try:
            return self._made.result(timeout_s)
        except TimeoutError:
            # The client's own errors of that name come from the future's inside.
            if self._made.done():
                raise
            return None

    def abandon(self) -> None:
        """Let go of the client, wherever it is."""
        self._is_abandoned = True
        if self._made.done():
            if self._made.exception() is None:
                close_client(self._made.result()[0])
        else:
            leave(self.contacts.shut)

    def _run(self) -> None:
        client = None
        try:
            client = new_client(self._options, self.contacts)
            self._made.set_result((client, self._ask(client)))
        except Exception as error:  # noqa: BLE001 - handed on to who waits for it
            if client is not None:
                close_client(client)
            self._made.set_exception(self.contacts.refusal or error)
        if self._is_abandoned and client is not None:
            close_client(client)
