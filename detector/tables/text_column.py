"""A column of texts whose types nobody wrote down: CSV.

Columns of numbers are parsed whole, as one JSON array: four times as fast as `float` cell by cell,
and as exact. Only what JSON does not write like that (`+1`, `.5`, words) is looked at one by one, and
each distinct text once.
"""

import math
import re
from collections import Counter
from collections.abc import Hashable, Sequence

import msgspec
import numpy as np

from detector.batch import CellKind, FeatureType, Floats
from detector.columns import (
    FALSE_WORDS,
    NO_ODD_ROWS,
    NON_FINITE,
    NUMERIC_MISSING,
    TRUE_WORDS,
    OddRows,
    TypeEvidence,
)

_VALUE = 0  # beside the CellKinds: a value, or missing

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d+", re.ASCII)

_json_numbers = msgspec.json.Decoder(list[float | None])

# Words that stand for no number, as their usual writers write them; others go the slow way.
_NO_NUMBER = dict.fromkeys(NUMERIC_MISSING, "null") | {
    sign + word: "null"
    for word in ("nan", "NaN", "NAN", "inf", "Inf", "INF", "Infinity")
    for sign in ("", "+", "-")
}


# Between the cells of a column. No reader of text lets a NUL pass.
_END = "\0"


class GrowingTextColumn:
    """A text column that is not complete yet."""

    __slots__ = ("_n", "_pieces")

    def __init__(self) -> None:
        self._n = 0
        self._pieces: list[str] = []

    def extend(self, cells: list[str]) -> None:
        """Add cells, none of which holds a NUL."""
        if cells:
            self._n += len(cells)
            self._pieces.append(_END.join(cells))

    def add_missing(self, n: int) -> None:
        """Add n empty cells."""
        self.extend([""] * n)

    def finished(self) -> "TextColumn":
        """Return the cells so far as a column."""
        return TextColumn(self._n, _END.join(self._pieces))


class TextColumn:
    """Cells as texts; the empty one is missing.

    They are kept as one text: a tenth of the memory of a list, and what numbers are parsed from.
    """

    __slots__ = ("_n", "_parsed", "_text")

    def __init__(self, n: int, text: str) -> None:
        self._n = n
        self._text = text
        self._parsed: tuple[Floats | None] | None = None

    @classmethod
    def of(cls, cells: Sequence[str]) -> "TextColumn":
        """Make a column of cells, none of which holds a NUL."""
        text = _END.join(cells)
        assert text.count(_END) == max(0, len(cells) - 1), "a cell with a NUL"
        return cls(len(cells), text)

    def __len__(self) -> int:
        return self._n

    def _cells(self) -> list[str]:
        """Return the cells one by one."""
        return self._text.split(_END) if self._n else []

    def evidence(self) -> TypeEvidence:
        """Say how many cells could be what; blanks around a value do not matter."""
        if self._parse() is not None and "e" not in self._text and "E" not in self._text:
            return self._evidence_by_points()
        found: Counter[str] = Counter()
        for cell, count in Counter(self._cells()).items():
            found[_could_be(cell)] += count
        del found["missing"]
        return TypeEvidence(found.total(), **found)

    def numbers(self) -> tuple[Floats, OddRows]:
        """Return the cells as n float64, NaN for no value, and the odd ones among them."""
        values = self._parse()
        if values is None:
            return _numbers_one_by_one(self._cells())
        none = np.flatnonzero(np.isnan(values)).tolist()
        if not none:
            return values, NO_ODD_ROWS
        cells = self._cells()
        odd = [row for row in none if cells[row].strip() not in NUMERIC_MISSING]
        return values, _all(odd, CellKind.NON_FINITE)

    def categories(self, as_type: FeatureType) -> tuple[Sequence[Hashable], OddRows]:
        """Return the texts as they are, or for `bool` the truth values; None where there is none."""
        if as_type != "bool":
            # `NA` is a text here: it may be Namibia.
            return self.texts(), NO_ODD_ROWS
        cells = self._cells()
        words = {cell: _truth(cell) for cell in set(cells)}
        odd = [row for row, cell in enumerate(cells) if words[cell][1]]
        return [words[cell][0] for cell in cells], _all(odd, CellKind.MISMATCH)

    def texts(self) -> Sequence[str | None]:
        """Return the texts, None for the empty one."""
        cells = self._cells()
        return [cell or None for cell in cells] if "" in cells else cells

    def _parse(self) -> Floats | None:
        """Return the numbers of a column of numbers; parsed once, for evidence and numbers alike."""
        if self._parsed is None:
            self._parsed = (_parse(self._text, self._n),)
        return self._parsed[0]

    def _evidence_by_points(self) -> TypeEvidence:
        """Count the numbers with a point, of a column of numbers without exponents."""
        values, (odd, _) = self.numbers()
        total = len(values) - int(np.count_nonzero(np.isnan(values))) + len(odd)
        floats = self._text.count(".")
        if len(odd):
            cells = self._cells()
            floats += sum("." not in cells[row] for row in odd.tolist())
        return TypeEvidence(total, ints=total - floats, floats=floats)


def _parse(text: str, n: int) -> Floats | None:
    """Return the numbers of a column of numbers, NaN for words of no number; None if not all are either."""
    found = _json_array(text, n)
    if found is not None or n == 0:
        return found
    cells = text.split(_END)
    first = next((cell for cell in cells if cell not in _NO_NUMBER), None)
    if first is not None and not _NUMBER.fullmatch(first.strip()):
        return None
    return _json_array(_END.join([_NO_NUMBER.get(cell, cell) for cell in cells]), n)


def _json_array(text: str, n: int) -> Floats | None:
    """Return the n numbers of a column in which every cell is one as JSON writes it, or `null`."""
    try:
        values = _json_numbers.decode(f"[{text.replace(_END, ',')}]")
    except msgspec.DecodeError:
        return None
    # A cell such as `1,5` reads as two numbers; no cell reads as less than one.
    return np.array(values, np.float64) if len(values) == n else None


def _numbers_one_by_one(cells: Sequence[str]) -> tuple[Floats, OddRows]:
    """Convert each distinct text on its own."""
    numbers = {cell: _number(cell) for cell in set(cells)}
    pairs = [numbers[cell] for cell in cells]
    kinds = np.array([kind for _, kind in pairs], np.int64)
    rows = np.flatnonzero(kinds)
    return np.array([value for value, _ in pairs], np.float64), (rows, kinds[rows])


def _number(cell: str) -> tuple[float, int]:
    """Return the number a text writes, or NaN and why there is none."""
    word = cell.strip()
    if _NUMBER.fullmatch(word):
        value = float(word)
        return (value, _VALUE) if math.isfinite(value) else (math.nan, CellKind.NON_FINITE)
    if word in NUMERIC_MISSING:
        return math.nan, _VALUE
    return math.nan, CellKind.NON_FINITE if is_non_finite(word) else CellKind.MISMATCH


def is_non_finite(word: str) -> bool:
    """Whether a text writes NaN or an infinity, in small or capital letters, with or without a sign."""
    return word[word[:1] in ("+", "-") :].lower() in NON_FINITE


def _truth(cell: str) -> tuple[bool | None, int]:
    """Return the truth value a text writes, or None and why there is none."""
    word = cell.strip()
    if word in TRUE_WORDS:
        return True, _VALUE
    if word in FALSE_WORDS:
        return False, _VALUE
    return None, _VALUE if word in NUMERIC_MISSING else CellKind.MISMATCH


def _could_be(cell: str) -> str:
    """Return which count of `TypeEvidence` a text belongs to, or `missing`."""
    word = cell.strip()
    if word in NUMERIC_MISSING:
        return "missing"
    if _WHOLE.fullmatch(word):
        return "ints"
    if _NUMBER.fullmatch(word) or is_non_finite(word):
        return "floats"
    return "bools" if word in TRUE_WORDS or word in FALSE_WORDS else "strings"


def _all(rows: Sequence[int], kind: CellKind) -> OddRows:
    """Return odd rows that are all of one kind."""
    if not rows:
        return NO_ODD_ROWS
    return np.array(rows, np.int64), np.full(len(rows), kind, np.int64)
