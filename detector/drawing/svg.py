"""The few pieces of SVG that all figures are made of."""

import math
from collections.abc import Iterable

from markupsafe import Markup, escape

from detector.printable import printable

WIDTH = 720
"""Units across; a figure is scaled to the room there is."""

MAX_TEXT = 80
"""Characters of a text of data in a figure."""


def text_of(text: str, limit: int = MAX_TEXT) -> Markup:
    """Return a text of others as markup: on one line, cut, and nothing in it is a tag."""
    return escape(printable(text, limit))


def number(x: float) -> str:
    """Return a number of four digits, a dash for none, and a sign for one beyond all floats."""
    if math.isinf(x):
        return "\u221e" if x > 0 else "-\u221e"
    return "\u2013" if math.isnan(x) else f"{x:.4g}"


def percent(share: float) -> str:
    """Return a share in percent, with as many digits as small ones need to be told from none."""
    if 0.0 < share < 0.0001:
        return "<0.01%"
    return f"{share:.2%}" if 0.0 < share < 0.01 else f"{share:.1%}"


def joined(parts: Iterable[Markup]) -> Markup:
    """Return pieces of markup one after the other."""
    return Markup("").join(parts)


def units(x: float) -> str:
    """Return a length to a tenth of a unit, as short as can be."""
    return f"{x:.1f}".removesuffix(".0")


def rect(kind: str, x: float, y: float, width: float, height: float) -> Markup:
    """Return a rectangle of a class."""
    return Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>').format(
        kind, units(x), units(y), units(max(width, 0.0)), units(max(height, 0.0))
    )


def hover(x: float, y: float, width: float, height: float) -> Markup:
    """Return what catches the pointer over a whole column or row; `drawing` makes it unseen."""
    return rect("hit", x, y, width, height)


def group(title: Markup, *inside: Markup) -> Markup:
    """Return pieces that belong together, with the words that the pointer brings up."""
    return Markup("<g><title>{}</title>{}</g>").format(title, joined(inside))


def line(kind: str, x1: float, y1: float, x2: float, y2: float) -> Markup:
    """Return a straight line of a class."""
    return Markup('<line class="{}" x1="{}" y1="{}" x2="{}" y2="{}"/>').format(
        kind, units(x1), units(y1), units(x2), units(y2)
    )


def path(kind: str, commands: Iterable[str]) -> Markup:
    """Return a path of a class; the commands are of our own making."""
    return Markup('<path class="{}" d="{}"/>').format(kind, "".join(commands))


def label(text: Markup | str, x: float, y: float, kind: str = "middle") -> Markup:
    """Return a text at a place; `kind` is start, middle or end, and says which part of it is there."""
    return Markup('<text text-anchor="{}" x="{}" y="{}">{}</text>').format(kind, units(x), units(y), text)


def clipped(text: Markup, x: float, y: float, width: float, height: float) -> Markup:
    """Return a text that ends where its room ends, however wide its letters are."""
    inside = label(text, 0, height * 0.68, "start")
    return Markup(
        '<svg x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" overflow="hidden">{}</svg>'
    ).format(x, y, width, height, inside)


def drawing(height: float, gist: Markup, inside: Iterable[Markup]) -> Markup:
    """Return a whole drawing; `gist` says in words what can be seen in it."""
    return Markup('<svg viewBox="0 0 {} {:.0f}" role="img" aria-label="{}">{}</svg>').format(
        WIDTH, height, gist, joined(inside)
    )


def legend(entries: Iterable[tuple[str, Markup | str]]) -> Markup:
    """Return what the classes of a drawing mean."""
    items = joined(Markup('<li class="{}">{}</li>').format(kind, text) for kind, text in entries)
    return Markup('<figcaption><ul class="legend">{}</ul></figcaption>').format(items)


def framed(kind: str, drawn: Markup, caption: Markup) -> Markup:
    """Return a drawing with its legend."""
    return Markup('<figure class="chart {}">{}{}</figure>').format(kind, drawn, caption)
