"""A dashboard around panels: places, variables, annotations, links."""

from collections.abc import Sequence
from typing import Any

from dashboards.panels import SOURCE, Json

SCHEMA_VERSION = 39
"""Of Grafana 11: later ones load it without a word, and earlier ones with a warning."""

WIDTH = 24

RUNBOOK = "https://runbooks.example.com/drift"

Row = tuple[str, Sequence[tuple[Json, int, int]]]
"""A title, and panels with width and height."""


def place(rows: Sequence[Row]) -> list[Json]:
    """Give panels ids and places: left to right, a new line where one is full."""
    placed: list[Json] = []
    y = 0
    for title, panels in rows:
        header = {"type": "row", "title": title, "collapsed": False, "panels": []}
        placed.append(header | {"id": len(placed) + 1, "gridPos": {"x": 0, "y": y, "w": WIDTH, "h": 1}})
        y += 1
        x = line = 0
        for made, width, height in panels:
            if x + width > WIDTH:
                x, y, line = 0, y + line, 0
            at = {"x": x, "y": y, "w": width, "h": height}
            placed.append(made | {"id": len(placed) + 1, "gridPos": at})
            x, line = x + width, max(line, height)
        y += line
    return placed


def source_variable() -> Json:
    """Return the choice of the data source."""
    return {
        "type": "datasource", "name": "datasource", "label": "Data source", "query": "prometheus",
        "current": {}, "options": [], "regex": "", "refresh": 1, "hide": 0, "multi": False,
        "includeAll": False, "skipUrlSync": False,
    }  # fmt: skip


def variable(name: str, label: str, query: str, *, several: bool = False, first: str | None = None) -> Json:
    """Return a choice among the values of a label; `several` and all of them, where it says so."""
    chosen = "$__all" if several and first is None else first
    text = "All" if chosen == "$__all" else first
    current = {} if chosen is None else {"text": [text], "value": [chosen]} if several else {
        "text": text, "value": chosen,
    }  # fmt: skip
    return {
        "type": "query", "name": name, "label": label, "datasource": SOURCE, "definition": query,
        "query": {"query": query, "refId": "PrometheusVariableQueryEditor-VariableQuery"},
        "current": current, "options": [], "regex": "", "refresh": 2, "sort": 1, "hide": 0,
        "multi": several, "includeAll": several, "skipUrlSync": False,
        **({"allValue": ".*"} if several else {}),
    }  # fmt: skip


def text_variable(name: str, label: str, text: str) -> Json:
    """Return something that people type in."""
    choice = {"text": text, "value": text}
    return {
        "type": "textbox", "name": name, "label": label, "query": text, "hide": 0, "skipUrlSync": False,
        "current": choice, "options": [choice | {"selected": True}],
    }  # fmt: skip


def annotation(name: str, color: str, expr: str, title: str, text: str) -> Json:
    """Return marks on all graphs at the times when an expression yields something."""
    return {
        "name": name, "datasource": SOURCE, "enable": True, "hide": False, "iconColor": color,
        "expr": " ".join(expr.split()), "step": "60s", "titleFormat": title, "textFormat": text,
        "tagKeys": "severity", "useValueForTime": "off",
    }  # fmt: skip


def link(title: str, url: str, *, outside: bool = False) -> Json:
    """Return a link above the dashboard; those within Grafana keep time and variables."""
    return {
        "type": "link", "title": title, "url": url, "icon": "external link" if outside else "dashboard",
        "targetBlank": outside, "keepTime": not outside, "includeVars": not outside, "asDropdown": False,
        "tags": [], "tooltip": "",
    }  # fmt: skip


def annotations(where: str) -> list[Json]:
    """Return the marks of both dashboards: alerts, and changes of the baseline."""
    changed = f"""
        max by (model, version, sha256) (drift_baseline_info{{{where}}})
        unless on (model, version, sha256) (drift_baseline_info{{{where}}} offset 5m)
        and on (model, version) (drift_baseline_info{{{where}}} offset 5m)
    """
    fires = f'ALERTS{{alertname=~"Drift.*",alertstate="firing",{where}}}'
    return [
        annotation("Alerts", "red", fires, "{{alertname}}", "{{model}} {{version}} {{feature}} {{slice}}"),
        annotation("Baseline changed", "blue", changed, "baseline", "{{model}} {{version}} {{sha256}}"),
    ]


def board(uid: str, title: str, description: str, rows: Sequence[Row], **parts: Any) -> Json:
    """Return a whole dashboard; `parts` are its `variables`, `marks` and `links`."""
    return {
        "uid": uid,
        "title": title,
        "description": description,
        "tags": ["drift"],
        "schemaVersion": SCHEMA_VERSION,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "timezone": "browser",
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "timepicker": {},
        "fiscalYearStartMonth": 0,
        "weekStart": "",
        "annotations": {"list": parts["marks"]},
        "templating": {"list": parts["variables"]},
        "links": parts["links"],
        "panels": place(rows),
    }
