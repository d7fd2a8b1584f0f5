"""Markup read back: every drawing must be well-formed XML, and its shapes are found by class."""

import re
from xml.etree import ElementTree as ET

HOSTILE = [
    "<img src=x onerror=alert(1)>\"'&",
    "</svg></title><script>alert(1)</script>",
    "]]><!--",
    "\u202eevil\u2066\x00\x1b[31m\n\r\t\ufffe\ud800",
    "x" * 10_000,
    "قيمة 漢字",
    "",
    "{0} {} %s",
]


def parsed(markup):
    """Return the root of a piece of markup; texts and attributes are what a browser makes of them."""
    return ET.fromstring(str(markup))


def shapes(markup, kind):
    """Return the shapes of a class as dicts, numbers as floats: percent across, pixels down."""
    found = [
        e for e in parsed(markup).iter() if e.get("class") == kind and e.tag in ("rect", "line", "circle")
    ]
    return [{k: float(v.removesuffix("%")) for k, v in e.items() if k != "class"} for e in found]


def titles(markup):
    """Return what the pointer brings up, in order."""
    return [e.text or "" for e in parsed(markup).iter("title")]


def texts(markup):
    """Return all texts of a drawing."""
    return [e.text or "" for e in parsed(markup).iter("text")]


def path_of(markup, kind):
    """Return the commands of the path of a class: a letter and its numbers each."""
    (d,) = [e.get("d") for e in parsed(markup).iter("path") if e.get("class") == kind]
    return [(c, [float(n) for n in rest.split()]) for c, rest in re.findall(r"([A-Za-z])([^A-Za-z]*)", d)]


def is_harmless(markup):
    """Whether there is nothing in the markup but what the drawing code writes."""
    tags = {e.tag for e in parsed(markup).iter()}
    attributes = {k for e in parsed(markup).iter() for k, _ in e.items()}
    known = {
        "svg",
        "g",
        "rect",
        "line",
        "path",
        "circle",
        "text",
        "title",
        "figure",
        "figcaption",
        "ul",
        "li",
    }
    return tags <= known and not any(k == "style" or k.startswith("on") or "href" in k for k in attributes)
