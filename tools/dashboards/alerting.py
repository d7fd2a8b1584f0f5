"""Alerts for Grafana's own alerting, made of the rules for Prometheus: one decision, written once."""

import re
from typing import Any

from dashboards.board import RUNBOOK
from dashboards.panels import Json

HEADER = """\
# A few alerts for Grafana's own alerting, where there is no Alertmanager. Made by tools/make_dashboards.py
# of deploy/prometheus/rules.yml; the recording rules are not needed for these.
#
# They are paused: beside Alertmanager they would say everything twice. Set `isPaused: false` to use them,
# and your own address in the contact point. Grafana was not run on this file.
"""

NAMES = (
    "DriftDatasetDrifted",
    "DriftPredictionDrifted",
    "DriftFeatureDrifted",
    "DriftIngestionStalled",
    "DriftDetectorAbsent",
)

CONTACT = "drift-webhook"


def alerting(groups: list[Json], panel_id: int) -> Json:
    """Return the file for `provisioning/alerting`; `panel_id` of the overview belongs to the alerts."""
    rules = {rule.get("alert") or rule["record"]: rule for group in groups for rule in group["rules"]}
    exprs = {name: _whole(rule["expr"], rules) for name, rule in rules.items() if name in NAMES}
    # Grafana's alerts cannot silence each other by file, so the expression does.
    exprs["DriftFeatureDrifted"] += (
        f" unless on (namespace, job, model, version) ({exprs['DriftDatasetDrifted']})"
    )
    made = [_rule(rules[name], exprs[name], panel_id) for name in NAMES]
    return {
        "apiVersion": 1,
        "groups": [{"orgId": 1, "name": "drift", "folder": "Drift", "interval": "1m", "rules": made}],
        "contactPoints": [
            {
                "orgId": 1,
                "name": CONTACT,
                "receivers": [
                    {
                        "uid": CONTACT,
                        "type": "webhook",
                        "settings": {"url": "http://127.0.0.1:9095/grafana", "httpMethod": "POST"},
                        "disableResolveMessage": False,
                    }
                ],
            }
        ],
    }


def _whole(expr: str, rules: Json) -> str:
    """Return an expression in which what rules record is written out."""

    def written_out(match: re.Match[str]) -> str:
        inner: str = rules[match[0]]["expr"]
        return f"({_whole(inner, rules)})"

    names = "|".join(re.escape(name) for name, rule in rules.items() if "record" in rule)
    return " ".join(re.sub(names, written_out, expr).split())


def _rule(rule: Json, expr: str, panel_id: int) -> Json:
    name: str = rule["alert"]
    asked = {"refId": "A", "expr": expr, "instant": True, "range": False}
    # The expression yields only what is to fire, and nothing where all is well.
    any_value: dict[str, Any] = {"evaluator": {"type": "gt", "params": [-1]}}
    fires = {"refId": "B", "type": "threshold", "expression": "A", "conditions": [any_value]}
    return {
        "uid": re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower(),
        "title": name,
        "condition": "B",
        "data": [
            _data("prometheus", asked),
            _data("__expr__", fires),
        ],
        "noDataState": "OK",
        "execErrState": "Error",
        "for": rule.get("for", "0s"),
        "keepFiringFor": rule["keep_firing_for"],
        "isPaused": True,
        "dashboardUid": "drift-overview",
        "panelId": panel_id,
        "annotations": {
            "summary": rule["annotations"]["summary"],
            "runbook_url": f"{RUNBOOK}#{name.lower()}",
        },
        "labels": {"severity": rule["labels"]["severity"]},
        "notification_settings": {
            "receiver": CONTACT,
            "group_by": ["grafana_folder", "alertname", "model", "version"],
        },
    }


def _data(source: str, model: Json) -> Json:
    return {
        "refId": model["refId"],
        "relativeTimeRange": {"from": 900, "to": 0},
        "datasourceUid": source,
        "model": model,
    }
