"""A change of unit: the window is the training data, multiplied by a factor that units differ by."""

import numpy as np

from detector.batch import Floats
from detector.drift.change import percent
from detector.drift.law import Law, Laws, Seen, Slack, fit

_DECIMAL = (10.0, 100.0, 1000.0, 1e6, 1e9)
_TIME = (24.0, 60.0, 3600.0, 86400.0)
_NAMED = (
    (1.609344, "miles", "kilometres"),
    (2.20462, "kilograms", "pounds"),
    (1 / 0.3048, "metres", "feet"),
    (2.54, "inches", "centimetres"),
)

Unit = tuple[float, float, str]
"""Factor, what is added, and the change in words."""


def _times(factor: float) -> list[Unit]:
    return [
        (factor, 0.0, f"about {factor:,.15g} times as large: a change of unit?"),
        (1 / factor, 0.0, f"about 1/{factor:,.15g} of what they were: a change of unit?"),
    ]


def _named(factor: float, small: str, large: str) -> list[Unit]:
    return [
        (factor, 0.0, f"about {factor:.4g} times as large: {small} to {large}?"),
        (1 / factor, 0.0, f"about {1 / factor:.4g} times as large: {large} to {small}?"),
    ]


UNITS: tuple[Unit, ...] = (
    *(unit for factor in (*_DECIMAL, *_TIME) for unit in _times(factor)),
    *(unit for named in _NAMED for unit in _named(*named)),
    (1.8, 32.0, "about 1.8 times as large, plus 32: Celsius to Fahrenheit?"),
    (1 / 1.8, -32 / 1.8, "about 5/9 of what they were less 32: Fahrenheit to Celsius?"),
)
"""Every change that is looked for."""

_FACTOR, _ADDED = (np.array([unit[i] for unit in UNITS]) for i in (0, 1))

NEAR = 4.0
"""Smaller factors could be drift as well: the fit has to be exact."""

_NEAR = (_FACTOR < NEAR) & (_FACTOR > 1 / NEAR)

OFF_ZERO = 0.5
"""A small factor shows in location and spread only where the mean is so many standard deviations from 0."""

NEIGHBOUR = 1.25
"""A factor is named only where one larger, and one smaller, by so much do not fit."""


SIMPLER = Slack(0.03, 0.3, 0.3, left=1.0)
"""What all values times any factor may be off by, and still be a better guess than some times another."""


def unit_change(before: Seen, now: Seen, law: Law, natural: float) -> str | None:
    """Return the change of unit that turned training data into the window, in words; None if none did.

    `natural` is how far distribution functions of the feature move by themselves (root mean square).
    """
    slack = Slack(0.02 + natural, 0.1 + natural, 0.1), Slack(0.003 + natural, 0.03 + natural, 0.05)
    for whole in (True, False):
        found = _best(before, now, law, slack, whole=whole)
        if found is not None:
            index, part = found
            values = "values" if part > 0.9 else f"{percent(part)} of the values"
            return f"{values} are {UNITS[index][2]}"
    return None


def _best(
    before: Seen, now: Seen, law: Law, slack: tuple[Slack, Slack], *, whole: bool
) -> tuple[int, float] | None:
    """Return the change that fits best, if one does and no factor beside it; with its part."""
    far, exact = (fit(before, now, _scaled(before, law, _FACTOR, _ADDED), s, whole=whole) for s in slack)
    score = np.where(_NEAR, exact.score, far.score)
    if abs(law.mean) < OFF_ZERO * law.std:
        score[_NEAR] = np.inf
    best = int(np.argmin(score))
    if score[best] > 1.0:
        return None
    others = _FACTOR[best] * np.array([NEIGHBOUR, 1 / NEIGHBOUR])
    used = slack[int(_NEAR[best])]
    around = _scaled(before, law, others, np.repeat(_ADDED[best], 2))
    if (fit(before, now, around, used, whole=whole).score <= 1.0).any():
        return None
    if not whole and law.mean != 0 and now.mean / law.mean > 0:
        # All values times any factor are the simpler explanation.
        any_factor = _scaled(before, law, np.array([now.mean / law.mean]), np.zeros(1))
        if fit(before, now, any_factor, SIMPLER, whole=True).score[0] <= 1.0:
            return None
    return best, float(np.where(_NEAR, exact.part, far.part)[best])


def _scaled(before: Seen, law: Law, factor: Floats, added: Floats) -> Laws:
    x = (before.edges - added[:, None]) / factor[:, None]
    cdf = law.below(x, above=before.above)
    mean, low, high = (factor * x + added for x in (law.mean, law.low, law.high))
    return Laws(cdf, mean, factor * law.std, low, high, law.kurtosis)
