"""Parts of a file, as its reader gets them, put together to chunks of a bounded size."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from detector.columns import Chunk, Column, ColumnRole


class GrowingColumn(Protocol):
    """A column to which cells are added until its chunk is full."""

    def extend(self, cells: list[Any]) -> None:
        """Add cells."""
        ...

    def add_missing(self, n: int) -> None:
        """Add n missing cells."""
        ...

    def finished(self) -> Column:
        """Return the cells so far as a column."""
        ...


@dataclass(frozen=True, slots=True)
class Part:
    """Some rows of a file: n cells by column name, all of the file up to `position` bytes on disk."""

    n: int
    columns: dict[str, list[Any]]
    position: int
    roles: dict[str, ColumnRole] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Assembly:
    """How parts become chunks: at most `rows` rows and `cells` cells each, unless one row has more."""

    path: str
    rows: int
    cells: int
    new_column: Callable[[], GrowingColumn]

    def chunks(self, parts: Iterable[Part]) -> Iterator[tuple[Chunk, int]]:
        """Yield chunks, each with its position; a chunk without rows only if there are none at all.

        A column that some rows of a chunk lack is missing there.
        """
        chunk = _GrowingChunk(self, first_row=1)
        position = 0
        for part in parts:
            if part.n == 0:
                chunk.admit(part)
            start = 0
            while start < part.n:
                width = len(chunk.columns.keys() | part.columns.keys())
                room = min(self.rows, max(1, self.cells // max(1, width))) - chunk.n
                if room > 0:
                    chunk.extend(part, start, min(start + room, part.n))
                    start += room
                else:
                    yield chunk.finished(), position
                    chunk = _GrowingChunk(self, chunk.first_row + chunk.n)
            position = part.position
        if chunk.n or chunk.first_row == 1:
            yield chunk.finished(), position


class _GrowingChunk:
    """A chunk to which rows are added until it is full."""

    def __init__(self, assembly: Assembly, first_row: int) -> None:
        self.assembly = assembly
        self.first_row = first_row
        self.n = 0
        self.columns: dict[str, GrowingColumn] = {}
        self.roles: dict[str, ColumnRole] = {}

    def admit(self, part: Part) -> None:
        """Take in the names of a part without rows: they are all that is known of an empty table."""
        for name in part.columns:
            self._column(name)
        self.roles |= part.roles

    def extend(self, part: Part, start: int, stop: int) -> None:
        """Append the rows from `start` to before `stop` of `part`."""
        for name, cells in part.columns.items():
            self._column(name).extend(cells if stop - start == part.n else cells[start:stop])
        if len(self.columns) != len(part.columns):
            for name in self.columns.keys() - part.columns.keys():
                self.columns[name].add_missing(stop - start)
        self.n += stop - start
        self.roles |= part.roles

    def finished(self) -> Chunk:
        """Return the chunk."""
        columns = {name: column.finished() for name, column in self.columns.items()}
        return Chunk(self.n, columns, self.assembly.path, self.first_row, self.roles)

    def _column(self, name: str) -> GrowingColumn:
        """Return the column called `name`, a new one if need be."""
        column = self.columns.get(name)
        if column is None:
            column = self.columns[name] = self.assembly.new_column()
            column.add_missing(self.n)
        return column
