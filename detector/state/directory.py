"""Cuts in a directory: two files, the older of which is written anew each time.

    write to a temporary file -> fsync -> rename over the older cut -> fsync of the directory

So at every moment one whole cut lies there, whatever ends the program or the machine. A lock keeps a
second detector out.
"""

import contextlib
import fcntl
import logging
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from detector.errors import StateError
from detector.state.encoding import HEAD, MAX_BYTES, Cut, Encoder, NewerStateError, decode

log = logging.getLogger(__name__)

NAMES = ("cut-1", "cut-2")
TEMPORARY = "cut.tmp"
LOCK = "lock"


@dataclass(frozen=True, slots=True)
class Found:
    """A file that has, or should have, a cut in it."""

    path: Path
    n_bytes: int
    cut: Cut | None
    problem: StateError | None = None
    """Why there is no cut; its text goes behind the name of the file."""


class DirectoryStore:
    """Cuts in one directory, which belongs to one detector."""

    highest_term = 0
    """There is no other replica: the lock keeps it out."""

    def __init__(self, directory: Path) -> None:
        """Take the directory, and make it where it is not there.

        Raises:
            StateError: it cannot be made or written to, or another detector has it.
        """
        # Without this a limit of file sizes would end the program in the middle of a cut.
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        self._directory = directory
        self._encoder = Encoder()
        self._next = NAMES[0]
        self.n_damaged = 0
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise StateError(
                f"{directory}: cannot keep state here ({error.strerror}); make it a directory that this user "
                "may write to, or name another as state.directory"
            ) from None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            raise StateError(
                f"{directory}: another detector keeps its state here; give each a state.directory of its own"
            ) from None
        with contextlib.suppress(OSError):
            (directory / TEMPORARY).unlink(missing_ok=True)

    def load(self) -> Iterator[Cut]:
        """Return the cuts that are whole, the newest first.

        Raises:
            StateError: a newer version of this program has written here.
        """
        found = read_cuts(self._directory)
        for file in found:
            if isinstance(file.problem, NewerStateError):
                raise StateError(
                    f"{file.path}: {file.problem}; run the version that wrote it, or move the file away to "
                    "begin anew"
                )
            if file.problem is not None:
                self.n_damaged += 1
                log.warning("damaged state path=%s: %s; it is not used", file.path, file.problem)
        whole = [(file.path, file.cut) for file in found if file.cut is not None]
        if whole:
            self._next = next(name for name in NAMES if name != whole[0][0].name)
        return iter([cut for _, cut in whole])

    def save(self, cut: Cut) -> int:
        """Write a cut in place of the older one; return its bytes.

        Raises:
            StateError: it could not be written; what was there is as it was.
        """
        pieces = self._encoder.encode(cut)
        temporary, path = self._directory / TEMPORARY, self._directory / self._next
        try:
            _write(temporary, pieces)
            temporary.replace(path)
            _sync(self._directory)
        except OSError as error:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise StateError(f"{path}: cannot be written ({error.strerror})") from None
        self._next = next(name for name in NAMES if name != self._next)
        return sum(map(len, pieces))

    def close(self) -> None:
        """Let another detector have the directory."""
        os.close(self._lock)


def read_cuts(directory: Path) -> list[Found]:
    """Return every file with a cut, the newest cut first, files without a whole one last.

    Takes no lock and writes nothing, so a detector that keeps its state there is not disturbed: a file is
    only ever replaced as a whole.
    """
    found = [file for name in NAMES if (file := _found(directory / name)) is not None]
    return sorted(found, key=lambda file: -1 if file.cut is None else file.cut.sequence, reverse=True)


def _found(path: Path) -> Found | None:
    data = b""
    try:
        read = read_cut(path)
        if read is None:
            return None
        data = read
        return Found(path, len(data), decode(data))
    except StateError as error:
        return Found(path, len(data), None, error)


def read_cut(path: Path) -> bytes | None:
    """Return the bytes of a file with a cut, None where there is no file.

    Raises:
        StateError: it cannot be read, or is larger than any cut.
    """
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            data = file.read(MAX_BYTES + HEAD.size + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StateError(f"cannot be read ({error.strerror})") from None
    return data


def _write(path: Path, pieces: list[bytes]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.writelines(pieces)
        file.flush()
        os.fsync(file.fileno())


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
