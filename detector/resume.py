"""Going on where an earlier run, or another replica, stood.

    start     the newest whole cut that fits -> pipeline, sinks, positions of the source;
              without one, what the group has committed -> windows are built again from the topic
    running   every few seconds a cut is written beside the loop; then it is committed from where the windows
              of that cut come out again
    end       a last cut

A cut holds the pipeline and the positions of one moment between two polls. So after any end whatever the
records behind the positions are read again and nothing else: none is lost and none counts twice.
"""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from detector.alerts import Transition
from detector.batch import Partition
from detector.clock import Clock
from detector.pipeline import Pipeline
from detector.sinks import Sink
from detector.sources import Mark, Source
from detector.state import Cut, Keeper, StateAwayError, StateStore
from detector.tree import Tree, dict_of
from detector.view import StateStatus
from detector.windows.rebuild import RebuildPoint

log = logging.getLogger(__name__)

MAX_TOLD = 20
"""Lines that say what of a cut could not be kept; the rest is counted."""


GENERATIONS = 1 << 32
"""More than a group ever has."""


@dataclass(frozen=True, slots=True)
class Begun:
    """What a service begins with."""

    pipeline: Pipeline
    ended: tuple[Transition, ...] = ()
    """Alerts that end, because what they were about is no longer watched."""


class Memory:
    """What survives a service: cuts in a store, or nothing where there is none."""

    def __init__(self, clock: Clock, store: StateStore | None = None, every_s: float = 10.0) -> None:
        self._clock = clock
        self._store = store
        self._keeper = None if store is None else Keeper(store, every_s, clock)
        self._term = 0
        self._has_begun = False
        self._marks: dict[Partition, Mark] = {}
        """From where the windows of the latest cut come out again."""

    @property
    def is_free(self) -> bool:
        """Whether nothing of an earlier term is being written any more."""
        return self._keeper is None or not self._keeper.is_writing

    def begin(self, pipeline: Pipeline, source: Source, sinks: Sequence[Sink], generation: int = 1) -> Begun:
        """Go on from the newest cut that makes sense, with a pipeline that has taken in nothing yet.

        `generation` is the number of the term that begins, as the election counts.

        Raises:
            StateAwayError: the cuts cannot be read now.
            StateError: a newer version of this program has written the cuts.
        """
        is_again, self._has_begun = self._has_begun, True
        if is_again:
            # Positions are those of a term that is over; without a cut the configuration says where.
            source.seek({}, {})
        if self._store is None or self._keeper is None:
            return Begun(pipeline)
        cuts = list(self._store.load())
        self._term = term_after(self._store.highest_term, generation)
        for cut in cuts:
            self._keeper.begin_after(cut.sequence)
            taker = pipeline.anew()
            try:
                recalled = taker.recall(cut.tree)
            except ValueError as error:
                log.warning("state of sequence=%d is not used: it %s", cut.sequence, error)
                continue
            source.seek(cut.positions, cut.topic_ids)
            _recall_sinks(sinks, cut.told)
            age_s = self._clock.now_s() - cut.saved_s
            log.info("going on from sequence=%d, kept %.0f s ago", cut.sequence, max(age_s, 0.0))
            _tell(recalled.dropped)
            return Begun(taker, tuple(recalled.ended))
        self._keeper.hasten()
        return Begun(_rebuilding(pipeline, source))

    def after_round(
        self, pipeline: Pipeline, source: Source, sinks: Sequence[Sink], config: str
    ) -> Mapping[Partition, Mark]:
        """Keep a cut where it is time to; never waits for the disk.

        Returns what is to be committed, once a cut has become durable.
        """
        if self._keeper is None:
            return {}
        durable = {} if self._keeper.take_durable() is None else self._marks
        # A cut without positions would say that everything is to be read.
        if self._keeper.is_due and source.positions():
            ids = source.topic_ids()
            self._marks = {
                p: Mark(point.offset, f"{ids.get(p.topic, '')}|{point.text}")
                for p, point in pipeline.rebuild_points().items()
            }
            self._keeper.keep(self._cut(self._keeper, pipeline, source, sinks, config))
        return durable

    def drop(self) -> None:
        """Have nothing to do with the cuts of a term that is over."""
        if self._keeper is not None:
            self._keeper.take_durable()

    def last(self, pipeline: Pipeline, source: Source, sinks: Sequence[Sink], config: str) -> None:
        """Keep what is known now, waiting a few seconds at most."""
        if self._keeper is None:
            return
        if not self._keeper.finish():
            log.warning("the last state is not kept: the one before is still being written")
            return
        self._keeper.keep(self._cut(self._keeper, pipeline, source, sinks, config))
        self._keeper.finish()

    def status(self) -> StateStatus | None:
        """Say how keeping goes; None where nothing is kept."""
        return None if self._keeper is None else self._keeper.status()

    def close(self) -> None:
        """Let go of the store."""
        if self._keeper is not None:
            self._keeper.close()

    def _cut(
        self, keeper: Keeper, pipeline: Pipeline, source: Source, sinks: Sequence[Sink], config: str
    ) -> Cut:
        return Cut(
            pipeline.remember(),
            dict(source.positions()),
            dict(source.topic_ids()),
            _told(sinks),
            config,
            keeper.next_sequence,
            self._clock.now_s(),
            self._term,
        )


def _rebuilding(pipeline: Pipeline, source: Source) -> Pipeline:
    """Return a pipeline that builds its windows again from what the group has committed, if it has."""
    points, ids = {}, {}
    committed = source.committed()
    if committed is None:
        raise StateAwayError("the brokers do not tell what the group has committed")
    for p, (offset, metadata) in committed.items():
        topic_id, _, text = metadata.partition("|")
        try:
            points[p] = RebuildPoint.of(offset, text)
        except ValueError:
            continue  # of somebody else
        if topic_id:
            ids[p.topic] = topic_id
    if not points:
        log.info("no state from before: beginning anew")
        return pipeline
    rebuilding = pipeline.anew()
    rebuilding.rebuild_from(points)
    source.seek({p: point.offset for p, point in points.items()}, ids)
    log.warning(
        "no state from before: building windows again from %d partitions, as the group has committed; "
        "alerts, counters and what was learned begin anew",
        len(points),
    )
    return rebuilding


def term_after(highest: int, generation: int) -> int:
    """Return the number that a term has in the store: above `highest`, and another for each generation.

    The brokers begin to count generations anew when they lose a group; then the upper half counts on.
    """
    term = highest - highest % GENERATIONS + generation
    return term if term > highest else term + GENERATIONS


def _told(sinks: Sequence[Sink]) -> Tree:
    """Return what each sink has still to tell, by its name."""
    told: dict[str, Tree] = {}
    for name, sink in _named(sinks):
        told[name] = sink.remember()
    return told


def _recall_sinks(sinks: Sequence[Sink], tree: Tree) -> None:
    known = {} if tree is None else dict_of(tree)
    for name, sink in _named(sinks):
        if known.get(name) is not None:
            try:
                sink.recall(known[name])
            except ValueError as error:
                log.warning("sink %s: what it had to tell before the restart is not told: it %s", name, error)


def _named(sinks: Sequence[Sink]) -> list[tuple[str, Sink]]:
    """Return each sink with a name that no other has."""
    named: list[tuple[str, Sink]] = []
    seen: Counter[str] = Counter()
    for sink in sinks:
        name = sink.status().name
        seen[name] += 1
        named.append((name if seen[name] == 1 else f"{name} #{seen[name]}", sink))
    return named


def _tell(dropped: Sequence[str]) -> None:
    for text in dropped[:MAX_TOLD]:
        log.warning("not kept over the restart: %s", text)
    if len(dropped) > MAX_TOLD:
        log.warning("not kept over the restart: %d things more", len(dropped) - MAX_TOLD)
