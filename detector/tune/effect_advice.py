"""Which `min_effect` keeps the budget: for all features, and more only where one needs it."""

from dataclasses import dataclass

import numpy as np

from detector.batch import Floats, Ints

FEW = 3
FEW_SHARE = 0.2
"""So many features, or this share of them, may have a `min_effect` of their own; else all need more."""


@dataclass(frozen=True, slots=True)
class EffectAdvice:
    """The `min_effect` of a model version (base) and of each feature (F), and what it would have raised."""

    base: float
    levels: Floats
    episodes: Ints
    """Episodes by feature (F)."""
    whole: int
    """Alerts on the model as a whole, at most."""
    keeps_budget: bool
    lowest: float | None
    """The smallest of the grid that would keep the budget as well, if it is below the base."""

    @property
    def total(self) -> int:
        """Episodes in all, at most."""
        return int(self.episodes.sum()) + self.whole


@dataclass(frozen=True, slots=True)
class Tried:
    """What was rehearsed: level 0 is what is in force, the grid follows, in rising order."""

    counts: Ints
    """Episodes by level and feature, the model as a whole last (G, F + 1)."""
    in_force: Floats
    """`min_effect` of each feature (F)."""
    base: float
    """`min_effect` in force for features without their own."""
    grid: tuple[float, ...]

    def choices(self, feature: int, at_least: float) -> list[tuple[float, int]]:
        """Return (min_effect, episodes) that a feature may be given: what is in force, and larger ones."""
        own = float(self.in_force[feature])
        first = [(own, int(self.counts[0, feature]))] if own >= at_least else []
        first += [
            (x, int(self.counts[i + 1, feature])) for i, x in enumerate(self.grid) if x >= max(at_least, own)
        ]
        return first or [(own, int(self.counts[0, feature]))]

    def whole(self, base: float) -> int:
        """Return the alerts on the model as a whole where all features have `base`."""
        at = 0 if base == self.base else self.grid.index(base) + 1
        return int(self.counts[at, -1])


def advise_effect(tried: Tried, allowed: float) -> EffectAdvice:
    """Return the smallest `min_effect`, not below what is in force, with at most `allowed` episodes.

    Where none keeps to that, what is in force.

    What is in force is the user's word on what matters, so it is only ever raised. Few features that
    swing get more of their own; only if many do, all get more.
    """
    n_features = len(tried.in_force)
    found = []
    for base in (tried.base, *(x for x in tried.grid if x > tried.base)):
        advice = _quieted(tried, base, allowed)
        n_own = int(np.sum(advice.levels > np.maximum(tried.in_force, base)))
        if advice.keeps_budget and n_own <= max(FEW, FEW_SHARE * n_features):
            return advice
        found.append(advice)
    keeping = [advice for advice in found if advice.keeps_budget]
    if keeping:
        return keeping[0]
    # What still alarms at the largest change is no swing; to blind other features would not make up for it.
    return EffectAdvice(
        tried.base,
        tried.in_force,
        tried.counts[0, :-1],
        tried.whole(tried.base),
        keeps_budget=False,
        lowest=None,
    )


def _quieted(tried: Tried, base: float, allowed: float) -> EffectAdvice:
    """Raise the `min_effect` of the loudest feature, again and again, until the budget is kept."""
    choices = [tried.choices(f, base) for f in range(len(tried.in_force))]
    at = [0] * len(choices)
    episodes = np.array([own[0][1] for own in choices], dtype=np.int64)
    whole = tried.whole(base)
    stuck: set[int] = set()
    while episodes.sum() + whole > allowed:
        loud = [f for f in np.argsort(-episodes, kind="stable").tolist() if episodes[f] and f not in stuck]
        if not loud:
            break
        f = loud[0]
        quieter = [i for i in range(at[f] + 1, len(choices[f])) if choices[f][i][1] < episodes[f]]
        if not quieter:
            stuck.add(f)
            continue
        at[f] = quieter[0]
        episodes[f] = choices[f][at[f]][1]
    levels = np.array([own[i][0] for own, i in zip(choices, at, strict=True)], dtype=np.float64)
    keeps = bool(episodes.sum() + whole <= allowed)
    return EffectAdvice(base, levels, episodes, whole, keeps, _lowest(tried, base, levels, allowed))


def _lowest(tried: Tried, base: float, levels: Floats, allowed: float) -> float | None:
    """Return the smallest `min_effect` below `base` that keeps the budget where features have no own."""
    shared = levels == base
    for i, x in enumerate(tried.grid):
        if x >= base:
            return None
        others = tried.counts[0, :-1][~shared].sum()
        if tried.counts[i + 1, :-1][shared].sum() + others + tried.counts[i + 1, -1] <= allowed:
            return x
    return None
