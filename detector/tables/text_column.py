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


class TextColumn:
    """Cells as texts; the empty one is missing."""

    __slots__ = ("_cells", "_parsed")

    def __init__(self, cells: Sequence[str]) -> None:
        self._cells = cells
        self._parsed: tuple[Floats | None] | None = None

    def __len__(self) -> int:
        return len(self._cells)

    def evidence(self) -> TypeEvidence:
        """Say how many cells could be what; blanks around a value do not matter."""
        if self._parse() is not None:
            quick = self._evidence_of_numbers()
            if quick is not None:
                return quick
        found: Counter[str] = Counter()
        for cell, count in Counter(self._cells).items():
            found[_could_be(cell)] += count
        del found["missing"]
        return TypeEvidence(found.total(), **found)

    def numbers(self) -> tuple[Floats, OddRows]:
        """Return the cells as n float64, NaN for no value, and the odd ones among them."""
        values = self._parse()
        if values is None:
            return self._numbers_one_by_one()
        none = np.flatnonzero(np.isnan(values)).tolist()
        odd = [row for row in none if self._cells[row].strip() not in NUMERIC_MISSING]
        return values, _all(odd, CellKind.NON_FINITE)

    def categories(self, as_type: FeatureType) -> tuple[Sequence[Hashable], OddRows]:
        """Return the texts as they are, or for `bool` the truth values; None where there is none."""
        if as_type != "bool":
            # `NA` is a text here: it may be Namibia.
            return self.texts(), NO_ODD_ROWS
        words = {cell: _truth(cell) for cell in set(self._cells)}
        if not any(kind for _, kind in words.values()):
            return [words[cell][0] for cell in self._cells], NO_ODD_ROWS
        odd = [row for row, cell in enumerate(self._cells) if words[cell][1]]
        return [words[cell][0] for cell in self._cells], _all(odd, CellKind.MISMATCH)

    def texts(self) -> Sequence[str | None]:
        """Return the texts, None for the empty one."""
        if "" not in self._cells:
            return self._cells
        return [cell or None for cell in self._cells]

    def _parse(self) -> Floats | None:
        """Return the numbers of a column of numbers; parsed once, for evidence and numbers alike."""
        if self._parsed is None:
            self._parsed = (_parse(self._cells),)
        return self._parsed[0]

    def _evidence_of_numbers(self) -> TypeEvidence | None:
        """Count whole numbers in a column of numbers by its points; None if there are exponents."""
        text = "\n".join(self._cells)
        if "e" in text or "E" in text:
            return None
        values, (odd, _) = self.numbers()
        total = len(values) - int(np.isnan(values).sum()) + len(odd)
        floats = text.count(".") + sum("." not in self._cells[row] for row in odd.tolist())
        return TypeEvidence(total, ints=total - floats, floats=floats)

    def _numbers_one_by_one(self) -> tuple[Floats, OddRows]:
        """Convert each distinct text on its own."""
        numbers = {cell: _number(cell) for cell in set(self._cells)}
        pairs = [numbers[cell] for cell in self._cells]
        kinds = np.array([kind for _, kind in pairs], np.int64)
        rows = np.flatnonzero(kinds)
        return np.array([value for value, _ in pairs], np.float64), (rows, kinds[rows])


def _parse(cells: Sequence[str]) -> Floats | None:
    """Return the numbers of a column of numbers, NaN for words of no number; None if not all are either."""
    first = next((cell for cell in cells if cell not in _NO_NUMBER), None)
    if first is not None and not _NUMBER.fullmatch(first.strip()):
        return None
    for attempt in (cells, (_NO_NUMBER.get(cell, cell) for cell in cells)):
        try:
            values = _json_numbers.decode(f"[{','.join(attempt)}]")
        except msgspec.DecodeError:
            continue
        # A cell such as `1,5` reads as two numbers; no cell reads as less than one.
        return np.array(values, np.float64) if len(values) == len(cells) else None
    return None


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
