"""The distributions of one feature, reference and current over each other.

The reference is a filled shape, the current side an outlined one: they can be told apart without colour.
Numbers are columns, categories rows; what lies outside the training range and cells without a value are rows
below the columns, on a scale of 0 to 100%.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from markupsafe import Markup

from detector.drawing.columns import Columns, by_density, by_share
from detector.drawing.rows import ROW, axis, rows, scale_of, words_of
from detector.drawing.svg import (
    WIDTH,
    drawing,
    framed,
    group,
    hover,
    joined,
    label,
    legend,
    line,
    path,
    percent,
    rect,
    text_of,
)
from detector.drawing.ticks import MOST_TICKS, range_ticks, value_ticks
from detector.drift.distribution import Bin, Distribution

Scale = Literal["share", "density"]

LEFT, RIGHT, TOP, PLOT = 64, 14, 16, 190
"""Room left and right of the columns and above them, and their height."""

MOST_ROWS = 60
"""Rows of a figure; of more categories the last are counted together."""


def figure(d: Distribution, scale: Scale) -> Markup:
    """Return the figure of a distribution with its legend.

    Of numbers, `share` gives every bin of training a column as wide as the next, and `density` columns
    of equal width over the axis of values. At most 60 columns or rows, and four rows besides.
    """
    values = [b for b in d.bins if b.kind == "values"]
    apart = [b for b in d.bins if b.kind != "values" and (b.reference > 0 or b.current > 0)]
    if d.type in ("int", "float") and values:
        drawn = _numeric(d, values, apart, scale)
    else:
        drawn = _categories(d, _few(values), apart)
    sides = (
        ("reference", f"reference, {d.n_reference:,} cells"),
        ("current", f"current, {d.n_current:,} cells"),
    )
    return framed("distribution", drawn, legend(sides))


def _gist(d: Distribution) -> Markup:
    """Return in words how much is on each side, and what changed most."""
    start = Markup("Distribution of {}: reference {:,} cells, current {:,} cells.").format(
        text_of(d.feature), d.n_reference, d.n_current
    )
    most = max(d.bins, key=lambda b: abs(b.current - b.reference), default=None)
    if most is None or not d.n_reference or not d.n_current or most.current == most.reference:
        return start
    return start + Markup(" Largest change: {} from {} to {}.").format(
        text_of(most.name), percent(most.reference), percent(most.current)
    )


def _few(values: Sequence[Bin]) -> list[Bin]:
    """Return at most `MOST_ROWS` categories, the last standing for all that follow."""
    if len(values) <= MOST_ROWS:
        return list(values)
    kept, rest = values[: MOST_ROWS - 1], values[MOST_ROWS - 1 :]
    reference, current = sum(b.reference for b in rest), sum(b.current for b in rest)
    return [*kept, Bin(f"{len(rest):,} more", "rest", None, None, reference, current)]


def _categories(d: Distribution, values: Sequence[Bin], apart: Sequence[Bin]) -> Markup:
    y, gap = 24.0, 10.0 if values and apart else 0.0
    height = (len(values) + len(apart)) * ROW + gap
    top = scale_of([*values, *apart])
    inside = [axis(y, height, top), rows(values, y, top), rows(apart, y + len(values) * ROW + gap, top)]
    return drawing(y + height + 2, _gist(d), inside)


def _numeric(d: Distribution, values: Sequence[Bin], apart: Sequence[Bin], scale: Scale) -> Markup:
    columns = by_share(values) if scale == "share" else by_density(values)
    bottom = TOP + PLOT + 34.0
    inside = [_plot(columns, scale), rows(apart, bottom + 6, 1.0)]
    return drawing(bottom + (6 + len(apart) * ROW if apart else 0), _gist(d), inside)


def _plot(columns: Columns, scale: Scale) -> Markup:
    """Return the columns with their axes."""
    top = max(float(np.maximum(columns.reference, columns.current).max(initial=0.0)) * 1.05, 1e-6)
    n = len(columns.names)
    width = (WIDTH - LEFT - RIGHT) / n
    reference, current = (columns.reference / top * PLOT).tolist(), (columns.current / top * PLOT).tolist()
    base = TOP + PLOT
    parts = [_shares_axis(top)]
    for i, name in enumerate(columns.names):
        x = LEFT + i * width
        parts.append(
            group(
                words_of(text_of(name), float(columns.reference[i]), float(columns.current[i])),
                hover(x, TOP, width, PLOT),
                rect("reference", x + 0.5, base - reference[i], width - 1, reference[i]),
            )
        )
    parts += [_outline(current, width), _values_axis(columns, scale, width)]
    return joined(parts)


def _outline(heights: Sequence[float], width: float) -> Markup:
    """Return the columns of the current side as one shape: half as much to send as a shape for each."""
    base = TOP + PLOT
    steps = [f"M{LEFT} {base}"]
    steps += [f"V{base - h:.1f}H{LEFT + (i + 1) * width:.1f}" for i, h in enumerate(heights)]
    return path("current", [*steps, f"V{base}"])


def _shares_axis(top: float) -> Markup:
    parts = []
    for tick in value_ticks(top):
        y = TOP + PLOT * (1.0 - tick / top)
        parts.append(line("grid", LEFT, y, WIDTH - RIGHT, y))
        parts.append(label(f"{tick * 100:.4g}%", LEFT - 8, y + 4, "end"))
    return joined(parts)


def _values_axis(columns: Columns, scale: Scale, width: float) -> Markup:
    """Return the axis below the columns: round numbers, or the lower edges of some bins."""
    base, edges, n = TOP + PLOT, columns.edges, len(columns.names)
    if scale == "share":
        chosen = np.unique(np.linspace(0, n, min(MOST_TICKS, n) + 1).astype(int)).tolist()
        ticks = [(LEFT + i * width, float(edges[i])) for i in chosen]
    else:
        low, high = float(edges[0]), float(edges[-1])
        # Halves, because the whole range may be beyond all floats.
        ticks = [
            (LEFT + n * width * ((tick / 2 - low / 2) / (high / 2 - low / 2)), tick)
            for tick in range_ticks(low, high)
        ]
    parts = [line("axis", LEFT, base, WIDTH - RIGHT, base)]
    for x, tick in ticks:
        parts += [line("axis", x, base, x, base + 5), label(f"{tick:.4g}", x, base + 24)]
    return joined(parts)
