"""Some counters over time, as finely as anything kept still tells them.

    history   |           |           |           |           |           |           |
    coarse                                  |   |   |   |   |   |   |   |   |
    fine                                                              | | | | | |
    series    |           |           |     |   |   |   |   |   |   | | | | | |

Where a finer level begins inside a coarse pane, what it tells is taken off: every event is counted once.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detector.batch import Floats, Ints


@dataclass(frozen=True, slots=True)
class PaneSeries:
    """Counts of C counters in T panes, in the order of time; panes without any event are left out."""

    start_s: Floats
    end_s: Floats
    counts: Ints
    """(T, C)."""
    n: Ints
    """Events of each pane (T)."""


@dataclass(frozen=True, slots=True)
class Level:
    """Panes of one length: all that have events from fine pane `first` to the last closed one."""

    factor: int
    first: int
    panes: Sequence[tuple[int, Ints]]
    """Index of the first fine pane, and counts with the events last (C + 1); oldest first."""


_Pane = tuple[int, int, Ints]
"""First fine pane, the one after the last, counts."""


def series_of(levels: Sequence[Level], end: int, pane_s: float) -> PaneSeries:
    """Put levels together; each reaches less far back than the one before, and up to fine pane `end`.

    A level that is no finer than what it would replace is left out.
    """
    panes: list[_Pane] = []
    finest = None
    for level in levels:
        if finest is None or level.factor < finest:
            finest = level.factor
            panes = [*_until(panes, level), *_panes(level, end)]
    panes = [pane for pane in panes if pane[2][-1] > 0]
    bounds = np.array([(first, after) for first, after, _ in panes], dtype=np.float64).reshape(-1, 2) * pane_s
    width = len(panes[0][2]) if panes else 1
    counts = np.array([counts for _, _, counts in panes], dtype=np.int64).reshape(-1, width)
    return PaneSeries(bounds[:, 0], bounds[:, 1], counts[:, :-1], counts[:, -1])


def _panes(level: Level, end: int) -> list[_Pane]:
    return [(i, min(i + level.factor, end), counts) for i, counts in level.panes if i >= level.first]


def _until(panes: Sequence[_Pane], level: Level) -> list[_Pane]:
    """Return what lies before a level begins, the pane that it begins in cut short.

    Both tell the same events from there to the end: the difference of all is what lies before.
    """
    kept = [pane for pane in panes if pane[1] <= level.first]
    cut = panes[len(kept) :]
    if cut and cut[0][0] < level.first:
        of_level = sum((counts for i, counts in level.panes if i >= level.first), np.zeros(1, dtype=np.int64))
        counts = sum((counts for _, _, counts in cut), np.zeros(1, dtype=np.int64)) - of_level
        kept.append((cut[0][0], level.first, np.maximum(counts, 0)))
    return kept
