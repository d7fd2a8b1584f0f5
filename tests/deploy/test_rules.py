"""The rules for Prometheus: right by promtool, complete, and of names that the detector exports."""

import re
import subprocess

import pytest

from detector.alerts import ALERTS, SEVERITIES
from tests.deploy.shipped import (
    EXPORTED,
    PROMETHEUS,
    PROMETHEUS_OWN,
    ROOT,
    RULES,
    alerts,
    minutes,
    names_in,
    rules,
)
from tests.support.availability import program

ANNOTATIONS = {"summary", "description", "runbook_url", "dashboard_url"}

by_name = pytest.mark.parametrize("alert", alerts(), ids=lambda alert: alert["alert"])


def promtool(*arguments: str) -> None:
    """Run promtool beside the rules; fail with what it says."""
    done = subprocess.run(
        [str(program("promtool")), *arguments],
        cwd=PROMETHEUS, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.prometheus
def test_promtool_is_content_with_configuration_and_rules():
    """Also with its own lint."""
    promtool("check", "config", "prometheus.yml")
    promtool("check", "rules", "--lint=all", "--lint-fatal", "rules.yml")


@pytest.mark.prometheus
def test_the_rules_do_what_rules_test_says():
    """Firing, clearing, restarts, replicas, windows: see the file."""
    promtool("test", "rules", "rules_test.yml")


def test_every_alert_is_in_the_tests_of_the_rules():
    """With the name that fires."""
    tests = (PROMETHEUS / "rules_test.yml").read_text()

    assert [alert["alert"] for alert in alerts() if alert["alert"] not in tests] == []


@by_name
def test_an_alert_tells_how_bad_it_is_what_it_means_and_what_to_do(alert):
    """Severity, annotations, a section of the runbook under its name, a dashboard that there is."""
    name, notes = alert["alert"], alert["annotations"]
    runbook = (ROOT / "docs" / "runbook.md").read_text()

    assert alert["labels"]["severity"] in ("critical", "warning", "info", "none")
    assert set(notes) == ANNOTATIONS
    assert notes["runbook_url"].endswith(f"#{name.lower()}")
    assert f"\n## {name}\n" in runbook
    assert re.search(r"/d/(drift-overview|drift-feature)(\?|$)", notes["dashboard_url"])


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_is_as_severe_by_the_rules_as_by_the_detector_itself(name):
    """Whichever way it comes, the same people are told."""
    by_rules = [alert["labels"]["severity"] for alert in alerts() if alert["alert"] == name]

    assert by_rules == [SEVERITIES[name]]


def test_the_runbook_has_no_section_that_nobody_needs():
    """One for each alert, and none for alerts that are gone."""
    sections = re.findall(r"^## (Drift\w+)$", (ROOT / "docs" / "runbook.md").read_text(), re.MULTILINE)

    assert sorted(sections) == sorted(alert["alert"] for alert in alerts())


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.get("alert") or rule["record"])
def test_a_rule_asks_only_for_what_there_is(rule):
    """Metrics of the page, or what rules record."""
    recorded = {r["record"] for r in rules() if "record" in r}
    names = names_in(rule["expr"])

    assert names <= EXPORTED | PROMETHEUS_OWN | recorded
    assert names or rule["alert"] == "DriftDetectorWatchdog"


@by_name
def test_an_alert_is_the_same_whoever_judges(alert):
    """No label of an instance is left: a restart would be a new alert."""
    assert "without" not in alert["expr"]
    assert not re.search(r"\bby \([^)]*\b(instance|pod|window)\b", alert["expr"])


def test_the_file_warns_before_minutes_are_mixed_up():
    """Durations are in the one form that the test of the whole path can shorten."""
    for alert in alerts():
        for key in {"for", "keep_firing_for"} & set(alert):
            assert minutes(alert[key]) > 0
    assert "1h30m" not in RULES.read_text()
