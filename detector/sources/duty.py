"""Which of several replicas reads and judges."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from detector.batch import Partition
from detector.sources.base import Mark


@dataclass(frozen=True, slots=True)
class Term:
    """One unbroken stretch of being active."""

    number: int
    """Grows with every stretch of any replica, as long as the group lives on the brokers."""


class Duty(Protocol):
    """Says whether this replica is the active one."""

    @property
    def group(self) -> str:
        """Name of the group of which one is to be active; empty where there is none."""
        ...

    def check(self) -> Term | None:
        """Return the term under way, None for a standby; never waits.

        An answer holds only for what is done at once: ask again before anything is told or saved.
        """
        ...

    @property
    def is_member(self) -> bool:
        """Whether this replica would be given the duty, were it its turn."""
        ...

    def commit(self, marks: Mapping[Partition, Mark]) -> bool:
        """Commit marks for the term under way, best effort; never waits.

        False: there is no member of a group that could, so the source has to.
        """
        ...

    def close(self) -> None:
        """Hand the duty over, in three seconds at most."""
        ...


class AlwaysOnDuty:
    """A replica that is alone, or takes itself for it."""

    def __init__(self, group: str = "") -> None:
        self.group = group

    def check(self) -> Term:
        """Return the only term there is."""
        return Term(1)

    @property
    def is_member(self) -> bool:
        """Whether there is a replica: this one."""
        return True

    def commit(self, marks: Mapping[Partition, Mark]) -> bool:  # noqa: ARG002 - see below
        """Leave it to the source: the group has no member."""
        return False

    def close(self) -> None:
        """Do nothing."""
