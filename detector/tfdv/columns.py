"""One column of a table as TFDV sees it: its type, and the counts its measures are taken of.

TFDV's types are strict: a column is INT or FLOAT only if every cell is one, else it is text. Memory is
bounded whatever a column holds: a number column keeps at most `MAX_DISTINCT` distinct values and then
merges neighbours (each value moves by one of so many ranks at most), a text column drops its rarest.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Literal

import numpy as np

from detector.batch import Floats, Ints
from detector.columns import Chunk, Column, TypeEvidence
from detector.tfdv.histogram import Histogram, standard_histogram

MAX_DISTINCT = 1 << 18

TOP_VALUES = 1000
"""Values that TFDV keeps of a text column: the most frequent, of equally frequent ones the greatest."""

TfdvType = Literal["int", "float", "string"]


class TfdvColumn:
    """What is known of one column of one side."""

    def __init__(self, type_: TfdvType) -> None:
        self.type = type_
        self.n_nan = 0
        """Cells that are NaN, written as such."""
        self._texts: Counter[str] = Counter()
        self._values: Floats = np.empty(0)
        self._counts: Floats = np.empty(0)

    def add(self, column: Column, *, single_precision: bool) -> None:
        """Take in a chunk; with `single_precision` numbers are rounded as TFDV's CSV decoder does."""
        if self.type == "string":
            self._texts.update(text for text in column.texts() if text is not None)
            if len(self._texts) > 2 * MAX_DISTINCT:
                self._texts = Counter(dict(self._texts.most_common(MAX_DISTINCT)))
            return
        numbers, (odd, _) = column.numbers()
        infinite = _infinities(column, odd)
        self.n_nan += len(odd) - len(infinite)
        found = np.concatenate((numbers[~np.isnan(numbers)], infinite))
        if self.type == "float" and single_precision:
            with np.errstate(over="ignore"):  # beyond 3.4e38 lies infinity, there as here
                found = found.astype(np.float32).astype(np.float64)
        values, counts = np.unique(found, return_counts=True)
        self._merge(values, counts.astype(np.float64))

    def _merge(self, values: Floats, counts: Floats) -> None:
        merged, inverse = np.unique(np.concatenate((self._values, values)), return_inverse=True)
        self._counts = np.bincount(inverse, weights=np.concatenate((self._counts, counts))).astype(np.float64)
        self._values = merged
        if len(merged) > 2 * MAX_DISTINCT:
            # The smallest stays; then each second value takes its lower neighbour's count.
            last = len(merged) - (len(merged) - 1) % 2
            counts = self._counts[1:last:2] + self._counts[2:last:2]
            self._values = np.concatenate((merged[:1], merged[2:last:2], merged[last:]))
            self._counts = np.concatenate((self._counts[:1], counts, self._counts[last:]))

    def texts(self) -> dict[str, float]:
        """Return the counts of the values that TFDV keeps; empty for a number column."""
        ranked = sorted(self._texts.items(), key=lambda item: (item[1], item[0]), reverse=True)
        return {text: float(count) for text, count in ranked[:TOP_VALUES]}

    def histogram(self) -> Histogram:
        """Return TFDV's standard histogram of a number column."""
        return standard_histogram(self._values, self._counts, float(self.n_nan))


def _infinities(column: Column, odd: Ints) -> Floats:
    """Return the infinities among the cells that are no finite number; the others are NaN."""
    if not len(odd):
        return np.empty(0)
    texts = column.texts()
    found = np.array([float(texts[row] or "nan") for row in odd.tolist()], dtype=np.float64)
    infinite: Floats = found[np.isinf(found)]
    return infinite


def tfdv_types(chunks: Iterable[Chunk]) -> tuple[int, dict[str, TfdvType | None]]:
    """Return the number of rows, and the type TFDV gives each column; None for one without values."""
    rows = 0
    evidence: dict[str, TypeEvidence] = {}
    for chunk in chunks:
        rows += chunk.n
        for name, column in chunk.columns.items():
            evidence[name] = evidence.get(name, TypeEvidence()) + column.evidence()
    return rows, {name: _type(found) for name, found in evidence.items()}


def _type(found: TypeEvidence) -> TfdvType | None:
    if found.total == 0:
        return None
    if found.ints + found.floats < found.total:
        return "string"
    return "int" if found.floats == 0 else "float"


def read_columns(
    chunks: Iterable[Chunk], types: Mapping[str, TfdvType | None], *, single_precision: bool
) -> dict[str, TfdvColumn]:
    """Return every column that has values."""
    found = {name: TfdvColumn(type_) for name, type_ in types.items() if type_ is not None}
    for chunk in chunks:
        for name, column in chunk.columns.items():
            if name in found:
                found[name].add(column, single_precision=single_precision)
    return found
