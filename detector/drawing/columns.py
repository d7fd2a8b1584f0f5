"""The bins of a number made ready to be drawn: no more columns than can be told apart."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from detector.batch import Floats
from detector.drift.distribution import Bin

MOST_COLUMNS = 60

N_COLUMNS = 48
"""Columns of equal width over the axis of values."""

TAIL = 0.002
"""So much of both sides' mass may lie beyond each end of the axis, so that one outlier hides nothing."""

ATOM = 0.01
"""A bin narrower than this part of a column goes to the column it lies in."""

LEAST_SPAN = 1e-300
"""Half an axis shorter than this is drawn as if all values were one."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Columns over an axis: `edges` (n + 1), and their shares on both sides (n)."""

    edges: Floats
    reference: Floats
    current: Floats
    names: tuple[str, ...]
    below: tuple[float, float] = (0.0, 0.0)
    """Shares of both sides, reference and current, that lie below the first column and are not drawn."""
    above: tuple[float, float] = (0.0, 0.0)


def by_share(bins: Sequence[Bin]) -> Columns:
    """Return a column a bin; neighbours are drawn as one where there are more than `MOST_COLUMNS`.

    Empty gaps between single values are left out.
    """
    bins = [b for i, b in enumerate(bins) if not _is_gap(bins, i)] or list(bins)
    size = -(-len(bins) // MOST_COLUMNS)
    parts = [bins[i : i + size] for i in range(0, len(bins), size)]
    reference = np.array([sum(b.reference for b in part) for part in parts])
    current = np.array([sum(b.current for b in part) for part in parts])
    names = [p[0].name if len(p) == 1 else f"{p[0].low:.5g} to {p[-1].high:.5g}" for p in parts]
    lows = [part[0].low or 0.0 for part in parts]
    return Columns(np.array([*lows, parts[-1][-1].high or 0.0]), reference, current, tuple(names))


def _is_gap(bins: Sequence[Bin], i: int) -> bool:
    """Whether a bin is empty on both sides, and lies beside a bin of a single value."""
    if bins[i].reference > 0 or bins[i].current > 0 or is_atom(bins[i]):
        return False
    return any(is_atom(bins[j]) for j in (i - 1, i + 1) if 0 <= j < len(bins))


def is_atom(b: Bin) -> bool:
    """Whether a bin is of a single value."""
    return b.low is not None and b.high == np.nextafter(b.low, np.inf)


def by_density(bins: Sequence[Bin]) -> Columns:
    """Return columns of equal width over the values, to which each bin gives by how far it reaches into them.

    So the height of a column is the density, and a value that stands alone is a column, not a needle. Where
    the bins are few whole numbers, each is in the middle of a column. Next to no mass lies beyond the ends.
    """
    edges = np.array([bins[0].low or 0.0, *(b.high or 0.0 for b in bins)])
    shares = np.array([[b.reference for b in bins], [b.current for b in bins]])
    mass, alone = shares.sum(axis=0), np.array([is_atom(b) for b in bins])
    atoms = edges[:-1][alone] if mass[~alone].sum() <= TAIL * mass.sum() else edges[:0]
    grid = _axis(edges, mass, atoms)
    reference, current = (_on_grid(edges, side, grid) for side in shares)
    names = tuple(f"{low:.5g} to {high:.5g}" for low, high in pairwise(grid.tolist()))
    middles = edges[:-1] / 2 + edges[1:] / 2
    below, above = (shares[:, part].sum(axis=1).tolist() for part in (middles < grid[0], middles > grid[-1]))
    return Columns(grid, reference, current, names, tuple(below), tuple(above))


def _axis(edges: Floats, mass: Floats, atoms: Floats) -> Floats:
    """Return the ends of the columns; `atoms` are the values where all mass is in single ones."""
    running = np.cumsum(mass) / max(float(mass.sum()), 1e-12)
    # Where there is no mass, the whole range is as good as any.
    first = int(np.searchsorted(running, TAIL)) if mass.sum() > 0 else 0
    last = int(np.searchsorted(running, 1.0 - TAIL))
    low, high = float(edges[first]), float(edges[min(last + 1, len(edges) - 1)])
    # Halves from here on, because the whole range may be beyond all floats.
    half_step = float(np.diff(atoms / 2).min()) if len(atoms) > 1 else 0.0
    if half_step > LEAST_SPAN and (high / 2 - low / 2) / half_step < MOST_COLUMNS - 1:
        n = round((high / 2 - low / 2) / half_step) + 1
        return _doubled(low / 2 + (np.arange(n + 1, dtype=np.float64) - 0.5) * half_step)
    if not high / 2 - low / 2 > max(1e-9 * max(abs(low), abs(high)), LEAST_SPAN):
        # A constant, or close to it.
        room = max(abs(low) * 0.1, 0.5)
        low, high = low - room, high + room
    return _doubled(np.linspace(low / 2, high / 2, N_COLUMNS + 1))


def _doubled(halves: Floats) -> Floats:
    most = np.finfo(np.float64).max / 2
    doubled: Floats = np.clip(halves, -most, most) * 2.0
    return doubled


def _on_grid(edges: Floats, shares: Floats, grid: Floats) -> Floats:
    """Spread the share of each bin evenly over the columns it reaches into; what lies beyond them is left."""
    scale = float(np.abs(grid).max())
    grid = grid / scale
    step = grid[1] - grid[0]
    with np.errstate(over="ignore", invalid="ignore"):
        edges = np.clip(edges / scale, -1e200, 1e200)
    low, high, width = edges[:-1], edges[1:], np.diff(edges)
    out: Floats = np.zeros(len(grid) - 1)
    points = width < ATOM * step
    inside = points & (low >= grid[0] - ATOM * step) & (low <= grid[-1] + ATOM * step)
    at = np.clip(((low[inside] - grid[0]) / step).astype(np.int64), 0, len(out) - 1)
    np.add.at(out, at, shares[inside])
    reach = np.minimum(high[:, None], grid[1:]) - np.maximum(low[:, None], grid[:-1])
    density = np.where(points, 0.0, shares / np.where(points, 1.0, width))
    out += (density[:, None] * np.maximum(reach, 0.0)).sum(axis=0)
    return out
