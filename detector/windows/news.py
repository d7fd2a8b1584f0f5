"""What a sample of events told of their columns, pane by pane, as long as a window reaches the pane."""

from dataclasses import dataclass, field

from detector.batch import Sighting

MAX_NAMES = 50
"""New columns kept of one pane: they come from events, and nobody announces their number."""


@dataclass(frozen=True, slots=True)
class ColumnNews:
    """New columns of a window; the features that its last pane had as null."""

    new: frozenset[str] = frozenset()
    null: frozenset[str] = frozenset()


NO_NEWS = ColumnNews()


@dataclass(slots=True)
class NewsRing:
    """The news of the panes that windows reach; panes without any take no room."""

    _new: dict[int, set[str]] = field(default_factory=dict)
    _null: dict[int, set[str]] = field(default_factory=dict)

    def add(self, pane: int, sighting: Sighting) -> None:
        """Note what an event of fine pane `pane` said."""
        if sighting.null:
            self._null.setdefault(pane, set()).update(sighting.null)
        for name in sighting.new:
            here = self._new.setdefault(pane, set())
            if len(here) < MAX_NAMES:
                here.add(name)

    def between(self, first: int, end: int) -> ColumnNews:
        """Return the news of a window of the panes first <= index < end."""
        if not self._new and not self._null:
            return NO_NEWS
        new = frozenset().union(*(names for pane, names in self._new.items() if first <= pane < end))
        return ColumnNews(new, frozenset(self._null.get(end - 1, ())))

    def drop_before(self, first: int) -> None:
        """Forget the panes with an index below `first`."""
        for kept in (self._new, self._null):
            for pane in [pane for pane in kept if pane < first]:
                del kept[pane]
