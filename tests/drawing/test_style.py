"""The one stylesheet: readable in light and in dark, and nothing is loaded by it."""

import re
from importlib.resources import files

import pytest

CSS = (files("detector.drawing") / "style.css").read_text(encoding="utf-8")

ON_CARD = ["text", "soft", "link", "ok", "warning", "drift", "insufficient"]

PAIRS = [(name, ground) for name in ON_CARD for ground in ("card", "back")]
PAIRS += [(f"{state}", f"{state}-back") for state in ("ok", "warning", "drift", "insufficient")]
PAIRS += [("card", "text"), ("text", "raised"), ("soft", "raised")]

SHAPES = ["reference", "current", "threshold", "value", "onset"]


def _themes():
    """The colours by name, of light and dark."""
    blocks = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)[:2]
    return [dict(re.findall(r"--([\w-]+): #([0-9a-f]{6})", block)) for block in blocks]


def _contrast(a, b):
    """Contrast ratio of WCAG 2.2."""
    lights = sorted((_luminance(a), _luminance(b)), reverse=True)
    return (lights[0] + 0.05) / (lights[1] + 0.05)


def _luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_texts_have_the_contrast_that_guidelines_ask_for(theme):
    """4.5 to 1 for text, 3 to 1 for the shapes of figures (WCAG 2.2, 1.4.3 and 1.4.11)."""
    colours = _themes()[theme]
    poor = [p for p in PAIRS if _contrast(colours[p[0]], colours[p[1]]) < 4.5]
    poor += [(s, "card") for s in SHAPES if _contrast(colours[s], colours["card"]) < 3.0]

    assert poor == []


def test_nothing_is_loaded_by_it():
    """It may stand in a file that is opened offline."""
    assert not re.search(r"@import|url\(|https?:", CSS)


def test_it_is_small():
    """It travels with every report."""
    assert len(CSS) < 16_000
