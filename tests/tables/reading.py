"""Reading tables from bytes, and what there is to say about what was read."""

import math
import tempfile
from collections.abc import Iterable
from enum import Enum
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

from detector.batch import CellKind, FeatureType
from detector.columns import Chunk, Column, TypeEvidence
from detector.errors import DataError
from detector.tables import find_files, read_chunks


class Odd(Enum):
    """A `CellKind` that, unlike one, does not equal the numbers 1 and 2 or True."""

    MISMATCH = int(CellKind.MISMATCH)
    NON_FINITE = int(CellKind.NON_FINITE)


MISMATCH, NON_FINITE = Odd.MISMATCH, Odd.NON_FINITE

LAW = settings(max_examples=50, deadline=None, derandomize=True, database=None)


def read(content: bytes, name: str = "t.csv", rows: int = 65536) -> list[Chunk]:
    """Return the chunks of a file called `name` with this content."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(content)
        return list(read_chunks(find_files([str(path)]), rows=rows))


def refusal(content: bytes, name: str = "t.csv") -> str:
    """Return why a file called `name` is refused; it must be one line that begins with the path."""
    with pytest.raises(DataError) as caught:
        read(content, name)
    message = str(caught.value)
    assert "\n" not in message
    assert f"/{name}: " in message
    return message.split(f"/{name}: ", 1)[1]


def texts(chunks: Iterable[Chunk]) -> dict[str, list[str | None]]:
    """Return all cells by column name, as texts; None where a chunk lacks the column."""
    chunks = list(chunks)
    names = dict.fromkeys(name for chunk in chunks for name in chunk.columns)
    return {
        name: [
            cell
            for chunk in chunks
            for cell in (chunk.columns[name].texts() if name in chunk.columns else [None] * chunk.n)
        ]
        for name in names
    }


def evidence(chunks: Iterable[Chunk], name: str) -> TypeEvidence:
    """Return the evidence of one column over all chunks."""
    found = [chunk.columns[name].evidence() for chunk in chunks if name in chunk.columns]
    return sum(found, TypeEvidence())


def numbers(column: Column) -> list[float | Odd | None]:
    """Return each cell as the number it is, as the kind of its oddity, or None for missing."""
    values, (rows, kinds) = column.numbers()
    assert values.dtype == np.float64
    assert values.shape == (len(column),)
    assert not np.isinf(values).any()
    odd = dict(zip(rows.tolist(), kinds.tolist(), strict=True))
    assert np.isnan(values[rows]).all()
    return [
        Odd(odd[row]) if row in odd else None if math.isnan(value) else value
        for row, value in enumerate(values.tolist())
    ]


def categories(column: Column, as_type: FeatureType) -> list[object]:
    """Return each cell as the value it is, as the kind of its oddity, or None for missing."""
    values, (rows, kinds) = column.categories(as_type)
    assert len(values) == len(column)
    odd = dict(zip(rows.tolist(), kinds.tolist(), strict=True))
    assert all(values[row] is None for row in odd)
    return [Odd(odd[row]) if row in odd else value for row, value in enumerate(values)]
