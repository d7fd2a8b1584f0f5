"""Marks in a consumer group, kept by a thread and a client of their own.

Nothing waits for a commit: the newest marks count, those not sent yet are forgotten. The client belongs to
no assignment and never polls, so the group has no members by it. Where a group does have members, the brokers
refuse such commits; then they have to go through a member.
"""

import logging
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from detector.batch import Partition
from detector.brokers import ClientOptions
from detector.sources import kafka_client
from detector.sources.base import Mark
from detector.sources.kafka_client import name_of, topic_partition
from detector.sources.kafka_contact import Contacts, close_client, is_refusal, leave, new_client, remedy

log = logging.getLogger(__name__)

REQUEST_TIMEOUT_MS = 5_000

ASK_TIMEOUT_S = 10.0
"""The loop waits so long for what is committed, once at the start."""


class Committer:
    """Reads and writes the marks of one group."""

    def __init__(self, options: ClientOptions, group: str, topics: Sequence[str]) -> None:
        self._options = options
        self._group = group
        self._topics = tuple(topics)
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._marks: Mapping[Partition, Mark] | None = None
        self._asked: Future[dict[Partition, Mark]] | None = None
        self._thread: threading.Thread | None = None
        self._contacts = Contacts()
        self._client: Any = None
        self._is_ending = False
        self._has_failed = False

    def commit(self, marks: Mapping[Partition, Mark]) -> None:
        """Have marks written; waits for nothing."""
        with self._lock:
            self._marks = dict(marks)
        self._start()

    def committed(self) -> dict[Partition, Mark] | None:
        """Return the group's marks; None if the brokers do not tell in time.

        A group that may not be read is one without marks; the log says what permission is missing.
        """
        with self._lock:
            asked = self._asked = Future()
        self._start()
        try:
            return asked.result(ASK_TIMEOUT_S)
        except Exception as error:  # noqa: BLE001 - whatever the client raises
            log.warning("what group %s has committed is not known (%s)", self._group, name_of(error))
            return {} if is_refusal(error) else None

    def end(self) -> None:
        """Begin to end: the marks given last are still tried."""
        self._is_ending = True
        self._wake.set()

    def close(self, timeout_s: float) -> None:
        """End, and let go of what does not."""
        self.end()
        thread = self._thread
        if thread is not None:
            thread.join(timeout_s)
            if thread.is_alive():
                leave(self._contacts.shut, 0.0)

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="kafka-commits", daemon=True)
            self._thread.start()
        self._wake.set()

    def _run(self) -> None:
        while not self._is_ending:
            self._wake.wait()
            self._wake.clear()
            with self._lock:
                marks, self._marks = self._marks, None
                asked, self._asked = self._asked, None
            if asked is not None:
                self._answer(asked)
            if marks:
                self._write(marks)
        self._drop_client()

    def _answer(self, asked: Future[dict[Partition, Mark]]) -> None:
        try:
            asked.set_result(self._read())
        except Exception as error:  # noqa: BLE001 - handed on to who waits for it
            self._failed(error)
            asked.set_exception(error)

    def _read(self) -> dict[Partition, Mark]:
        client = self._connected()
        kafka_client.look_up_topics(client, self._topics)
        found = {}
        for p in kafka_client.partitions_of(client, self._topics):
            mark = client.committed(topic_partition(p), metadata=True, timeout_ms=REQUEST_TIMEOUT_MS)
            if mark is not None and mark.offset >= 0:
                found[p] = Mark(mark.offset, mark.metadata or "")
        return found

    def _write(self, marks: Mapping[Partition, Mark]) -> None:
        try:
            kafka_client.commit_marks(self._connected(), marks, REQUEST_TIMEOUT_MS)
        except Exception as error:  # noqa: BLE001 - whatever the client raises
            self._failed(error)
        else:
            self._has_failed = False

    def _connected(self) -> Any:
        if self._client is None:
            self._contacts = Contacts()
            own = {"group_id": self._group, "client_id": f"{self._group}-commits"}
            self._client = new_client({**self._options(), **own}, self._contacts)
        return self._client

    def _failed(self, error: Exception) -> None:
        self._drop_client()
        why = remedy(error, self._topics, self._group) if is_refusal(error) else "trying again with the next"
        # The next marks come soon; one line until one of them is written.
        log.log(
            logging.DEBUG if self._has_failed else logging.WARNING,
            "group %s: offsets not committed (%s): %s", self._group, name_of(error), why,
        )  # fmt: skip
        self._has_failed = True

    def _drop_client(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            close_client(client)
