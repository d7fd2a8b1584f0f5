"""How far excursions of training windows reach, all features of a model together."""

import numpy as np

from detector.baseline.variation import TAIL_SHARE, Tail
from detector.batch import Bools, Floats, Ints
from detector.distances import Pair, distances

TAIL_WINDOWS = 400
"""Excursions of all features that it takes to tell the shape of their tail."""
NORMAL_TAIL = Tail(0.0, 0.35, 1.96)
"""Where too few are known: a little heavier than the normal law's."""
MOST_SHAPE = 0.2
"""A shape that is told from some thousand windows is off by .1 and more, and what it says of one in a million
by a factor of three. Under Student's t with 3 degrees of freedom (shape 1/3) no value above this one kept out
a further alarm in eight simulated months, but .5 hid half of all steps by .5 standard deviations."""

MIN_DAYS = 7
VARIES = 0.003
"""A feature whose windows vary less than this beyond noise does not tell the tail."""


def telling(squares: dict[str, Floats], n_features: int) -> Floats:
    """Return the squares (k, F) that tell excursions best: of numbers the cumulative ones."""
    ordered, others = squares["kolmogorov_smirnov"], squares["l_infinity"]
    return np.concatenate((ordered, others[:, ordered.shape[1] : n_features]), axis=1)


def telling_noise(pair: Pair, n_features: int) -> Floats:
    """Return the squared noise of the same (k, F)."""
    found = {}
    for name in ("kolmogorov_smirnov", "l_infinity"):
        distance = distances.get(name)
        assert distance.noise_floor is not None
        found[name] = distance.noise_floor(pair.ordered if distance.ordered else pair) ** 2
    return telling(found, n_features)


def excursions_of(
    squares: Floats, noise: Floats, days: Ints, counts: Bools | None = None
) -> tuple[Floats, Bools]:
    """Return windows' distances beyond noise, in units of the root mean square of *other* days.

    So an outlier does not hide by widening its own unit, and what the unit itself is off by counts too.
    Features whose windows sampling moves more than they move by themselves are left out; the others
    are returned as flags (F). Where a change has a direction, `counts` (k, F) says which ones are asked for;
    the others make up the unit, and are no excursions.
    """
    squares = np.nan_to_num(squares)
    n_days = int(days[-1]) + 1
    if n_days < MIN_DAYS:
        return np.empty(0), np.zeros(squares.shape[1], dtype=bool)
    by_day = np.zeros((n_days, squares.shape[1]))
    np.add.at(by_day, days, squares)
    n_by_day = np.bincount(days, minlength=n_days)[:, None]
    others = (by_day.sum(axis=0) - by_day) / np.maximum(n_by_day.sum() - n_by_day, 1)
    mean = squares.mean(axis=0)
    varies = (mean > VARIES**2) & (mean > np.nan_to_num(noise).mean(axis=0))
    unit = np.maximum(others[days][:, varies], VARIES**2 / 4.0)
    z: Floats = np.sqrt(np.maximum(squares[:, varies], 0.0) / unit)
    if counts is not None:
        z = np.where(counts[:, varies], z, 0.0)
    return z.ravel(), varies


def tail_of(excursions: Floats) -> Tail:
    """Return the tail as a generalised Pareto law, by probability-weighted moments.

    Source: Hosking and Wallis (1987), Technometrics 29:339-349.
    """
    if len(excursions) < TAIL_WINDOWS:
        return NORMAL_TAIL
    start = float(np.quantile(excursions, 1.0 - TAIL_SHARE))
    x = np.sort(excursions[excursions > start]) - start
    n = len(x)
    if n < 10:
        return NORMAL_TAIL
    mean = float(x.mean())
    weighted = float(np.mean((1.0 - (np.arange(1, n + 1) - 0.35) / n) * x))
    shape = float(np.clip(2.0 - mean / (mean - 2.0 * weighted), 0.0, MOST_SHAPE))
    scale = mean * (1.0 - shape)
    return Tail(shape, max(scale, 1e-6), start)
