"""A whole data set as it is read: all its columns, in one pass or two."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from detector.batch import FeatureType, Floats
from detector.columns import Chunk, ColumnRole
from detector.summary.column import ColumnCollector
from detector.summary.model import DataSummary
from detector.summary.numbers import NO_LIMITS, Limits
from detector.summary.sample import RowSample, sampled_rows

MAX_DISTINCT = 1 << 16
"""Values counted exactly for one column of a summary."""

ReadChunks = Callable[[], Iterable[Chunk]]
"""Reads the data from the start."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What is known of a column before it is read."""

    type: FeatureType | None = None
    limits: Limits = NO_LIMITS


NOTHING = Expected()


class DataCollector:
    """The columns of a data set so far. Memory depends on their number, not on the rows."""

    def __init__(
        self, expected: Mapping[str, Expected], *, quantiles: bool = True, strict: bool = False
    ) -> None:
        self._expected = expected
        self._strict = strict
        self._rows = 0
        self._columns: dict[str, ColumnCollector] = {}
        self._roles: dict[str, ColumnRole] = {}
        self._sample: RowSample | None = None
        self._quantiles = quantiles

    def add_all(self, chunks: Iterable[Chunk]) -> None:
        """Take in all rows."""
        for chunk in chunks:
            self.add(chunk)

    def add(self, chunk: Chunk) -> None:
        """Take in some rows."""
        numbers: dict[str, Floats] = {}
        for name, column in chunk.columns.items():
            collector = self._columns.get(name)
            if collector is None:
                known = self._expected.get(name, NOTHING)
                collector = self._columns[name] = ColumnCollector(
                    known.type, MAX_DISTINCT, known.limits, strict=self._strict
                )
            found = collector.add(column)
            if found is not None:
                numbers[name] = found
        self._roles.update(chunk.roles)
        self._rows += chunk.n
        if self._quantiles:
            if self._sample is None:
                self._sample = RowSample(sampled_rows(len(self._columns)))
            self._sample.add(chunk.n, numbers)

    @property
    def unsure(self) -> dict[str, FeatureType]:
        """The columns that must be read again, with the types they turned out to be of."""
        return {
            name: column.type
            for name, column in self._columns.items()
            if column.needs_another_pass and column.type is not None
        }

    def summary(self) -> DataSummary:
        """Return what is known of every column."""
        sample = self._sample
        return DataSummary(
            self._rows,
            {
                name: column.summary(self._rows, None if sample is None else sample.values(name))
                for name, column in self._columns.items()
            },
            self._roles,
        )


def summarize(
    read: ReadChunks,
    expected: Mapping[str, Expected] | None = None,
    *,
    quantiles: bool = True,
    strict: bool = False,
) -> DataSummary:
    """Summarise a data set; `expected` columns are read as of their type, whatever they hold.

    The data are read a second time where a column changes its type on the way. Without `quantiles`
    no row is kept. `strict` gives TFDV's types: a single text makes a column text, and bools are texts.

    Raises:
        DataError: a file cannot be read, or there is not one row.
    """
    known = dict(expected or {})
    found = DataCollector(known, quantiles=quantiles, strict=strict)
    found.add_all(read())
    unsure = found.unsure
    if unsure:
        known |= {name: replace(known.get(name, NOTHING), type=type_) for name, type_ in unsure.items()}
        found = DataCollector(known, quantiles=quantiles, strict=strict)
        found.add_all(read())
    return found.summary()
