"""What must come out, worked out from the arrays that the stream was made of: numpy and nothing else.

Nothing of the detector runs here but its bins' edges and names. What is late follows from each
partition alone; then every window is a sum over the panes of all partitions.
"""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from detector.baseline import Baseline
from detector.profile.binning import CategoryBinning
from tests.faults.workload import (
    EVENT,
    FLUSH_S,
    GARBAGE,
    LATENESS_S,
    LENGTHS_S,
    NO_OBJECT,
    NO_TIME,
    PANE_S,
    STRANGER,
    TOMBSTONE,
    Log,
    Workload,
)  # fmt: skip

Window = tuple[float, float]
"""(start, end) in event time."""

REASONS = {GARBAGE: "undecodable", NO_OBJECT: "not_an_object", NO_TIME: "bad_timestamp",
           TOMBSTONE: "null_value", STRANGER: "unknown_model"}  # fmt: skip
"""The name under which each unusable record is counted."""


@dataclass(frozen=True)
class Oracle:
    """The right answer."""

    consumed: int
    accepted: int
    rejected: dict[str, int]
    """By reason; those without any are not there."""
    windows: dict[Window, dict[str, list[int]]]
    """Every window that is judged: the counts of each feature's bins, all categories without a bin as one."""

    @property
    def evaluations(self) -> int:
        """How many windows are judged."""
        return len(self.windows)


def oracle(work: Workload, baseline: Baseline) -> Oracle:
    """Count everything."""
    late = [late_of(log) for log in work.logs]
    kinds = np.concatenate([log.kind for log in work.logs])
    is_late = np.concatenate(late)
    rejected = Counter({REASONS[k]: int((kinds == k).sum()) for k in REASONS})
    rejected["late"] = int(is_late.sum())
    kept = (kinds == EVENT) & ~is_late
    return Oracle(
        consumed=len(kinds),
        accepted=int(kept.sum()),
        rejected={reason: n for reason, n in sorted(rejected.items()) if n},
        windows=_windows(work, kept, baseline),
    )


def late_of(log: Log) -> np.ndarray:
    """Say of the n records of a partition which are late: their pane was closed before they came."""
    known = log.kind == EVENT
    times = np.where(known, log.time_s, -np.inf)
    before = np.concatenate(([-np.inf], np.maximum.accumulate(times)[:-1]))
    pane_end = (np.floor(log.time_s / PANE_S) + 1) * PANE_S
    return known & (pane_end <= before - LATENESS_S)


def _windows(work: Workload, kept: np.ndarray, baseline: Baseline) -> dict[Window, dict[str, list[int]]]:
    time_s = np.concatenate([log.time_s for log in work.logs])[kept]
    pane = np.floor(time_s / PANE_S).astype(int)
    first = int(pane.min())
    n_panes = int((FLUSH_S - LATENESS_S) // PANE_S) - first
    sums = {
        feature.name: np.cumsum(_by_pane(work, kept, baseline, i, pane - first, n_panes), axis=0)
        for i, feature in enumerate(baseline.features.all)
    }
    found: dict[Window, dict[str, list[int]]] = {}
    for end in range(1, n_panes + 1):
        for length_s in LENGTHS_S:
            start = end - length_s // PANE_S
            place = float((first + start) * PANE_S), float((first + end) * PANE_S)
            found[place] = {
                name: (s[end - 1] - (s[start - 1] if start > 0 else 0)).tolist() for name, s in sums.items()
            }
    return found


def _by_pane(
    work: Workload, kept: np.ndarray, baseline: Baseline, i: int, pane: np.ndarray, n_panes: int
) -> np.ndarray:
    """Return the counts of one feature's bins by pane (n_panes, bins)."""
    name = baseline.features.all[i].name
    columns = [(log.numbers | log.texts)[name] for log in work.logs]
    values = np.concatenate(columns)[kept]
    binning = baseline.binning.of(i)
    if isinstance(binning, CategoryBinning):
        place = {value: b for b, value in enumerate(binning.values)}
        where = np.array([place.get(v, len(place)) for v in values.tolist()])
        n_bins, told = len(place) + 1, np.ones(len(values), bool)
    else:
        # Bins are half-open on the right: [edge, next edge).
        told = ~np.isnan(values.astype(float))
        where = np.searchsorted(binning.edges, values.astype(float), side="right")
        n_bins = len(binning.edges) + 1
    counts = np.zeros((n_panes, n_bins), np.int64)
    inside = told & (pane < n_panes)
    np.add.at(counts, (pane[inside], where[inside]), 1)
    return counts
