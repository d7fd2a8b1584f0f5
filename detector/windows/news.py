"""What a sample of events told of their columns, as long as a window reaches the pane they are of.

All windows of one moment end with the same pane. So of what is closed it is enough to know the last
pane that had a name; only panes that are still open are kept apart.
"""

from dataclasses import dataclass, field

from detector.batch import Sighting
from detector.tree import Tree, dict_of, int_of, list_of, pair_of, text_of, texts_of

MAX_NAMES = 50
"""New columns noted of one pane: they come from events, and nobody announces their number."""

MAX_KEPT = 200
"""New columns remembered of all closed panes, those seen last."""


@dataclass(frozen=True, slots=True)
class ColumnNews:
    """New columns of a window; the features that the last pane it was looked at had as null."""

    new: frozenset[str] = frozenset()
    null: frozenset[str] = frozenset()


NO_NEWS = ColumnNews()


@dataclass(slots=True)
class NewsRing:
    """The news of the panes that windows reach; bounded, whatever columns are called."""

    _new: dict[int, set[str]] = field(default_factory=dict)
    """Of panes that no window has ended with yet."""
    _null: dict[int, set[str]] = field(default_factory=dict)
    _last_pane_with: dict[str, int] = field(default_factory=dict)
    _looked: tuple[int, frozenset[str]] | None = None
    """The last closed pane of which events were looked at, and what they had as null."""
    _shed: int = 0
    """Names left out because there were too many, since that was asked last."""

    def add(self, pane: int, sighting: Sighting) -> None:
        """Note what an event of fine pane `pane` said."""
        # Nothing null is news too: it takes the place of what an earlier pane had.
        self._null.setdefault(pane, set()).update(sighting.null)
        for name in sighting.new:
            here = self._new.setdefault(pane, set())
            if len(here) < MAX_NAMES:
                here.add(name)
            elif name not in here:
                self._shed += 1
        self._shed += sighting.unnamed

    def take_shed(self) -> int:
        """Return how often a name was left out because there were too many, since this was asked last."""
        shed, self._shed = self._shed, 0
        return shed

    def between(self, first: int, end: int) -> ColumnNews:
        """Return the news of a window of the panes first <= index < end; `end` never goes back."""
        self.settle(end)
        looked, last = self._looked, self._last_pane_with
        null = looked[1] if looked is not None and looked[0] >= first else frozenset()
        if not last and not null:
            return NO_NEWS
        return ColumnNews(frozenset(name for name, pane in last.items() if pane >= first), null)

    def settle(self, end: int) -> None:
        """Take over what the panes below `end` told."""
        for pane in sorted(pane for pane in self._null if pane < end):
            null = self._null.pop(pane)
            before = self._looked
            if before is None or pane > before[0]:
                self._looked = (pane, frozenset(null))
            elif pane == before[0]:
                self._looked = (pane, before[1] | null)
        last = self._last_pane_with
        for pane in [pane for pane in self._new if pane < end]:
            for name in self._new.pop(pane):
                last[name] = max(pane, last.get(name, pane))
        if len(last) > MAX_KEPT:
            latest = sorted(last.items(), key=lambda item: (-item[1], item[0]))[:MAX_KEPT]
            self._shed += len(last) - MAX_KEPT
            self._last_pane_with = dict(latest)

    def remember(self) -> Tree:
        """Return all of it."""
        looked = self._looked
        return {
            "new": [[pane, [*sorted(names)]] for pane, names in sorted(self._new.items())],
            "null": [[pane, [*sorted(names)]] for pane, names in sorted(self._null.items())],
            "last": [[name, pane] for name, pane in self._last_pane_with.items()],
            "looked": None if looked is None else [looked[0], [*sorted(looked[1])]],
        }

    def recall(self, tree: Tree) -> None:
        """Take on what was remembered.

        Raises:
            ValueError: the tree is nothing such.
        """
        read = dict_of(tree)
        new, null, last = ([pair_of(item) for item in list_of(read[k])] for k in ("new", "null", "last"))
        self._new = {int_of(pane): set(texts_of(names)) for pane, names in new}
        self._null = {int_of(pane): set(texts_of(names)) for pane, names in null}
        self._last_pane_with = {text_of(name): int_of(pane) for name, pane in last}
        self._looked = None
        if read["looked"] is not None:
            pane, names = pair_of(read["looked"])
            self._looked = (int_of(pane), frozenset(texts_of(names)))

    def drop_before(self, first: int) -> None:
        """Forget the panes with an index below `first`."""
        for kept in (self._new, self._null):
            for pane in [pane for pane in kept if pane < first]:
                del kept[pane]
        for name in [name for name, pane in self._last_pane_with.items() if pane < first]:
            del self._last_pane_with[name]
        if self._looked is not None and self._looked[0] < first:
            self._looked = None
