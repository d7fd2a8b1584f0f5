"""Counts further back than any window reaches, in coarse panes: what onsets are told from.

Only what counts of all events (the slice `all`) are kept, as int32. Nothing is judged by them, so
they may be coarse; late events that amend closed panes are counted here too.
"""

import math

import numpy as np
from numpy.typing import NDArray

from detector.batch import Ints
from detector.profile import Fit
from detector.profile.fit import picked
from detector.tree import Handed, Tree, array_of, dict_of, int_of, list_of, pair_of
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
        self._handed = Handed()

    def add(self, pane: int, counts: Ints) -> None:
        """Add the counts (width) of fine pane `pane`; what is older than all that is kept is left out."""
        index = pane // self.factor * self.factor
        own, was_handed = self._panes.get(index), self._handed.take_back(index)
        if own is None:
            own = self._panes[index] = np.zeros(len(counts), dtype=np.int32)
            self._forget()
        elif was_handed:
            own = self._panes[index] = own.copy()
        # A counter that is full stays full; that takes millions of events a second.
        own[:] = np.minimum(own + counts, _MOST)

    def _forget(self) -> None:
        first = max(self._panes) - (self._n_panes - 1) * self.factor
        for index in [index for index in self._panes if index < first]:
            del self._panes[index]

    def remember(self) -> Tree:
        """Return every pane by its index."""
        return {"factor": self.factor, "panes": self._handed.out(self._panes)}

    def recall(self, tree: Tree, fit: Fit) -> bool:
        """Take on what was remembered; return whether the panes are still cut so, else nothing is kept.

        Raises:
            ValueError: the tree is no such history.
        """
        read = dict_of(tree)
        if int_of(read["factor"]) != self.factor:
            return False
        panes = {}
        for item in list_of(read["panes"]):
            index, counts = pair_of(item)
            own = array_of(counts, np.int32, (fit.width,))
            panes[int_of(index)] = own if fit.is_whole else picked(own, fit.cells, 0)
        self._panes = panes
        if panes:
            self._forget()
        return True

    def items(self) -> list[tuple[int, NDArray[np.int32]]]:
        """Return what is kept with its indices, oldest first."""
        return sorted(self._panes.items())

    @property
    def n_panes(self) -> int:
        """Panes that are kept at most."""
        return self._n_panes

    def __len__(self) -> int:
        return len(self._panes)
