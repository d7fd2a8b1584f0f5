"""The example for Alertmanager: accepted by amtool, alerts reach whom they should, silence leaks nothing."""

import re
import subprocess
from typing import Any

import pytest
import yaml

from tests.deploy.shipped import ALERTMANAGER, alerts, minutes
from tests.support.availability import program

SETTINGS = yaml.safe_load(ALERTMANAGER.read_text())

RECEIVERS = {"critical": "on-call", "warning": "team", "info": "team", "none": "dead-mans-switch"}


def amtool(*arguments: str) -> str:
    """Run amtool; return what it says."""
    done = subprocess.run(
        [str(program("amtool")), *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.alertmanager
def test_amtool_accepts_the_file():
    """As Alertmanager would."""
    assert "SUCCESS" in amtool("check-config", str(ALERTMANAGER))


@pytest.mark.alertmanager
@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: alert["alert"])
def test_an_alert_reaches_whom_its_severity_says(alert):
    """Critical: on call; the watchdog: the dead man's switch; else the team."""
    labels = {"alertname": alert["alert"], **alert["labels"], "model": "m", "version": "1"}
    given = [f"{name}={value}" for name, value in labels.items()]
    found = amtool("config", "routes", "test", f"--config.file={ALERTMANAGER}", *given)

    assert found.strip() == RECEIVERS[alert["labels"]["severity"]]


def _fits(matchers: list[str], alert: dict[str, Any]) -> bool:
    """Whether the matchers on the name take in an alert."""
    for matcher in matchers:
        name, operator, value = re.fullmatch(r'(\w+)(=~|!=|=)"(.*)"', matcher).groups()
        if name == "alertname":
            return bool(re.fullmatch(value if operator == "=~" else re.escape(value), alert["alert"]))
    raise AssertionError(f"nobody is named: {matchers}")


def _labels(alert: dict[str, Any]) -> set[str]:
    """Return the labels that an alert is sure to have, by the last aggregation of its expression."""
    by = re.findall(r"by \(([^)]*)\)", alert["expr"])
    recorded = re.match(r"(model|feature):", alert["expr"])
    labels = set(re.split(r", *", by[0])) if by and not recorded else set()
    if recorded:
        labels = {"namespace", "job", "model", "version", "slice"}
    return labels | set(alert["labels"])


@pytest.mark.parametrize("rule", SETTINGS["inhibit_rules"], ids=lambda rule: rule["source_matchers"][0])
def test_what_silences_outlives_what_it_silences(rule):
    """By more than a group_interval: else the end of the one would make news of the other."""
    sources = [a for a in alerts() if _fits(rule["source_matchers"], a)]
    targets = [a for a in alerts() if _fits(rule["target_matchers"], a)]
    interval = minutes(SETTINGS["route"]["group_interval"])

    assert sources
    assert targets
    for source in sources:
        assert source not in targets
        for target in targets:
            kept = minutes(target.get("keep_firing_for", "0m"))
            assert minutes(source["keep_firing_for"]) > kept + interval, (source["alert"], target["alert"])


@pytest.mark.parametrize("rule", SETTINGS["inhibit_rules"], ids=lambda rule: rule["source_matchers"][0])
def test_silence_compares_labels_that_both_sides_have(rule):
    """One that only one side has is never equal; the namespace is there on both sides, or on none."""
    for side in ("source_matchers", "target_matchers"):
        for alert in (a for a in alerts() if _fits(rule[side], a)):
            assert set(rule["equal"]) <= _labels(alert), alert["alert"]
