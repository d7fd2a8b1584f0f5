"""Cells of one feature in a form that two files can be compared in: nine bytes, or seventeen.

Files of different kinds say differently much of their types: `5` in CSV may be a number or a text, in
JSON it is a number and `"5"` a text. So two cells are equal if both can be read as the same type and
are equal as that: as numbers within a tolerance, as truth values, as texts exactly.

What is *missing* depends on the column (`NA` in a column of numbers, but not in one of country codes);
both sides together decide it, so that no cell is missing on one side and a text on the other.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from detector.batch import Bools, CellKind, FeatureType, Floats, Ints
from detector.columns import Column, TypeEvidence
from detector.skew.hashing import hash_texts
from detector.skew.model import JoinOptions
from detector.summary.column import MISMATCH_SHARE
from detector.summary.hashing import Hashes

Flags = NDArray[np.uint8]

PRESENT = np.uint8(1)
NUMBER = np.uint8(2)
TEXT = np.uint8(4)
BOOL = np.uint8(8)
TRUE = np.uint8(16)

_TRUTH_FLAGS: dict[Hashable, int] = {None: 0, False: int(BOOL), True: int(BOOL | TRUE)}

_OTHER_TYPE = np.uint64(0xD6E8FEB86659FD93)
"""Sets the hash of `[1]`, a list, apart from that of `"[1]"`, a text."""


@dataclass(frozen=True, slots=True)
class Reading:
    """As what the cells of a feature are read, on both sides alike."""

    type: FeatureType
    """Decides what is missing."""
    numbers: bool
    texts: bool
    bools: bool
    is_whole: bool
    """There are only whole numbers: compared exactly."""

    @classmethod
    def of(cls, reference: TypeEvidence, current: TypeEvidence) -> "Reading":
        """Read cells as whatever occurs on both sides."""
        sides = (reference, current)
        numbers = all(side.ints + side.floats > 0 for side in sides)
        only_numbers = all(side.ints + side.floats == side.total for side in sides)
        only_bools = all(side.bools == side.total for side in sides)
        types = [side.type(MISMATCH_SHARE) for side in sides]
        return cls(
            (reference + current).type(MISMATCH_SHARE) or "string",
            numbers=numbers,
            texts=not (only_numbers or only_bools) and None not in types,
            bools="bool" in types and None not in types,
            is_whole=reference.floats == current.floats == 0,
        )

    @property
    def is_numeric(self) -> bool:
        """Whether the column is one of numbers."""
        return self.type in ("int", "float")


@dataclass(frozen=True, slots=True)
class Cells:
    """n cells: what each can be read as, and its number and the hash of its text where that is asked for.

    A number counts only where `NUMBER` is set (it may be NaN), a hash only where `TEXT` is.
    """

    flags: Flags
    numbers: Floats | None
    hashes: Hashes | None

    @classmethod
    def missing(cls, n: int, reading: Reading) -> "Cells":
        """Return n missing cells."""
        return cls(
            np.zeros(n, np.uint8),
            np.zeros(n) if reading.numbers else None,
            np.zeros(n, np.uint64) if reading.texts else None,
        )

    @classmethod
    def joined(cls, parts: Sequence["Cells"]) -> "Cells":
        """Put parts, of the same reading, one after another."""
        numbers = [part.numbers for part in parts if part.numbers is not None]
        hashes = [part.hashes for part in parts if part.hashes is not None]
        return cls(
            np.concatenate([part.flags for part in parts]),
            np.concatenate(numbers) if numbers else None,
            np.concatenate(hashes) if hashes else None,
        )

    def take(self, rows: Ints) -> "Cells":
        """Return the cells of some rows."""
        return Cells(
            self.flags[rows],
            None if self.numbers is None else self.numbers[rows],
            None if self.hashes is None else self.hashes[rows],
        )

    def has(self, flag: np.uint8) -> Bools:
        """Say which cells have a flag."""
        found: Bools = (self.flags & flag) != 0
        return found


def read_cells(column: Column, reading: Reading) -> Cells:
    """Read the cells of a column of one chunk."""
    flags = np.zeros(len(column), np.uint8)
    present = np.zeros(len(column), np.bool_)
    numbers: Floats | None = None
    hashes: Hashes | None = None
    if reading.numbers or reading.is_numeric:
        numbers, present = _read_numbers(column, flags)
    if reading.bools or reading.type == "bool":
        found = _read_bools(column, flags)
        present = found if reading.type == "bool" else present
    if reading.texts or reading.type == "string":
        # Last: what has been read as something else is no text, unless it may be either.
        hashes, found = _read_texts(column, flags, hashed=reading.texts)
        present = found if reading.type == "string" else present
    flags[present] |= PRESENT
    flags[~present] = 0
    return Cells(flags, numbers if reading.numbers else None, hashes)


def equal(reference: Cells, current: Cells, reading: Reading, options: JoinOptions) -> Bools:
    """Say which of n pairs of cells are equal; those where one is missing are not."""
    both = reference.flags & current.flags
    found: Bools = np.zeros(len(both), np.bool_)
    if reference.numbers is not None and current.numbers is not None:
        near = _near(reference.numbers, current.numbers, options, is_whole=reading.is_whole)
        found |= ((both & NUMBER) != 0) & near
    if reference.hashes is not None and current.hashes is not None:
        found |= ((both & TEXT) != 0) & (reference.hashes == current.hashes)
    if reading.bools:
        found |= ((both & BOOL) != 0) & (((reference.flags ^ current.flags) & TRUE) == 0)
    return found


def _near(a: Floats, b: Floats, options: JoinOptions, *, is_whole: bool) -> Bools:
    if options.round_digits is not None:
        a, b = np.round(a, options.round_digits), np.round(b, options.round_digits)
    allowed = options.absolute_tolerance
    with np.errstate(invalid="ignore", over="ignore"):
        # Infinities: equal to themselves only, although any distance is within a share of infinity.
        near = np.abs(a - b) <= (
            allowed
            if is_whole
            else np.maximum(allowed, options.relative_tolerance * np.maximum(np.abs(a), np.abs(b)))
        )
        near &= np.isfinite(a) & np.isfinite(b)
    found: Bools = near | (a == b) | (np.isnan(a) & np.isnan(b))
    return found


def _read_numbers(column: Column, flags: Flags) -> tuple[Floats, Bools]:
    """Flag the numbers; return them, and what is present in a column of numbers."""
    numbers, (rows, kinds) = column.numbers()
    present: Bools = ~np.isnan(numbers)
    flags[present] |= NUMBER
    non_finite: Ints = rows[kinds == CellKind.NON_FINITE]
    if len(non_finite):
        texts = column.texts()
        numbers = numbers.copy()  # the column may hold on to its own
        numbers[non_finite] = [float(texts[row] or "nan") for row in non_finite.tolist()]
        flags[non_finite] |= NUMBER
    present[rows] = True
    return numbers, present


def _read_bools(column: Column, flags: Flags) -> Bools:
    """Flag the truth values; return what is present in a column of them."""
    values, (rows, _) = column.categories("bool")
    found = np.fromiter((_TRUTH_FLAGS[value] for value in values), np.uint8, len(column))
    flags |= found
    present: Bools = found != 0
    present[rows] = True
    return present


def _read_texts(column: Column, flags: Flags, *, hashed: bool) -> tuple[Hashes | None, Bools]:
    """Flag the texts; return their hashes if asked for, and what is present in a column of texts."""
    values, (odd, _) = column.categories("string")
    texts = column.texts() if len(odd) else cast("Sequence[str | None]", values)
    present: Bools = np.ones(len(column), np.bool_)
    if None in texts:
        present = np.fromiter((text is not None for text in texts), np.bool_, len(texts))
        texts = [text or "" for text in texts]
    if not hashed:
        return None, present
    hashes = hash_texts(cast("Sequence[str]", texts))
    is_text = present.copy()
    if len(odd):
        # A cell of a type of its own: if it was not read as that, it equals its like, and no text.
        is_text[odd] = (flags[odd] & (NUMBER | BOOL)) == 0
        hashes[odd] ^= _OTHER_TYPE
    flags[is_text] |= TEXT
    return hashes, present
