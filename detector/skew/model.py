"""What a join of two data sets by id is asked, and what it finds."""

from dataclasses import dataclass

Id = tuple[str, ...]
"""One id: the texts of its columns, as the reference data write them."""


@dataclass(frozen=True, slots=True)
class JoinOptions:
    """How cells are compared, and what is told of them."""

    relative_tolerance: float = 1e-6
    """Share of the greater number by which two may differ: float32 keeps seven digits.

    Columns that hold only whole numbers on both sides are compared exactly.
    """
    absolute_tolerance: float = 0.0
    round_digits: int | None = None
    """Decimals to which numbers are rounded before anything else."""
    allow_duplicates: bool = False
    """Compare all pairs of an id that occurs more than once on a side; otherwise it is skipped."""
    show_values: bool = False
    """Report values, and not only ids."""
    exclude: tuple[str, ...] = ()
    """Columns that are not compared."""
    sample: int = 20
    """Ids named for each feature, those with the smallest hashes; also the most frequent value pairs."""
    max_cells: int = 1 << 25
    """Cells held at a time, of both sides together: half a GiB in all, twice that where types are mixed."""


@dataclass(frozen=True, slots=True)
class IdStatistics:
    """How the ids of both sides match; an id occurs on a side if any of its rows has it."""

    reference_rows: int
    current_rows: int
    reference_without_id: int
    """Rows in which a join column has no value."""
    current_without_id: int
    ids: int
    """Different ids on either side."""
    missing_in_reference: int
    missing_in_current: int
    duplicates: int
    """Ids that occur more than once on a side."""
    pairs: int
    """Pairs of rows with the same id, those of duplicates too."""
    pairs_compared: int

    @property
    def in_common(self) -> int:
        """Ids on both sides."""
        return self.ids - self.missing_in_reference - self.missing_in_current


@dataclass(frozen=True, slots=True)
class Sample:
    """A pair of rows in which a feature differs; values as texts, None for missing or not asked for."""

    id: Id
    reference: str | None = None
    current: str | None = None


@dataclass(frozen=True, slots=True)
class ValuePair:
    """Two texts that stand for each other in `count` pairs of rows."""

    reference: str | None
    current: str | None
    count: int


@dataclass(frozen=True, slots=True)
class FeatureSkew:
    """In how many compared pairs of rows a feature is what; missing on both sides is not counted."""

    name: str
    match: int
    mismatch: int
    reference_only: int
    current_only: int
    samples: tuple[Sample, ...] = ()
    confusion: tuple[ValuePair, ...] = ()
    """The most frequent pairs of different texts; empty unless values were asked for."""
    confusion_is_complete: bool = True
    """Whether all pairs were counted, not just a sample of them: there may be any number."""

    @property
    def reference(self) -> int:
        """Pairs with a value on the reference side."""
        return self.match + self.mismatch + self.reference_only

    @property
    def current(self) -> int:
        """Pairs with a value on the current side."""
        return self.match + self.mismatch + self.current_only

    @property
    def different(self) -> int:
        """Pairs in which the feature differs in any way."""
        return self.mismatch + self.reference_only + self.current_only

    @property
    def share(self) -> float | None:
        """Share of the pairs with a value on either side that differ; None if there are none."""
        n = self.match + self.different
        return self.different / n if n else None


@dataclass(frozen=True, slots=True)
class SkewReport:
    """Two data sets joined by id."""

    join: tuple[str, ...]
    ids: IdStatistics
    features: tuple[FeatureSkew, ...]
    """In the order of the reference's columns, then those that only the current data have."""
    has_values: bool = False

    @property
    def found_something(self) -> bool:
        """Whether any feature differs in any pair."""
        return any(feature.different for feature in self.features)
