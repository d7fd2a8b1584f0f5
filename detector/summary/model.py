"""What is known of the columns of a data set: the numbers that people, schemas and rules look at."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field

from detector.batch import FeatureType
from detector.columns import ColumnRole, TypeEvidence

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
"""The shares whose quantiles a summary holds."""

NO_EVIDENCE = TypeEvidence()


@dataclass(frozen=True, slots=True)
class NumericSummary:
    """The finite numbers of a column. A figure that is not known is None."""

    n: int
    mean: float
    std: float
    """Population standard deviation."""
    min: float
    max: float
    zeros: int | None = None
    fractional: int | None = None
    """Numbers that are not whole."""
    below: int | None = None
    """Numbers below the least one allowed, where a limit was given."""
    above: int | None = None
    quantiles: tuple[float, ...] = ()
    """At the shares of `QUANTILES`: values that occur; from a sample where rows are many."""


@dataclass(frozen=True, slots=True)
class ValueCounts:
    """How often each value of a column occurs."""

    counts: Mapping[Hashable, int]
    """str, bool or float -> count; where they are not complete, the frequent ones."""
    is_complete: bool
    unnamed: int = 0
    """Cells with a value that `counts` does not name."""

    def most_common(self, n: int) -> list[tuple[Hashable, int]]:
        """Return the n most frequent values, of equally frequent ones in order of their text."""
        return sorted(self.counts.items(), key=lambda item: (-item[1], str(item[0])))[:n]


@dataclass(frozen=True, slots=True)
class ColumnSummary:
    """One column: how many cells are what, and what the values look like."""

    type: FeatureType | None
    """How its cells were read: the type given for it, else what nearly all of them are. None: no values."""
    rows: int
    missing: int
    evidence: TypeEvidence = NO_EVIDENCE
    """What its cells could be, whatever they were read as."""
    mismatches: int = 0
    """Cells of another type than `type`."""
    mismatch_examples: tuple[tuple[str, int], ...] = ()
    """Their most frequent texts with counts."""
    nan: int = 0
    infinite: int = 0
    numeric: NumericSummary | None = None
    values: ValueCounts | None = None
    """Of text and bool columns, and of number columns with few distinct values."""
    distinct: int | None = None
    distinct_is_exact: bool = True
    length_mean: float | None = None
    """Mean length of the texts in characters."""
    length_max: int | None = None
    never_named: bool = False
    """Live: not one event of late had the column at all, not even as null."""

    @property
    def present(self) -> int:
        """Cells that are there, whatever they hold."""
        return self.rows - self.missing

    @property
    def observed_type(self) -> FeatureType | None:
        """The narrowest type that every single cell fits; None without values."""
        return self.evidence.type(0.0)


@dataclass(frozen=True, slots=True)
class DataSummary:
    """The columns of a data set by name, in the order of the files."""

    rows: int
    columns: Mapping[str, ColumnSummary]
    roles: Mapping[str, ColumnRole] = field(default_factory=dict)
    """What the columns are where the rows say so themselves (full events)."""
