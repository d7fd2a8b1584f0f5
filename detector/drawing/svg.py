"""The few pieces of SVG that all figures are made of.

Across, all is in percent of the room there is, and down in pixels: a figure fills its room, and its texts
are of one size, on a phone too.
"""

import math
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Literal
from unicodedata import east_asian_width

from markupsafe import Markup, escape

from detector.printable import printable

Kind = Literal["plot", "bars"]
"""What a drawing is of; the stylesheet leaves room for texts left and right of a plot, and right of bars."""

MARGINS = {"plot": 54, "bars": 0}
"""Pixels left of a drawing, for what begins where its card does."""

HEAD = 3
"""Letters of a name that are shown before what sets it apart."""

SHARES = 106
"""Pixels right of bars."""

Only = Literal["wide", "narrow"]

MAX_TEXT = 80
"""Characters of a text of data in a figure."""


def text_of(text: str, limit: int = MAX_TEXT) -> Markup:
    """Return a text of others as markup: on one line, cut, and nothing in it is a tag."""
    return escape(printable(text, limit))


def shortened(text: str, limit: float) -> Markup:
    """Return a text of others with its middle left out where it is wider than about `limit` small letters.

    So that names that begin alike can be told apart.
    """
    most = int(limit) + 1
    # Not more is looked at than can be shown.
    safe = printable(text if len(text) <= 2 * most else text[:most] + text[-most:])
    if len(text) <= 2 * most and sum(map(_width, safe)) <= limit:
        return escape(safe)
    half = (limit - 1) / 2
    return escape(_within(safe, half) + "\u2026" + _within(safe[::-1], half)[::-1])


def distinguished(names: Sequence[str], limit: float) -> list[Markup]:
    """Return names shortened; those that would look alike are shown from where they differ."""
    found = [shortened(name, limit) for name in names]
    alike: dict[Markup, list[int]] = {}
    for i, short in enumerate(found):
        alike.setdefault(short, []).append(i)
    for same_look in alike.values():
        same = _n_shared([names[i] for i in same_look])
        if len(same_look) > 1 and same > HEAD:
            for i in same_look:
                head, rest = printable(names[i][:HEAD]), printable(names[i][same - 1 : same + int(limit)])
                room = limit - 1 - sum(map(_width, head))
                found[i] = escape(f"{head}\u2026{_within(rest, room)}")
    return found


def _n_shared(names: Sequence[str]) -> int:
    """Return how many letters all names begin with alike."""
    first, last = min(names), max(names)
    return next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))


def _within(text: str, limit: float) -> str:
    """Return as much of the beginning as is not wider."""
    widths = accumulate(map(_width, text))
    return text[: sum(1 for width in widths if width <= limit)]


def _width(letter: str) -> float:
    """Return about how wide a letter is, in small ones."""
    if east_asian_width(letter) in "WF":
        return 1.8
    return 1.35 if letter.isupper() or letter in "mw%@" else 1.0


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


def hundredths(x: float) -> str:
    """Return a length to a hundredth of a unit, as short as can be."""
    return f"{x:.2f}".rstrip("0").rstrip(".")


def percents(x: float) -> str:
    """Return a place across as a part of the room there is, 0 to 100."""
    return hundredths(x) + "%"


def rect(kind: str, x: float, y: float, width: float, height: float, unit: str = "%") -> Markup:
    """Return a rectangle of a class; `unit` is empty in what is `stretched`."""
    return Markup('<rect class="{}" x="{}{}" y="{}" width="{}{}" height="{}"/>').format(
        kind, hundredths(x), unit, units(y), hundredths(max(width, 0.0)), unit, units(max(height, 0.0))
    )


def hover(x: float, y: float, width: float, height: float, unit: str = "%") -> Markup:
    """Return what catches the pointer over a whole column or row; the stylesheet makes it unseen."""
    return rect("hit", x, y, width, height, unit)


def group(title: Markup, *inside: Markup) -> Markup:
    """Return pieces that belong together, with the words that the pointer brings up."""
    return Markup("<g><title>{}</title>{}</g>").format(title, joined(inside))


def line(kind: str, x1: float, y1: float, x2: float, y2: float) -> Markup:
    """Return a straight line of a class."""
    return Markup('<line class="{}" x1="{}" y1="{}" x2="{}" y2="{}"/>').format(
        kind, percents(x1), units(y1), percents(x2), units(y2)
    )


def path(kind: str, commands: Iterable[str]) -> Markup:
    """Return a path of a class; the commands are of our own making, for what is `stretched`."""
    return Markup('<path class="{}" d="{}"/>').format(kind, "".join(commands))


def label(
    text: Markup | str, x: float, y: float, kind: str = "middle", dx: float = 0, *, only: Only | None = None
) -> Markup:
    """Return a text at a place, `dx` pixels from it; `kind` is its start, middle or end, which is there.

    `only` says of which figures it is; None: of all.
    """
    return Markup('<text{} text-anchor="{}" x="{}" y="{}"{}>{}</text>').format(
        Markup(' class="{}"').format(only) if only else "",
        kind,
        percents(x),
        units(y),
        Markup(' dx="{}"').format(units(dx)) if dx else "",
        text,
    )


def stretched(width: float, height: float, inside: Iterable[Markup]) -> Markup:
    """Return rectangles and paths over the whole room, which has so many units across, and pixels down."""
    return Markup(
        '<svg viewBox="0 0 {0} {1}" preserveAspectRatio="none" width="100%" height="{1}">{2}</svg>'
    ).format(units(width), units(height), joined(inside))


def inset(x: float, y: float, width: float, height: float, inside: Iterable[Markup]) -> Markup:
    """Return a part of a drawing, with places of its own."""
    return Markup('<svg x="{}" y="{}" width="{}" height="{}">{}</svg>').format(
        percents(x), units(y), percents(width), units(height), joined(inside)
    )


def clipped(width: float, y: float, height: float, inside: Iterable[Markup]) -> Markup:
    """Return texts that end where their room ends, however wide their letters are."""
    return Markup('<svg class="clip" y="{}" width="{}" height="{}">{}</svg>').format(
        units(y), percents(width), units(height), joined(inside)
    )


def drawing(kind: Kind, height: float, gist: Markup | None, inside: Iterable[Markup]) -> Markup:
    """Return a whole drawing; `gist` says in words what can be seen in it, None: another one's says it."""
    told = Markup('aria-hidden="true"') if gist is None else Markup('role="img" aria-label="{}"').format(gist)
    return Markup('<svg class="{}" height="{:.0f}" {}>{}</svg>').format(kind, height, told, joined(inside))


def legend(entries: Iterable[tuple[str, Markup | str]]) -> Markup:
    """Return what the classes of a drawing mean."""
    items = joined(Markup('<li class="{}">{}</li>').format(kind, text) for kind, text in entries)
    return Markup('<figcaption><ul class="legend">{}</ul></figcaption>').format(items)


def framed(kind: str, drawn: Markup, caption: Markup) -> Markup:
    """Return a drawing with its legend."""
    return Markup('<figure class="chart {}">{}{}</figure>').format(kind, drawn, caption)
