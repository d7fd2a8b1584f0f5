"""The files that settings name: passwords, tokens, keys, certificates; and whether they can be read."""

import os
import re
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from detector.config.problems import KeyPath, dotted
from detector.printable import printable

_SECRET = re.compile(r"(?:password|token|key|url)_file$")


@dataclass(frozen=True, slots=True)
class NamedFile:
    """A file, and the setting that names it."""

    where: str
    """FILE:LINE, or the environment variable."""
    setting: KeyPath
    path: Path

    @property
    def is_secret(self) -> bool:
        """Whether what it holds is for nobody else; certificates may be read by all."""
        return _SECRET.search(str(self.setting[-1])) is not None

    @property
    def label(self) -> str:
        """Return where it is named, and its name."""
        return f"{self.where}: {dotted(self.setting)}: {printable(str(self.path))}"


def problems_of(files: Iterable[NamedFile]) -> list[str]:
    """Return a line for each file that cannot be read, or is no file."""
    return [f"{file.label}: {problem}" for file in files if (problem := _problem(file.path))]


def warnings_of(files: Iterable[NamedFile]) -> list[str]:
    """Return a line for each secret that everybody on this machine may read."""
    return [
        f"{file.label}: every user of this machine may read this secret; chmod o= it"
        for file in files
        if file.is_secret and _mode(file.path) & stat.S_IROTH
    ]


def _problem(path: Path) -> str:
    try:
        # What is no file, such as a pipe that nobody writes to, must not keep us waiting.
        number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return "does not exist; create it, or name another"
    except OSError as error:
        return f"cannot be read ({error.strerror}); let the user of this program read it"
    try:
        status = os.fstat(number)
    finally:
        os.close(number)
    if not stat.S_ISREG(status.st_mode):
        return "is no file; name one"
    return "" if status.st_size else "is empty; put something in, or name another"


def _mode(path: Path) -> int:
    try:
        return path.stat().st_mode
    except OSError:
        return 0
