"""How event time is cut: the settings of panes and windows, checked together."""

import math
from dataclasses import dataclass

from detector.times import format_duration

MAX_PANES_A_WINDOW = 150
"""A window longer than this many panes is kept in coarser ones, so memory does not grow with its length."""

MAX_OPEN_PANES = 256
"""Panes waiting for a slow partition, where they are small; beyond that the oldest are judged without it."""

MIN_OPEN_PANES = 16
"""So many wait however large they are, beside those that `lateness` keeps open."""

MAX_OPEN_BYTES = 64 << 20
"""Between the two: as many as fit in here."""


@dataclass(frozen=True, slots=True)
class WindowSpec:
    """Pane length, window lengths, and how long to wait for late events; all in seconds of event time."""

    pane_s: float = 60.0
    lengths_s: tuple[float, ...] = (600.0, 3600.0, 86400.0)
    lateness_s: float = 120.0
    max_future_s: float = 300.0
    """An event stamped later than the clock by more than this is rejected as `future`."""
    idle_after_s: float = 30.0
    """A partition without events for this long no longer holds the others back (wall time)."""

    def __post_init__(self) -> None:
        if not self.pane_s > 0:
            raise ValueError("pane must be longer than 0s")
        if self.lateness_s < 0 or self.max_future_s < 0 or self.idle_after_s <= 0:
            raise ValueError("lateness and max_future must not be negative, idle_after must be positive")
        if not self.lengths_s:
            raise ValueError("lengths: at least one window length is needed")
        if len(set(self.lengths_s)) != len(self.lengths_s):
            raise ValueError("lengths: each window length may stand there once")
        for length in self.lengths_s:
            panes = length / self.pane_s
            if panes < 1 or not math.isclose(panes, round(panes), rel_tol=1e-9):
                raise ValueError(
                    f"lengths: {format_duration(length)} is not a whole number of panes "
                    f"of {format_duration(self.pane_s)}"
                )

    def cuts_like(self, other: "WindowSpec") -> bool:
        """Whether panes and windows begin and end where those of the other do."""
        return self.pane_s == other.pane_s and sorted(self.lengths_s) == sorted(other.lengths_s)

    def panes_in(self, length_s: float) -> int:
        """Number of panes in a window of `length_s`."""
        return round(length_s / self.pane_s)

    def coarseness(self, length_s: float) -> int:
        """Number of panes that are kept as one in a window of `length_s`.

        The smallest divisor of the window's panes that leaves at most `MAX_PANES_A_WINDOW`.
        """
        panes = self.panes_in(length_s)
        for factor in range(math.ceil(panes / MAX_PANES_A_WINDOW), panes + 1):
            if panes % factor == 0:
                return factor
        return panes

    @property
    def late_panes(self) -> int:
        """Number of panes that `lateness` keeps open, with the one that fills."""
        return math.ceil(self.lateness_s / self.pane_s) + 1

    def open_panes(self, pane_bytes: int) -> int:
        """Number of panes that may be open at once, where one of all model versions takes so many bytes.

        What `lateness` keeps open always fits: it was asked for.
        """
        fitting = min(MAX_OPEN_PANES, MAX_OPEN_BYTES // max(pane_bytes, 1))
        return max(fitting, self.late_panes + MIN_OPEN_PANES)
