"""What is said of a drift beside its numbers: what changed, why, since when, and how it came."""

from dataclasses import dataclass
from typing import Literal

from detector.drift.contributors import Contributor

Shape = Literal["sudden", "gradual", "unknown"]


@dataclass(frozen=True, slots=True)
class Explanation:
    """What one alert tells of one feature in one slice; empty where nothing is known."""

    contributors: tuple[Contributor, ...] = ()
    """What changed most, largest change first."""
    cause: str | None = None
    """Name of the cause where it is known, such as `unit_change`; None: the distribution has moved."""
    message: str | None = None
    """The cause in words."""
    moved_with: tuple[str, ...] = ()
    """Other features that drift as well and go with it in training, the most correlated first."""
    onset_s: float | None = None
    """When it began, in epoch seconds of event time."""
    shape: Shape = "unknown"
    unsure: bool = False
    """Whether it is not known yet how these data vary by themselves."""
    is_complete: bool = True
    """Whether it was looked for; not where too much was to be explained at one moment."""


NO_EXPLANATION = Explanation()
