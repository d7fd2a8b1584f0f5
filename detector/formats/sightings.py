"""Which columns events bring: those the baseline does not know, and those that are there as null.

The fast way of reading an event sees only what it asks for. So a few events of each poll are read
whole, spread evenly: a column that a producer adds or drops shows in the first poll that has it. The
more events, the more are read whole, for a poll of a backlog spans many panes.
Where every feature has a pointer of its own, there is no object to find new columns in.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from detector.batch import FeatureSet, Ints, Sighting
from detector.formats.base import EventFields, EventOptions, EventShape
from detector.formats.event_plan import Rejected
from detector.formats.pointers import MISSING, Tokens, look_up, parse_pointer

LEAST_A_POLL = 4
"""Events read whole, of each model version and poll, where it has as many."""

EVERY = 64
"""Of many events, one in so many is read whole."""

MAX_NEW_NAMES = 20
"""Unknown columns noted of one event; nobody announces their number."""

MAX_NAME_LENGTH = 128


class ColumnWatch:
    """Looks at events of one model version."""

    def __init__(
        self, shape: EventShape, options: EventOptions, document: Callable[[bytes], object], null: bytes
    ) -> None:
        """`document` reads an event whole, or raises `Rejected`; without the bytes `null` it has no null."""
        self._document, self._null = document, null
        fields, features = options.fields, shape.features
        self._names = frozenset(f.name for f in features.all if f.role == "feature")
        self._known = frozenset(features.names) | shape.known | frozenset(shape.slices)
        self._root = parse_pointer(fields.features) if isinstance(fields.features, str) else None
        if self._root is not None:
            self._known |= _parts_within(self._root, fields)
        self._places = tuple(_places(features, fields))

    def look(self, values: Sequence[Any], rows: Ints) -> tuple[Sighting, ...]:
        """Read some of the events at positions `rows` and return what they say of their columns."""
        step = min(EVERY, max(1, len(rows) // LEAST_A_POLL))
        return tuple([self._sighting(i, values[i]) for i in rows[::step].tolist()])

    def _sighting(self, row: int, value: bytes) -> Sighting:
        try:
            document = self._document(value)
        except Rejected:
            document = MISSING
        # One look at the bytes saves one at every cell.
        has_null = self._null in value
        null = [name for name, at in self._places if _is_null(document, at)] if has_null else []
        if self._root is None:
            return Sighting(row, (), tuple(null))
        features = look_up(document, self._root)
        if not isinstance(features, dict):
            return Sighting(row, (), tuple(null))
        new: tuple[str, ...] = ()
        unnamed = 0
        if not features.keys() <= self._known:
            # MessagePack has keys that are no text: they name no column.
            unknown = [name for name in features if name not in self._known and isinstance(name, str)]
            new = tuple(name[:MAX_NAME_LENGTH] for name in unknown[:MAX_NEW_NAMES])
            unnamed = len(unknown) - len(new)
        if has_null:
            null += [name for name, cell in features.items() if cell is None and name in self._names]
        return Sighting(row, new, tuple(null), unnamed)


def _parts_within(root: Tokens, fields: EventFields) -> frozenset[str]:
    """Return the names in the features' object that lead to other parts of the event."""
    parts = (
        fields.model, fields.version, fields.id, fields.time, fields.prediction, fields.label, fields.tags
    )  # fmt: skip
    tokens = [parse_pointer(part) for part in parts if part]
    return frozenset(at[len(root)] for at in tokens if len(at) > len(root) and at[: len(root)] == root)


def _places(features: FeatureSet, fields: EventFields) -> Iterator[tuple[str, Tokens]]:
    """Yield the place of each feature that has one of its own: predictions, and those with pointers."""
    if fields.prediction is not None:
        at = parse_pointer(fields.prediction)
        for f in features.all:
            if f.role == "prediction":
                yield f.name, (*at, f.name.removeprefix("prediction."))
    if isinstance(fields.features, Mapping):
        for f in features.all:
            if f.role == "feature" and f.name in fields.features:
                yield f.name, parse_pointer(fields.features[f.name])


def _is_null(document: object, at: Tokens) -> bool:
    """Whether there is null at a place, or where the object should be that holds it."""
    return look_up(document, at) is None or look_up(document, at[:-1]) is None
