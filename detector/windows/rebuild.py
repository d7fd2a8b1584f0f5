"""From where each partition has to be read again so that the windows of now come out once more.

Events of a pane cannot come before the first record with which the largest event time of their partition
reaches that pane. So it is enough to note those records, one for each coarse pane:

    reached       0 0 0 1 1 1 1 2 2 2 3            (coarse pane of the largest event time so far)
    pane          0 0 0 1 0 1 1 2 1 2 3
    noted         ^     ^       ^     ^            (offset, and the largest event time before it)

Whether an event is late depends on what its partition had before it, so that time is noted too.
"""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from detector.batch import Floats, Ints, Loss, Partition
from detector.tree import Tree, dict_of, float_of, floats_of, int_of, ints_of, list_of, record_of
from detector.windows.spec import WindowSpec

MAX_MARKS = 300
"""Records noted of one partition: 150 coarse panes that windows reach, and panes still open. Of more, every
second is forgotten; then a little more is read again."""

MOST_S = 1e12
"""Times beyond (either side of 1970) are nonsense."""


@dataclass(frozen=True, slots=True)
class RebuildPoint:
    """Where to read a partition from, and what was known just before."""

    offset: int
    max_event_time_s: float | None
    """Largest event time of the partition before `offset`; None: it had none."""
    closed_before_s: float | None
    """Event time up to which windows had been judged, of all partitions; None: none had been."""

    @property
    def text(self) -> str:
        """All but the offset in less than 100 bytes of JSON, for what is kept beside an offset."""
        return json.dumps({"v": 1, "max": self.max_event_time_s, "closed": self.closed_before_s})

    @classmethod
    def of(cls, offset: int, text: str) -> "RebuildPoint":
        """Return the point with this offset and this text.

        Raises:
            ValueError: the text is nothing such.
        """
        if len(text) > 1000:
            raise ValueError("is too long for a point to rebuild windows from")
        try:
            read = json.loads(text)
        except (ValueError, RecursionError):
            raise ValueError("is no JSON of a point to rebuild windows from") from None
        if not isinstance(read, dict) or read.get("v") != 1 or offset < 0:
            raise ValueError("is no point to rebuild windows from that this version knows")
        return cls(offset, _time(read, "max"), _time(read, "closed"))


def _time(read: Mapping[str, object], name: str) -> float | None:
    value = read.get(name)
    if value is None and name in read:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= MOST_S:
        raise ValueError(f"has no time {name!r}")
    return float(value)


@dataclass(frozen=True, slots=True)
class _Mark:
    offset: int
    before_s: float | None
    """Largest event time of the partition before."""


@dataclass(slots=True)
class _Read:
    """What is noted of one partition."""

    next_offset: int
    reached_s: float | None
    marks: list[_Mark]

    def forget(self, before_s: float) -> None:
        """Drop the marks before which nothing reaches `before_s`: what comes next does."""
        needed = 0
        while needed < len(self.marks):
            next_mark = needed + 1
            reached_s = self.marks[next_mark].before_s if next_mark < len(self.marks) else self.reached_s
            if reached_s is not None and reached_s >= before_s:
                break
            needed = next_mark
        del self.marks[:needed]

    @property
    def start(self) -> _Mark:
        """From where to read."""
        return self.marks[0] if self.marks else _Mark(self.next_offset, self.reached_s)

    def remember(self) -> Tree:
        """Return all of it."""
        before_s = [math.nan if mark.before_s is None else mark.before_s for mark in self.marks]
        return {
            "next_offset": self.next_offset,
            "reached_s": self.reached_s,
            "offset": np.array([mark.offset for mark in self.marks], dtype=np.int64),
            "before_s": np.array(before_s, dtype=np.float64),
        }

    @classmethod
    def recall(cls, tree: Tree) -> "_Read":
        """Return what was remembered; ValueError where the tree is nothing such."""
        read = dict_of(tree)
        offset = ints_of(read["offset"], (None,)).tolist()
        before_s = floats_of(read["before_s"], (len(offset),)).tolist()
        return cls(
            int_of(read["next_offset"]),
            None if read["reached_s"] is None else float_of(read["reached_s"]),
            [_Mark(o, None if math.isnan(t) else t) for o, t in zip(offset, before_s, strict=True)],
        )


class RebuildLedger:
    """The noted records of all partitions; at most `MAX_MARKS` of each."""

    def __init__(self, spec: WindowSpec) -> None:
        self._partitions: dict[Partition, _Read] = {}
        self.use(spec)

    def use(self, spec: WindowSpec) -> None:
        """Note records as finely as these windows need."""
        self._coarse_s = spec.pane_s * spec.coarseness(max(spec.lengths_s))

    def note(
        self,
        time_s: Floats,
        which: Ints,
        offset: Ints,
        partitions: tuple[Partition, ...],
        reached_s: Callable[[Partition], float | None],
        first_s: float = -math.inf,
    ) -> None:
        """Take note of n records in offset order, and of how far each partition has come with them.

        `time_s` is NaN for records that are no events; `which` (n) indexes `partitions`. What only events
        before `first_s` need is forgotten.
        """
        last_offset = np.full(len(partitions), -1, dtype=np.int64)
        # Of several values for one place the last one stays.
        last_offset[which] = offset
        for i, (key, last) in enumerate(zip(partitions, last_offset.tolist(), strict=True)):
            if last < 0:
                continue
            read = self._partitions.get(key)
            if read is None:
                read = self._partitions[key] = _Read(0, None, [])
            read.next_offset = last + 1
            before_s, now_s = read.reached_s, reached_s(key)
            if now_s is None or now_s == before_s:
                continue
            if before_s is None or not read.marks or self._coarse(before_s) < self._coarse(now_s):
                here = (which == i) & ~np.isnan(time_s)
                self._mark(read, time_s[here], offset[here])
            read.reached_s = now_s
            if len(read.marks) > 1:
                read.forget(first_s)

    def _coarse(self, time_s: float) -> int:
        return math.floor(time_s / self._coarse_s)

    def _mark(self, read: _Read, time_s: Floats, offset: Ints) -> None:
        """Mark the records with which event time reaches another coarse pane, or the first where none is."""
        before_s = math.nan if read.reached_s is None else read.reached_s
        reached_s = np.fmax.accumulate(np.append(before_s, time_s))
        coarse = np.floor(reached_s / self._coarse_s)
        coarse[0] = coarse[0] if read.marks else -np.inf
        new = np.flatnonzero(np.diff(coarse) > 0)
        marks = zip(offset[new].tolist(), reached_s[new].tolist(), strict=True)
        read.marks += [_Mark(at, None if math.isnan(time_s) else time_s) for at, time_s in marks]
        while len(read.marks) > MAX_MARKS:
            read.marks = read.marks[::2]

    def lose(self, loss: Loss) -> None:
        """Forget records that are others now, or none, under the same offsets."""
        read = self._partitions.get(loss.partition)
        if read is None or loss.reason not in ("recreated", "truncated"):
            return
        at = 0 if loss.reason == "recreated" else loss.first
        kept = [mark for mark in read.marks if mark.offset < at]
        read.next_offset, read.marks = at, [*kept, _Mark(at, read.reached_s)]

    def forget(self, before_s: float) -> None:
        """Forget what only events before a time need."""
        for read in self._partitions.values():
            read.forget(before_s)

    def points(self, closed_before_s: float | None) -> dict[Partition, RebuildPoint]:
        """Return from where to read each partition that has been read."""
        return {
            key: RebuildPoint(read.start.offset, read.start.before_s, closed_before_s)
            for key, read in self._partitions.items()
        }

    def begin(self, points: Mapping[Partition, RebuildPoint]) -> None:
        """Begin where partitions are read again from."""
        for key, point in points.items():
            reached_s = point.max_event_time_s
            self._partitions[key] = _Read(point.offset, reached_s, [_Mark(point.offset, reached_s)])

    def remember(self) -> Tree:
        """Return all of it."""
        return [[*key, self._partitions[key].remember()] for key in sorted(self._partitions)]

    def recall(self, tree: Tree) -> None:
        """Take on what was remembered.

        Raises:
            ValueError: the tree is nothing such.
        """
        self._partitions = {}
        for item in list_of(tree):
            *key, read = list_of(item) or [None]
            self._partitions[record_of(Partition, [*key])] = _Read.recall(read)
