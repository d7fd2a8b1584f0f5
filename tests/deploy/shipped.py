"""What `deploy/` holds, and the same on ports of this machine at a pace for tests."""

import re
from pathlib import Path
from typing import Any

import yaml

from detector.metrics import DURATION, EVALUATED, RUNNING

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
PROMETHEUS = DEPLOY / "prometheus"
RULES = PROMETHEUS / "rules.yml"
ALERTMANAGER = DEPLOY / "alertmanager" / "alertmanager.yml"
GRAFANA = DEPLOY / "grafana"
DASHBOARDS = sorted((GRAFANA / "dashboards").glob("*.json"))

MINUTE_S = 0.4
"""What a minute of the shipped files lasts in a test."""

SECONDS = {"s": 1 / 60, "m": 1.0, "h": 60.0, "d": 1440.0}
"""Minutes a unit."""


def rules() -> list[dict[str, Any]]:
    """Return every rule, in order."""
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def alerts() -> list[dict[str, Any]]:
    """Return the alerting rules."""
    return [rule for rule in rules() if "alert" in rule]


def minutes(duration: str) -> float:
    """Return how long `15m` or `30s` is."""
    return int(duration[:-1]) * SECONDS[duration[-1]]


def sooner(text: str, names: str) -> str:
    """Return rules or routes in which the durations whose names end so are made of minutes of `MINUTE_S`."""
    return re.sub(rf"((?:{names}): )(\d+[smh])()$", _shorter, text, flags=re.MULTILINE)


def _shorter(match: re.Match[str]) -> str:
    return f"{match[1]}{max(1, round(minutes(match[2]) * MINUTE_S * 1000))}ms{match[3]}"


def hurried(text: str) -> str:
    """Return rules or routes in which a minute lasts `MINUTE_S`: waits, ranges and ages, not baselines'."""
    text = sooner(text, "for|wait|_interval")
    text = re.sub(r"(\[)(\d+[mh])(\])", _shorter, text)
    return re.sub(r"> (\d+) \* 60\b", rf"> \1 * {MINUTE_S}", text)


def moved(text: str, *addresses: tuple[str, str]) -> str:
    """Return a shipped file with other addresses, each (shipped, here); all of them have to be in it."""
    for shipped, here in addresses:
        assert shipped in text, shipped
        text = text.replace(shipped, here)
    return text


EXPORTED = {
    family.name + {"counter": "_total", "info": "_info"}.get(family.type, "")
    for family in (*EVALUATED, *RUNNING)
} | {DURATION.name + part for part in ("_bucket", "_sum", "_count")}
"""Every name that the page can have under which Prometheus keeps samples."""

PROMETHEUS_OWN = {"up", "ALERTS", "process_resident_memory_bytes", "process_cpu_seconds_total"}

NAME = re.compile(r"\b(?:[a-z_]+:)?(?:drift|process)_\w+(?::\w+)?|\bup\b|\bALERTS\b")


def names_in(expr: str) -> set[str]:
    """Return the metric names in an expression."""
    return set(NAME.findall(re.sub(r'"[^"]*"', '""', expr)))
