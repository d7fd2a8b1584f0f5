"""The pages, drawn from views of real pipelines: what they show, and what they never do."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import files

import numpy as np
import pytest

from detector.drift.contributors import contributors
from detector.drift.policy import DecisionPolicy, FeaturePolicy
from detector.pipeline import Pipeline
from detector.view import SinkStatus, SourceStatus, view_of
from detector.web.pages.alerts import alert_list, alert_words, in_order
from detector.web.pages.feature import Wanted, feature_page
from detector.web.pages.overview import A_PAGE, SHORT_LIST, model_page, overview
from detector.web.pages.site import NotThereError, draw
from detector.web.pages.tables import alerts_page, schema_page, source_page
from detector.web.slugs import slug
from detector.windows.spec import WindowSpec
from tests.support.drawn import every_page
from tests.support.factories import KEY, START_S, Rig, baseline_of, event, training_rows
from tests.support.views import CHANGE_S, TWO_WINDOWS, drifted_view, feed, hostile_view, view_over

PLACE = (KEY.model, KEY.version)


@pytest.fixture(scope="module")
def drifted():
    return drifted_view()


def text_of(page, view):
    return draw(page, view).decode()


def test_the_overview_leads_to_what_drifts_in_one_step(drifted):
    """The feature that drifts is the first row; its name and its strip are links to its page."""
    page = text_of(overview(drifted), drifted)
    row = re.search(r"<tbody>\s*<tr>(.*?)</tr>", page.partition("heatmap")[2], re.DOTALL)[1]

    assert ">amount</a>" in row
    assert ">drift</span>" in row
    assert row.count(f"/models/{KEY.model}/{KEY.version}/features/amount") == 2
    assert 'class="l5"' in row or 'class="l4"' in row


def test_the_feature_page_shows_both_sides_the_onset_and_the_threshold(drifted):
    page = text_of(feature_page(drifted, *PLACE, "amount", Wanted()), drifted)
    onset = next(t.onset_s for t in drifted.firing if t.feature == "amount" and t.slice == "all")

    assert abs(onset - CHANGE_S) <= 300
    assert page.count('class="reference"') >= 5
    assert 'class="current' in page
    assert "change began" in page
    assert 'class="threshold"' in page
    assert "training" in page


def test_an_alert_that_fires_is_told_as_things_stand_now(drifted):
    """Not as they stood when it began: the shares are those of the latest window."""
    t = next(t for t in drifted.firing if t.feature == "amount" and t.slice == "all")
    judged, judge = drifted.judged[KEY, t.window_s], drifted.judges[KEY]
    f = judge.baseline.features.names.index("amount")
    now = contributors(judge.baseline, judge.reference(0), judged.evaluation.window.profile.row(0), f)
    told = alert_words(drifted, t)
    over = alert_words(drifted, replace(t, status="resolved", ends_at_s=t.starts_at_s + 60))

    assert [c[2] for c in told.changes] == [c.current for c in now]
    assert [c[2] for c in over.changes] == [c.current for c in t.contributors]
    assert [c.current for c in now] != [c.current for c in t.contributors]


def test_alerts_of_one_feature_are_one_entry_that_names_its_slices(drifted):
    """All events before slices, critical ones before others."""
    amount = [t for t in drifted.firing if t.feature == "amount"]
    assert {t.slice for t in amount} == {"all", "country=DE", "country=FR"}
    (told,) = alert_list(drifted, amount[::-1], 6)
    whole = replace(amount[0], alert="DriftDatasetDrifted", feature=None, slice="country=DE")

    assert told.place == "credit 1"
    assert set(told.slices) == {"country=DE", "country=FR"}
    assert [t.severity for t in in_order([*amount, whole])] == ["critical", *["warning"] * 3]


def test_an_alert_that_is_not_over_yet_though_its_value_is_says_so(drifted):
    t = next(t for t in drifted.firing if t.feature == "amount" and t.slice == "all")
    calm = replace(t, size=replace(t.size, value=t.size.threshold / 2))

    assert "below the threshold again" in alert_words(drifted, calm).size
    assert "below the threshold again" not in alert_words(drifted, t).size


def test_counts_are_those_of_the_states_that_are_shown(drifted):
    """So many of the judged features; ignored ones are none of them."""
    page = text_of(overview(drifted), drifted)

    assert page.count('1 of 4</span><span class="of">judged features drift') == 2
    assert "1 drift, 3 ok" in page


def test_hours_are_a_choice_only_where_they_are_known(drifted):
    page = text_of(feature_page(drifted, *PLACE, "amount", Wanted()), drifted)

    assert "training data of the same hours" not in page


def test_in_a_slice_how_it_went_is_told_in_times_of_the_threshold(drifted):
    """Statistics are kept of all events only: there is nothing to choose, and it says what is drawn."""
    page = text_of(feature_page(drifted, *PLACE, "amount", Wanted(slice="country=DE")), drifted)

    assert "how many times its threshold" in page
    assert "statistic=hellinger" not in page


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(window="5m"), Wanted(window="1800s"), Wanted(slice="country=DE"), Wanted(scale="density"),
        Wanted(statistic="hellinger"),
    ],
)  # fmt: skip
def test_every_choice_is_an_address(drifted, wanted):
    page = text_of(feature_page(drifted, *PLACE, "amount", wanted), drifted)

    assert page.count('aria-current="true"') >= 3
    assert "<svg" in page


@pytest.mark.parametrize(
    "draw_it",
    [
        lambda v: feature_page(v, *PLACE, "nothing", Wanted()),
        lambda v: feature_page(v, "none", "1", "amount", Wanted()),
        lambda v: feature_page(v, *PLACE, "amount", Wanted(window="7h")),
        lambda v: feature_page(v, *PLACE, "amount", Wanted(slice="country=XX")),
        lambda v: feature_page(v, *PLACE, "amount", Wanted(scale="loud")),
        lambda v: feature_page(v, *PLACE, "amount", Wanted(statistic="p")),
        lambda v: model_page(v, *PLACE, "9h", None),
        lambda v: model_page(v, *PLACE, None, None, 2),
        lambda v: overview(v, 2),
        lambda v: alerts_page(v, 9),
        lambda v: schema_page(v, *PLACE, None, 9),
    ],
)
def test_what_is_not_there_is_said_so(drifted, draw_it):
    """A choice that makes no sense, or does not any more, is no page."""
    with pytest.raises(NotThereError):
        draw_it(drifted)


class _Text(HTMLParser):
    """Collects the text that is read, and all tags."""

    def __init__(self):
        super().__init__()
        self.text, self.tags = [], []

    def handle_data(self, data):
        self.text.append(data)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))


def test_hostile_names_are_text():
    """As features, categories and slices; nothing of theirs becomes an element, an address or a handler."""
    pages = every_page(hostile_view())
    found = _Text()
    found.feed(pages)
    read = "".join(found.text)

    assert "<img src=x onerror=alert(1)>" in read
    assert 'it\'s "quoted"' in read
    assert "\U0001f600 emoji" in read
    assert "\x1b" not in pages
    assert "\u202e" not in pages
    assert "x" * 1000 not in pages
    assert not any(tag in ("img", "b", "iframe") for tag, _ in found.tags)
    assert not any(name.startswith("on") or name == "style" for _, attrs in found.tags for name in attrs)
    assert pages.count("<script") == 2 * pages.count("<!doctype html>")
    for tag, attrs in found.tags:
        if tag == "a":
            assert re.fullmatch(r"[/#][A-Za-z0-9_.=~/?&%+-]*(#[a-z]+)?", attrs["href"]), attrs["href"]


def test_before_the_first_event_there_are_pages(drifted):
    rig = Rig(baseline_of(training_rows(np.random.default_rng(3), 500)), TWO_WINDOWS)
    view = view_over(rig)
    pages = every_page(view)

    assert "No window is complete yet" in pages
    assert "No alert is firing" in pages
    empty = Pipeline(TWO_WINDOWS, {})
    nothing = view_of(empty, {}, SourceStatus(), revision=0, last_evaluation_s=None, ready=False)
    assert "No model is watched" in text_of(overview(nothing), nothing)
    assert "No partition is assigned yet" in text_of(source_page(nothing), nothing)


def test_one_feature_is_enough():
    rows = [{"x": float(i % 50)} for i in range(500)]
    rig = Rig(baseline_of(rows), TWO_WINDOWS, DecisionPolicy(min_samples=50))
    rig.feed([event(row, START_S + i) for i, row in enumerate(rows)])
    rig.finish()

    assert ">x</a>" in every_page(view_over(rig))


def test_ten_thousand_features_are_a_page_at_a_time():
    """The overview shows the first few of them, the model's page a hundred; found by name in one step."""
    n = 10_000
    rows = [{f"f{i}": float((i + j) % 3) for i in range(n)} for j in range(4)]
    rig = Rig(baseline_of(rows), WindowSpec(60, (300.0,), 0), DecisionPolicy(min_samples=4))
    rig.feed([event(row, START_S + j) for j, row in enumerate(rows)])
    rig.finish()
    view = view_over(rig)
    first = draw(overview(view), view)
    page = text_of(model_page(view, *PLACE, None, None, 100), view)
    found = text_of(model_page(view, *PLACE, None, "f9999"), view)

    assert first.count(b"/features/") == 2 * SHORT_LIST
    assert len(first) < 300_000
    assert page.count("/features/") == 2 * A_PAGE
    assert "page 100 of 100" in page
    assert found.count("/features/") == 2
    assert text_of(feature_page(view, *PLACE, "f9999", Wanted()), view).count("<svg") >= 1


def test_two_hundred_features_are_a_light_first_view():
    """Less than 300 kB with everything it loads, uncompressed."""
    rng = np.random.default_rng(4)
    rows = [{f"feature_{i}": x for i, x in enumerate(row)} for row in rng.normal(size=(500, 200)).tolist()]
    rig = Rig(baseline_of(rows), TWO_WINDOWS, DecisionPolicy(min_samples=100))
    for minute in range(30):
        some = [rows[i] for i in rng.integers(0, 500, 120).tolist()]
        rig.feed([event(row, START_S + 60.0 * minute) for row in some])
    view = view_over(rig)

    loaded = [files("detector.drawing") / "style.css"]
    loaded += [
        files("detector.web") / "assets" / name for name in ("page.js", "idiomorph.min.js", "icon.svg")
    ]
    assert len(draw(overview(view), view)) + sum(len(f.read_bytes()) for f in loaded) < 300_000


def test_of_a_sensitive_feature_no_value_is_shown():
    """Its statistics and states are; and no bin, quantile or domain."""
    rng = np.random.default_rng(5)
    policy = DecisionPolicy(min_samples=100, features={"amount": FeaturePolicy(sensitive=True)})
    rig = Rig(baseline_of(training_rows(rng, 2000)), TWO_WINDOWS, policy)
    feed(rig, rng, 10, lambda row: {**row, "amount": row["amount"] * 9})
    view = view_over(rig)
    page = text_of(feature_page(view, *PLACE, "amount", Wanted()), view)
    schema = text_of(schema_page(view, *PLACE), view)

    assert "marked as sensitive" in page
    assert "hellinger" in page
    assert 'class="reference"' not in page
    assert "Quantiles" not in page
    assert "What changed most" not in page
    assert "not shown: sensitive" in schema


def test_what_became_of_rejected_records_is_shown(drifted):
    """Where they are sent on."""
    view = replace(drifted, dead_letters=SinkStatus("letters", sent=5, failed=1, dropped=2, queued=3))

    assert "Sent on to topic letters: 5; 3 wait, 1 were refused, 2 dropped." in text_of(
        source_page(view), view
    )
    assert "Sent on" not in text_of(source_page(drifted), drifted)


def test_categories_of_few_are_not_named():
    rng = np.random.default_rng(6)
    rows = training_rows(rng, 2000)
    for row in rows[:5]:
        row["country"] = "Sealand"
    rig = Rig(baseline_of(rows), TWO_WINDOWS, DecisionPolicy(min_samples=100, min_count=20))
    feed(rig, rng, 10, lambda row: {**row, "country": "Sealand"})

    assert "Sealand" not in every_page(view_over(rig))


def test_every_feature_has_one_address(drifted):
    names = drifted.judges[KEY].baseline.features.names

    assert len({slug(name) for name in names}) == len(names)
