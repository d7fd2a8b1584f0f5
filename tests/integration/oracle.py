"""What the windows must hold, worked out from the raw events by other means: json, Counter, np.histogram."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from detector.baseline import Baseline
from detector.profile.binning import N_BUCKETS, CategoryBinning
from detector.times import parse_rfc3339

Window = tuple[float, float]
"""(start, end) in event time."""


class Oracle:
    """Events as plain dictionaries, with their times."""

    def __init__(self, payloads: Iterable[bytes]) -> None:
        self._events: list[tuple[float, dict[str, Any]]] = []
        self.bad = 0
        for payload in payloads:
            try:
                document = json.loads(payload)
                self._events.append((parse_rfc3339(document["timestamp"]), document["features"]))
            except (ValueError, KeyError, TypeError):
                self.bad += 1
        self._events.sort(key=lambda found: found[0])
        self._times = np.array([t for t, _ in self._events])

    def __len__(self) -> int:
        return len(self._events)

    def values(self, window: Window, name: str) -> list[Any]:
        """The values of one feature in [start, end)."""
        first, last = np.searchsorted(self._times, window, side="left").tolist()
        return [features.get(name) for _, features in self._events[first:last]]

    def bin_counts(self, window: Window, baseline: Baseline) -> dict[str, Sequence[int]]:
        """Counts of each feature's bins; all hash buckets of a category as one."""
        found: dict[str, Sequence[int]] = {}
        for i, feature in enumerate(baseline.features.all):
            values = [v for v in self.values(window, feature.name) if v is not None]
            binning = baseline.binning.of(i)
            if isinstance(binning, CategoryBinning):
                counted = Counter(values)
                own = [counted.pop(v, 0) for v in binning.values]
                found[feature.name] = [*own, sum(counted.values())]
            else:
                found[feature.name] = _histogram(values, binning.edges)
        return found


def _histogram(values: list[float], edges: np.ndarray) -> list[int]:
    # np.histogram closes the last bin on the right; an edge at infinity makes that no difference.
    return np.histogram(values, np.concatenate(([-np.inf], edges, [np.inf])))[0].tolist()


def bins_of(counts: np.ndarray, baseline: Baseline) -> dict[str, Sequence[int]]:
    """The same from a window's flat vector."""
    found: dict[str, Sequence[int]] = {}
    for i, feature in enumerate(baseline.features.all):
        start = int(baseline.layout.segments.starts[i])
        binning = baseline.binning.of(i)
        own = counts[start : start + binning.length].tolist()
        if isinstance(binning, CategoryBinning):
            own = [*own[:-N_BUCKETS], sum(own[-N_BUCKETS:])]
        found[feature.name] = own
    return found
