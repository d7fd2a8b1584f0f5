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
