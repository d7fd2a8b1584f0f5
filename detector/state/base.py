"""Where cuts are kept, so that a detector that comes back goes on where it was."""

from collections.abc import Iterator
from typing import Protocol

from detector.errors import StateError
from detector.state.encoding import Cut


class StateAwayError(StateError):
    """State cannot be read now: that says nothing of what is there, so nobody may begin without it."""


class StateStore(Protocol):
    """Keeps the last two cuts; used by one thread at a time."""

    def load(self) -> Iterator[Cut]:
        """Return the cuts that are whole, the newest first; what is damaged is logged and counted.

        Raises:
            StateAwayError: they cannot be read now.
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
    def highest_term(self) -> int:
        """The highest term of which anything was found when cuts were read; 0 where terms do not matter."""
        ...

    @property
    def n_damaged(self) -> int:
        """Cuts that could not be read so far."""
        ...

    def close(self) -> None:
        """Let go of everything."""
        ...
