"""Polls cut where their events reach far."""

import numpy as np

from detector.batch import Floats

SHARE_OF_OPEN = 4
"""A poll whose events reach further than this part of the panes that may be open is fed piece by piece, so
that what is open stays bounded."""


def pieces(time_s: Floats, pane_s: float, open_panes: int) -> list[tuple[int, int]]:
    """Cut n records into runs whose events reach at most a quarter of `open_panes` panes further each."""
    if not len(time_s) or np.isnan(time_s).all():
        return [(0, len(time_s))]
    # Records without a time take on the largest time before them.
    reached = np.fmax.accumulate(np.where(np.isnan(time_s), -np.inf, time_s))
    first = reached[np.isfinite(reached)][0]
    length_s = max(1, open_panes // SHARE_OF_OPEN) * pane_s
    piece = np.floor(np.maximum(reached - first, 0.0) / length_s)
    cuts = np.flatnonzero(np.diff(piece) > 0) + 1
    return list(zip([0, *cuts.tolist()], [*cuts.tolist(), len(time_s)], strict=True))
