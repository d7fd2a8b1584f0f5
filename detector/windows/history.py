"""Counts further back than any window reaches, in coarse panes: what onsets are told from.

Only what counts of all events (the slice `all`) are kept, as int32. Nothing is judged by them, so
they may be coarse; late events that amend closed panes are counted here too.
"""

import math

import numpy as np
from numpy.typing import NDArray

from detector.batch import Ints
from detector.windows.spec import WindowSpec

REACH_S = 3 * 86400.0
"""So far back, and twice the longest window where that is more."""

PANE_S = 900.0
"""Panes are at least so long; longer where the configured pane is, or the memory does not suffice."""

MAX_CELLS = 4_000_000
"""Counters of one model version: 16 MB."""

MAX_PANES = 1000

_MOST = np.iinfo(np.int32).max


class PaneHistory:
    """Counts by the index of their first fine pane; `factor` fine panes are kept as one."""

    def __init__(self, spec: WindowSpec, width: int) -> None:
        reach_s = max(REACH_S, 2.0 * max(spec.lengths_s))
        most = max(1, min(MAX_PANES, MAX_CELLS // width))
        shortest = max(1, math.ceil(PANE_S / spec.pane_s))
        # One more than reach is being filled.
        needed = math.ceil(reach_s / spec.pane_s / max(1, most - 1))
        self.factor = shortest * math.ceil(needed / shortest)
        self._n_panes = min(most, math.ceil(reach_s / spec.pane_s / self.factor) + 1)
        self._panes: dict[int, NDArray[np.int32]] = {}

    def add(self, pane: int, counts: Ints) -> None:
        """Add the counts (width) of fine pane `pane`; what is older than all that is kept is left out."""
        index = pane // self.factor * self.factor
        own = self._panes.get(index)
        if own is None:
            own = self._panes[index] = np.zeros(len(counts), dtype=np.int32)
            self._forget()
        # A counter that is full stays full; that takes millions of events a second.
        own[:] = np.minimum(own + counts, _MOST)

    def _forget(self) -> None:
        first = max(self._panes) - (self._n_panes - 1) * self.factor
        for index in [index for index in self._panes if index < first]:
            del self._panes[index]

    def items(self) -> list[tuple[int, NDArray[np.int32]]]:
        """Return what is kept with its indices, oldest first."""
        return sorted(self._panes.items())

    @property
    def n_panes(self) -> int:
        """Panes that are kept at most."""
        return self._n_panes

    def __len__(self) -> int:
        return len(self._panes)
