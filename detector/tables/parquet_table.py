"""Parquet files, a few thousand rows at a time. Needs the package pyarrow."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from detector.columns import Chunk
from detector.errors import DataError
from detector.tables.arrow_column import ArrowColumn
from detector.tables.base import DataFile, TableReader, check_width, readers

if TYPE_CHECKING:
    import pyarrow.parquet as pq

CELLS_MAX = 1 << 21
"""Cells of a chunk: some 16 MiB."""

# Column chunks are read in pieces of this size, not whole: a row group may have gigabytes.
_BUFFER_BYTES = 1 << 20

# What pandas calls the row labels it writes; they are no column of the table.
_PANDAS_INDEX = re.compile(r"__index_level_\d+__")


def read_parquet(file: DataFile, rows: int) -> Iterator[tuple[Chunk, int]]:
    """Yield the chunks of a Parquet file.

    Raises:
        DataError: the file is damaged, two columns have one name, or pyarrow is not installed.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise DataError(
            f"{file.path}: reading Parquet needs pyarrow; pip install 'streaming-drift-detector[parquet]'"
        ) from error
    try:
        with pq.ParquetFile(file.path, buffer_size=_BUFFER_BYTES) as table:
            yield from _chunks(file, table, rows)
    except (pa.ArrowException, OSError) as error:
        # An error without a number is not the system's: pyarrow has found the content wrong.
        if isinstance(error, OSError) and error.errno is not None:
            raise
        reason = str(error).splitlines()[0].rstrip(" .:")
        raise DataError(f"{file.path}: damaged Parquet file: {reason}; copy or write it again") from error


def _chunks(file: DataFile, table: "pq.ParquetFile", rows: int) -> Iterator[tuple[Chunk, int]]:
    """Yield the chunks of an open file."""
    found = table.schema_arrow.names
    names = [name for name in found if not _PANDAS_INDEX.fullmatch(name)]
    if not names:
        raise DataError(f"{file.path}: a table without columns")
    check_width(file.path, len(names))
    if len(set(names)) < len(names):
        twice = ", ".join(name for name, count in Counter(names).items() if count > 1)
        raise DataError(f"{file.path}: column name twice: {twice}; rename one")
    n_rows = table.metadata.num_rows
    done = 0
    for batch in table.iter_batches(batch_size=min(rows, max(1, CELLS_MAX // len(found)))):
        batch.validate(full=True)  # texts need not be UTF-8
        columns = {name: ArrowColumn(batch.column(name)) for name in names}
        chunk = Chunk(batch.num_rows, {**columns}, file.path, done + 1)
        done += batch.num_rows
        # Where a row ends in the file nobody can say; the share of the rows is near enough.
        yield chunk, file.bytes * done // n_rows
    if done == 0:
        empty = table.schema_arrow.empty_table()
        columns = {name: ArrowColumn(empty.column(name).combine_chunks()) for name in names}
        yield Chunk(0, {**columns}, file.path, 1), file.bytes


readers.add("parquet", TableReader(read_parquet, is_text=False, has_header=True))
