"""The HTML report: one file that needs nothing else, and in which data are never markup."""

import json
import re
from html.parser import HTMLParser

from detector.drift.policy import DecisionPolicy
from detector.report.comparison import compare
from detector.report.html import comparison_html
from detector.tables import find_files, read_chunks
from tests.drawing.reading import HOSTILE as HOSTILE_TEXTS
from tests.drawing.reading import is_harmless
from tests.support.factories import baseline_of, training_rows

HOSTILE = "<img src=x onerror=alert(1)>\"'&"


def _report(tmp_path, train, serving):
    path = tmp_path / "serving.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in serving))
    chunks = read_chunks(find_files([str(path)]))
    return comparison_html(compare(baseline_of(train), chunks, DecisionPolicy(min_samples=100)))


class _Tags(HTMLParser):
    """Collects start tags, and the attributes that load something."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.loads = [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.loads += [(n, v) for n, v in attributes if n in ("src", "data", "action", "srcset")]
        self.loads += [(n, v) for n, v in attributes if n == "href" and not v.startswith("#")]


def test_the_report_is_self_contained(tmp_path, rng):
    """No address, no resource from elsewhere: it can be mailed and opened offline."""
    page = _report(tmp_path, training_rows(rng, 2000), training_rows(rng, 2000))

    assert _Tags(page).loads == []
    assert not re.search(r"https?://|@import|url\(", page)


def test_each_feature_has_its_row_its_figure_and_its_numbers(tmp_path, rng):
    """Numeric and categorical; what drifts comes first and stands open."""
    drifted = [{**row, "country": "XX"} for row in training_rows(rng, 2000)]
    page = _report(tmp_path, training_rows(rng, 2000), drifted)
    folds = re.findall(r'<details id="feature-\d+"( open)?><summary>(\w+)', page)

    assert folds[0] == (" open", "country")
    assert {name for _, name in folds} == {"amount", "age", "country", "member"}
    assert page.count('role="img"') == 4
    assert "never seen in training" in page
    assert "drift in 1 of 4 features" in page


def test_names_and_values_of_data_are_text(tmp_path, rng):
    """A feature and a category that would be markup are shown as they are written."""
    rows = [{HOSTILE: f"{HOSTILE}{i % 3}", "x": float(i % 50)} for i in range(1000)]
    page = _report(tmp_path, rows, rows)
    tags = _Tags(page).tags

    assert "img" not in tags
    assert "&lt;img src=x" in page
    assert tags.count("script") == 1


def test_figures_are_well_formed_whatever_the_data_hold(tmp_path):
    """Names of features and categories with markup, control characters, marks that turn text, and no end."""
    # Half a character is no JSON.
    names = [text.replace("\ud800", "") or "?" for text in HOSTILE_TEXTS]
    rows = [{**dict.fromkeys(names, i % 7), "c": names[i % len(names)]} for i in range(800)]
    figures = re.findall(r"<figure.*?</figure>", _report(tmp_path, rows, rows), re.DOTALL)

    assert len(figures) == len(names) + 1
    assert all(is_harmless(figure) for figure in figures)


def test_no_element_brings_its_own_style(tmp_path, rng):
    """One stylesheet says how everything looks, here and on the pages of the service."""
    page = _report(tmp_path, training_rows(rng, 500), training_rows(rng, 500))

    assert page.count("<style>") == 1
    assert " style=" not in page


def test_two_hundred_features_stay_a_page(tmp_path, rng):
    """Under 3 MB, with a fold each."""
    values = rng.normal(size=(500, 200)).round(3)
    rows = [{f"f{i}": x for i, x in enumerate(row)} for row in values.tolist()]
    page = _report(tmp_path, rows, rows)

    assert page.count("<details") == 200
    assert len(page) < 3_000_000


def test_empty_and_constant_columns_have_a_figure_too(tmp_path):
    """Nothing to draw is no error."""
    rows = [{"constant": 5, "empty": None, "one": "a"} for _ in range(300)]

    assert _report(tmp_path, rows, rows).count('role="img"') == 3
