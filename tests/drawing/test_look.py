"""What the stylesheet makes of pages and figures in Chromium: all is within its room, and can be read."""

from importlib.resources import files

import pytest
from playwright.sync_api import sync_playwright

from detector.drawing import figure, timeline
from detector.drift.distribution import Bin, Distribution
from detector.web.pages.feature import Wanted, feature_page
from detector.web.pages.site import draw
from tests.support.availability import program
from tests.support.drawn import overview_text
from tests.support.factories import KEY
from tests.support.views import drifted_view

pytestmark = pytest.mark.browser

CSS = (files("detector.drawing") / "style.css").read_text(encoding="utf-8")

PHONE, DESK = 390, 1280

BEYOND = """
[...document.querySelectorAll('main text, main rect:not(.hit)')]
  .filter(e => e.getBoundingClientRect().width > 0)
  .filter(e => e.getBoundingClientRect().right > e.closest('section').getBoundingClientRect().right
            || e.getBoundingClientRect().left < e.closest('section').getBoundingClientRect().left)
  .map(e => e.outerHTML)
"""

SIDEWAYS = """
[...document.querySelectorAll('.scroll')].filter(e => e.scrollWidth > e.clientWidth).map(e => e.ariaLabel)
"""


@pytest.fixture(scope="module")
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program("chromium"), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def show(chromium):
    """A function that shows markup in a window of some width."""
    contexts = []

    def shown(markup, width):
        context = chromium.new_context(viewport={"width": width, "height": 900}, java_script_enabled=True)
        contexts.append(context)
        page = context.new_page()
        page.set_content(f"<!doctype html><style>{CSS}</style>{markup}")
        return page

    yield shown
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def drifted():
    return drifted_view()


def _figures():
    names = [f"cat_0 value number {i} of a long list" for i in range(8)]
    rest = Bin("rare values and 59 more", "rest", None, None, 0.33, 0.3)
    of_names = [Bin(name, "values", None, None, 0.02, 0.01) for name in names]
    bins = [Bin(f"b{i}", "values", float(i), i + 1.0, 0.02, 0.02) for i in range(48)]
    missing = Bin("missing", "missing", None, None, 0.04, 0.04)
    of_numbers = Distribution("n", "float", 1000, 500, (*bins, missing))
    return [
        figure(Distribution("c", "string", 1000, 500, (*of_names, rest)), "share"),
        figure(of_numbers, "share"),
        figure(of_numbers, "density"),
        timeline([1.79e9 + 300 * i for i in range(300)], [0.2] * 300, [0.1] * 300, [0.01] * 300, title="t"),
    ]


def test_on_a_phone_the_newest_end_of_a_strip_is_seen(drifted, show):
    """Without scrolling; name and state are on the line above it."""
    page = show(overview_text(drifted), PHONE)
    strip = page.locator("svg.strip").first.bounding_box()
    name = page.locator(".heatmap tbody th").first.bounding_box()

    assert page.evaluate(SIDEWAYS) == []
    assert strip["width"] > 300
    assert strip["x"] + strip["width"] < PHONE
    assert strip["y"] >= name["y"] + name["height"]


def test_on_a_phone_the_navigation_is_one_row(drifted, show):
    """And nothing of it is cut."""
    page = show(overview_text(drifted), PHONE)
    tops = page.evaluate("[...document.querySelectorAll('nav a')].map(e => e.getBoundingClientRect().top)")

    assert len(set(tops)) == 1
    assert page.locator("nav .name").evaluate("e => e.scrollWidth <= e.clientWidth")


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_the_tables_of_a_feature_fit(drifted, show, width):
    """That of the statistics too, with all of their names on one line."""
    wanted = draw(feature_page(drifted, KEY.model, KEY.version, "amount", Wanted()), drifted).decode()
    page = show(wanted, width)
    heights = page.evaluate(
        "[...document.querySelectorAll('.stacked tbody th')].map(e => Math.round(e.offsetHeight))"
    )

    assert page.evaluate(SIDEWAYS) == []
    assert page.evaluate(BEYOND) == []
    assert len(heights) > 5
    assert max(heights) < 45


@pytest.mark.parametrize("width", [PHONE, DESK])
@pytest.mark.parametrize("i", range(4))
def test_a_figure_fills_its_card_with_texts_that_can_be_read(show, width, i):
    """Not beyond it, at least 11 pixels high, on a phone too."""
    page = show(f"<main><section>{_figures()[i]}</section></main>", width)
    sizes = page.evaluate(
        "[...document.querySelectorAll('text')]"
        ".map(e => parseFloat(getComputedStyle(e).fontSize) * e.getScreenCTM().a)"
    )
    rights = page.evaluate(
        "[...document.querySelectorAll('.axis, .grid, text')].map(e => e.getBoundingClientRect().right)"
    )

    assert page.evaluate(BEYOND) == []
    assert min(sizes) >= 11
    assert max(rights) > page.locator("section").bounding_box()["width"] - 40


@pytest.mark.parametrize("width", [PHONE, DESK])
@pytest.mark.parametrize("i", range(4))
def test_texts_of_a_figure_do_not_overlap(show, width, i):
    page = show(f"<main><section>{_figures()[i]}</section></main>", width)
    boxes = page.evaluate(
        "[...document.querySelectorAll('text')].map(e => [e.getBoundingClientRect(), e.textContent])"
        ".filter(([b]) => b.width > 0).map(([b, t]) => [b.left, b.right, b.top + 3, b.bottom - 3, t])"
    )
    pairs = [(a, b) for n, a in enumerate(boxes) for b in boxes[:n]]

    assert [
        (a[4], b[4]) for a, b in pairs if a[0] < b[1] and b[0] < a[1] and a[2] < b[3] and b[2] < a[3]
    ] == []
