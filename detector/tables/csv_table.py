"""CSV and TSV files as RFC 4180 says: a header, and quotes around cells that hold delimiters or line ends.

The standard csv module decides what a quoted record means. Blocks of lines without any quote mean the
same without it, and splitting them is twice as fast.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterator
from functools import partial

from detector.columns import Chunk
from detector.errors import DataError
from detector.tables.assemble import Assembly, Part
from detector.tables.base import DataFile, TableReader, check_width, readers
from detector.tables.blocks import line_blocks
from detector.tables.text_column import GrowingTextColumn

CELLS_MAX = 1 << 21
"""Cells of a chunk: some 20 MiB as text."""

_QUOTE_ERRORS = {
    "unexpected end of data": "a quote that opens here is never closed",
    "field larger than": "a cell is longer than 131,072 characters; is a quote never closed?",
    "expected after": "text after a closing quote; inside quotes, a quote is written twice",
}


def read_csv(file: DataFile, rows: int, *, delimiter: str) -> Iterator[tuple[Chunk, int]]:
    """Yield the chunks of a CSV file.

    Raises:
        DataError: there is no header of distinct names, a row is longer or shorter than it, a quote is
            out of place, or the text is not UTF-8.
    """
    assembly = Assembly(file.path, rows, CELLS_MAX, GrowingTextColumn)
    return assembly.chunks(_parts(_Records(file, delimiter)))


def _parts(records: "_Records") -> Iterator[Part]:
    """Yield the columns block by block, first the mere names."""
    names = records.header()
    yield Part(0, {name: [] for name in names}, 0)
    for columns in records.columns(len(names)):
        yield Part(len(columns[0]), dict(zip(names, columns, strict=True)), records.position)


class _Records:
    """The records of a file, a block of lines at a time."""

    def __init__(self, file: DataFile, delimiter: str) -> None:
        self.position = 0
        """Bytes of the file on disk that have been read."""
        self._path = file.path
        self._delimiter = delimiter
        self._blocks = line_blocks(file)
        self._lines_before = 0
        self._source = io.StringIO()  # lines that the csv module may still ask for
        # Strict, for else a quote that is never closed would silently swallow rows.
        self._reader = csv.reader(self._lines(), delimiter=delimiter, strict=True)

    def header(self) -> list[str]:
        """Return the column names."""
        names: list[str] = []
        while not names:
            line = self._lines_before + 1
            found = self._record(line)
            if found is None:
                raise DataError(f"{self._path}: empty file; expected a header with the column names")
            names = found
        check_width(self._path, len(names))
        where = f"{self._path}: line {line}"
        for number, name in enumerate(names, 1):
            if not name.strip():
                raise DataError(
                    f"{where}: column {number} has no name; name it in the header, or leave the column out"
                )
        if len(set(names)) < len(names):
            twice = ", ".join(name for name, count in Counter(names).items() if count > 1)
            raise DataError(f"{where}: column name twice in the header: {twice}; rename one")
        return names

    def columns(self, width: int) -> Iterator[list[list[str]]]:
        """Yield the rows after the header as `width` columns, a block at a time."""
        text: str | None = self._source.read()
        while text is not None:
            columns = split_plain(text, width, self._delimiter)
            if columns is None:
                columns = self._columns_of_records(text, width)
            else:
                self._lines_before += len(columns[0])
            if columns[0]:
                yield columns
            text = self._source.read() or self._next_text()

    def _columns_of_records(self, text: str, width: int) -> list[list[str]]:
        """Return the columns of the records that begin in `text`, as the csv module reads them."""
        source = self._source = io.StringIO(text, newline="")
        records: list[list[str]] = []
        # A record that takes lines from the next block is the last; the rest of that block comes next.
        while self._source is source and source.tell() < len(text):
            line = self._lines_before + 1
            record = self._record(line)
            if record is None:
                break
            if len(record) == width:
                records.append(record)
            elif record:
                raise DataError(
                    f"{self._path}: line {line}: found {len(record)} cells, expected {width} as in the header"
                )
        return [list(column) for column in zip(*records, strict=True)] or [[] for _ in range(width)]

    def _record(self, line: int) -> list[str] | None:
        """Return the next record, which begins on `line`; empty for an empty line, None at the end."""
        try:
            return next(self._reader, None)
        except csv.Error as error:
            found = next((text for part, text in _QUOTE_ERRORS.items() if part in str(error)), str(error))
            raise DataError(f"{self._path}: line {line}: {found}") from error

    def _lines(self) -> Iterator[str]:
        """Yield the lines the csv module asks for."""
        while True:
            while line := self._source.readline():
                self._lines_before += 1
                yield line
            text = self._next_text()
            if text is None:
                return
            self._source = io.StringIO(text, newline="")

    def _next_text(self) -> str | None:
        """Return the next block of lines; None at the end."""
        block = next(self._blocks, None)
        if block is None:
            return None
        self.position = block.position
        return block.text()


def split_plain(text: str, width: int, delimiter: str) -> list[list[str]] | None:
    """Return the columns of lines that need no csv module; None where something needs it.

    That is: a quote, an empty line, a line with another number of cells than `width`, a line so long
    that a cell might be too long, or line ends of several kinds.
    """
    if not text.endswith("\n"):
        text += "\n"
    limit = csv.field_size_limit()
    is_long = len(text) > limit and max(map(len, text.split("\n"))) > limit
    # With more than one column, an empty line is a line with too few cells.
    has_empty_line = width == 1 and ("\n\n" in text or text.startswith("\n"))
    if '"' in text or is_long or has_empty_line:
        return None
    # Each line end becomes a cell of its own. If every cell after each `width` cells is one, and there
    # are no others, then every line has `width` cells.
    cells = text.replace("\n", f"{delimiter}\n{delimiter}").split(delimiter)
    cells.pop()
    n = text.count("\n")
    if len(cells) != n * (width + 1) or cells[width :: width + 1].count("\n") != n:
        return None
    columns = [cells[column :: width + 1] for column in range(width)]
    return _without_returns(columns, text.count("\r"))


def _without_returns(columns: list[list[str]], n_returns: int) -> list[list[str]] | None:
    r"""Take the \r of \r\n off the last cells; None if one of the `n_returns` is elsewhere, or one lacks."""
    if n_returns == 0:
        return columns
    last = [cell[:-1] for cell in columns[-1]]
    # As many as rows, all of them in the last cells, and none left: so each last cell ended with one.
    are_ends = n_returns == len(last) == "".join(columns[-1]).count("\r") and "\r" not in "".join(last)
    has_empty_line = len(columns) == 1 and "" in last
    return [*columns[:-1], last] if are_ends and not has_empty_line else None


readers.add("csv", TableReader(partial(read_csv, delimiter=","), is_text=True, has_header=True))
readers.add("tsv", TableReader(partial(read_csv, delimiter="\t"), is_text=True, has_header=True))
