"""JSON Lines files: each line an object, either a flat row or a full event.

A row whose `features` is an object is a full event, as the detector reads them from Kafka. Its
features, its prediction and its tags become columns, and the roles say which is which. The keys may
differ from row to row: what is absent is missing.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any

import msgspec

from detector.columns import Chunk, ColumnRole
from detector.errors import DataError
from detector.tables.assemble import Assembly, Part
from detector.tables.base import DataFile, TableReader, readers
from detector.tables.blocks import Block, line_blocks
from detector.tables.object_column import GrowingObjectColumn

Row = dict[str, Any]

_decoder = msgspec.json.Decoder(dict[str, Any])

CELLS_MAX = 1 << 18
"""Cells of a chunk: some 16 MiB of Python objects, so that most are still in the cache when converted."""

_RUN_ROWS = 256

_ENVELOPE: tuple[tuple[str, ColumnRole], ...] = (
    ("timestamp", "time"),
    ("event_id", "id"),
    ("label", "label"),
    ("model", "model"),
    ("version", "version"),
)


def read_jsonl(file: DataFile, rows: int) -> Iterator[tuple[Chunk, int]]:
    """Yield the chunks of a JSON Lines file; a chunk has the columns that occur in its rows.

    Raises:
        DataError: a line is not one JSON object in UTF-8.
    """
    return Assembly(file.path, rows, CELLS_MAX, GrowingObjectColumn).chunks(_parts(file))


def _parts(file: DataFile) -> Iterator[Part]:
    """Yield the columns block by block."""
    is_events = False
    for block in line_blocks(file):
        found = _rows(block)
        # Once there are events, a row without features is an event that lacks them, or a late label.
        is_events = is_events or any(isinstance(row.get("features"), dict) for row in found)
        if is_events:
            found = [row for row in found if not _is_late_label(row)]
        for run in _runs(found):
            columns, roles = _event_columns(run) if is_events else (_columns(run), {})
            yield Part(len(run), columns, block.position, roles)


def _rows(block: Block) -> list[Row]:
    """Return the rows of a block, all at once if nothing is unusual about them."""
    try:
        rows = _decoder.decode_lines(block.content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _rows_line_by_line(block)
    # Objects that share a line, or span some, pass the decoder but are no JSON Lines.
    n_lines = block.content.count(b"\n") + (not block.content.endswith(b"\n"))
    return rows if len(rows) == n_lines else _rows_line_by_line(block)


def _rows_line_by_line(block: Block) -> list[Row]:
    """Return the rows of a block; empty lines are none."""
    rows = []
    offset = 0
    for line in block.content.split(b"\n"):
        if line.strip():
            rows.append(_row(line, block, offset))
        offset += len(line) + 1
    return rows


def _row(line: bytes, block: Block, offset: int) -> Row:
    """Return the object on the line at `offset` of the block."""
    try:
        return _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        row = _python_json(line)
        if row is None:
            where = f"{block.file.path}: line {block.line_of(offset)}"
            raise DataError(f"{where}: not a JSON object: {error}; repair the line or take it out") from error
        return row


def _python_json(line: bytes) -> Row | None:
    """Return the object on a line that holds NaN, Infinity or 1e999, as Python writes them.

    None if something else is wrong with it.
    """
    try:
        row = json.loads(line.decode())
        # The json module lets half a surrogate pair pass, which no UTF-8 output could show.
        json.dumps(row, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None


def _is_late_label(row: Row) -> bool:
    """Whether a row among events is a label that came later, and so holds nothing to count."""
    return "label" in row and row.get("features") is None and row.get("prediction") is None


def _runs(rows: list[Row]) -> Iterator[list[Row]]:
    """Split rows into short runs: each run has every key of its rows as a column, and keys may be many."""
    for start in range(0, len(rows), _RUN_ROWS):
        yield rows[start : start + _RUN_ROWS]


def _columns(rows: Sequence[Row]) -> dict[str, list[Any]]:
    """Return the rows by key, in order of appearance, None where a row lacks one."""
    names = list(rows[0])
    if set(map(len, rows)) == {len(names)}:
        try:
            return {name: list(map(itemgetter(name), rows)) for name in names}
        except KeyError:
            pass
    union = dict.fromkeys(chain.from_iterable(rows))
    return {name: [row.get(name) for row in rows] for name in union}


def _event_columns(rows: Sequence[Row]) -> tuple[dict[str, list[Any]], dict[str, ColumnRole]]:
    """Return full events as columns and what each of them is."""
    columns = _columns(_objects(row.get("features") for row in rows))
    roles: dict[str, ColumnRole] = dict.fromkeys(columns, "feature")

    def add(name: str, pointer: str, role: ColumnRole, cells: list[Any]) -> None:
        # A feature keeps its name; a part of the event that is called the same goes by its JSON pointer.
        name = pointer if name in columns else name
        columns[name], roles[name] = cells, role

    predictions = [row.get("prediction") for row in rows]
    for key, cells in _columns(_objects(predictions)).items():
        add(f"prediction.{key}", f"/prediction/{key}", "prediction", cells)
    scalars = [None if isinstance(prediction, dict) else prediction for prediction in predictions]
    if any(scalar is not None for scalar in scalars):
        add("prediction", "/prediction", "prediction", scalars)
    for key, role in _ENVELOPE:
        cells = [row.get(key) for row in rows]
        if any(cell is not None for cell in cells):
            add(key, f"/{key}", role, cells)
    features = {name for name, role in roles.items() if role == "feature"}
    for key, cells in _columns(_objects(row.get("tags") for row in rows)).items():
        if key not in features:
            add(key, f"/tags/{key}", "tag", cells)
    return columns, roles


def _objects(values: Iterable[object]) -> list[Row]:
    """Return the values that are objects, an empty one in the place of others."""
    return [value if isinstance(value, dict) else {} for value in values]


_reader = TableReader(read_jsonl, is_text=True, has_header=False)
readers.add("jsonl", _reader)
readers.add("ndjson", _reader)
