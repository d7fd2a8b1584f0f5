"""A typed column: Parquet. Its type says what it may be used as, and null is what is missing."""

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np

from detector.batch import CellKind, FeatureType, Floats, Ints
from detector.columns import NO_ODD_ROWS, OddRows, TypeEvidence
from detector.tables.object_column import json_text

if TYPE_CHECKING:
    import pyarrow as pa

MANY_CELLS, MANY_CELLS_A_VALUE = 1024, 8
"""From so many cells, and so many of each value on average, the different values are converted alone."""

ArrowKind = Literal["int", "float", "decimal", "bool", "text", "time", "null", "other"]


class ArrowColumn:
    """Cells as a pyarrow array.

    Points in time are texts (RFC 3339 in UTC; those without a time zone are taken as UTC). Lists,
    structs, bytes and durations are no value of any type.
    """

    __slots__ = ("_array", "_kind")

    def __init__(self, array: "pa.Array") -> None:
        import pyarrow as pa

        if pa.types.is_dictionary(array.type):
            array = array.dictionary_decode()
        self._array = array
        self._kind = _kind(array.type)

    def __len__(self) -> int:
        return len(self._array)

    def evidence(self) -> TypeEvidence:
        """Say what all cells that are not null are by their type."""
        n = len(self._array) - self._array.null_count
        match self._kind:
            case "int":
                return TypeEvidence(n, ints=n)
            case "float":
                return TypeEvidence(n, floats=n)
            case "decimal":
                return TypeEvidence(n, floats=n) if self._array.type.scale > 0 else TypeEvidence(n, ints=n)
            case "bool":
                return TypeEvidence(n, bools=n)
            case "text" | "time":
                return TypeEvidence(n, strings=n)
            case _:
                return TypeEvidence(n)

    def numbers(self) -> tuple[Floats, OddRows]:
        """Return the cells as n float64, NaN for no value, and the odd ones among them."""
        if self._kind not in ("int", "float", "decimal"):
            return np.full(len(self), np.nan), self._all_mismatch()
        array = self._array.cast("float64") if self._kind == "decimal" else self._array
        values = np.array(array.to_numpy(zero_copy_only=False), np.float64)
        unusable = ~np.isfinite(values)
        if not unusable.any():
            return values, NO_ODD_ROWS
        values[unusable] = np.nan
        odd = np.flatnonzero(unusable & self._valid())
        return values, (odd, np.full(len(odd), CellKind.NON_FINITE, np.int64))

    def categories(self, as_type: FeatureType) -> tuple[Sequence[Hashable], OddRows]:
        """Return the texts, or for `bool` the truth values; None where there is none."""
        if self._kind == "bool" and as_type == "bool":
            return self._objects(), NO_ODD_ROWS
        if self._kind in ("text", "time") and as_type != "bool":
            return self.texts(), NO_ODD_ROWS
        return [None] * len(self), self._all_mismatch()

    def texts(self) -> Sequence[str | None]:
        """Return texts as they are, points in time as RFC 3339, everything else as JSON writes it."""
        if self._kind == "time":
            return _rfc3339(self._array)
        if self._kind == "text":
            return cast("list[str | None]", self._objects())
        return [None if value is None else json_text(value) for value in self._array.to_pylist()]

    def _objects(self) -> list[Any]:
        """Return the cells as Python objects; a value that comes back often is one object."""
        if self._kind == "text" and len(self._array) >= MANY_CELLS:
            encoded = self._array.dictionary_encode()
            n = len(encoded.dictionary)
            if n <= len(self._array) // MANY_CELLS_A_VALUE:
                values = np.array([*encoded.dictionary.to_pylist(), None], dtype=object)
                return cast("list[Any]", values[encoded.indices.fill_null(n).to_numpy()].tolist())
        # Much faster than `to_pylist` where it applies.
        return cast("list[Any]", self._array.to_numpy(zero_copy_only=False).tolist())

    def _valid(self) -> "np.ndarray[Any, np.dtype[np.bool_]]":
        """Return where there is a cell."""
        return np.asarray(self._array.is_valid().to_numpy(zero_copy_only=False), np.bool_)

    def _all_mismatch(self) -> OddRows:
        """Return every cell there is, as one of another type."""
        rows: Ints = np.flatnonzero(self._valid())
        return rows, np.full(len(rows), CellKind.MISMATCH, np.int64)


def _kind(arrow_type: "pa.DataType") -> ArrowKind:
    """Return what cells of a type are to the detector."""
    from pyarrow import types

    kinds: tuple[tuple[ArrowKind, tuple[Any, ...]], ...] = (
        ("int", (types.is_integer,)),
        ("float", (types.is_floating,)),
        ("decimal", (types.is_decimal,)),
        ("bool", (types.is_boolean,)),
        ("text", (types.is_string, types.is_large_string, types.is_string_view)),
        ("time", (types.is_timestamp, types.is_date)),
        ("null", (types.is_null,)),
    )
    return next((kind for kind, tests in kinds if any(test(arrow_type) for test in tests)), "other")


def _rfc3339(array: "pa.Array") -> list[str | None]:
    """Return points in time as text, with as many decimals of a second as each needs."""
    import pyarrow as pa

    if pa.types.is_date(array.type):
        # A day is written as it is in text files, without a time that nobody gave.
        days = array.cast(pa.date32()).to_numpy(zero_copy_only=False)
        return [None if day == "NaT" else day for day in np.datetime_as_string(days).tolist()]
    if array.type.tz is not None:
        # Arrow keeps UTC whatever the zone; without the zone numpy shows just that.
        array = array.cast(pa.timestamp(array.type.unit))
    texts = np.datetime_as_string(array.to_numpy(zero_copy_only=False)).tolist()
    return [
        None if text == "NaT" else f"{text.rstrip('0').rstrip('.') if '.' in text else text}Z"
        for text in texts
    ]
