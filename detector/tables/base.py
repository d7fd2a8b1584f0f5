"""What a table reader is, which files there are, and how all of them are read one after another.

A reader turns one file into chunks of columns that do not know their types yet. Its name is the
suffix of its files. Memory is bounded by the chunk, however large the files are.
"""

import contextlib
import gzip
import hashlib
import stat
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from detector.baseline.file import MAX_FEATURES
from detector.columns import Chunk
from detector.errors import DataError
from detector.registry import Registry
from detector.tables.names import expand

_DIGEST_BLOCK_BYTES = 1 << 20

_NOT_REGULAR = (
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)


@dataclass(frozen=True, slots=True)
class DataFile:
    """One file to read: its size on disk and, from its name, what it holds."""

    path: str
    bytes: int
    kind: str
    """Name of its reader: the suffix without the dot."""
    gzipped: bool = False


@dataclass(frozen=True, slots=True)
class TableReader:
    """How files of one kind are read.

    `chunks(file, rows)` yields chunks of at most `rows` rows, each with the bytes of the file on disk
    that are worked through after it. A file without rows yields one chunk of none, for its columns.
    """

    chunks: Callable[[DataFile, int], Iterator[tuple[Chunk, int]]]
    is_text: bool
    """Text files may be gzipped."""
    has_header: bool
    """The file names its columns once for all rows; then all files of a table must name the same."""


readers: Registry[TableReader] = Registry("kind of data file")


def find_files(names: Sequence[str]) -> list[DataFile]:
    """Return the data files that `names` mean: files, directories (all that is in them) and globs.

    Each name's files come in alphabetical order; a file that is named twice is read once.

    Raises:
        DataError: a name means nothing, or something that is not a data file.
    """
    found: dict[Path, DataFile] = {}
    for name in names:
        for path in expand(name, lambda file_name: _kind(file_name) is not None, _expected()):
            file = _data_file(path)  # first: a link to itself cannot be resolved
            found.setdefault(Path(path).resolve(), file)
    return list(found.values())


def read_chunks(
    files: Sequence[DataFile], *, rows: int = 65536, advance: Callable[[int], None] | None = None
) -> Iterator[Chunk]:
    """Yield the rows of all files, in chunks of at most `rows`, fewer where the table is wide.

    No chunk is empty. `advance` is told the bytes on disk worked through since the last call; they add
    up to the sizes of the files.

    Raises:
        DataError: a file cannot be read, two files have different columns, or there is not one row.
    """
    if rows < 1:
        raise ValueError(f"rows must be at least 1, got {rows}")
    pattern: tuple[DataFile, frozenset[str]] | None = None
    any_rows = False
    for file in files:
        reader = readers.get(file.kind)
        done = 0
        for chunk, position in _guarded(file, reader.chunks(file, rows)):
            if reader.has_header:
                names = frozenset(chunk.columns)
                pattern = pattern or (file, names)
                _check_same(pattern, (file, names))
            if chunk.n:
                any_rows = True
                yield chunk
            if advance is not None and position > done:
                advance(position - done)
                done = position
        if advance is not None and file.bytes > done:
            advance(file.bytes - done)
    if not any_rows:
        raise DataError(f"{', '.join(file.path for file in files[:3])}: no data rows")


def digest_files(files: Sequence[DataFile]) -> str:
    """Return the SHA-256 in hexadecimal of the files' bytes on disk, one after another.

    Raises:
        DataError: a file cannot be read.
    """
    digest = hashlib.sha256()
    for file in files:
        try:
            with Path(file.path).open("rb") as stream:
                while block := stream.read(_DIGEST_BLOCK_BYTES):
                    digest.update(block)
        except OSError as error:
            raise DataError(f"{file.path}: cannot be read: {error.strerror or error}") from error
    return digest.hexdigest()


def check_width(path: str, n: int) -> None:
    """Raise a `DataError` if a table has more columns than a baseline can have features."""
    if n > MAX_FEATURES:
        raise DataError(f"{path}: more than {MAX_FEATURES:,} columns; leave out those that nobody watches")


@contextlib.contextmanager
def reading(file: DataFile) -> Iterator[None]:
    """Turn what the file system and gzip complain about while a file is read into a `DataError`."""
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{file.path}: damaged gzip file ({error}); copy or write it again") from error
    except OSError as error:
        raise DataError(f"{file.path}: cannot be read: {error.strerror or error}") from error


def _guarded(file: DataFile, chunks: Iterator[tuple[Chunk, int]]) -> Iterator[tuple[Chunk, int]]:
    with reading(file):
        yield from chunks


def _check_same(pattern: tuple[DataFile, frozenset[str]], found: tuple[DataFile, frozenset[str]]) -> None:
    """Raise unless both files have the same column names."""
    (first, expected), (file, names) = pattern, found
    if names == expected:
        return
    differences = [
        f"{what} {', '.join(sorted(columns)[:5])}"
        for what, columns in (("without", expected - names), ("with", names - expected))
        if columns
    ]
    raise DataError(
        f"{file.path}: other columns than {first.path} ({'; '.join(differences)}); "
        "files of one data set need the same columns"
    )


def _kind(file_name: str) -> tuple[str, bool] | None:
    """Return the kind a file's name says, and whether it is gzipped; None for an unknown suffix."""
    stem = file_name.lower()
    gzipped = stem.endswith(".gz")
    suffix = Path(stem.removesuffix(".gz")).suffix.removeprefix(".")
    if suffix not in readers or (gzipped and not readers.get(suffix).is_text):
        return None
    return suffix, gzipped


def _expected() -> str:
    """Say which suffixes there are."""
    text = ", ".join(f".{name}" for name, reader in readers if reader.is_text)
    other = ", ".join(f".{name}" for name, reader in readers if not reader.is_text)
    return f"{text} (each also with .gz) or {other}"


def _data_file(path: str) -> DataFile:
    """Look at the file; it must be a regular one of a known kind."""
    try:
        status = Path(path).stat()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error
    for is_kind, what in _NOT_REGULAR:
        # A table is read more than once, and a pipe cannot be.
        if is_kind(status.st_mode):
            raise DataError(f"{path}: is {what}, not a regular file; write the data to a file first")
    kind = _kind(Path(path).name)
    if kind is None:
        raise DataError(f"{path}: unknown kind of data file; expected a name ending in {_expected()}")
    return DataFile(path, status.st_size, *kind)
