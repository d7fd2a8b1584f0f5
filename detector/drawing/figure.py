"""The distributions of one feature, reference and current over each other.

The reference is a filled shape, the current side an outlined one: they can be told apart without colour.
Numbers are columns, categories rows; what lies outside the training range and cells without a value are rows
below the columns, with an axis of their own.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np
from markupsafe import Markup

from detector.drawing.columns import Columns, by_density, by_share
from detector.drawing.rows import ROW, axis, is_cut, rows, scale_of, words_of
from detector.drawing.svg import (
    MARGINS,
    Only,
    drawing,
    framed,
    group,
    hover,
    joined,
    label,
    legend,
    line,
    number,
    path,
    percent,
    rect,
    stretched,
    text_of,
)
from detector.drawing.ticks import MOST_TICKS, range_ticks, value_ticks
from detector.drift.distribution import Bin, Distribution

Scale = Literal["share", "density"]

TOP, PLOT = 32, 190
"""Room above the columns, and their height."""

BELOW = 34
"""Room for the axis below the columns."""

HEADING = 44
"""Room for what stands above the rows below the columns."""

LEAST_SCALE = 0.1
"""Least share that fills a row beside columns of density: next to nothing must not look like much."""

LEAST_STEP = 1e-300
"""Columns narrower than this have no density that can be told."""

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
        drawn, notes = _numeric(d, values, apart, scale)
    else:
        drawn, notes = _categories(d, _few(values), apart)
    sides = (
        ("reference", f"reference, {d.n_reference:,} cells"),
        ("current", f"current, {d.n_current:,} cells"),
    )
    return framed("distribution", drawn, legend([*sides, *(("note", note) for note in notes)]))


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


def _categories(d: Distribution, values: Sequence[Bin], apart: Sequence[Bin]) -> tuple[Markup, list[str]]:
    y, gap = 24.0, 10.0 if values and apart else 0.0
    height = (len(values) + len(apart)) * ROW + gap
    top = scale_of([*values, *apart])
    inside = [axis(y, height, top), rows(values, y, top), rows(apart, y + len(values) * ROW + gap, top)]
    is_any_cut = any(is_cut(b, top) for b in (*values, *apart))
    notes = ["a bar struck through is longer than the axis: its share stands beside it"] if is_any_cut else []
    return drawing("bars", y + height + 2, _gist(d), inside), notes


def _numeric(
    d: Distribution, values: Sequence[Bin], apart: Sequence[Bin], scale: Scale
) -> tuple[Markup, list[str]]:
    columns = by_share(values) if scale == "share" else by_density(values)
    notes = list(_not_drawn(columns))
    gist = _gist(d) + "".join(f" Not drawn: {note}." for note in notes)
    if apart:
        told = [words_of(text_of(b.name), b.reference, b.current) for b in apart]
        gist += Markup(" No value, or outside training: {}.").format(Markup("; ").join(told))
    drawn = drawing("plot", TOP + PLOT + BELOW, gist, [_heading(scale), *_plot(columns, scale)])
    if apart:
        highest = float(np.maximum(columns.reference, columns.current).max(initial=0.0))
        least = max(highest, 0.001) if scale == "share" else LEAST_SCALE
        drawn += _apart(apart, scale_of(apart, least))
    return drawn, [f"not drawn: {note}" for note in notes]


def _apart(apart: Sequence[Bin], top: float) -> Markup:
    """Return the rows below columns."""
    height = len(apart) * ROW
    inside = [
        label("no value, or outside training: share of cells", 0, 14, "start"),
        axis(HEADING, height, top),
        rows(apart, HEADING, top),
    ]
    return drawing("bars", HEADING + height + 2, None, inside)


def _heading(scale: Scale) -> Markup:
    words = "share of cells in each column" if scale == "share" else "share of cells per unit of the value"
    return label(words, 0, 14, "start", -MARGINS["plot"])


def _not_drawn(columns: Columns) -> Iterator[str]:
    """Yield in words what lies beyond the ends of the axis."""
    ends = (("below", columns.below, columns.edges[0]), ("above", columns.above, columns.edges[-1]))
    for where, (reference, current), edge in ends:
        if reference > 0 or current > 0:
            yield (
                f"{percent(reference)} of reference and {percent(current)} of current "
                f"lie {where} {number(float(edge))}"
            )


def _plot(columns: Columns, scale: Scale) -> list[Markup]:
    """Return the columns with their axes."""
    top = max(float(np.maximum(columns.reference, columns.current).max(initial=0.0)) * 1.05, 1e-6)
    reference, current = (columns.reference / top * PLOT).tolist(), (columns.current / top * PLOT).tolist()
    base = TOP + PLOT
    sides = [
        group(
            words_of(text_of(name), float(columns.reference[i]), float(columns.current[i])),
            hover(i, TOP, 1, PLOT, ""),
            rect("reference", i + 0.03, base - reference[i], 0.94, reference[i], ""),
        )
        for i, name in enumerate(columns.names)
    ]
    axes = [
        _shares_axis(top) if scale == "share" else _density_axis(columns, top),
        _values_axis(columns, scale),
    ]
    return [*axes, stretched(len(sides), base, [*sides, path("current", _outline(current))])]


def _outline(heights: Sequence[float]) -> list[str]:
    """Return the columns of the current side as one shape: half as much to send as a shape for each."""
    base = TOP + PLOT
    steps = [f"V{base - h:.1f}H{i + 1}" for i, h in enumerate(heights)]
    return [f"M0 {base}", *steps, f"V{base}"]


def _shares_axis(top: float) -> Markup:
    return joined(_across(tick / top, f"{tick * 100:.4g}%") for tick in value_ticks(top))


def _density_axis(columns: Columns, top: float) -> Markup:
    """Return the axis of shares per unit of the value; without figures where these are beyond all floats."""
    step = float(columns.edges[1]) - float(columns.edges[0])
    highest = top / step if step > LEAST_STEP and math.isfinite(step) else 0.0
    if not highest > LEAST_STEP:
        return joined(_across(part, "") for part in (0.0, 0.5))
    return joined(_across(tick / highest, f"{tick:.4g}") for tick in value_ticks(highest))


def _across(part: float, text: str) -> Markup:
    """Return a line across the columns, and what stands beside it."""
    y = TOP + PLOT * (1.0 - part)
    return line("grid", 0, y, 100, y) + label(text, 0, y + 4, "end", -8)


def _values_axis(columns: Columns, scale: Scale) -> Markup:
    """Return the axis below the columns: round numbers, or the lower edges of some bins."""
    base, edges, n = TOP + PLOT, columns.edges, len(columns.names)
    if scale == "share":
        chosen = np.unique(np.linspace(0, n, min(MOST_TICKS, n) + 1).astype(int)).tolist()
        ticks = [(100.0 * i / n, float(edges[i])) for i in chosen]
    else:
        low, high = float(edges[0]), float(edges[-1])
        # Halves, because the whole range may be beyond all floats.
        ticks = [
            (100.0 * ((tick / 2 - low / 2) / (high / 2 - low / 2)), tick) for tick in range_ticks(low, high)
        ]
    parts = [line("axis", 0, base, 100, base)]
    for i, (x, tick) in enumerate(ticks):
        only: Only | None = "wide" if i % 2 and len(ticks) > 3 else None
        parts += [line("axis", x, base, x, base + 5), label(f"{tick:.4g}", x, base + 20, only=only)]
    return joined(parts)
