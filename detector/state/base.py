"""Where cuts are kept, so that a detector that comes back goes on where it was."""

from collections.abc import Iterator
from typing import Protocol

from detector.state.encoding import Cut


class StateStore(Protocol):
    """Keeps the last two cuts; used by one thread at a time."""

    def load(self) -> Iterator[Cut]:
        """Return the cuts that are whole, the newest first; what is damaged is logged and counted.

        Raises:
            StateError: there are cuts that must not be touched, such as those of a newer version.
        """
        ...

    def save(self, cut: Cut) -> int:
        """Keep a cut, all of it or nothing; return the bytes written.

        Raises:
            StateError: it could not be written; the cuts from before are as they were.
        """
        ...

    @property
    def n_damaged(self) -> int:
        """Cuts that could not be read so far."""
        ...

    def close(self) -> None:
        """Let go of everything."""
        ...
