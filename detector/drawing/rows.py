"""Bins as rows: a name, a bar for each side, and both shares in figures."""

from collections.abc import Sequence

from markupsafe import Markup

from detector.drawing.svg import (
    SHARES,
    clipped,
    distinguished,
    group,
    hover,
    inset,
    joined,
    label,
    line,
    percent,
    rect,
    text_of,
)
from detector.drawing.ticks import value_ticks
from detector.drift.distribution import Bin

ROW = 24

NAMES = 44
"""Percent of the width for the names; a name that is too long has its middle left out."""

BARS = 100 - NAMES

LONG, SHORT = 36, 14.5
"""Letters of a name in a wide figure, and in a narrow one."""

WHOLE_NAME = 200
"""Characters of a name that the pointer brings up."""

CUT = Markup(
    '<svg class="clip" x="92%" width="12" height="24"><path class="cut" d="M1 24L7 0M6 24L12 0"/></svg>'
)
"""Two strokes through a bar that is longer than the axis."""


def rows(bins: Sequence[Bin], y: float, top: float) -> Markup:
    """Return a row a bin from `y` down; `top` is the share of a bar as long as can be."""
    plain = [_plain(b) for b in bins]
    brief = ["all others" if b.kind == "rest" else name for b, name in zip(bins, plain, strict=True)]
    long, short = distinguished(plain, LONG), distinguished(brief, SHORT)
    names = zip(long, short, strict=True)
    return joined(
        _row(b, y + i * ROW, top, *pair) for i, (b, pair) in enumerate(zip(bins, names, strict=True))
    )


def _row(b: Bin, y: float, top: float, long: Markup, short: Markup) -> Markup:
    shares = Markup("{} \u2192 {}").format(percent(b.reference), percent(b.current))
    bars = [
        rect("reference", 0, 3, min(b.reference / top, 1.0) * 100, 18),
        rect("current", 0, 7, min(b.current / top, 1.0) * 100, 10),
    ]
    words = words_of(text_of(b.name, WHOLE_NAME), b.reference, b.current)
    if is_cut(b, top):
        words += ", beyond the axis"
        bars.append(CUT)
    return group(
        words,
        hover(0, y, 100, ROW),
        clipped(NAMES - 1, y, ROW, _names(long, short)),
        inset(NAMES, y, BARS, ROW, bars),
        label(shares, 100, y + 16, "end", SHARES),
    )


def is_cut(b: Bin, top: float) -> bool:
    """Whether a bar of a bin would be longer than the axis."""
    return max(b.reference, b.current) > top * (1 + 1e-9)


def _names(long: Markup, short: Markup) -> list[Markup]:
    """Return the name, or the one of wide and the one of narrow figures."""
    if long == short:
        return [label(long, 0, 16, "start")]
    return [label(long, 0, 16, "start", only="wide"), label(short, 0, 16, "start", only="narrow")]


def _plain(b: Bin) -> str:
    """Return a name that is short and plain; the pointer brings up the exact one."""
    if b.kind == "outside":
        return "below training" if b.low is None else "above training"
    return "never seen" if b.kind == "unseen" else b.name


def words_of(name: Markup, reference: float, current: float) -> Markup:
    """Return a bin with both shares, in words."""
    return Markup("{}: reference {}, current {}").format(name, percent(reference), percent(current))


def scale_of(bins: Sequence[Bin], least: float = 0.001) -> float:
    """Return the share that fills a row: a round one, so that the axis ends at a tick, not below `least`.

    What stands for all the rest is left out, unless there is nothing else: it is no bin among others, and
    may hold more than all of them.
    """
    named = [b for b in bins if b.kind != "rest"] or bins
    top = min(max((max(b.reference, b.current) for b in named), default=0.0), 1.0)
    top = max(top, least)
    ticks = value_ticks(top)
    return min(ticks[-1] if ticks[-1] >= top else ticks[-1] + ticks[1], 1.0)


def axis(y: float, height: float, top: float) -> Markup:
    """Return the axis of shares above rows, with a line down from each tick."""
    parts = []
    for i, tick in enumerate(value_ticks(top)):
        x = 100 * tick / top
        parts.append(line("grid", x, 0, x, height))
        parts.append(label(f"{tick * 100:.4g}%", x, -6, only="wide" if i % 2 else None))
    return inset(NAMES, y, BARS, height, parts)
