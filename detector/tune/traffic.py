"""How many events windows of any length would hold: events by slot of time."""

from dataclasses import dataclass, field

import numpy as np

from detector.batch import Floats, Ints

MOST_SLOTS = 100_000
"""Slots with events; where there are more, two become one, so memory does not grow with the history."""


@dataclass
class Traffic:
    """Events of one model version by slot of event time; at most `MOST_SLOTS` slots."""

    slot_s: float
    _events: dict[int, int] = field(default_factory=dict)

    def add(self, time_s: Floats) -> None:
        """Count events (n); those without a time are left out."""
        slots, n = np.unique(np.floor(time_s[~np.isnan(time_s)] / self.slot_s), return_counts=True)
        for slot, events in zip(slots.astype(np.int64).tolist(), n.tolist(), strict=True):
            self._events[slot] = self._events.get(slot, 0) + events
        while len(self._events) > MOST_SLOTS:
            self._widen()

    def _widen(self) -> None:
        self.slot_s *= 2.0
        wide: dict[int, int] = {}
        for slot, events in self._events.items():
            wide[slot // 2] = wide.get(slot // 2, 0) + events
        self._events = wide

    def in_windows(self, length_s: float, until_s: float = np.inf) -> Ints:
        """Return the events in the window that ends with each slot that has any, in order.

        Windows that begin before the history are left out, unless all do. Events after `until_s`, which
        nothing accepted, do not count.
        """
        slots = np.array(sorted(s for s in self._events if s * self.slot_s <= until_s), dtype=np.int64)
        if not len(slots):
            return np.zeros(0, dtype=np.int64)
        summed = np.concatenate(([0], np.cumsum([self._events[s] for s in slots.tolist()])))
        n_slots = max(1, round(length_s / self.slot_s))
        first = np.searchsorted(slots, slots - n_slots, side="right")
        n: Ints = summed[1:] - summed[first]
        full = slots + 1 - n_slots >= slots[0]
        return n[full] if full.any() else n[-1:]

    def span_s(self, until_s: float = np.inf) -> float:
        """Return the time from the first to the last slot with events, both included."""
        slots = [s for s in self._events if s * self.slot_s <= until_s]
        return (max(slots) + 1 - min(slots)) * self.slot_s if slots else 0.0
