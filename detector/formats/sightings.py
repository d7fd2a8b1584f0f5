"""Which columns events bring: those the baseline does not know, and those that are there as null.

The fast way of reading an event sees only what it asks for. So of each poll a few events are read
whole, spread evenly: a column that a producer adds or drops shows in the first poll that has it.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from detector.batch import Sighting
from detector.formats.base import EventOptions, EventShape
from detector.formats.pointers import MISSING, look_up, parse_pointer

EVENTS_A_POLL = 8
"""Events read whole, of each model version and poll."""

MAX_NEW_NAMES = 20
"""Unknown columns noted of one event; nobody announces their number."""

MAX_NAME_LENGTH = 128


class ColumnWatch:
    """Looks at events of one model version."""

    def __init__(self, shape: EventShape, options: EventOptions) -> None:
        fields = options.fields
        self._names = frozenset(f.name for f in shape.features.all)
        self._known = self._names | shape.known | frozenset(shape.slices)
        self._root = parse_pointer(fields.features) if isinstance(fields.features, str) else None
        if self._root == ():
            # Features lie beside the other parts of the event.
            parts = (
                fields.model,
                fields.version,
                fields.id,
                fields.time,
                fields.prediction,
                fields.label,
                fields.tags,
            )
            self._known |= {parse_pointer(part)[0] for part in parts if part}

    def look(self, values: Sequence[Any], rows: Sequence[int]) -> tuple[Sighting, ...]:
        """Read some of the events at positions `rows` and return what they say of their columns."""
        if self._root is None or not rows:
            return ()
        step = -(-len(rows) // EVENTS_A_POLL)
        return tuple(self._sighting(int(i), values[i]) for i in rows[::step])

    def _sighting(self, row: int, value: bytes) -> Sighting:
        try:
            document = msgspec.json.decode(value)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return Sighting(row)
        assert self._root is not None
        features = look_up(document, self._root)
        if features is MISSING or not isinstance(features, dict):
            return Sighting(row)
        new = [name[:MAX_NAME_LENGTH] for name in features if name not in self._known]
        null = [name for name in self._names if name in features and features[name] is None]
        return Sighting(row, tuple(new[:MAX_NEW_NAMES]), tuple(null))
