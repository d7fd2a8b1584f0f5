"""The same stream once more, undisturbed and in this process: the second thing to compare with.

Its windows are held against the oracle, count by count, while it runs. What was judged and told by it is
then what a service has to judge and tell, whatever happens to that one.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from detector.assembly import assemble
from detector.baseline import Baseline
from detector.config import load_config
from detector.notice import Notice
from detector.pipeline import Judged
from detector.sources.memory import MemorySource
from tests.faults.oracle import Oracle
from tests.faults.workload import N_PARTITIONS, Parts, Workload
from tests.integration.oracle import bins_of
from tests.support.factories import KEY, START_S

PARTS = 40
"""So many times a part of every partition is sent, and read before the next."""


@dataclass
class Reference:
    """What an undisturbed run judges and tells."""

    consumed: int
    accepted: int
    rejected: dict[str, int]
    evaluations: int
    digest: str
    """Of every evaluation in order, as the service itself works it out."""
    outcome: str
    """The same, worked out here: what was counted, and what state each feature was in."""
    keys: list[str]
    """Of every notice in order."""
    mismatches: list[str] = field(default_factory=list)
    """Where its windows are not what the oracle counts."""


def reference(work: Workload, config: Path, right: Oracle, parts: Iterable[Parts] = ()) -> Reference:
    """Run the whole stream through a pipeline over memory, by default in equal parts of every partition.

    `parts` cuts it otherwise: part for part what is read of each partition.
    """
    assembly = assemble(load_config(config, allow_replay=True))
    pipeline, source = assembly.pipeline, MemorySource(N_PARTITIONS, "predictions")
    found, keys = _Windows(right, assembly.baselines[KEY]), []
    for part in parts or work.slices(PARTS):
        for partition, values in enumerate(part):
            for value in values:
                source.append(value, partition)
        while len(records := source.poll(0.0)):
            for outcome in pipeline.feed(assembly.decoder.decode(records), START_S):
                found.take(outcome.judged)
                keys += [Notice(transition).idempotency_key for transition in outcome.transitions]
    counters = pipeline.counters
    return Reference(
        counters.consumed.total(),
        counters.accepted.total(),
        by_reason(counters.rejected),
        counters.evaluations.total(),
        counters.evaluation_digest,
        found.outcome,
        keys,
        found.mismatches(),
    )


def by_reason(rejected: Mapping[tuple[str, str], int]) -> dict[str, int]:
    """Add up over the topics."""
    found: Counter[str] = Counter()
    for (_, reason), n in rejected.items():
        found[reason] += n
    return dict(sorted(found.items()))


class _Windows:
    """Compares the windows that are judged with those that the oracle has."""

    def __init__(self, right: Oracle, baseline: Baseline) -> None:
        self._right = right
        self._baseline = baseline
        self._seen: set[tuple[float, float]] = set()
        self._wrong: list[str] = []
        self._outcome = hashlib.sha256()

    @property
    def outcome(self) -> str:
        return self._outcome.hexdigest()

    def take(self, judged: Iterable[Judged]) -> None:
        for one in judged:
            window = one.evaluation.window
            place = window.start_s, window.end_s
            self._seen.add(place)
            self._outcome.update(repr((place, one.state.tolist(), one.anomalies)).encode())
            self._outcome.update(window.profile.counts.tobytes())
            counts = bins_of(window.profile.counts[0], self._baseline)
            if counts != self._right.windows.get(place):
                self._wrong.append(f"window {place}: {counts}, not {self._right.windows.get(place)}")

    def mismatches(self) -> list[str]:
        missing = sorted(self._right.windows.keys() - self._seen)
        return [*self._wrong, *(f"window {place} was not judged" for place in missing)]
