"""Cells of a table column as they were read, before anyone knows the column's type.

A reader hands over chunks of columns; whoever knows the type asks for numbers or categories. So
training data, files to compare and recorded events pass the same conversions. What a cell may be:

- *missing*: empty, null; in a numeric column also `NA`, `N/A`, `null` or `None`, which many tools write;
- *non-finite*: NaN or an infinity, written as such (`nan`, `inf`, `-Infinity`);
- *mismatch*: a value of another type.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np

from detector.batch import CellKind, Columns, Feature, FeatureSet, FeatureType, Floats, Ints, OddCells
from detector.errors import DataError

NUMERIC_MISSING = frozenset({"", "NA", "N/A", "NULL", "null", "None", "none"})
NON_FINITE = frozenset({"nan", "inf", "infinity"})
TRUE_WORDS = frozenset({"true", "True", "TRUE"})
FALSE_WORDS = frozenset({"false", "False", "FALSE"})

OddRows = tuple[Ints, Ints]
"""Row numbers and `CellKind`s of the odd cells of one column."""

NO_ODD_ROWS: OddRows = (np.empty(0, np.int64), np.empty(0, np.int64))


@dataclass(frozen=True, slots=True)
class TypeEvidence:
    """How many cells of a column could be what; `total` leaves out the missing ones."""

    total: int = 0
    ints: int = 0
    floats: int = 0
    """Cells that are numbers but not whole ones; NaN and infinities count here."""
    bools: int = 0
    strings: int = 0

    def __add__(self, other: "TypeEvidence") -> "TypeEvidence":
        return TypeEvidence(
            self.total + other.total,
            self.ints + other.ints,
            self.floats + other.floats,
            self.bools + other.bools,
            self.strings + other.strings,
        )

    def type(self, mismatch_share: float) -> FeatureType | None:
        """Return the narrowest type that all but `mismatch_share` of the cells fit; None without cells."""
        if self.total == 0:
            return None
        allowed = mismatch_share * self.total
        if self.total - self.bools <= allowed:
            return "bool"
        numbers = self.ints + self.floats
        if self.total - numbers <= allowed:
            return "int" if self.floats == 0 else "float"
        return "string"


class Column(Protocol):
    """One column of one chunk of a table: n cells."""

    def __len__(self) -> int: ...

    def evidence(self) -> TypeEvidence:
        """Say how many cells could be what."""
        ...

    def numbers(self) -> tuple[Floats, OddRows]:
        """Return the cells as n float64, NaN for no value, and the odd ones among them."""
        ...

    def categories(self, as_type: FeatureType) -> tuple[Sequence[Hashable], OddRows]:
        """Return the cells as n str (or bool for type `bool`), None for no value, and the odd ones."""
        ...

    def texts(self) -> Sequence[str | None]:
        """Return the cells as n texts, None for missing: for slice values, ids and timestamps."""
        ...


ColumnRole = Literal["feature", "prediction", "time", "id", "label", "tag", "model", "version"]


@dataclass(frozen=True, slots=True)
class Chunk:
    """n rows of a table by column name, with where they came from for messages."""

    n: int
    columns: dict[str, Column]
    path: str
    first_row: int
    """Number of the chunk's first row in its file; the first data row is row 1."""
    roles: Mapping[str, ColumnRole] = field(default_factory=dict)
    """What the columns are, where the rows say so themselves (full events); empty for flat tables."""


def odd_rows(found: Sequence[tuple[int, CellKind]]) -> OddRows:
    """Return (row, kind) pairs as two arrays."""
    if not found:
        return NO_ODD_ROWS
    table = np.array(found, dtype=np.int64)
    return table[:, 0], table[:, 1]


def check_owner(chunk: Chunk, model: str | None, version: str | None) -> None:
    """See that full events belong to one model and version; None means any.

    Raises:
        DataError: an event is of another one.
    """
    for role, wanted in (("model", model), ("version", version)):
        for name in [name for name, found in chunk.roles.items() if found == role and wanted is not None]:
            others = {text for text in chunk.columns[name].texts() if text not in (None, wanted)}
            if others:
                raise DataError(
                    f"{chunk.path}: holds events of {role} {min(others)!r}, and not only of {wanted!r}; "
                    "take those of one model version apart first"
                )


PREDICTION_PREFIX = "prediction."
"""Full events have their predictions in an object; its values become columns with this before their key."""


def column_name(chunk: Chunk, feature: Feature) -> str | None:
    """Return the name under which a chunk holds a feature, None if it does not.

    A prediction `score` of a flat table is `prediction.score` in full events, and the other way round;
    a lone prediction of an event has no name of its own.
    """
    names = [feature.name]
    if feature.role == "prediction":
        bare = feature.name.removeprefix(PREDICTION_PREFIX)
        names += [bare, PREDICTION_PREFIX + bare]
        if list(chunk.roles.values()).count("prediction") == 1:
            names.append("prediction")
    return next((name for name in names if name in chunk.columns), None)


def chunk_columns(chunk: Chunk, features: FeatureSet, slices: Sequence[str] = ()) -> Columns:
    """Type the cells of one chunk; a feature without a column there is missing throughout."""
    odd: list[tuple[int, OddRows]] = []
    numeric = np.full((len(features.numeric), chunk.n), np.nan)
    for f, feature in enumerate(features.numeric):
        name = column_name(chunk, feature)
        if name is not None:
            numeric[f], rows = chunk.columns[name].numbers()
            odd.append((f, rows))
    categorical: list[Sequence[Hashable]] = []
    for c, feature in enumerate(features.categorical):
        values: Sequence[Hashable] = [None] * chunk.n
        name = column_name(chunk, feature)
        if name is not None:
            values, rows = chunk.columns[name].categories(feature.type)
            odd.append((len(features.numeric) + c, rows))
        categorical.append(values)
    by_name = dict(zip((f.name for f in features.categorical), categorical, strict=True))
    sliced = [by_name[name] if name in by_name else _texts(chunk, name) for name in slices]
    return Columns(chunk.n, numeric, tuple(categorical), _odd_cells(odd), tuple(sliced))


def _texts(chunk: Chunk, name: str) -> Sequence[str | None]:
    return chunk.columns[name].texts() if name in chunk.columns else [None] * chunk.n


def _odd_cells(odd: Sequence[tuple[int, OddRows]]) -> OddCells:
    return OddCells(
        np.concatenate([rows for _, (rows, _) in odd] or [np.empty(0, np.int64)]),
        np.concatenate([np.full(len(rows), f) for f, (rows, _) in odd] or [np.empty(0, np.int64)]),
        np.concatenate([kinds for _, (_, kinds) in odd] or [np.empty(0, np.int64)]),
    )
