"""Parts of a file, as its reader gets them, put together to chunks of a bounded size."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from detector.columns import Chunk, Column, ColumnRole

CELLS_MAX = 1 << 18
"""Cells a chunk has at most (unless one row has more): some 16 MiB of Python texts.

Small enough that most of it is still in the processor's cache when the columns are converted.
"""


@dataclass(frozen=True, slots=True)
class Part:
    """Some rows of a file: n cells by column name, all of the file up to `position` bytes on disk."""

    n: int
    columns: dict[str, list[Any]]
    position: int
    roles: dict[str, ColumnRole] = field(default_factory=dict)


def assemble(
    path: str, rows: int, parts: Iterable[Part], column: Callable[[list[Any]], Column]
) -> Iterator[tuple[Chunk, int]]:
    """Yield chunks of at most `rows` rows and `CELLS_MAX` cells, made with `column`, each with its position.

    A column that some rows of a chunk lack holds None there. The last chunk may have no rows if it is
    the only one.
    """
    chunk = _Growing(path, column, first_row=1)
    position = 0
    for part in parts:
        start = 0
        chunk.admit(part)
        while start < part.n:
            room = min(rows, max(1, CELLS_MAX // max(1, len(chunk.columns | part.columns)))) - chunk.n
            if room <= 0:
                yield chunk.finished(), position
                chunk = _Growing(path, column, first_row=chunk.first_row + chunk.n)
                continue
            chunk.extend(part, start, min(start + room, part.n))
            start += room
        position = part.position
    if chunk.n or chunk.first_row == 1:
        yield chunk.finished(), position


class _Growing:
    """A chunk that still grows."""

    def __init__(self, path: str, column: Callable[[list[Any]], Column], first_row: int) -> None:
        self.path = path
        self.column = column
        self.first_row = first_row
        self.n = 0
        self.columns: dict[str, list[Any]] = {}
        self.roles: dict[str, ColumnRole] = {}

    def admit(self, part: Part) -> None:
        """Take in the names of a part without rows: they are all that is known of an empty table."""
        if part.n == 0 and self.n == 0:
            self.columns |= {name: [] for name in part.columns}
            self.roles |= part.roles

    def extend(self, part: Part, start: int, stop: int) -> None:
        """Append the rows from `start` to before `stop` of `part`."""
        for name, cells in part.columns.items():
            column = self.columns.get(name)
            if column is None:
                column = self.columns[name] = [None] * self.n
            column += cells if stop - start == part.n else cells[start:stop]
        self.n += stop - start
        if len(self.columns) != len(part.columns):
            for column in self.columns.values():
                column += [None] * (self.n - len(column))
        self.roles |= part.roles

    def finished(self) -> Chunk:
        """Return the chunk."""
        columns = {name: self.column(cells) for name, cells in self.columns.items()}
        return Chunk(self.n, columns, self.path, self.first_row, self.roles)
