"""The records that travel down the stream: features, fetched records, decoded events, columns.

An event is never an object here: n events are n positions in columns. Numeric features lie in one
float64 matrix with a row a feature, text and boolean features in one list each. NaN and None mean
*no value*; why there is none is *missing* unless `OddCells` says otherwise.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Bytes = NDArray[np.uint8]

FeatureType = Literal["int", "float", "string", "bool"]
Role = Literal["feature", "prediction"]

REJECT_REASONS = (
    "undecodable",
    "not_an_object",
    "unknown_model",
    "bad_timestamp",
    "future",
    "late",
    "too_large",
    "null_value",
)
"""Every reason for which an event is turned away as a whole; each is a counter."""

LOSS_REASONS = ("out_of_range", "truncated", "recreated", "poison", "too_large_batch")
"""Every reason for which records cannot be read; each is a counter."""


class ModelKey(NamedTuple):
    """One version of one model: what a baseline belongs to."""

    model: str
    version: str


class Partition(NamedTuple):
    """One partition of one topic; files count as partition 0 of a topic called after them."""

    topic: str
    number: int


@dataclass(frozen=True, slots=True)
class Feature:
    """One column of the model's input, or (role `prediction`) of its output."""

    name: str
    type: FeatureType
    role: Role = "feature"

    @property
    def is_numeric(self) -> bool:
        """Whether values are numbers on a line; text and booleans are categories."""
        return self.type in ("int", "float")


@dataclass(frozen=True, slots=True)
class FeatureSet:
    """All features of one model version in their fixed order: the numeric ones, then the categorical."""

    numeric: tuple[Feature, ...]
    categorical: tuple[Feature, ...]

    @classmethod
    def of(cls, features: Sequence[Feature]) -> "FeatureSet":
        """Put `features` in order, each kind as it comes."""
        return cls(tuple(f for f in features if f.is_numeric), tuple(f for f in features if not f.is_numeric))

    @property
    def all(self) -> tuple[Feature, ...]:
        """Every feature; its position here is its index everywhere."""
        return self.numeric + self.categorical

    @property
    def names(self) -> tuple[str, ...]:
        """The names in order."""
        return tuple(f.name for f in self.all)

    def __len__(self) -> int:
        return len(self.numeric) + len(self.categorical)


class CellKind(IntEnum):
    """Why a cell that is there holds no usable value."""

    MISMATCH = 1
    """A value of another type than the feature's: text for a number, a number for text, an object."""
    NON_FINITE = 2
    """NaN or an infinity, written as such."""


@dataclass(frozen=True, slots=True)
class OddCells:
    """The cells that are neither a value nor missing: k positions (row, feature) and their kinds."""

    row: Ints
    feature: Ints
    kind: Ints

    @classmethod
    def of(cls, cells: Sequence[tuple[int, int, int]]) -> "OddCells":
        """Make the record from (row, feature index, kind) triples."""
        table = np.array(cells, dtype=np.int64).reshape(len(cells), 3)
        return cls(table[:, 0], table[:, 1], table[:, 2])

    def take(self, kept: Bools) -> "OddCells":
        """Keep the cells of the rows where `kept` (a flag a row) is true, with the rows renumbered."""
        here = kept[self.row]
        renumbered = np.cumsum(kept) - 1
        return OddCells(renumbered[self.row[here]], self.feature[here], self.kind[here])


NO_ODD_CELLS = OddCells.of([])


@dataclass(frozen=True, slots=True)
class Columns:
    """The values of n events of one model version.

    `numeric` is float64 of shape (numeric features, n): finite, or NaN for no value. `categorical`
    has a list of n values (str or bool, None for no value) for each categorical feature. `slices`
    has a list of n values for each slice column.

    `only` says that these events tell of the features of one role, and nothing of the others: those
    are not missing, they are in another record (a model server logs a request and its response apart).
    """

    n: int
    numeric: Floats
    categorical: tuple[Sequence[Hashable], ...]
    odd: OddCells = NO_ODD_CELLS
    slices: tuple[Sequence[Hashable], ...] = ()
    only: Role | None = None
    """None: of all features."""

    def take(self, kept: Bools) -> "Columns":
        """Keep the events where `kept` (n flags) is true."""
        rows = np.flatnonzero(kept).tolist()
        return Columns(
            len(rows),
            self.numeric[:, rows],
            tuple([column[i] for i in rows] for column in self.categorical),
            self.odd.take(kept),
            tuple([column[i] for i in rows] for column in self.slices),
            self.only,
        )

    def between(self, first: int, end: int) -> "Columns":
        """Keep the events at positions first <= i < end."""
        kept = np.zeros(self.n, dtype=bool)
        kept[first:end] = True
        return Columns(
            end - first,
            self.numeric[:, first:end],
            tuple(column[first:end] for column in self.categorical),
            self.odd.take(kept) if len(self.odd.row) else NO_ODD_CELLS,
            tuple(column[first:end] for column in self.slices),
            self.only,
        )


@dataclass(frozen=True, slots=True)
class Records:
    """What one poll brought: n payloads, in offset order within each partition.

    `partition` (n) indexes `partitions`; `time_ms` (n) is the broker's timestamp, -1 where there is
    none. `headers` are those of each record, or empty where the source has none.
    """

    values: list[bytes | None]
    partition: Ints
    offset: Ints
    time_ms: Ints
    partitions: tuple[Partition, ...]
    headers: Sequence[Mapping[str, bytes]] = ()

    def __len__(self) -> int:
        return len(self.values)

    def between(self, first: int, end: int) -> "Records":
        """Return the records at positions first <= i < end."""
        some = slice(first, end)
        return Records(
            self.values[some],
            self.partition[some],
            self.offset[some],
            self.time_ms[some],
            self.partitions,
            self.headers[some] if len(self.headers) else (),
        )


@dataclass(frozen=True, slots=True)
class Loss:
    """Records of a partition that nobody can read any more, or that cannot be read: offsets first..last.

    `n` is how many, as far as that is known; reasons are `out_of_range` (gone before they were read),
    `truncated`, `recreated` (the topic is another one of the same name), `poison`, `too_large_batch`.
    """

    partition: Partition
    reason: str
    n: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Sighting:
    """What one event, the record at position `row`, says of its columns beyond the features' values."""

    row: int
    new: tuple[str, ...] = ()
    """Columns that the baseline does not know."""
    null: tuple[str, ...] = ()
    """Features that are there, with null for a value."""
    unnamed: int = 0
    """Columns that the baseline does not know beside those in `new`: too many to name."""


@dataclass(frozen=True, slots=True)
class EventBatch:
    """The decoded events of one model version: `rows` (k) are their positions among the records.

    A record may hold several events: its position then stands several times.
    """

    key: ModelKey
    rows: Ints
    columns: Columns
    sightings: tuple[Sighting, ...] = ()
    """Of some of the events."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """What became of n records.

    `time_s` (n) is the event time in epoch seconds, NaN for records that are not events: those are
    in `rejected`, counted by (topic, reason), or label events, counted in `n_labels`. `reasons` says of
    each rejected record, by its position, why; the pipeline adds those that it does not take.
    """

    partition: Ints
    offset: Ints
    partitions: tuple[Partition, ...]
    time_s: Floats
    batches: tuple[EventBatch, ...]
    rejected: dict[tuple[str, str], int] = field(default_factory=dict)
    n_labels: int = 0
    reasons: dict[int, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.time_s)
