"""Why a feature drifts: the fault in the data that explains it, before its distribution is said to move.

A cause is named only where it explains most of the change; the first of these that does:

    type_mismatch, missing, non_finite    the rate has risen more than the values have moved
    constant                              all values of the window, or its latest, are one
    swapped_columns                       as another column in training, and that one as this
    unit_change                           the training data times a factor that units differ by
    category_renamed                      one category has lost what never seen values have gained
    default_value                         one value has gained, all others are as before (a single value
                                          goes before unit_change, a bin of several behind)
    outside, unseen                       values that training never had; the others are as before

A value is named only if the baseline names it: a frequent number or a category of the vocabulary.
"""

from dataclasses import dataclass, replace

import numpy as np

from detector.baseline import Baseline
from detector.drift.change import FEW, Change, moved, percent, rise_noise, without
from detector.drift.evaluation import Evaluation, State
from detector.drift.law import law_of, seen
from detector.drift.swapped import swapped_with
from detector.drift.unit_change import unit_change
from detector.profile import NumericBinning, Profile

WORDS = {
    "category_renamed": "renamed category",
    "constant": "one constant value",
    "default_value": "a default value",
    "missing": "missing values",
    "non_finite": "values that are not finite",
    "outside": "values outside the training range",
    "swapped_columns": "swapped columns",
    "type_mismatch": "values of another type",
    "unit_change": "change of unit",
    "unseen": "values never seen in training",
}
"""Every cause, for people."""

LEAST_RISE = 0.01
"""A share that has risen by less explains nothing."""

LEAST_DEFAULT = 0.03
"""A value that has gained less is not taken for a default."""

SURE = 4.0
"""Standard errors that a rise must have."""

REST = 0.25
"""The values beside a cause may have moved by this part of what it explains, and by `REST_MORE`."""

REST_MORE = 0.02

CONSTANT = 0.99

CHANCE_OF_RUN = 1e-6
"""Values that are the same by chance with a smaller probability are stuck."""

MOST_BEFORE = 0.9
"""A value that had a larger share of the training data is not stuck, but usual."""

FEW_OTHERS = 2
"""Values beyond the range beside a default there, which would be nothing odd."""

FEWEST_OTHERS = 2.5
"""Effective number of other values that a default is told by: between two, any change is a gain of one."""


@dataclass(frozen=True, slots=True)
class Cause:
    """A cause by its name in `WORDS`, and one sentence with numbers."""

    name: str
    message: str


def cause_of(
    baseline: Baseline,
    reference: Profile,
    evaluation: Evaluation,
    row: int,
    feature: int,
    *,
    swaps: bool = True,
) -> Cause | None:
    """Return why a feature drifts in slice `row`; None: its distribution has moved.

    `reference` is the training side of that slice and of the window's hours, a profile of one row. Without
    `swaps` no other feature is looked at: with dozens that drift, that takes most of the time.
    """
    window = evaluation.window
    current = window.profile.row(row)
    change = Change(baseline, reference, current, feature)
    if current.n_events == 0:
        return None
    latest = change if window.latest is None else replace(change, current=window.latest.row(row))
    found = _odd(change, evaluation, row) or _constant(change, latest)
    if found is None and swaps:
        found = _swapped(change, evaluation, row)
    if found is not None:
        return found
    if isinstance(change.binning, NumericBinning):
        sure = _default_value(change, single=True)
        return sure or _unit_change(change, evaluation) or _default_value(change) or _outside(change)
    return (
        _renamed(change)
        or _renamed(latest, "of the latest values, ")
        or _default_value(change)
        or _unseen(change)
    )


def _odd(change: Change, evaluation: Evaluation, row: int) -> Cause | None:
    """Return the rate of cells without a value that has risen most, if it explains the change."""
    words = {
        "type_mismatch": "{now} of the events have a value of another type; in training {before}",
        "missing": "{now} of the events have no value; in training {before}",
        "non_finite": "{now} of the events have a value that is not finite; in training {before}",
    }
    rates = {name: change.rate(name) for name in words}
    name = max(words, key=lambda name: rates[name][1] - rates[name][0])
    before, now = rates[name]
    rate = evaluation.statistics[name]
    is_over = bool(rate.value[row, change.feature] > rate.threshold[row, change.feature])
    if not is_over or now - before < max(LEAST_RISE, moved(change.before, change.now)):
        return None
    return Cause(name, words[name].format(now=percent(now), before=percent(before)))


def _constant(change: Change, latest: Change) -> Cause | None:
    """Return that all values of the window, or the latest of it, are one."""
    for side, words in ((change, "of the values"), (latest, "of the latest values")):
        n = float(side.now.sum())
        if n == 0:
            continue
        cell = int(np.argmax(side.now))
        before, now = (float(share[cell]) for share in side.shares)
        f, numeric = side.feature, isinstance(side.binning, NumericBinning)
        is_one = numeric and side.current.low[0, f] == side.current.high[0, f]
        if numeric and side.reference.low[0, f] == side.reference.high[0, f]:
            return None  # It never was anything but constant.
        stuck = is_one or (now >= CONSTANT and bool(side.is_single[cell]))
        if not stuck or before > MOST_BEFORE or n * np.log(max(before, 1e-300)) > np.log(CHANCE_OF_RUN):
            continue
        what = side.name(cell)
        value = what if side.is_single[cell] else f"one and the same, {_place(what)}"
        return Cause("constant", f"{percent(now)} {words} are {value}; in training {percent(before)}: stuck?")
    return None


def _place(name: str) -> str:
    return f"in {name}" if name.startswith("[") else name


def _swapped(change: Change, evaluation: Evaluation, row: int) -> Cause | None:
    order = np.argsort(-evaluation.excess[:, row].max(axis=0, initial=0.0), kind="stable")
    drifting = evaluation.state[row] == State.DRIFT
    candidates = [f for f in order.tolist() if drifting[f] and f != change.feature]
    found = swapped_with(change, candidates, lambda f: replace(change, feature=f))
    if found is None:
        return None
    other, part = found
    name = change.baseline.features.names[other]
    values = "values" if part > 0.9 else f"{percent(part)} of the values"
    return Cause(
        "swapped_columns", f"{values} are as those of {name} in training, and the other way round: swapped?"
    )


def _unit_change(change: Change, evaluation: Evaluation) -> Cause | None:
    sides = seen(change)
    law = None if sides is None else law_of(change, sides[0])
    if sides is None or law is None:
        return None
    found = unit_change(*sides, law, _natural(change, evaluation.window.length_s))
    return None if found is None else Cause("unit_change", found)


def _natural(change: Change, length_s: float) -> float:
    """Return how far the feature's distribution function moves by itself; 0 where it is not known."""
    variation = change.baseline.variation
    at = None if variation is None else variation.at(length_s)
    table = None if variation is None else variation.excess.get("kolmogorov_smirnov")
    return 0.0 if at is None or table is None else float(np.sqrt(np.nan_to_num(table[at, change.feature])))


def _renamed(change: Change, of: str = "") -> Cause | None:
    """Return the category whose loss the never seen values have gained."""
    p, q = change.shares
    n_own, unseen = len(change.before) - 2, len(change.before) - 1
    if n_own < 2:
        return None
    m, n = change.before.sum(), change.now.sum()
    lost = p[:n_own] - q[:n_own]
    cell = int(np.argmax(lost))
    gained, loss = float(q[unseen] - p[unseen]), float(lost[cell])
    errors = rise_noise(p[unseen], q[unseen], m, n), rise_noise(p[cell], q[cell], m, n)
    # New values that come beside all others would have taken from this one no more than its share.
    is_its = loss - gained * p[cell] > 3.0 * errors[1] and gained > max(LEAST_RISE, 3.0 * errors[0])
    if not is_its or abs(gained - loss) > 2.0 * float(np.hypot(*errors)) + 0.15 * loss:
        return None
    if (
        moved(without(change.before, cell, unseen), without(change.now, cell, unseen))
        > REST * loss + REST_MORE
    ):
        return None
    gone = "is gone" if q[cell] < 0.02 * p[cell] else f"has fallen to {percent(q[cell])}"
    name = change.name(cell)
    what = f"{of}{name} ({percent(p[cell])} in training) {gone}"
    return Cause("category_renamed", f"{what}, as much ({percent(q[unseen])}) is new: renamed?")


def _default_value(change: Change, *, single: bool = False) -> Cause | None:
    """Return the value that has gained from all others alike; `single`: no bin of several values."""
    p, q = change.shares
    cells = len(p) if isinstance(change.binning, NumericBinning) else len(p) - 2
    if cells == 0 or min(change.before.sum(), change.now.sum()) < FEW:
        return None
    cell = int(np.argmax((q - p)[:cells]))
    gain = float(q[cell] - p[cell])
    if gain < max(LEAST_DEFAULT, SURE * rise_noise(p[cell], q[cell], change.before.sum(), change.now.sum())):
        return None
    others = without(change.before, cell)
    effective = others.sum() ** 2 / max(float((others**2).sum()), 1.0)
    if effective < FEWEST_OTHERS or moved(others, without(change.now, cell)) > REST * gain + 0.5 * REST_MORE:
        return None
    what = _default_words(change, cell, 0 if single else FEW_OTHERS)
    if what is None or (single and what.startswith("in ")):
        return None
    return Cause(
        "default_value",
        f"{percent(q[cell])} of the values are {what}, in training {percent(p[cell])}; "
        "the others are as before: a default value?",
    )


def _default_words(change: Change, cell: int, others: int) -> str | None:
    """Name a default; None for values outside that are not the same, but for a few others."""
    if not isinstance(change.binning, NumericBinning) or 0 < cell < len(change.before) - 1:
        return change.name(cell) if change.is_single[cell] else f"in {change.name(cell)}"
    side = change.current.low if cell == 0 else change.current.high
    extreme = float(side[0, change.feature])
    start = int(change.baseline.layout.segments.starts[change.feature])
    n, edge = float(change.now[cell]), float(change.binning.edges[0 if cell == 0 else -1])
    # Others lie between the extreme and the range: they draw the mean off by no more than that.
    off = abs(float(change.current.sums[0, start + cell]) / n - extreme)
    is_one = off <= 1e-9 * abs(extreme) + others / n * abs(edge - extreme)
    return f"one and the same, {change.name(cell)}" if is_one else None


def _outside(change: Change) -> Cause | None:
    cells = (0, len(change.before) - 1)
    return _beyond(change, "outside", cells, "lie outside the training range")


def _unseen(change: Change) -> Cause | None:
    return _beyond(change, "unseen", (len(change.before) - 1,), "were never seen in training")


def _beyond(change: Change, name: str, cells: tuple[int, ...], words: str) -> Cause | None:
    """Return that values of these cells explain the change: the rest is as before."""
    (before, now) = (float(sum(share[c] for c in cells)) for share in change.shares)
    error = rise_noise(before, now, change.before.sum(), change.now.sum())
    rest = moved(without(change.before, *cells), without(change.now, *cells))
    if now - before < max(LEAST_RISE, SURE * error) or rest > REST * (now - before) + REST_MORE:
        return None
    return Cause(name, f"{percent(now)} of the values {words}; in training {percent(before)}")
