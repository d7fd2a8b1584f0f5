"""The alerts that are over, for people who look later."""

from collections import deque
from collections.abc import Iterable

from detector.alerts import Transition
from detector.tree import Frozen, Tree, list_of, record_of, record_tree

MAX_PAST = 500
"""The last ones, of all model versions together."""


class PastAlerts:
    """The last `MAX_PAST` alerts that ended."""

    def __init__(self) -> None:
        self._alerts: deque[tuple[Transition, Frozen]] = deque(maxlen=MAX_PAST)
        """Each as it is, and as it is remembered: that is made once."""

    def add(self, ended: Iterable[Transition]) -> None:
        """Add alerts that have ended, in order."""
        self._alerts.extend((alert, Frozen(record_tree(alert))) for alert in ended)

    @property
    def all(self) -> tuple[Transition, ...]:
        """What is kept, oldest first."""
        return tuple(alert for alert, _ in self._alerts)

    def remember(self) -> Tree:
        """Return all of it."""
        return [remembered for _, remembered in self._alerts]

    def recall(self, tree: Tree) -> None:
        """Take on what was remembered.

        Raises:
            ValueError: the tree is nothing such.
        """
        self.add(record_of(Transition, alert) for alert in list_of(tree))
