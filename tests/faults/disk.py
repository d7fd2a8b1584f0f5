"""A directory on which the power fails: what was not forced to the disk is gone, or half there."""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

MEMORY = Path("/dev/shm")
"""Where forcing to the disk costs nothing, and nothing survives; where there is none any directory does."""

Files = dict[str, bytes]

Result = TypeVar("Result")


class Disk:
    """Takes what is really written to a directory, and keeps as much of it as a failure would."""

    def __init__(self) -> None:
        where = MEMORY if MEMORY.is_dir() else None
        self._own = tempfile.TemporaryDirectory(prefix="drift-disk-", dir=where)
        self.path = Path(self._own.name) / "state"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._own.cleanup()

    def files(self) -> Files:
        """What is there."""
        if not self.path.is_dir():
            return {}
        return {p.name: p.read_bytes() for p in self.path.iterdir() if p.is_file()}

    def put(self, files: Files) -> None:
        """Let exactly this be there."""
        shutil.rmtree(self.path, ignore_errors=True)
        self.path.mkdir(mode=0o700)
        for name, content in files.items():
            (self.path / name).write_bytes(content)
            (self.path / name).chmod(0o600)

    def fail_while(self, write: Callable[[], Result], kept: float, is_renamed: bool) -> Result:
        """Let the power fail while something is written; return what `write` returned.

        `kept` is the share of each new file that got there. Where the name is there but not all of the
        content (`is_renamed` and `kept` below 1), the file system was worse than it may be.
        """
        before = self.files()
        result = write()
        after = self.files()
        fresh = {name: content for name, content in after.items() if before.get(name) != content}
        torn = {name: content[: int(kept * len(content))] for name, content in fresh.items()}
        if is_renamed:
            self.put({**before, **after, **torn})
        else:
            self.put({**before, **{name + ".tmp": content for name, content in torn.items()}})
        return result

    def damage(self, name: str, change: Callable[[bytes], bytes]) -> None:
        """Change the content of a file."""
        (self.path / name).write_bytes(change((self.path / name).read_bytes()))
