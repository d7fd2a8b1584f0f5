"""A column of Python objects whose types are their own: JSON."""

import math
from collections import Counter
from collections.abc import Hashable, Sequence
from typing import cast

import msgspec
import numpy as np

from detector.batch import CellKind, FeatureType, Floats
from detector.columns import NO_ODD_ROWS, OddRows, TypeEvidence, odd_rows
from detector.tables.text_column import is_non_finite

_NUMBERS = {int, float, type(None)}
_TEXTS = {str, type(None)}

_encoder = msgspec.json.Encoder(enc_hook=str, decimal_format="number")


class GrowingObjectColumn:
    """An object column that is not complete yet."""

    __slots__ = ("_cells",)

    def __init__(self) -> None:
        self._cells: list[object] = []

    def extend(self, cells: list[object]) -> None:
        """Add cells."""
        self._cells += cells

    def add_missing(self, n: int) -> None:
        """Add n missing cells."""
        self._cells += [None] * n

    def finished(self) -> "ObjectColumn":
        """Return the cells so far as a column."""
        return ObjectColumn(self._cells)


class ObjectColumn:
    """Cells as str, int, float, bool, None, list or dict; None is missing.

    A text is never taken for a number, but for NaN and infinities: JSON cannot write those otherwise.
    """

    __slots__ = ("_cells",)

    def __init__(self, cells: Sequence[object]) -> None:
        self._cells = cells

    def __len__(self) -> int:
        return len(self._cells)

    def evidence(self) -> TypeEvidence:
        """Say how many cells could be what; an object or array could be nothing."""
        types = Counter(map(type, self._cells))
        texts = Counter(cell for cell in self._cells if isinstance(cell, str)) if types[str] else {}
        non_finite = sum(count for text, count in texts.items() if is_non_finite(text))
        return TypeEvidence(
            total=len(self._cells) - types[type(None)],
            ints=types[int],
            floats=types[float] + non_finite,
            bools=types[bool],
            strings=types[str] - non_finite,
        )

    def numbers(self) -> tuple[Floats, OddRows]:
        """Return the cells as n float64, NaN for no value, and the odd ones among them."""
        if set(map(type, self._cells)) <= _NUMBERS:
            try:
                values = np.array(self._cells, np.float64)
            except OverflowError:  # a whole number beyond 1.8e308
                return self._numbers_one_by_one()
            if np.count_nonzero(~np.isfinite(values)) == self._cells.count(None):
                return values, NO_ODD_ROWS
        return self._numbers_one_by_one()

    def categories(self, as_type: FeatureType) -> tuple[Sequence[Hashable], OddRows]:
        """Return the cells that are text, or for `bool` the truth values; None where there is none."""
        wanted: type = bool if as_type == "bool" else str
        if set(map(type, self._cells)) <= {wanted, type(None)}:
            return self._cells, NO_ODD_ROWS
        odd = [
            (row, CellKind.MISMATCH)
            for row, cell in enumerate(self._cells)
            if cell is not None and type(cell) is not wanted
        ]
        values = [cell if type(cell) is wanted else None for cell in self._cells]
        return values, odd_rows(odd)

    def texts(self) -> Sequence[str | None]:
        """Return texts as they are and everything else as JSON writes it."""
        if set(map(type, self._cells)) <= _TEXTS:
            return cast("Sequence[str | None]", self._cells)
        return [cell if cell is None or isinstance(cell, str) else json_text(cell) for cell in self._cells]

    def _numbers_one_by_one(self) -> tuple[Floats, OddRows]:
        """Convert each cell on its own."""
        values = np.full(len(self._cells), math.nan)
        odd: list[tuple[int, CellKind]] = []
        for row, cell in enumerate(self._cells):
            value, kind = _number(cell)
            values[row] = value
            if kind is not None:
                odd.append((row, kind))
        return values, odd_rows(odd)


def json_text(value: object) -> str:
    """Return the value as JSON writes it: `true`, `5`, `0.1`."""
    if isinstance(value, float):
        return repr(value)  # the same digits, and a word for NaN, where JSON has none
    return _encoder.encode(value).decode()


def _number(cell: object) -> tuple[float, CellKind | None]:
    """Return the number a cell is, or NaN and why there is none."""
    if cell is None:
        return math.nan, None
    if isinstance(cell, str) and is_non_finite(cell):
        return math.nan, CellKind.NON_FINITE
    # A bool is an int to Python, but no number to anyone who wrote `true`.
    if not isinstance(cell, int | float) or isinstance(cell, bool):
        return math.nan, CellKind.MISMATCH
    try:
        value = float(cell)
    except OverflowError:
        return math.nan, CellKind.NON_FINITE
    return (value, None) if math.isfinite(value) else (math.nan, CellKind.NON_FINITE)
