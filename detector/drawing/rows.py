"""Bins as rows: a name, a bar for each side, and both shares in figures."""

from collections.abc import Sequence

from markupsafe import Markup

from detector.drawing.svg import WIDTH, clipped, group, hover, joined, label, line, percent, rect, text_of
from detector.drawing.ticks import value_ticks
from detector.drift.distribution import Bin

ROW = 26
NAMES = 236
"""Units for the names; what is longer is cut by the room, not by counting letters."""

BARS = 310


def rows(bins: Sequence[Bin], y: float, top: float) -> Markup:
    """Return a row a bin from `y` down; `top` is the share of a bar as long as can be."""
    return joined(_row(b, y + i * ROW, BARS / top) for i, b in enumerate(bins))


def _row(b: Bin, y: float, scale: float) -> Markup:
    shares = Markup("{} \u2192 {}").format(percent(b.reference), percent(b.current))
    return group(
        words_of(text_of(b.name), b.reference, b.current),
        hover(0, y, WIDTH, ROW),
        clipped(text_of(_short(b), 40), 0, y, NAMES - 10, ROW),
        rect("reference", NAMES, y + 4, min(b.reference * scale, BARS), 18),
        rect("current", NAMES, y + 8, min(b.current * scale, BARS), 10),
        label(shares, WIDTH, y + ROW * 0.68, "end"),
    )


def _short(b: Bin) -> str:
    """Return a name that fits on narrow screens too; the pointer brings up the full one."""
    if b.kind == "outside":
        return "below training" if b.low is None else "above training"
    return "never seen" if b.kind == "unseen" else b.name


def words_of(name: Markup, reference: float, current: float) -> Markup:
    """Return a bin with both shares, in words."""
    return Markup("{}: reference {}, current {}").format(name, percent(reference), percent(current))


def scale_of(bins: Sequence[Bin]) -> float:
    """Return the share that fills a row: a round one, so that the axis ends at a tick."""
    top = min(max((max(b.reference, b.current) for b in bins), default=0.0), 1.0)
    ticks = value_ticks(max(top, 0.001))
    return min(ticks[-1] if ticks[-1] >= top else ticks[-1] + ticks[1], 1.0)


def axis(y: float, height: float, top: float) -> Markup:
    """Return the axis of shares above rows, with a line down from each tick."""
    parts = []
    for tick in value_ticks(top):
        x = NAMES + BARS * tick / top
        parts.append(line("grid", x, y, x, y + height))
        parts.append(label(f"{tick * 100:.4g}%", x, y - 6))
    return joined(parts)
