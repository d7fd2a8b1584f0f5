"""Polls cut where their events reach far."""

import numpy as np

from detector.batch import Floats

PANES_A_PIECE = 64
"""A poll whose events span more panes is fed piece by piece, so that what is open stays bounded."""


def pieces(time_s: Floats, pane_s: float) -> list[tuple[int, int]]:
    """Cut n records into runs whose events reach at most `PANES_A_PIECE` panes further each."""
    if not len(time_s) or np.isnan(time_s).all():
        return [(0, len(time_s))]
    # Records without a time take on the largest time before them.
    reached = np.fmax.accumulate(np.where(np.isnan(time_s), -np.inf, time_s))
    first = reached[np.isfinite(reached)][0]
    piece = np.floor(np.maximum(reached - first, 0.0) / (PANES_A_PIECE * pane_s))
    cuts = np.flatnonzero(np.diff(piece) > 0) + 1
    return list(zip([0, *cuts.tolist()], [*cuts.tolist(), len(time_s)], strict=True))
