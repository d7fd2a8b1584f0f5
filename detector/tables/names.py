"""Which files a name on the command line means: a file, a directory, or a glob that was quoted."""

import glob
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from detector.errors import DataError

# What other programs put beside data: `.part-0.parquet.crc`, `_SUCCESS`, `_temporary/`, `._table.csv`.
_NOT_DATA = (".", "_")


def expand(name: str, is_data: Callable[[str], bool], expected: str) -> list[str]:
    """Return the paths of the files that `name` means, in alphabetical order.

    Of a directory these are the files whose names `is_data` accepts (`expected` says which), at any
    depth, but none whose name or folder begins with a dot or an underscore. A plain name or a glob
    is taken at its word.

    Raises:
        DataError: there is no such file.
    """
    # An existing file wins: `table[1].csv` is a lawful name.
    if not os.path.lexists(name) and glob.has_magic(name):
        matches = sorted(glob.glob(name, recursive=True))  # noqa: PTH207 - Path.glob takes no absolute pattern
        if not matches:
            raise DataError(f"{name}: no file matches")
        found = [
            file
            for match in matches
            for file in (_in_directory(match, is_data) if Path(match).is_dir() else [match])
        ]
        if not found:
            raise DataError(f"{name}: no data file in these directories; expected names ending in {expected}")
        return found
    if _is_directory(name):
        found = _in_directory(name, is_data)
        if not found:
            raise DataError(f"{name}: no data file in this directory; expected names ending in {expected}")
        return found
    return [name]


def _is_directory(name: str) -> bool:
    """Whether what exists under this name is a directory."""
    try:
        return stat.S_ISDIR(Path(name).stat().st_mode)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise DataError(f"{name}: no such file or directory") from error
    except OSError as error:
        raise _unreadable(name, error) from error


def _in_directory(name: str, is_data: Callable[[str], bool]) -> list[str]:
    """Return the data files in a directory and those below it."""
    return sorted(
        str(folder / file_name)
        for folder, file_names in _walk(name)
        for file_name in file_names
        if is_data(file_name) and not file_name.startswith(_NOT_DATA)
    )


def _walk(name: str) -> Iterator[tuple[Path, list[str]]]:
    """Yield the folders with the names of their files; links are followed, but none in a circle."""
    seen: set[str] = set()
    for folder, folders, file_names in os.walk(name, onerror=_refuse, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(f for f in folders if not f.startswith(_NOT_DATA))
        yield Path(folder), file_names


def _refuse(error: OSError) -> None:
    """Say which folder cannot be read; `os.walk` would leave it out silently."""
    raise _unreadable(error.filename, error) from error


def _unreadable(path: object, error: OSError) -> DataError:
    return DataError(f"{path}: cannot be read: {error.strerror or error}")
