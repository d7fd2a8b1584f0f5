"""A service without a process: pipeline, in-memory source and a disk, in a world where all of it fails.

The world keeps two books. The *history* is every step that led to the state of now: a crash takes back
what came after the cut that the next life begins with. The *log* is what was ever appended. Whatever
happened, the pipeline must be what a fresh one becomes by the history; every record of the log must be
in the history once, in order, or be reported lost; and the counters must be what plain counting finds.
"""

import hashlib
import logging
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

import msgspec
import numpy as np

from detector.alerts import AlertPolicy
from detector.baseline import Baseline
from detector.batch import ModelKey, Partition
from detector.drift.policy import DecisionPolicy
from detector.pipeline import Outcome, Pipeline
from detector.watched import Monitored
from detector.windows.spec import WindowSpec
from tests.faults.disk import Disk
from tests.faults.seams import Files, Topic, encoded, lose
from tests.support.factories import KEY, START_S, baseline_of, decoder_of

PANE_S = 60.0
LATENESS_S = 60.0
MAX_FUTURE_S = 300.0
SPEC = WindowSpec(PANE_S, (180.0, 600.0), LATENESS_S, MAX_FUTURE_S)

GOOD, STRANGE, GARBAGE, TOMBSTONE = range(4)
"""What a record is."""

REASONS = {STRANGE: "unknown_model", GARBAGE: "undecodable", TOMBSTONE: "null_value"}

POLICIES = (
    (DecisionPolicy(min_samples=10), AlertPolicy(raise_after=1, clear_after=1, clear_for_s=60.0)),
    (DecisionPolicy(min_samples=20, min_effect=0.2), AlertPolicy(raise_after=2, clear_after=2)),
)
"""The settings that the service may run with."""


def _baseline() -> Baseline:
    rng = np.random.default_rng(1)
    numbers, texts = rng.normal(0, 1, 500).round(3).tolist(), rng.choice(["a", "b"], 500).tolist()
    return baseline_of([{"x": x, "c": c} for x, c in zip(numbers, texts, strict=True)])


BASELINE = _baseline()


def models_of(policy: int) -> Mapping[ModelKey, Monitored]:
    """The one model version, judged by one of `POLICIES`."""
    return {KEY: Monitored(BASELINE, POLICIES[policy][0])}


def new_pipeline(policy: int) -> Pipeline:
    """A pipeline that has seen nothing."""
    return Pipeline(SPEC, models_of(policy), POLICIES[policy][1])


logging.getLogger("detector.state.directory").setLevel(logging.ERROR)
"""Damage is what this is about."""

DECODER = decoder_of(models_of(0))

Step = Callable[[Pipeline], object]
"""What a pipeline goes through."""


@dataclass(frozen=True)
class Appended:
    """A record as it was sent."""

    kind: int
    time_s: float

    def payload(self, x: float, c: str) -> bytes | None:
        """Return what is on the topic."""
        if self.kind == TOMBSTONE:
            return None
        if self.kind == GARBAGE:
            return b"{"
        document = {
            "model": KEY.model,
            "version": "none" if self.kind == STRANGE else KEY.version,
            "timestamp": f"{np.datetime64(round(self.time_s * 1000), 'ms')}Z",
            "features": {"x": x, "c": c},
        }
        return msgspec.json.encode(document)


Log = tuple[str, Partition]
"""A partition, in one life of its topic."""


@dataclass
class History:
    """What led to the state of now."""

    policy: int
    """That it began with; steps may change it."""
    steps: list[Step] = field(default_factory=list)
    reads: list[tuple[Log, int, float]] = field(default_factory=list)
    """(log, offset, wall time) of every record that was taken in."""
    lost: list[tuple[Log, int, int]] = field(default_factory=list)
    """(log, first offset, end) of what was reported lost."""

    begin: dict[Log, int] = field(default_factory=dict)
    """Where the first life began to read."""

    def upto(self, length: tuple[int, int, int]) -> "History":
        """Return the history as it was when it was so long."""
        steps, reads, lost = length
        return History(self.policy, self.steps[:steps], self.reads[:reads], self.lost[:lost], self.begin)

    @property
    def length(self) -> tuple[int, int, int]:
        """How much of everything there is."""
        return len(self.steps), len(self.reads), len(self.lost)


class World:
    """One service, life after life."""

    def __init__(self, disk: Disk) -> None:
        self.disk = disk
        self.topic = Topic(2)
        self.wall_s = START_S + 86400.0
        self.event_s = START_S
        self.crashes = self.appended = 0
        self._log: dict[Log, dict[int, Appended]] = {}
        self._saved: dict[str, tuple[int, History, tuple[int, int, int]]] = {}
        """By the digest of a file with a cut: its number, and what had led to it."""
        self._policy = 0
        self._live()

    # What happens outside

    def append(self, number: int, kind: int, delta_s: float, x: float, c: str) -> None:
        """Send a record, `delta_s` beside the time that events have come to."""
        partition = self.topic.partitions[number % len(self.topic.partitions)]
        record = Appended(kind, round(self.event_s + delta_s, 3))
        offset = self.topic.append(record.payload(x, c), partition)
        self._log.setdefault((self.topic.id, partition), {})[offset] = record
        self.appended += 1

    def truncate(self, number: int, share: float) -> None:
        """Let the head of a partition be gone."""
        partition = self.topic.partitions[number % len(self.topic.partitions)]
        begin, end = self.topic.range_of(partition)
        self.topic.truncate(partition, begin + round(share * (end - begin)))

    # What the service does

    def poll(self) -> None:
        """Read what there is, and take it in."""
        records, now_s = self.topic.source.poll(0.0), self.wall_s
        self._take_losses()
        self._do(lambda pipeline: drain(pipeline.feed(DECODER.decode(records), now_s)))
        for i, offset in zip(records.partition.tolist(), records.offset.tolist(), strict=True):
            self.history.reads.append(((self.topic.id, records.partitions[i]), offset, now_s))

    def quiet(self, silent_for_s: float) -> None:
        """Say that partitions that are read to their end have nothing more, as after `idle_after`."""
        idle = tuple(self.topic.source.idle())
        silent_for_s = silent_for_s if len(idle) == len(self.topic.partitions) else 0.0
        self._do(lambda pipeline: drain(pipeline.quiet(idle, silent_for_s)))

    def use(self, policy: int) -> None:
        """Read other settings while it runs."""
        self._policy = policy
        self._do(lambda pipeline: pipeline.go_on_as(new_pipeline(policy)))

    def save(self) -> None:
        """Take a cut and write it."""
        self._note_saved(self._write())

    # What fails

    def crash(self, policy: int | None = None) -> None:
        """End the process; begin again from what the disk has, perhaps with other settings."""
        self._store.close()
        self.crashes += 1
        before, self._policy = self._policy, self._policy if policy is None else policy
        self._live(before)

    def crash_while_saving(self, kept: float, is_renamed: bool) -> None:
        """End it, with the power, while a cut is written."""
        had_one = self._newest() is not None
        written = self.disk.fail_while(self._write, kept, is_renamed)
        if kept == 1.0 and is_renamed:
            self._note_saved(written)
        assert self._newest() is not None or not had_one, "the last whole cut was written over"
        self.crash()

    def rot(self, where: float) -> None:
        """Let a byte of the newest cut be another, and the process end."""
        newest = self._newest()
        for name, content in self.disk.files().items():
            if _digest(content) == newest:
                self.disk.damage(name, lambda content: _flip(content, int(where * len(content))))
        self.crash()

    # Books

    def _do(self, step: Step) -> None:
        step(self.pipeline)
        self.history.steps.append(step)

    def _live(self, policy_before: int | None = None) -> None:
        """Begin a life: with the newest cut that is whole, or with nothing."""
        self._store = Files(self.disk.path)
        self.pipeline, self.history = new_pipeline(self._policy), History(self._policy)
        newest, cut = self._newest(), self._store.newest()
        assert (cut is None) == (newest is None), "a whole cut was not found, or a broken one was taken"
        self._sequence = 0
        if cut is None or newest is None:
            self.topic.restart(None)
            for partition in self.topic.partitions:
                self.history.begin[self.topic.id, partition] = self.topic.range_of(partition)[0]
            return
        self._sequence, history, length = self._saved[newest]
        assert cut.sequence == self._sequence, "an older cut was taken than there is"
        self.history = history.upto(length)
        policy = self._policy
        self.history.steps.append(lambda pipeline: pipeline.go_on_as(new_pipeline(policy)))
        # Which partitions are idle is asked anew in each life.
        self.history.steps.append(lambda pipeline: drain(pipeline.quiet((), 0.0)))
        recalled = self.pipeline.recall(cut.tree)
        assert (recalled.dropped, recalled.ended) == ([], [])
        self.topic.restart(cut)

    def _take_losses(self) -> None:
        for loss in self.topic.take_losses():
            self._do(lambda pipeline, loss=loss: lose(pipeline, loss))
            if loss.n:
                self.history.lost.append(((self.topic.id, loss.partition), loss.first, loss.last + 1))

    def _write(self) -> set[str]:
        """Write a cut; return the digests of the files that are new by it."""
        self._take_losses()
        before = self._digests()
        self._sequence += 1
        self._store.save(self.pipeline, self.topic, self._sequence, self.wall_s)
        return self._digests() - before

    def _note_saved(self, digests: Iterable[str]) -> None:
        for digest in digests:
            self._saved[digest] = (self._sequence, self.history, self.history.length)

    def _newest(self) -> str | None:
        """Return the digest of the file with the newest whole cut."""
        there = self._digests() & self._saved.keys()
        return max(there, key=lambda digest: self._saved[digest][0], default=None)

    def _digests(self) -> set[str]:
        """Return the digests of the files that are no left-overs."""
        return {_digest(content) for name, content in self.disk.files().items() if ".tmp" not in name}

    # What must hold

    def check(self) -> None:
        """Hold the state of now against the history, and the history against the log."""
        fresh = new_pipeline(self.history.policy)
        for step in self.history.steps:
            step(fresh)
        assert fresh.counters == self.pipeline.counters
        assert encoded(fresh) == encoded(self.pipeline)
        self._check_log()
        self._check_counters()

    def _check_log(self) -> None:
        """Every record once, in order; what is not there was reported."""
        offsets: dict[Log, list[int]] = {}
        for log, offset, _ in self.history.reads:
            offsets.setdefault(log, []).append(offset)
        lost: dict[Log, list[tuple[int, int]]] = {}
        for log, first, end in self.history.lost:
            lost.setdefault(log, []).append((first, end))
        for log, read in offsets.items():
            assert all(a < b for a, b in pairwise(read)), f"{log}: read twice, or out of order"
        positions, ids = self.topic.source.positions(), self.topic.source.topic_ids()
        for partition in self.topic.partitions:
            log = ids[partition.topic], partition
            told = {o for first, end in lost.get(log, ()) for o in range(first, end)}
            assert told.isdisjoint(offsets.get(log, ())), f"{log}: read, and reported lost"
            begun = set(range(self.history.begin.get(log, 0), positions.get(partition, 0)))
            assert begun == told | set(offsets.get(log, ())), f"{log}: left out, and not reported"

    def _check_counters(self) -> None:
        """Plain counting over what was read, by the rules of docs and nothing else."""
        rejected: Counter[str] = Counter()
        reached: dict[Partition, float] = {}
        accepted = 0
        for log, offset, now_s in self.history.reads:
            record = self._log[log][offset]
            time_s, before = record.time_s, reached.get(log[1], -math.inf)
            if record.kind != GOOD:
                rejected[REASONS[record.kind]] += 1
            elif time_s > now_s + MAX_FUTURE_S:
                rejected["future"] += 1
            else:
                reached[log[1]] = max(before, time_s)
                is_late = (math.floor(time_s / PANE_S) + 1) * PANE_S <= before - LATENESS_S
                rejected["late"] += is_late
                accepted += not is_late
        counters = self.pipeline.counters
        found: Counter[str] = Counter()
        for (_, reason), n in counters.rejected.items():
            found[reason] += n
        assert counters.consumed.total() == len(self.history.reads)
        # Beyond what its own partition says, one that lags very far behind the others loses more.
        assert counters.accepted.total() + found["late"] == accepted + rejected["late"]
        assert found["late"] >= rejected.pop("late", 0)
        del found["late"]
        assert +found == +rejected


def drain(outcomes: Iterable[Outcome]) -> None:
    """Let all of it happen."""
    for _ in outcomes:
        pass


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _flip(content: bytes, at: int) -> bytes:
    at = min(at, len(content) - 1)
    return content[:at] + bytes([content[at] ^ 0x10]) + content[at + 1 :]
