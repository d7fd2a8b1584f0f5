"""Grafana's files: made by the script, of a form that Grafana reads, about metrics that there are."""

import json
import re
import subprocess
import sys
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.grafana_schema import Alerting, Dashboard
from tests.deploy.shipped import DASHBOARDS, EXPORTED, GRAFANA, PROMETHEUS_OWN, ROOT, alerts, names_in

PROVISIONING = GRAFANA / "provisioning"
MANAGED = PROVISIONING / "alerting" / "drift.yaml"

each_board = pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)

BUILT_IN = {"__rate_interval", "__range", "__url_time_range"}


def board_of(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text())


def test_the_files_are_what_the_script_makes(tmp_path):
    """Nobody edits them by hand, and nobody forgets to make them anew."""
    script = ROOT / "tools" / "make_dashboards.py"
    subprocess.run([sys.executable, str(script), str(tmp_path)], check=True, timeout=60)
    made = {path.relative_to(tmp_path): path.read_text() for path in tmp_path.rglob("*") if path.is_file()}

    assert len(made) == 3
    for path, text in made.items():
        assert (GRAFANA / path).read_text() == text, path
    assert {path.name for path in DASHBOARDS} == {path.name for path in made if path.suffix == ".json"}


@each_board
def test_a_dashboard_has_the_form_that_grafana_reads(path):
    """No unknown key, the schema version of Grafana 11, no id of a foreign database."""
    Dashboard.model_validate(board_of(path))


@each_board
def test_panels_have_ids_of_their_own_and_do_not_overlap(path):
    """Nor does one reach over the right edge."""
    panels = board_of(path)["panels"]
    places = [p["gridPos"] for p in panels]

    assert len({p["id"] for p in panels}) == len(panels)
    assert all(p["x"] + p["w"] <= 24 for p in places)
    for a, b in combinations(places, 2):
        apart = (
            a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
            or a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"]
        )  # fmt: skip
        assert apart, (a, b)


@each_board
def test_a_dashboard_asks_only_for_what_the_detector_exports(path):
    """Not for recorded names either: it works where the rules are not loaded."""
    board = board_of(path)
    exprs = [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]
    exprs += [mark["expr"] for mark in board["annotations"]["list"]]
    exprs += [v["definition"] for v in board["templating"]["list"] if v["type"] == "query"]

    assert len(exprs) > 15
    for expr in exprs:
        assert names_in(expr), expr
        assert names_in(expr) <= EXPORTED | PROMETHEUS_OWN, expr


@each_board
def test_every_variable_that_is_used_is_defined_and_the_other_way_round(path):
    """`$modle` would be an empty dashboard."""
    board = board_of(path)
    defined = [v["name"] for v in board["templating"]["list"]]
    text = json.dumps({key: value for key, value in board.items() if key != "templating"})
    chained = "".join(v.get("definition") or "" for v in board["templating"]["list"])
    used = set(re.findall(r"\$\{?(\w+)", text + chained)) - BUILT_IN
    used = {name for name in used if not name.startswith(("__data", "__field"))}

    assert used == set(defined)


def test_links_lead_to_dashboards_that_there_are():
    """With variables that those have."""
    boards = {path.stem: board_of(path) for path in DASHBOARDS}
    found = {
        link
        for board in boards.values()
        for link in re.findall(r'"(/d/[^"]*)"', json.dumps(board))
    } | {alert["annotations"]["dashboard_url"].partition(".com")[2] for alert in alerts()}  # fmt: skip

    assert len(found) > 4
    for link in found:
        uid, _, query = link.removeprefix("/d/").partition("?")
        variables = {v["name"] for v in boards[uid]["templating"]["list"]}
        assert set(re.findall(r"var-(\w+)=", query)) <= variables, link


def test_the_provisioned_files_name_each_other_rightly():
    """Data source, folder of dashboards, Alertmanager."""
    sources = yaml.safe_load((PROVISIONING / "datasources" / "prometheus.yaml").read_text())
    by_uid = {source["uid"]: source for source in sources["datasources"]}
    provider = yaml.safe_load((PROVISIONING / "dashboards" / "drift.yaml").read_text())["providers"][0]

    assert sources["apiVersion"] == 1
    assert by_uid["prometheus"]["jsonData"]["manageAlerts"] is True
    assert by_uid["alertmanager"]["jsonData"]["handleGrafanaManagedAlerts"] is False
    assert (provider["type"], provider["allowUiUpdates"]) == ("file", False)


def test_grafanas_own_alerts_have_the_form_that_grafana_reads():
    """Known keys in its mixed spelling; paused, so that nobody is told twice; panel and receiver exist."""
    text = MANAGED.read_text()
    file = Alerting.model_validate(yaml.safe_load(text))
    overview = board_of(GRAFANA / "dashboards" / "drift-overview.json")
    panels = {panel["id"] for panel in overview["panels"]}
    receivers = {point.name for point in file.contactPoints}
    known = {alert["alert"]: alert for alert in alerts()}
    rules = [rule for group in file.groups for rule in group.rules]

    assert len({rule.uid for rule in rules}) == len(rules) == 5
    for rule in rules:
        assert rule.isPaused
        assert rule.panelId in panels
        assert rule.notification_settings.receiver in receivers
        assert rule.labels["severity"] == known[rule.title]["labels"]["severity"]
        assert rule.data[-1].refId == rule.condition
        # Grafana puts environment variables in place of $NAME, everywhere but in annotations.
        assert "$" not in json.dumps([data.model for data in rule.data]) + json.dumps(rule.labels)
    assert "&id" not in text
