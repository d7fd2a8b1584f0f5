"""A profile: all sketches of one set of events.

Training data, a pane and a window are all profiles. Counts are int64 and so add and subtract
exactly, in any order; sums are float64 and are only ever added. A profile has a row for each slice,
the first for all events.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.batch import Columns, Floats, Ints, Role
from detector.profile.binning import Binning
from detector.profile.fit import Fit
from detector.profile.layout import Layout
from detector.profile.sorted_count import count_categories, count_numeric, count_odd
from detector.tree import Tree, dict_of, floats_of, ints_of


@dataclass(frozen=True, slots=True)
class Profile:
    """The counts of some events; the leading axis S is the slices, `all` first.

    `counts` is int64 (S, width) as `Layout` says. For the N numeric features with B bins in all:
    `sums` (S, B) sum of values by bin, `squares` (S, N) sum of squared distances from the training
    mean, `low` and `high` (S, N) smallest and largest finite value (inf and -inf where there is none).
    """

    counts: Ints
    sums: Floats
    squares: Floats
    low: Floats
    high: Floats

    @classmethod
    def zeros(cls, layout: Layout, n_slices: int = 1) -> "Profile":
        """Return the profile of no events."""
        n_numeric = len(layout.features.numeric)
        return cls(
            np.zeros((n_slices, layout.width), dtype=np.int64),
            np.zeros((n_slices, layout.n_numeric_bins)),
            np.zeros((n_slices, n_numeric)),
            np.full((n_slices, n_numeric), np.inf),
            np.full((n_slices, n_numeric), -np.inf),
        )

    def merge(self, other: "Profile") -> None:
        """Add the events of `other` to this profile."""
        np.add(self.counts, other.counts, out=self.counts)
        self.merge_sums(other)

    def merge_sums(self, other: "Profile") -> None:
        """Add everything of `other` but the counts; sums beyond all floats are infinite."""
        with np.errstate(over="ignore", invalid="ignore"):
            np.add(self.sums, other.sums, out=self.sums)
            np.add(self.squares, other.squares, out=self.squares)
        np.minimum(self.low, other.low, out=self.low)
        np.maximum(self.high, other.high, out=self.high)

    def remember(self) -> Tree:
        """Return all of it as it is; nothing is copied, so nothing may be added to it while that is kept."""
        return {
            "counts": self.counts,
            "sums": self.sums,
            "squares": self.squares,
            "low": self.low,
            "high": self.high,
        }

    def copy(self) -> "Profile":
        """Return the same events as arrays of their own."""
        return Profile(
            self.counts.copy(), self.sums.copy(), self.squares.copy(), self.low.copy(), self.high.copy()
        )

    @classmethod
    def recall(cls, tree: Tree, fit: Fit) -> "Profile":
        """Return what was remembered, in the places of today.

        Raises:
            ValueError: the tree is no such profile.
        """
        read, n = dict_of(tree), fit.n_rows
        counts = ints_of(read["counts"], (n, fit.width))
        if np.any(counts < 0):
            raise ValueError("has counts below 0")
        return cls(
            fit.by_row_and(counts, fit.cells, 0),
            fit.by_row_and(floats_of(read["sums"], (n, fit.n_sums)), fit.sums, 0.0),
            fit.by_row_and(floats_of(read["squares"], (n, fit.n_numeric)), fit.numeric, 0.0),
            fit.by_row_and(floats_of(read["low"], (n, fit.n_numeric)), fit.numeric, np.inf),
            fit.by_row_and(floats_of(read["high"], (n, fit.n_numeric)), fit.numeric, -np.inf),
        )

    def row(self, i: int) -> "Profile":
        """Return slice `i` as a profile of its own (a view, not a copy)."""
        rows = slice(i, i + 1)
        return Profile(
            self.counts[rows], self.sums[rows], self.squares[rows], self.low[rows], self.high[rows]
        )

    @property
    def n_events(self) -> int:
        """Number of events in all."""
        return int(self.counts[0, -1])


def count(
    binning: Binning,
    layout: Layout,
    centers: Floats,
    columns: Columns,
    rows: NDArray[np.int64] | None,
    group: NDArray[np.int64],
    n_groups: int,
) -> Profile:
    """Count events into `n_groups` rows of a profile.

    Contribution i is event `rows[i]` of `columns` (event i where `rows` is None) to row `group[i]`:
    an event may count for several groups (panes, slices). `centers` are the training means that
    `squares` are taken around.
    """
    if rows is None and n_groups == 1 and columns.n > 0:
        return _count_one(binning, layout, centers, columns)
    codes = binning.codes(columns)
    code, numeric = codes.code, columns.numeric
    unseen_code, unseen_row = codes.unseen_code, codes.unseen_row
    if rows is not None:
        code, numeric = code[:, rows], numeric[:, rows]
        position = _positions_of(unseen_row, rows)
        unseen_code, unseen_row = unseen_code[position[0]], position[1]
    width = layout.width
    counts = np.bincount((code + group * width).ravel(), minlength=n_groups * width)
    if len(unseen_code):
        counts += np.bincount(unseen_code + group[unseen_row] * width, minlength=n_groups * width)
    counts = counts.reshape(n_groups, width)
    counts[:, layout.events] = np.bincount(group, minlength=n_groups)
    sums, squares, low, high = _moments(layout, centers, code, numeric, group, n_groups)
    return Profile(counts, sums, squares, low, high)


def forget_untold(profile: Profile, layout: Layout, only: Role) -> None:
    """Take back that the features of other roles were counted as missing: the events do not tell of them.

    A request and its response are one event, and the request is the one that counts.
    """
    untold = layout.untold(only)
    profile.counts[:, layout.missing][:, untold] = 0
    if only == "prediction" and len(untold):
        profile.counts[:, layout.events] = 0


def _count_one(binning: Binning, layout: Layout, centers: Floats, columns: Columns) -> Profile:
    """Count all events into one row."""
    profile = Profile.zeros(layout)
    counts = profile.counts[0]
    if binning.numeric:
        found = count_numeric(binning, centers, columns.numeric)
        counts[: layout.n_numeric_bins], counts[layout.missing][: len(binning.numeric)] = found[:2]
        profile.sums[0], profile.squares[0], profile.low[0], profile.high[0] = found[2:]
    count_categories(binning, layout, columns, counts)
    count_odd(layout, columns, counts)
    counts[layout.events] = columns.n
    return profile


def _positions_of(wanted: Ints, rows: Ints) -> tuple[Ints, Ints]:
    """Return pairs (i, j) with `wanted[i] == rows[j]`, for every such pair."""
    order = np.argsort(rows, kind="stable")
    left = rows[order].searchsorted(wanted, side="left")
    repeats = rows[order].searchsorted(wanted, side="right") - left
    i = np.repeat(np.arange(len(wanted)), repeats)
    within = np.arange(len(i)) - np.repeat(np.cumsum(repeats) - repeats, repeats)
    return i, order[np.repeat(left, repeats) + within]


def _moments(
    layout: Layout, centers: Floats, code: Ints, numeric: Floats, group: Ints, n_groups: int
) -> tuple[Floats, Floats, Floats, Floats]:
    n_numeric, n_bins = len(layout.features.numeric), layout.n_numeric_bins
    squares: Floats = np.zeros((n_groups, n_numeric))
    low: Floats = np.full((n_groups, n_numeric), np.inf)
    high: Floats = np.full((n_groups, n_numeric), -np.inf)
    if n_numeric == 0 or len(group) == 0:
        return np.zeros((n_groups, n_bins)), squares, low, high
    # A cell without a value is counted behind the bins; its NaN must not reach the sums.
    is_value = code[:n_numeric] < n_bins
    values = np.where(is_value, numeric, 0.0)
    cell = np.where(is_value, code[:n_numeric] + group * n_bins, n_groups * n_bins)
    flat: Floats = np.asarray(
        np.bincount(cell.ravel(), weights=values.ravel(), minlength=n_groups * n_bins + 1), np.float64
    )
    sums: Floats = flat[:-1].reshape(n_groups, n_bins)
    if n_groups > 1:
        order = np.argsort(group, kind="stable")
        numeric, group = numeric[:, order], group[order]
    first = np.flatnonzero(np.append(True, group[1:] != group[:-1]))
    present = group[first]
    with np.errstate(over="ignore"):
        apart = numeric - centers[:, None]
        squares[present] = np.add.reduceat(np.nan_to_num(apart * apart, nan=0.0), first, axis=1).T
    low[present] = np.fmin.reduceat(numeric, first, axis=1).T
    high[present] = np.fmax.reduceat(numeric, first, axis=1).T
    np.copyto(low, np.inf, where=np.isnan(low))
    np.copyto(high, -np.inf, where=np.isnan(high))
    return sums, squares, low, high
