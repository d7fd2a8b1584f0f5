"""Where events come from, how far they are read, and what became of them."""

from collections.abc import Mapping, Sequence
from itertools import islice

from detector.metrics.labels import label
from detector.view import PartitionStatus, SinkStatus, StateStatus, View
from detector.web.api.answers import MAX_LISTED, Answer, Page, Time
from detector.web.api.asking import Paged
from detector.web.pages.site import time_text


class PartitionAnswer(Answer):
    """One partition."""

    topic: str
    partition: int
    position: int
    """Offset of the next record to read."""
    end: int | None
    """Offset after the last record there is; null while unknown."""
    lag: int | None
    """Records not read yet."""


class TopicAnswer(Answer):
    """One topic."""

    topic: str
    consumed: int
    """Records read."""
    event_time: Time
    """The largest."""


class ReasonCount(Answer):
    """Records that came to nothing, and why."""

    topic: str | None
    """null: of all topics together."""
    reason: str
    n: int


class StateAnswer(Answer):
    """How the keeping of state goes."""

    last: Time
    """When it was last kept."""
    duration_s: float
    size_bytes: int
    failed: int
    damaged: int
    """States that were found damaged at the start."""


class SinkAnswer(Answer):
    """What became of what one receiver gets."""

    name: str
    sent: int
    failed: int
    dropped: int
    queued: int


class SourceAnswer(Page[PartitionAnswer]):
    """The source, with some of its partitions as items."""

    connected: bool
    active: bool
    """Whether this instance reads; a replica that stands by does not."""
    ready: bool
    restarts: int
    """How often the connection was made anew because a partition stood still."""
    watermark: Time
    """Event time up to which windows are complete."""
    last_evaluation: Time
    consumed: int
    accepted: int
    labels: int
    topics: Sequence[TopicAnswer]
    """The first 100."""
    rejected: Sequence[ReasonCount]
    """The first 100 by topic and reason."""
    rejected_total: int
    """Events, of all topics and reasons."""
    lost: Sequence[ReasonCount]
    """Records that can never be read: the first 100."""
    skipped: Sequence[ReasonCount]
    """Records that could not be fetched, by reason: the first 100."""
    state: StateAnswer | None
    """null where none is kept."""
    dead_letters: SinkAnswer | None
    """What became of rejected records that are sent on; null where none are."""
    sinks: Sequence[SinkAnswer]
    """The first 100."""


def source_answer(view: View, asked: Paged) -> SourceAnswer:
    """Return where the source stands, with some of its partitions."""
    partitions, counters = view.source.partitions, view.counters
    return SourceAnswer(
        items=[_partition(p) for p in partitions[asked.offset : asked.offset + asked.limit]],
        total=len(partitions),
        offset=asked.offset,
        limit=asked.limit,
        connected=view.source.connected,
        active=view.is_active,
        ready=view.ready,
        restarts=view.source.restarts,
        watermark=time_text(view.watermark_s),
        last_evaluation=time_text(view.last_evaluation_s),
        consumed=counters.consumed.total(),
        accepted=counters.accepted.total(),
        labels=counters.labels,
        topics=_topics(view),
        rejected=_counts(counters.rejected),
        rejected_total=counters.rejected.total(),
        lost=_counts(counters.lost),
        skipped=_counts({(None, reason): n for reason, n in view.source.skipped.items()}),
        state=None if view.state is None else _state(view.state),
        dead_letters=None if view.dead_letters is None else _sink(view.dead_letters),
        sinks=[_sink(sink) for sink in view.sinks[:MAX_LISTED]],
    )


def _partition(status: PartitionStatus) -> PartitionAnswer:
    return PartitionAnswer(
        topic=label(status.partition.topic),
        partition=status.partition.number,
        position=status.position,
        end=status.end,
        lag=status.lag,
    )


def _topics(view: View) -> list[TopicAnswer]:
    topics = dict.fromkeys(status.partition.topic for status in view.source.partitions)
    return [
        TopicAnswer(
            topic=label(topic),
            consumed=view.counters.consumed[topic],
            event_time=time_text(view.event_time_s.get(topic)),
        )
        for topic in islice(topics, MAX_LISTED)
    ]


def _counts(counts: Mapping[tuple[str, str], int] | Mapping[tuple[None, str], int]) -> list[ReasonCount]:
    return [
        ReasonCount(topic=None if topic is None else label(topic), reason=label(reason), n=n)
        for (topic, reason), n in sorted(counts.items())[:MAX_LISTED]
    ]


def _state(state: StateStatus) -> StateAnswer:
    return StateAnswer(
        last=time_text(state.last_s),
        duration_s=state.duration_s,
        size_bytes=round(state.size_bytes),
        failed=state.n_failed,
        damaged=state.n_damaged,
    )


def _sink(sink: SinkStatus) -> SinkAnswer:
    return SinkAnswer(
        name=label(sink.name), sent=sink.sent, failed=sink.failed, dropped=sink.dropped, queued=sink.queued
    )
