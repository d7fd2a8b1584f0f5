"""The pages as people use them, in Chromium."""

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe

from detector.drift.policy import DecisionPolicy
from detector.metrics import Metrics
from detector.view import SourceStatus, view_of
from detector.web import WebServer
from tests.support.factories import KEY, START_S, Rig, baseline_of, event, training_rows

pytestmark = pytest.mark.browser

FEATURE = "/models/arrival-delay/1/features/arr_delay"

ADDRESSES = ["/", "/alerts", "/schema", "/source", "/models/arrival-delay/1", FEATURE,
             f"{FEATURE}?scale=density", "/models/arrival-delay/1/features/carrier",
             "/models/arrival-delay/1/schema", "/models/none/1"]  # fmt: skip


def test_from_the_overview_to_the_drifting_feature(demo, open_page):
    """One click; there the onset can be read, and both distributions are seen."""
    page = open_page(demo)
    page.locator("table.heatmap tbody tr").first.get_by_role("link").first.click()

    assert page.get_by_role("heading", level=1).inner_text().startswith("arr_delay")
    assert page.locator(".onset time").first.get_attribute("datetime").startswith("2013-11-18T1")
    assert "change began 18 Nov" in page.locator("main").inner_text()
    assert page.locator("svg rect.reference").count() > 5
    assert page.locator("svg .current").first.is_visible()
    assert page.locator("svg .threshold").count() >= 1


def test_the_strip_leads_there_too(demo, open_page):
    page = open_page(demo)
    page.locator("table.heatmap svg.strip").first.click()

    assert page.url.startswith(demo + FEATURE)


def test_choices_are_kept_in_the_address(demo, open_page):
    page = open_page(demo + FEATURE)
    page.get_by_role("link", name="7d", exact=True).click()
    page.get_by_role("link", name="density", exact=True).click()

    assert "window=7d" in page.url
    assert "scale=density" in page.url
    assert page.get_by_role("link", name="7d", exact=True).get_attribute("aria-current") == "true"


def test_by_keyboard_alone(demo, open_page):
    """Past the navigation by the first link, then to a feature; focus is always on something that is seen."""
    page = open_page(demo)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to content"
    page.keyboard.press("Enter")
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.closest('table.heatmap') && document.activeElement.href"):
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**/features/**")


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("width", [1280, 390])
def test_no_serious_fault_of_accessibility(demo, open_page, scheme, address, width):
    """By axe-core; and nothing lies beyond the side of the page."""
    page = open_page(demo + address, width=width, scheme=scheme)
    found = Axe().run(page).response["violations"]

    assert [(v["id"], v["nodes"][0]["target"]) for v in found if v["impact"] in ("serious", "critical")] == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_the_first_view_is_light(demo, open_page):
    """Less than 300 kB with all that it loads, as it is sent and unpacked."""
    page = open_page("about:blank")
    bodies = []
    page.on("response", lambda response: bodies.append(len(response.body())))
    page.goto(demo, wait_until="networkidle")

    assert len(bodies) >= 4
    assert sum(bodies) < 300_000
    page.seen.hosts.clear()


@pytest.fixture
def rig():
    rng = np.random.default_rng(8)
    rows = training_rows(rng, 1000)
    for row in rows:
        row["<img src=x onerror=alert(1)>"] = 1.0
    rig = Rig(baseline_of(rows), policy=DecisionPolicy(min_samples=100))
    rig.feed([event(row, START_S) for row in rows])
    rig.finish()
    return rig


def _view(rig, revision=1):
    baselines = {KEY: rig.models[KEY].baseline}
    return view_of(
        rig.pipeline, baselines, SourceStatus(connected=True), revision=revision,
        last_evaluation_s=START_S, ready=True, published_s=START_S + revision,
    )  # fmt: skip


def test_an_open_page_follows_and_stays_where_it_is(rig, open_page):
    """Focus, an open fold and the place on the page are as they were; what is new is there."""
    metrics = Metrics()
    metrics.publish(_view(rig))
    server = WebServer("127.0.0.1", 0, metrics, lambda: 0.0)
    try:
        page = open_page(f"http://127.0.0.1:{server.start()}/source")
        page.get_by_role("link", name="Schema").focus()
        rows = training_rows(np.random.default_rng(9), 300)
        rig.feed([event(row, START_S + 120) for row in rows])
        rig.finish()
        metrics.publish(_view(rig, 2))
        page.get_by_text("1,300").first.wait_for(timeout=20_000)

        assert page.evaluate("document.activeElement.textContent") == "Schema"
    finally:
        server.stop()


def test_what_is_typed_and_unfolded_stays_the_readers(demo, open_page):
    """Also in a field that has lost the focus, when the page brings itself up to date."""
    page = open_page(f"{demo}/models/arrival-delay/1")
    page.get_by_label("Find a feature").fill("dep")
    page.keyboard.press("Tab")
    page.locator("details summary").first.click()
    with page.expect_response(lambda answer: answer.status == 200):
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_timeout(300)

    assert page.get_by_label("Find a feature").input_value() == "dep"
    assert page.locator("details").first.evaluate("d => d.open")


def test_a_page_outlives_its_server(rig, open_page):
    """It says that it has no contact; once the server is there again, it goes on."""
    metrics = Metrics()
    metrics.publish(_view(rig))
    server = WebServer("127.0.0.1", 0, metrics, lambda: 0.0)
    port = server.start()
    page = open_page(f"http://127.0.0.1:{port}/")
    server.stop()
    page.get_by_text("No contact since").wait_for(timeout=30_000)
    assert page.get_by_role("link", name="amount").first.is_visible()

    again = WebServer("127.0.0.1", port, metrics, lambda: 0.0)
    again.start()
    try:
        page.get_by_text("No contact since").wait_for(state="hidden", timeout=30_000)
        assert page.locator("#live").inner_text().startswith("connected")
    finally:
        again.stop()


def test_a_model_that_goes_is_said_so(rig, open_page):
    """The picture stays as it was last."""
    metrics = Metrics()
    metrics.publish(_view(rig))
    server = WebServer("127.0.0.1", 0, metrics, lambda: 0.0)
    try:
        page = open_page(f"http://127.0.0.1:{server.start()}/models/credit/1/features/amount")
        other = Rig(baseline_of([{"x": float(i)} for i in range(100)]))
        other.pipeline._watched.clear()
        metrics.publish(
            view_of(
                other.pipeline,
                {},
                SourceStatus(connected=True),
                revision=2,
                last_evaluation_s=None,
                ready=True,
            )
        )
        page.get_by_text("This is no longer watched").wait_for(timeout=20_000)
        assert page.locator("svg").first.is_visible()
    finally:
        server.stop()


def test_names_of_others_are_text(rig, open_page):
    metrics = Metrics()
    metrics.publish(_view(rig))
    server = WebServer("127.0.0.1", 0, metrics, lambda: 0.0)
    try:
        page = open_page(f"http://127.0.0.1:{server.start()}/")
        assert page.get_by_role("link", name="<img src=x onerror=alert(1)>").first.is_visible()
        assert page.locator("img").count() == 0
    finally:
        server.stop()
