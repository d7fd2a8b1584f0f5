"""Going on where an earlier run, or another replica, stood.

    start     the newest whole cut that fits -> pipeline, sinks, positions of the source
    running   every few seconds a cut is written beside the loop
    end       a last cut

A cut holds the pipeline and the positions of one moment between two polls. So after any end whatever the
records behind the positions are read again and nothing else: none is lost and none counts twice.
"""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from detector.alerts import Transition
from detector.clock import Clock
from detector.pipeline import Pipeline
from detector.sinks import Sink
from detector.sources import Source
from detector.state import Cut, Keeper, StateStore
from detector.tree import Tree, dict_of
from detector.view import StateStatus

log = logging.getLogger(__name__)

MAX_TOLD = 20
"""Lines that say what of a cut could not be kept; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Begun:
    """What a service begins with."""

    pipeline: Pipeline
    ended: tuple[Transition, ...] = ()
    """Alerts that end, because what they were about is no longer watched."""


class Memory:
    """What survives a service: cuts in a store, or nothing where there is none."""

    def __init__(
        self, clock: Clock, store: StateStore | None = None, every_s: float = 10.0, term: int = 0
    ) -> None:
        self._clock = clock
        self._store = store
        self._keeper = None if store is None else Keeper(store, every_s, clock)
        self._term = term

    def begin(self, pipeline: Pipeline, source: Source, sinks: Sequence[Sink]) -> Begun:
        """Go on from the newest cut that makes sense, with a pipeline that has taken in nothing yet.

        Raises:
            StateError: a newer version of this program has written the cuts.
        """
        if self._store is None or self._keeper is None:
            return Begun(pipeline)
        for cut in self._store.load():
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
        log.info("no state from before: beginning anew")
        return Begun(pipeline)

    def after_round(self, pipeline: Pipeline, source: Source, sinks: Sequence[Sink], config: str) -> None:
        """Keep a cut where it is time to; never waits for the disk."""
        if self._keeper is not None and self._keeper.is_due:
            self._keeper.keep(self._cut(self._keeper, pipeline, source, sinks, config))

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
