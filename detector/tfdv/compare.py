"""Two data sets by TFDV's measures, feature by feature."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from detector.columns import Chunk
from detector.schema.check import Against, Relation
from detector.tfdv.columns import TfdvColumn, TfdvType, read_columns, tfdv_types
from detector.tfdv.measures import (
    categorical_divergence,
    l_infinity,
    normalized_absolute_difference,
    numeric_divergence,
)

MEASURES = ("l_infinity", "jensen_shannon", "normalized_absolute_difference")

ReadChunks = Callable[[], Iterable[Chunk]]


@dataclass(frozen=True, slots=True)
class Measured:
    """One feature that both sides have: its type on the reference side, and what was measured.

    A measure that TFDV does not report is None. `l_infinity` and `normalized_absolute_difference` of
    numbers are 0 whatever happens: so TFDV reports them.
    """

    type: TfdvType
    values: Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class TfdvComparison:
    """Two data sets by TFDV's measures."""

    reference_rows: int
    current_rows: int
    features: Mapping[str, Measured]
    """Those that have values on both sides."""
    dropped: tuple[str, ...]
    """Columns of the reference that the current data lack."""
    new: tuple[str, ...]
    reference_present: frozenset[str]
    """Columns of the reference that have values."""

    def against(self, relation: Relation) -> Against:
        """Return what the comparators of a schema look at."""
        measured = {name: feature.values for name, feature in self.features.items()}
        return Against(relation, self.reference_rows, measured, self.reference_present)


def measure_as_tfdv(reference: ReadChunks, current: ReadChunks, *, single_precision: bool) -> TfdvComparison:
    """Measure every feature that both sides have; each side is read twice, in bounded memory.

    `single_precision` rounds numbers as TFDV's reader of CSV files does.
    """
    (n_before, types_before), (n_now, types_now) = (tfdv_types(read()) for read in (reference, current))
    before = read_columns(reference(), types_before, single_precision=single_precision)
    now = read_columns(current(), types_now, single_precision=single_precision)
    both = [name for name in before if name in now]
    return TfdvComparison(
        n_before,
        n_now,
        {name: Measured(before[name].type, _measure(before[name], now[name])) for name in both},
        tuple(name for name in types_before if name not in types_now),
        tuple(name for name in types_now if name not in types_before),
        frozenset(before),
    )


def _measure(before: TfdvColumn, now: TfdvColumn) -> dict[str, float | None]:
    p, q = now.texts(), before.texts()
    if before.type == now.type == "string":
        divergence = categorical_divergence(p, q)
    elif "string" in (before.type, now.type):
        divergence = None
    else:
        divergence = numeric_divergence(now.histogram(), before.histogram())
    return {
        "l_infinity": l_infinity(p, q),
        "jensen_shannon": divergence,
        "normalized_absolute_difference": normalized_absolute_difference(p, q),
    }
