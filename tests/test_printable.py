"""Whatever names and values hold, what shows them stays whole: metrics, pages, logs, notices, tables."""

import json
import logging
from dataclasses import replace
from html.parser import HTMLParser

from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse

from detector.batch import ModelKey
from detector.drift.contributors import Contributor
from detector.logs import JsonFormatter, TextFormatter
from detector.metrics import Metrics
from detector.metrics.labels import MAX_LABEL_LENGTH, label
from detector.printable import distinct, escaped, printable
from detector.report.status import status_text
from detector.sinks.log import describe
from detector.sinks.message import encode, message_of
from detector.sinks.postable import annotations_of, labels_of
from detector.sinks.settings import Links
from detector.sinks.slack import text_of
from detector.sinks.webhook import webhook_body
from detector.view import SourceStatus, View
from detector.web.status import status_record
from tests.support.drawn import every_page
from tests.support.factories import KEY, START_S, Rig, baseline_of, event
from tests.support.notices import feature_alert, notice

NASTY = (
    "<script>alert(1)</script>", "\"'`\\", "a\nb\r\nc", "\x1b[2J\x1b]0;x\x07", "\u202egnp.exe", "\ud800",
    "\x00", "\u2028\u2029\x85\x9b31m", "x" * 10_000, "", " ", "status=firing alert=x", "*bold* <!channel> <http://x|y>",
    "\n2026-11-23T04:11:05Z ERROR detector: forged", '"} 1\ndrift_forged 1\n', "# EOF",
    "\u200b\ufeff", "{{ $x }}",
)  # fmt: skip
ANY = st.sampled_from(NASTY) | st.text(st.characters(codec=None), max_size=200)
IN_DATA = ANY.filter(lambda text: not any("\ud800" <= c <= "\udfff" for c in text))
"""What can stand in a file or an event: halves of characters are no JSON."""


@given(ANY, st.integers(12, 300))
def test_what_is_printable_prints_in_one_line_of_bounded_length(text, limit):
    """And text that prints already stays as it is."""
    for shown in (printable(text, limit), distinct(text, limit)):
        assert shown.isprintable()
        assert len(shown) <= limit
        assert shown == text or not text.isprintable() or len(text) > limit
    assert escaped(text).isprintable()


@given(ANY, ANY)
def test_two_names_are_two_labels(one, other):
    """Else Prometheus refuses the page: the same series twice. A chance of one in four billion remains."""
    assert (label(one) == label(other)) == (one == other)
    assert len(label(one)) <= MAX_LABEL_LENGTH


def _record(message, *args, exc_info=None):
    return logging.LogRecord("x", logging.WARNING, "f", 1, message, args, exc_info)


@given(ANY)
def test_a_log_has_one_line_for_each_record(text):
    """In both formats; in JSON the message comes back as it was."""
    line = TextFormatter().format(_record("%s", text))
    assert line.isprintable()
    line = JsonFormatter().format(_record("%s", text))
    assert line.isprintable()
    assert json.loads(line)["message"] == text


@given(ANY)
def test_no_exception_forges_a_line(text):
    """What it says stands indented below its record."""
    error = ValueError(text)
    info = (ValueError, error, None)
    first, *rest = TextFormatter().format(_record("failed", exc_info=info)).split("\n")
    assert first.endswith("WARNING x: failed")
    assert rest
    assert all(line.startswith("  ") and line.isprintable() for line in rest)
    assert JsonFormatter().format(_record("failed", exc_info=info)).isprintable()


@st.composite
def _alerts(draw):
    return replace(
        feature_alert(draw(ANY), moved_with=(draw(ANY),), message=draw(st.none() | ANY)),
        key=ModelKey(draw(ANY), draw(ANY)), slice=draw(ANY),
        contributors=(Contributor(draw(ANY), 0.5, 0.25),),
    )  # fmt: skip


@given(_alerts())
def test_notices_are_whole_whatever_they_tell_of(alert):
    """A line of the log, labels and annotations, JSON for programs, Slack's text: of bounded size."""
    told = notice(alert)
    assert describe(alert).isprintable()
    assert len(describe(alert)) < 10_000
    texts = [*labels_of(alert).values(), annotations_of(told, Links())["summary"]]
    texts += [annotations_of(told, Links())["description"], *text_of([told], Links()).split("\n")]
    assert all(text.isprintable() and len(text) < 10_000 for text in texts)
    assert "<!" not in text_of([told], Links())
    for body in (message_of(told), webhook_body([told], Links(), "x", START_S)):
        json.loads(encode(body))


@given(_alerts())
def test_no_name_forges_a_pair_in_the_log(alert):
    """Outside quotes each key stands once."""
    outside = describe(alert).split(" moved_with=")[0].split(" message=")[0]
    bare = "".join(outside.split('"')[::2])
    assert bare.count("status=") == bare.count("alert=") == bare.count("model=") == 1


class _Tags(HTMLParser):
    """Collects tags and attributes."""

    def __init__(self):
        super().__init__()
        self.tags, self.attributes = set(), set()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


TAGS = {
    "html", "head", "meta", "title", "link", "body", "header", "h1", "h2", "main", "section", "ul", "li", "p",
    "strong", "em", "small", "table", "caption", "thead", "tbody", "tr", "th", "td", "br", "div",
    "a", "article", "button", "circle", "details", "dd", "dl", "dt", "figcaption", "figure", "footer", "form",
    "g", "h3", "input", "label", "line", "nav", "path", "rect", "script", "span", "summary", "svg", "text",
    "time",
}  # fmt: skip
ATTRIBUTES = {
    "lang", "charset", "name", "content", "rel", "href", "class", "scope", "type", "src", "defer", "id",
    "role", "data-poll", "aria-label", "aria-labelledby", "aria-current", "aria-hidden", "tabindex",
    "datetime", "action", "method", "value", "maxlength", "viewbox", "preserveaspectratio", "d", "x",
    "y", "x1", "x2", "y1", "y2", "width", "height", "cx", "cy", "r", "text-anchor", "dx", "dy", "transform",
    "points", "overflow",
}  # fmt: skip
"""None that could run anything."""


@st.composite
def _views(draw):
    names = draw(st.lists(IN_DATA.filter(bool), min_size=1, max_size=4, unique=True))
    key = KEY
    rows = [{name: float(i % 50) for name in names} | {"country": draw(IN_DATA)} for i in range(40)]
    rig = Rig(baseline_of(rows))
    rig.feed([event(row, START_S) for row in rows])
    rig.finish()
    view = View(
        revision=1, baselines={key: rig.models[key].baseline}, judged=dict(rig.pipeline.latest),
        firing=(draw(_alerts()),), possible_anomalies={KEY: rig.pipeline.watched[KEY].possible_anomalies},
        counters=rig.pipeline.counters.copy(), source=SourceStatus(connected=True),
        event_time_s={draw(ANY): START_S}, watermark_s=START_S, last_evaluation_s=START_S,
        ready=True, published_s=START_S, past=(draw(_alerts()),),
        judges={key: rig.pipeline.watched[key].judge},
        history={(key, n_s): h for n_s, h in rig.pipeline.watched[key].history.show().items()},
    )  # fmt: skip
    return replace(view, config=replace(view.config, error=draw(ANY)))


@settings(max_examples=25, deadline=None)
@given(_views())
def test_every_page_is_whole_whatever_a_view_holds(view):
    """Both formats for Prometheus, without a series twice; HTML without a new tag; JSON; the terminal."""
    metrics = Metrics()
    metrics.publish(view)
    for page, read in (
        (metrics.page()[0], parse),
        (metrics.page("application/openmetrics-text; version=1.0.0")[0], parse_openmetrics),
    ):
        samples = [(s.name, *sorted(s.labels.items())) for f in read(page.decode()) for s in f.samples]
        assert len(samples) == len(set(samples))
        assert not any(name == "drift_forged" for name, *_ in samples)
    html = _Tags()
    pages = every_page(view)
    html.feed(pages)
    assert pages.count("<script") == 2 * pages.count("<!doctype html>")
    assert html.tags <= TAGS
    assert html.attributes <= ATTRIBUTES
    record = json.loads(json.dumps(status_record(view)))
    assert all(line.isprintable() for line in status_text(record, None).split("\n"))
