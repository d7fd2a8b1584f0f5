"""Questions to a kafka-python consumer, in our own words for partitions."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from detector.batch import Partition
from detector.errors import SourceError
from detector.sources.base import Mark

LOOK_UP_TIMEOUT_MS = 5_000

T = TypeVar("T")


def topic_partition(p: Partition) -> Any:
    """Return the client's name of a partition."""
    from kafka import TopicPartition

    return TopicPartition(p.topic, p.number)


def partition_of(tp: Any) -> Partition:
    """Return our name of a partition."""
    return Partition(tp.topic, tp.partition)


def look_up_topics(client: Any, topics: Sequence[str]) -> None:
    """Let the client learn what the brokers know of `topics` now, and of no other topic.

    The client's own call asks for all topics there are and waits without limit.

    Raises:
        TopicAuthorizationFailedError: the user may not see one.
        KafkaError: the brokers do not answer.
    """
    from kafka import errors

    cluster = client._cluster  # noqa: SLF001 - pinned in pyproject.toml
    wait_for = client._manager.wait_for  # noqa: SLF001
    cluster.set_topics(topics)
    # An answer under way may be one to an earlier question.
    for _ in range(2):
        with suppress(errors.UnknownTopicOrPartitionError):
            client._net.run(wait_for, cluster.request_update(), LOOK_UP_TIMEOUT_MS)  # noqa: SLF001
        if cluster.unauthorized_topics:
            raise errors.TopicAuthorizationFailedError(set(cluster.unauthorized_topics))
        if all(cluster.partitions_for_topic(topic) for topic in topics):
            return


def partitions_of(client: Any, topics: Iterable[str]) -> tuple[Partition, ...]:
    """Return the partitions there are of `topics`, as far as the client knows; asks nobody."""
    return tuple(
        Partition(topic, number)
        for topic in sorted(topics)
        for number in sorted(client._cluster.partitions_for_topic(topic) or ())  # noqa: SLF001
    )


def topic_ids_of(client: Any, topics: Iterable[str]) -> dict[str, str]:
    """Return the id of each topic as far as the client knows; brokers before 2.8 have none.

    They come with what a client asks anyway: it takes no more than DESCRIBE on the topic.
    """
    ids = ((topic, client._cluster.topic_id(topic)) for topic in topics)  # noqa: SLF001
    return {topic: str(found) for topic, found in ids if found is not None and found.int != 0}


def cluster_id_of(client: Any) -> str | None:
    """Return the brokers' name for their cluster."""
    found: str | None = client._cluster.cluster_id  # noqa: SLF001
    return found


def beginnings(client: Any, partitions: Sequence[Partition]) -> dict[Partition, int]:
    """Return the offset of the first record there is in each partition."""
    found = client.beginning_offsets(list(map(topic_partition, partitions)), timeout_ms=LOOK_UP_TIMEOUT_MS)
    return {partition_of(tp): offset for tp, offset in found.items()}


def ends(
    client: Any, partitions: Sequence[Partition], timeout_ms: int = LOOK_UP_TIMEOUT_MS
) -> dict[Partition, int]:
    """Return the offset behind the last record of each partition."""
    found = client.end_offsets(list(map(topic_partition, partitions)), timeout_ms=timeout_ms)
    return {partition_of(tp): offset for tp, offset in found.items()}


def since(client: Any, partitions: Sequence[Partition], time_s: float) -> dict[Partition, int]:
    """Return the offset of the first record at `time_s` or later, for the partitions that have one."""
    wanted = {topic_partition(p): int(time_s * 1000) for p in partitions}
    found = client.offsets_for_times(wanted, timeout_ms=LOOK_UP_TIMEOUT_MS)
    return {partition_of(tp): at.offset for tp, at in found.items() if at is not None}


def position(client: Any, p: Partition) -> int | None:
    """Return the offset that the client reads next, as far as it knows; asks nobody."""
    at: int | None = client.position(topic_partition(p), timeout_ms=0)
    return at


def commit_marks(client: Any, marks: Mapping[Partition, Mark], timeout_ms: int) -> None:
    """Commit marks in the client's group; raises what the client raises."""
    from kafka import OffsetAndMetadata

    offsets = {topic_partition(p): OffsetAndMetadata(m.offset, m.metadata, -1) for p, m in marks.items()}
    client.commit(offsets, timeout_ms=timeout_ms)


def name_of(error: Exception) -> str:
    """Name an exception without its text: that may quote a record."""
    return type(error).__name__


def check_codecs() -> None:
    """Refuse to start without a codec: a batch written in it would look like damage.

    Raises:
        SourceError: one is not installed.
    """
    from kafka import codec

    missing = [name for name in ("gzip", "snappy", "lz4", "zstd") if not getattr(codec, f"has_{name}")()]
    if missing:
        raise SourceError(f"no codec for {', '.join(missing)}; install kafka-python[crc32c,lz4,snappy,zstd]")


def first_readable(at: int, end: int, read: Callable[[int], T | None]) -> tuple[int, T | None]:
    """Find the first offset behind an unreadable one at `at` from which `read` returns something.

    `read` returns None for an offset that cannot be read. The steps double until one works or `end`
    is reached; then the gap is halved, so that no readable record behind the bad ones is lost.
    """
    bad, step = at, 1
    while True:
        good = max(at + 1, min(at + step, end))
        found = read(good)
        if found is not None or good >= end:
            break
        bad, step = good, step * 2
    while good - bad > 1:
        middle = (bad + good) // 2
        again = read(middle)
        if again is None:
            bad = middle
        else:
            good, found = middle, again
    return good, found
