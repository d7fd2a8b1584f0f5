"""Data sets made by hand: rows as dicts, in chunks of any size."""

from detector.columns import Chunk
from detector.tables.object_column import ObjectColumn
from detector.tables.text_column import TextColumn


def typed(rows, size=4):
    """Return a reader of rows whose values have types of their own, as in JSON."""
    return _reader(rows, size, ObjectColumn)


def untyped(rows, size=4):
    """Return a reader of rows of texts, as in CSV; None is the empty text."""
    return _reader(rows, size, lambda cells: TextColumn.of([cell or "" for cell in cells]))


def _reader(rows, size, make):
    def read():
        for start in range(0, len(rows), size):
            part = rows[start : start + size]
            names = dict.fromkeys(name for row in part for name in row)
            columns = {name: make([row.get(name) for row in part]) for name in names}
            yield Chunk(len(part), columns, "made", start + 1)

    return read
