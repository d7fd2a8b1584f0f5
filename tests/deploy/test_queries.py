"""Every expression of dashboards and alerts against a real Prometheus that scrapes a real detector.

Grafana itself is not run: these are its questions, with values in place of its variables.
"""

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import yaml

from tests.deploy.live import live_detector
from tests.deploy.shipped import DASHBOARDS, GRAFANA, NAME, PROMETHEUS, RULES, alerts
from tests.support.processes import wait_until
from tests.support.prometheus import Prometheus

pytestmark = pytest.mark.prometheus

CHOSEN = {
    "model": "credit",
    "version": "1",
    "slice": "all",
    "window": ".*",
    "__rate_interval": "1m",
    "__range": "1m",
}

FEATURES = ("age", "country", "score")
"""A number, a text and a prediction: no feature has every series."""


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """A Prometheus that has seen `age` drift."""
    directory: Path = tmp_path_factory.mktemp("prometheus")
    (directory / "rules.yml").write_text(RULES.read_text())
    with ExitStack() as stack:
        port, traffic = stack.enter_context(live_detector())
        traffic.shifted = frozenset({"age"})
        config = (PROMETHEUS / "prometheus.yml").read_text().replace("15s", "1s").replace(":9723", f":{port}")
        running = stack.enter_context(Prometheus(directory, config=config))
        for seen in (
            'ALERTS{alertname="DriftFeatureDrifted"}',
            "topic:drift_events_rejected:rate10m > 0",
            "drift_snapshot_timestamp_seconds",
            "rate(drift_evaluation_duration_seconds_count[1m]) > 0",
        ):
            wait_until(lambda seen=seen: running.query(seen), 60, seen)
        yield running


def _ask(prometheus: Prometheus, expr: str) -> list[dict[str, str]]:
    """Return the labels of what an expression yields, of any feature; raises for one that is wrong."""
    found = []
    for feature in FEATURES:
        chosen = {**CHOSEN, "feature": feature, "statistic": "hellinger"}
        asked = re.sub(r"\$(\w+)", lambda match, chosen=chosen: chosen[match[1]], expr)
        found += [series["metric"] for series in prometheus.query(asked)]
    return found


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_every_panel_shows_something(prometheus, path):
    """No query is wrong, and none is empty."""
    board = json.loads(path.read_text())
    exprs = [(p["title"], t["expr"]) for p in board["panels"] for t in p.get("targets", [])]
    empty = [(title, expr) for title, expr in exprs if not _ask(prometheus, expr)]

    assert len(exprs) > 10
    assert empty == []


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_marks_and_variables_are_right(prometheus, path):
    """Marks may be empty, the choices of variables may not."""
    board = json.loads(path.read_text())
    for mark in board["annotations"]["list"]:
        _ask(prometheus, mark["expr"])
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            selector, name = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["definition"]).groups()
            assert any(labels.get(name) for labels in _ask(prometheus, selector)), name


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: alert["alert"])
def test_every_alert_asks_for_series_that_there_are(prometheus, alert):
    """Prometheus takes the expression, and each of its selectors yields something."""
    expr = alert["expr"]
    prometheus.query(expr)
    selectors = {match[0] for match in re.finditer(rf"(?:{NAME.pattern})(?:\{{[^}}]*\}})?", expr)}
    for selector in selectors:
        assert prometheus.query(selector), selector


def test_grafanas_own_alerts_fire_when_the_rules_do(prometheus):
    """The same features, though written without recording rules."""
    groups = yaml.safe_load((GRAFANA / "provisioning" / "alerting" / "drift.yaml").read_text())["groups"]
    exprs = {rule["title"]: rule["data"][0]["model"]["expr"] for group in groups for rule in group["rules"]}
    firing = {
        name: {s["metric"].get("feature") for s in prometheus.query(expr)} for name, expr in exprs.items()
    }

    assert firing["DriftFeatureDrifted"] == {"age"}
    assert {name for name, features in firing.items() if features} == {"DriftFeatureDrifted"}
