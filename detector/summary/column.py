"""One column of any type as it is read.

What a column is shows only as it is read. A column that turns out to be something else than its
first rows looked like (numbers, then text) is read again from the start: `needs_another_pass`.
"""

from collections import Counter

import numpy as np

from detector.batch import CellKind, FeatureType, Floats, Ints
from detector.columns import Column, OddRows, TypeEvidence
from detector.summary.categories import MAX_DISTINCT, CategoryCollector
from detector.summary.model import ColumnSummary
from detector.summary.numbers import NO_LIMITS, Limits, NumberCollector

MISMATCH_SHARE = 0.01
"""A column of numbers with at most this share of other cells is still numeric; those cells are mismatches."""

MAX_EXAMPLES = 1000
"""Texts of mismatching cells that are counted, for one column."""

SHOWN_EXAMPLES = 20
"""Of those, how many a summary holds."""


class ColumnCollector:
    """What is known of one column so far; `strict` types are TFDV's: every cell counts, bools are texts."""

    def __init__(
        self,
        fixed_type: FeatureType | None = None,
        max_distinct: int = MAX_DISTINCT,
        limits: Limits = NO_LIMITS,
        *,
        strict: bool = False,
    ) -> None:
        self.evidence = TypeEvidence()
        self.numeric = NumberCollector(limits)
        self.category = CategoryCollector(max_distinct)
        self._rows = 0
        self._mismatches = 0
        self._examples: Counter[str] = Counter()
        self._nan = 0
        self._infinite = 0
        self._fixed_type = fixed_type
        self._strict = strict
        self._seen_as: set[str] = set()

    @property
    def type(self) -> FeatureType | None:
        """The column's type as far as it is known; None while all cells were missing."""
        if self._fixed_type is not None:
            return self._fixed_type
        found = self.evidence.type(0.0 if self._strict else MISMATCH_SHARE)
        return "string" if self._strict and found == "bool" else found

    def add(self, column: Column) -> Floats | None:
        """Take in a column of a chunk; return its numbers if it is numeric."""
        self._rows += len(column)
        self.evidence += column.evidence()
        if self.type is None:
            return None
        is_numeric = self.type in ("int", "float")
        self._seen_as.add("number" if is_numeric else self.type)
        if is_numeric:
            numbers, odd = column.numbers()
            self.numeric.add(numbers)
            self._add_odd(column, odd)
            return numbers
        values, odd = column.categories(self.type)
        self.category.add(values)
        self._add_odd(column, odd)
        return None

    def _add_odd(self, column: Column, odd: OddRows) -> None:
        rows, kinds = odd
        if not len(rows):
            return
        texts = column.texts()
        mismatches: Ints = rows[kinds == CellKind.MISMATCH]
        self._mismatches += len(mismatches)
        if len(self._examples) < MAX_EXAMPLES:
            self._examples.update((texts[row] or "")[:256] for row in mismatches.tolist())
        non_finite: Ints = rows[kinds == CellKind.NON_FINITE]
        nan = sum("nan" in (texts[row] or "").lower() for row in non_finite.tolist())
        self._nan += nan
        # What is not called NaN is an infinity, or so large that a double has no room for it.
        self._infinite += len(non_finite) - nan

    @property
    def needs_another_pass(self) -> bool:
        """Whether part of the column was read as something it turned out not to be."""
        return len(self._seen_as) > 1

    def summary(self, rows: int, sample: Floats | None = None) -> ColumnSummary:
        """Return what is known; `rows` are those of the whole data set, `sample` some of its numbers."""
        is_numeric = self.type in ("int", "float")
        collector = self.numeric if is_numeric else self.category
        has_texts = self.type == "string" and self.category.n > 0
        odd = self._mismatches + self._nan + self._infinite
        return ColumnSummary(
            type=self.type,
            rows=rows,
            missing=rows - collector.n - odd,
            evidence=self.evidence,
            mismatches=self._mismatches,
            mismatch_examples=tuple(self._examples.most_common(SHOWN_EXAMPLES)),
            nan=self._nan,
            infinite=self._infinite,
            numeric=self.numeric.summary(np.empty(0) if sample is None else sample),
            values=collector.values() if self.type is not None else None,
            distinct=collector.distinct,
            distinct_is_exact=self.numeric.is_exact if is_numeric else self.category.is_complete,
            length_mean=self.category.length_mean if has_texts else None,
            length_max=self.category.length_max if has_texts else None,
        )
