"""One row of a heat map: how far a feature was from its threshold, over time.

| level | value / threshold |
|-------|-------------------|
| 0     | no data, or too few |
| 1     | below 0.5         |
| 2     | 0.5 to below 0.7  |
| 3     | 0.7 to below 1    |
| 4     | 1 to below 2: over the threshold |
| 5     | 2 and more        |

What is over the threshold is also taller than what is not, so colour is not the only sign. What is in state
drift is underlined, for a feature may be back below its threshold and not calm for long enough.
"""

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from detector.batch import Bools, Floats, Ints
from detector.drawing.svg import joined, text_of
from detector.drawing.ticks import when
from detector.drift.evaluation import State

LIMITS = (0.5, 0.7, 1.0, 2.0)

NAMES = (
    "no data", "below half the threshold", "half to 70% of the threshold", "70% to 100% of the threshold",
    "over the threshold", "over twice the threshold",
)  # fmt: skip

DRIFT = 8
"""What is added to a level in state drift."""

DRIFT_NAME = "state drift"
LINE_NAME = "underlined: state drift, which lasts until the feature has been calm for long enough"

HEIGHT = 24
BASE = 20
HEIGHTS = (4, 10, 10, 10, 16, 20)
"""Units of height of each level, of `BASE`; below it is the line under what is in state drift."""

MOST_COLUMNS = 144
"""Columns of a row; of more slots, the worst of each stretch is drawn. A row is 15 kB at most."""


def level_of(excess: Floats | NDArray[np.float32], state: NDArray[np.integer]) -> Ints:
    """Return levels 0 to 5, of any shape, and `DRIFT` added in state drift.

    `excess` is value / threshold, NaN for none, `state` a `State`.
    """
    # Limits as exact as the values are: 0.7 of 32 bits is not below 0.7.
    levels = np.digitize(excess, np.array(LIMITS, dtype=excess.dtype)) + 1
    found: Ints = np.where(np.isnan(excess) | (state == State.INSUFFICIENT), 0, levels).astype(np.int64)
    found[state == State.DRIFT] += DRIFT
    return found


def strip(
    levels: Ints | Sequence[int], times_s: Floats | Sequence[float] | None = None, *, title: str
) -> Markup:
    """Return a row of T slots as SVG, as wide as its cell; neighbours of one level are one rectangle.

    `levels` are as `level_of` gives them. `times_s` (T) are the ends of the slots, for what the pointer
    brings up. `title` names the row.
    """
    wanted = np.asarray(levels, dtype=np.int64)
    drifting, wanted = wanted >= DRIFT, np.clip(wanted % DRIFT, 0, len(NAMES) - 1)
    gist = _gist(wanted, drifting, title)
    ends = None if times_s is None else np.asarray(times_s, dtype=np.float64)
    if len(wanted) > MOST_COLUMNS:
        begins = np.linspace(0, len(wanted), MOST_COLUMNS + 1).astype(np.int64)
        ends = None if ends is None else ends[begins[1:] - 1]
        wanted = np.maximum.reduceat(wanted, begins[:-1])
        drifting = np.logical_or.reduceat(drifting, begins[:-1])
    both = wanted + DRIFT * drifting
    starts = np.flatnonzero(np.append(True, np.diff(both) != 0)) if len(wanted) else wanted
    stops = np.append(starts, len(wanted))[1:]
    runs = [
        _run(int(both[a]), a, b, None if ends is None else (float(ends[a]), float(ends[b - 1])))
        for a, b in zip(starts.tolist(), stops.tolist(), strict=True)
    ]
    return Markup(
        '<svg class="strip" viewBox="0 0 {} {}" '
        'preserveAspectRatio="none" role="img" aria-label="{}">{}</svg>'
    ).format(max(len(wanted), 1), HEIGHT, gist, joined(runs))


def _gist(levels: Ints, drifting: Bools, title: str) -> Markup:
    n_over, n_drifting = int((levels >= 4).sum()), int(drifting.sum())
    last = _words(int(levels[-1]), bool(drifting[-1])) if len(levels) else NAMES[0]
    state = f", in {DRIFT_NAME} in {n_drifting}" if n_drifting else ""
    return Markup("{}: over the threshold in {} of {} slots{}, last {}").format(
        text_of(title), n_over, len(levels), state, last
    )


def _words(level: int, is_drifting: bool) -> str:
    return f"{NAMES[level]}, {DRIFT_NAME}" if is_drifting else NAMES[level]


def _run(both: int, start: int, stop: int, ends: tuple[float, float] | None) -> Markup:
    is_drifting, level = both >= DRIFT, both % DRIFT
    height, words = HEIGHTS[level], _words(level, is_drifting)
    title = Markup("<title>{}</title>").format(words if ends is None else f"{_span(*ends)} UTC: {words}")
    kinds = [(f"l{level}", BASE - height, height)] + [("drifting", BASE + 1, HEIGHT - BASE - 1)] * is_drifting
    return joined(
        Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}">{}</rect>').format(
            kind, start, y, stop - start, tall, title
        )
        for kind, y, tall in kinds
    )


def _span(first_s: float, last_s: float) -> str:
    return when(first_s) if first_s == last_s else f"{when(first_s)} to {when(last_s)}"


def strip_legend() -> Markup:
    """Return what the levels of all rows mean, and the line under them."""
    entries = [*((f"l{i}", name) for i, name in enumerate(NAMES)), ("drifting", LINE_NAME)]
    items = joined(Markup('<li class="{}">{}</li>').format(kind, name) for kind, name in entries)
    return Markup('<ul class="legend levels">{}</ul>').format(items)
