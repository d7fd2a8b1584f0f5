"""Baseline files on disk: bounded, regular files only, written whole or not at all."""

import contextlib
import os
import stat
import tempfile
from pathlib import Path

from detector.baseline import Baseline
from detector.baseline.file import dump_baseline, load_baseline
from detector.errors import BaselineError, InputError

MAX_BASELINE_BYTES = 256 << 20

Stamp = tuple[int, ...] | None
"""What tells one content of a file from another without reading it; None: there is no file."""


def stamp_of(path: Path) -> Stamp:
    """Return the stamp of the file that a path leads to, through any links."""
    try:
        status = path.stat()
    except OSError:
        return None
    # The time of the last change of the inode cannot be set back, as that of the content can.
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


class BaselineReader:
    """Reads baselines, and gives out again what it read the last time where the file has not changed."""

    def __init__(self) -> None:
        self._before: dict[Path, tuple[Stamp, Baseline]] = {}
        self._now: dict[Path, tuple[Stamp, Baseline]] = {}

    def begin(self) -> None:
        """Begin to read all baselines again; those that are not asked for this time are forgotten."""
        self._before, self._now = self._now, {}

    def __call__(self, path: Path) -> Baseline:
        """Read a baseline as `read_baseline` does, and raise what that raises."""
        stamp = stamp_of(path)
        known = self._now.get(path) or self._before.get(path)
        if known is None or stamp is None or known[0] != stamp:
            known = stamp, read_baseline(path)
        self._now[path] = known
        return known[1]


def read_baseline(path: Path) -> Baseline:
    """Read and check a baseline file.

    Raises:
        BaselineError: the file is missing, too large, no regular file, or no sound baseline.
    """
    return load_baseline(read_baseline_bytes(path), str(path))


def read_baseline_bytes(path: Path) -> bytes:
    """Return the bytes of a baseline file, unchecked but bounded."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise BaselineError(f"{path}: not a regular file; name a baseline file")
        if status.st_size > MAX_BASELINE_BYTES:
            raise BaselineError(f"{path}: {status.st_size >> 20} MiB, more than {MAX_BASELINE_BYTES >> 20}")
        return path.read_bytes()
    except FileNotFoundError:
        raise BaselineError(
            f"{path}: no such baseline file; build it with `drift-detector baseline build`"
        ) from None
    except OSError as error:
        raise BaselineError(f"{path}: cannot be read ({error.strerror})") from None


def write_baseline(path: Path, baseline: Baseline) -> int:
    """Write a baseline file and return its size; an older file stays until the new one is complete."""
    return write_whole(path, dump_baseline(baseline))


def write_whole(path: Path, data: bytes) -> int:
    """Write a file so that readers see the old or the new content, never a part; return its size.

    Raises:
        InputError: the place cannot be written.
    """
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})") from None
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise InputError(f"{path}: cannot be written ({error.strerror})") from None
    return len(data)
