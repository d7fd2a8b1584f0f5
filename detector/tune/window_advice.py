"""Which window lengths the traffic fills."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from detector.batch import ModelKey
from detector.times import format_duration
from detector.tune.traffic import Traffic
from detector.windows.spec import WindowSpec

LADDER_S = (600.0, 1800.0, 3600.0, 7200.0, 14400.0, 21600.0, 28800.0, 43200.0, 86400.0, 172800.0, 604800.0)
"""Lengths that are proposed: 10m to 7d."""

MOSTLY = 0.95
"""A length will do where this share of the windows have events enough."""

SELDOM = 0.05

SAMPLE_STEPS = (500, 200, 100)
"""What `min_samples` is lowered to where even a week holds fewer events; no judge takes fewer."""


@dataclass(frozen=True, slots=True)
class Load:
    """The traffic of one model version, and what its windows have to hold."""

    traffic: Traffic
    min_samples: int
    until_s: float
    """Nothing later was accepted."""

    def fill(self, length_s: float) -> "WindowFill":
        """Return what windows of `length_s` held."""
        n = self.traffic.in_windows(length_s, self.until_s)
        is_whole = self.traffic.span_s(self.until_s) >= length_s
        if not len(n):
            return WindowFill(length_s, 0, 0, 0.0, is_whole)
        few, usual = np.quantile(n, [SELDOM, 0.5], method="lower")
        return WindowFill(length_s, int(few), int(usual), float(np.mean(n >= self.min_samples)), is_whole)


@dataclass(frozen=True, slots=True)
class WindowFill:
    """What windows of one length held in the history of one model version."""

    length_s: float
    few: int
    """Events that 5 % of the windows stay below."""
    usual: int
    """Half of the windows hold fewer."""
    enough_share: float
    """Share of the windows that hold `min_samples`."""
    is_whole: bool
    """Whether the history is as long as one window."""

    @property
    def is_enough(self) -> bool:
        """Whether the length suits the traffic."""
        return self.is_whole and self.enough_share >= MOSTLY


@dataclass(frozen=True, slots=True)
class WindowAdvice:
    """Lengths for the traffic of all versions, and what makes up a window of each."""

    lengths_s: tuple[float, ...]
    min_samples: Mapping[ModelKey, int]
    reasons: tuple[str, ...]
    """Why, a line each; empty where nothing changes."""
    hints: tuple[str, ...]
    """What could be, but is the user's to choose."""


def advise_windows(loads: Mapping[ModelKey, Load], spec: WindowSpec) -> WindowAdvice:
    """Return window lengths that the traffic fills.

    A length in force stays if any version fills it, or if the history is too short to tell. Where one goes,
    the shortest that is filled takes its place.
    """
    kept: set[float] = set()
    reasons: list[str] = []
    hints: list[str] = []
    wanted: set[float] = set()
    min_samples: dict[ModelKey, int] = {}
    for key, load in loads.items():
        fills = [load.fill(length_s) for length_s in sorted(spec.lengths_s)]
        good = {fill.length_s for fill in fills if fill.is_enough or not fill.is_whole}
        kept |= good
        load, best = _best(load, spec)
        min_samples[key] = load.min_samples
        thin = [fill for fill in fills if fill.length_s not in good]
        reasons += [_too_few(key, fill, load, best, len(loads) > 1) for fill in thin]
        if thin and best is not None and best.length_s < min(good, default=np.inf):
            wanted.add(best.length_s)
        if not thin and best is not None and good and best.length_s <= min(good) / 2.0:
            hints.append(
                f"windows of {format_duration(best.length_s)} would be full as well ({best.usual:,} events): "
                "shorter ones see sudden change sooner"
            )
    lengths = tuple(sorted(kept | wanted)) or spec.lengths_s
    return WindowAdvice(lengths, min_samples, tuple(dict.fromkeys(reasons)), tuple(dict.fromkeys(hints)))


def _best(load: Load, spec: WindowSpec) -> tuple[Load, WindowFill | None]:
    """Return the shortest length that is filled; with fewer `min_samples` only if there is none."""
    for fewer in (load, *(replace(load, min_samples=n) for n in SAMPLE_STEPS if n < load.min_samples)):
        for length_s in LADDER_S:
            if length_s % spec.pane_s == 0 and (fill := fewer.fill(length_s)).is_enough:
                return fewer, fill
    return load, None


def _too_few(key: ModelKey, fill: WindowFill, load: Load, best: WindowFill | None, named: bool) -> str:
    who = f"{key.model} {key.version}: " if named else ""
    said = (
        f"{who}{format_duration(fill.length_s)} holds {fill.usual:,} events: too few for {load.min_samples:,}"
    )
    if best is None:
        return said + ", and no length up to 7d holds 100: too little traffic to judge"
    if best.length_s == fill.length_s:
        return (
            f"{who}{format_duration(fill.length_s)} holds {fill.usual:,} events: min_samples lowered to fit"
        )
    return said + f"; {format_duration(best.length_s)} holds {best.usual:,}"
