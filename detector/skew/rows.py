"""The rows of one side whose ids fall into one part of all ids, and single cells looked up afterwards."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from detector.batch import Bools, Ints
from detector.columns import Chunk
from detector.errors import DataError
from detector.skew.cells import Cells, Reading, read_cells
from detector.skew.hashing import combine, hash_texts
from detector.summary.collect import ReadChunks
from detector.summary.hashing import Hashes

Column = tuple[str | None, Reading]
"""What a feature is called on a side, None where it is not there, and how it is read."""


@dataclass(frozen=True, slots=True)
class Part:
    """Which ids to keep: those whose hash leaves `number` when divided by `of`."""

    number: int
    of: int
    max_cells: int
    """More than this is no fair share: too many rows have the same id."""

    def keeps(self, keys: Hashes) -> Bools:
        """Say which of the ids belong here."""
        kept: Bools = keys % np.uint64(self.of) == np.uint64(self.number)
        return kept


@dataclass(frozen=True, slots=True)
class Rows:
    """n rows with an id, of one part: the hash of the id, the number of the row, and the features."""

    keys: Hashes
    numbers: Ints
    features: list[Cells]
    without_id: int
    """Rows of the whole side in which an id column has no value."""


def read_rows(read: ReadChunks, id_columns: Sequence[str], columns: Sequence[Column], part: Part) -> Rows:
    """Read the rows of a part.

    Raises:
        DataError: so many rows share an id that the part does not fit into memory.
    """
    keys: list[Hashes] = []
    numbers: list[Ints] = []
    pieces: list[list[Cells]] = [[] for _ in columns]
    first = without_id = n_kept = 0
    for chunk in read():
        key, has_id = _keys(chunk, id_columns)
        without_id += chunk.n - int(np.count_nonzero(has_id))
        rows = np.flatnonzero(has_id & part.keeps(key))
        keys.append(key[rows])
        numbers.append(rows + first)
        first += chunk.n
        n_kept += len(rows)
        if n_kept * len(columns) > part.max_cells:
            raise DataError(
                "too many rows have the same id to join them in bounded memory; "
                f"name more id columns than {', '.join(id_columns)}"
            )
        if len(rows):
            for piece, (name, reading) in zip(pieces, columns, strict=True):
                piece.append(_cells(chunk, name, reading, rows))
    features = []
    for piece, (_, reading) in zip(pieces, columns, strict=True):
        features.append(Cells.joined(piece) if piece else Cells.missing(0, reading))
        piece.clear()  # so that only one column is there twice
    return Rows(_joined(keys, np.uint64), _joined(numbers, np.int64), features, without_id)


def _cells(chunk: Chunk, name: str | None, reading: Reading, rows: Ints) -> Cells:
    if name is None or name not in chunk.columns:
        return Cells.missing(len(rows), reading)
    cells = read_cells(chunk.columns[name], reading)
    return cells if len(rows) == chunk.n else cells.take(rows)


def _keys(chunk: Chunk, id_columns: Sequence[str]) -> tuple[Hashes, Bools]:
    """Return a hash of each row's id, and which rows have one."""
    keys = np.zeros(chunk.n, np.uint64)
    has_id: Bools = np.ones(chunk.n, np.bool_)
    for name in id_columns:
        if name not in chunk.columns:
            return keys, np.zeros(chunk.n, np.bool_)
        texts = [text or "" for text in chunk.columns[name].texts()]
        if "" in texts:
            has_id &= np.fromiter(map(bool, texts), np.bool_, chunk.n)
        keys = combine(keys, hash_texts([_without_point(text) for text in texts]))
    return keys, has_id


def _without_point(text: str) -> str:
    """Return `17` for `17.0`: so whole numbers are written once a tool has made them floats."""
    if text.endswith(".0") and text[:-2].removeprefix("-").isdecimal():
        return text[:-2]
    return text


def _joined(parts: Sequence[np.ndarray], dtype: type) -> np.ndarray:
    return np.concatenate([np.empty(0, dtype), *parts])


def look_up(read: ReadChunks, wanted: Mapping[str, Iterable[int]]) -> dict[str, dict[int, str | None]]:
    """Return the texts of single cells, by column and row number."""
    rows = {name: np.unique(np.array(list(numbers), np.int64)) for name, numbers in wanted.items()}
    last = max((int(found[-1]) for found in rows.values() if len(found)), default=-1)
    cells: dict[str, dict[int, str | None]] = {name: {} for name in rows}
    first = 0
    if last < 0:
        return cells
    for chunk in read():
        for name, numbers in rows.items():
            here = numbers[(numbers >= first) & (numbers < first + chunk.n)].tolist()
            if here:
                texts = chunk.columns[name].texts() if name in chunk.columns else [None] * chunk.n
                cells[name].update((number, texts[number - first]) for number in here)
        first += chunk.n
        if first > last:
            break
    return cells
