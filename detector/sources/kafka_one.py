"""An assignor that makes one member of a group the active one: `drift-one`.

Nobody is given a partition. Which member is active stands in the user data of its assignment, so the
member's client has nothing to fetch, no positions to look up and no bad record to trip over.
"""

from collections.abc import Callable, Sequence
from typing import Any

from kafka.coordinator.assignors.abstract import (
    AbstractPartitionAssignor,
    ConsumerProtocolAssignment,
    ConsumerProtocolSubscription,
)

VERSION = 0
ACTIVE = b"active"


class OneActive(AbstractPartitionAssignor):  # type: ignore[misc]  # the library is untyped
    """Gives the duty to the member that has it; without one, to the first by name."""

    name = "drift-one"

    def __init__(self, held: Callable[[], int], assigned: Callable[[bool, int], None]) -> None:
        """`held` returns the generation of the duty held now, 0 for none; `assigned` is told the outcome."""
        self._held = held
        self._assigned = assigned

    def metadata(self, topics: Sequence[str]) -> Any:
        """Say which duty this member claims, as it joins."""
        return ConsumerProtocolSubscription(VERSION, sorted(topics), b"%d" % self._held())

    def assign(self, _cluster: Any, members: Sequence[Any]) -> dict[str, Any]:
        """Choose the active member; called on the member that leads the group."""
        chosen = max(members, key=lambda member: _claim(member.metadata.user_data))
        if not _claim(chosen.metadata.user_data):
            chosen = min(members, key=lambda member: (member.group_instance_id or "~", member.member_id))
        return {
            member.member_id: ConsumerProtocolAssignment(VERSION, [], ACTIVE if member is chosen else b"")
            for member in members
        }

    def on_assignment(self, assignment: Any, generation: int) -> None:
        """Take note of what the leader decided."""
        self._assigned(assignment.user_data == ACTIVE, generation)


def _claim(user_data: bytes | None) -> int:
    """Return the generation that a member says it holds; what is no number claims nothing."""
    text = user_data or b""
    return int(text) if text.isdigit() and len(text) <= 10 else 0
