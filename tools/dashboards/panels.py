"""Panels in Grafana's classic model, without their places: what is asked, and how it is drawn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

SOURCE = {"type": "prometheus", "uid": "${datasource}"}

GREEN, YELLOW, RED, GREY, BLUE = "green", "#EAB839", "red", "#808080", "blue"

STATES = {-1: ("too few events", GREY), 0: ("ok", GREEN), 1: ("warning", YELLOW), 2: ("drift", RED)}
ANOMALY = {0: ("ok", GREEN), 1: ("broken", RED)}

CALM = {"mode": "absolute", "steps": [{"color": "text", "value": None}]}


@dataclass(frozen=True, slots=True)
class Query:
    """One PromQL expression and the name of its series."""

    expr: str
    legend: str = ""
    instant: bool = False


def steps(*bounds: tuple[float, str], first: str = GREEN) -> Json:
    """Return colours that begin at the bounds, `first` below all."""
    listed = [{"color": first, "value": None}, *({"color": c, "value": v} for v, c in bounds)]
    return {"mode": "absolute", "steps": listed}


def mappings(names: Mapping[int, tuple[str, str]]) -> list[Json]:
    """Return the words and colours that stand for numbers."""
    options = {
        str(value): {"text": text, "color": color, "index": i}
        for i, (value, (text, color)) in enumerate(names.items())
    }
    return [{"type": "value", "options": options}]


def panel(kind: str, title: str, queries: Sequence[Query], **more: Any) -> Json:
    """Return a panel of some kind; `more` are its parts `defaults`, `overrides`, `options` and others."""
    targets = [
        {
            "refId": chr(ord("A") + i),
            "datasource": SOURCE,
            "editorMode": "code",
            "expr": " ".join(query.expr.split()),
            "legendFormat": query.legend or "__auto",
            "instant": query.instant,
            "range": not query.instant,
            "format": "table" if kind == "table" else "time_series",
        }
        for i, query in enumerate(queries)
    ]
    fields = {"defaults": more.pop("defaults", {}), "overrides": more.pop("overrides", [])}
    return {
        "type": kind,
        "title": title,
        "description": more.pop("description", ""),
        "datasource": SOURCE,
        "targets": targets,
        "fieldConfig": fields,
        "options": more.pop("options", {}),
        **more,
    }


def stat(title: str, query: Query, unit: str, colors: Json = CALM, **more: Any) -> Json:
    """Return one number."""
    words = more.pop("words", None)
    defaults = {"unit": unit, "thresholds": colors, "mappings": mappings(words) if words else []}
    options = {
        "colorMode": "value",
        "graphMode": "none",
        "justifyMode": "auto",
        "orientation": "auto",
        "textMode": more.pop("text", "value"),
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
    }
    return panel("stat", title, [query], defaults=defaults, options=options, **more)


def lines(title: str, queries: Sequence[Query], unit: str, **more: Any) -> Json:
    """Return lines over time."""
    custom = {"drawStyle": "line", "lineWidth": 1, "fillOpacity": 5, "showPoints": "never"}
    custom["thresholdsStyle"] = {"mode": "dashed" if "colors" in more else "off"}
    if more.pop("logarithmic", False):
        custom["scaleDistribution"] = {"type": "log", "log": 10}
    defaults = {"unit": unit, "custom": custom, "thresholds": more.pop("colors", CALM)}
    options = {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    return panel("timeseries", title, queries, defaults=defaults, options=options, **more)


def states(title: str, query: Query, words: Mapping[int, tuple[str, str]] = STATES, **more: Any) -> Json:
    """Return a band a series, in the colours of its states."""
    defaults = {
        "unit": "none",
        "mappings": mappings(words),
        "thresholds": CALM,
        "custom": {"fillOpacity": 80, "lineWidth": 0},
    }
    options = {
        "mergeValues": True,
        "showValue": "never",
        "alignValue": "left",
        "rowHeight": 0.85,
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "single", "sort": "none"},
    }
    return panel("state-timeline", title, [query], defaults=defaults, options=options, **more)


def heat(title: str, query: Query, unit: str, colors: Json, **more: Any) -> Json:
    """Return a cell for each series and time; Grafana's own heat map wants numbers upwards, not names."""
    defaults = {"unit": unit, "thresholds": colors, "custom": {"fillOpacity": 80, "lineWidth": 0}}
    options = {
        "showValue": "never",
        "rowHeight": 0.9,
        "colWidth": 0.9,
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": False},
        "tooltip": {"mode": "single", "sort": "none"},
    }
    return panel("status-history", title, [query], defaults=defaults, options=options, **more)


def table(title: str, queries: Sequence[Query], columns: Mapping[str, str], **more: Any) -> Json:
    """Return rows of labels and values; `columns` names what is shown, in order."""
    organize = {
        "excludeByName": {"Time": True},
        "indexByName": {name: i for i, name in enumerate(columns)},
        "renameByName": dict(columns),
    }
    transformations = [{"id": "merge", "options": {}}, {"id": "organize", "options": organize}]
    options = {"showHeader": True, "cellHeight": "sm", "sortBy": more.pop("sort", [])}
    defaults = {"unit": "none", "thresholds": CALM, "custom": {"align": "auto"}}
    return panel(
        "table", title, queries,
        defaults=defaults, options=options, transformations=transformations, **more,
    )  # fmt: skip


def field(name: str, **properties: Any) -> Json:
    """Return what differs for one column."""
    return {
        "matcher": {"id": "byName", "options": name},
        "properties": [{"id": key.replace("__", "."), "value": value} for key, value in properties.items()],
    }


def alert_list(title: str) -> Json:
    """Return the list of alerts that fire, of Grafana and of data sources."""
    options = {
        "alertName": "Drift",
        "dashboardAlerts": False,
        "groupMode": "default",
        "groupBy": [],
        "maxItems": 30,
        "sortOrder": 3,
        "viewMode": "list",
        "stateFilter": {"firing": True, "pending": True, "error": True, "noData": False, "normal": False},
    }
    made = panel("alertlist", title, [], options=options)
    return {key: value for key, value in made.items() if key not in ("targets", "datasource", "fieldConfig")}
