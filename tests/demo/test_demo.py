"""The demonstration: every fault is named, found or missed, and false alarms are told."""

import json
import re

import pytest

from detector.alerts import Transition
from detector.cli import main
from detector.demo.faults import FAULTS
from detector.demo.findings import match
from tests.support.factories import KEY


def test_the_demonstration_finds_every_fault_and_tells_of_false_alarms(capsys, tmp_path):
    """Run as a newcomer runs it; what is kept can be replayed."""
    assert main(["demo", "--exit", "--port", "0", "--keep", str(tmp_path)]) == 0
    out = capsys.readouterr().out

    for fault in FAULTS:
        assert fault.name in out
    assert "MISSED" not in out
    for cause in ("miles to kilometres?", "is new: renamed?", "have no value", "in training 1.6 %: stuck?"):
        assert cause in " ".join(out.split())
    assert all(len(line) <= 100 for line in out.splitlines() if str(tmp_path) not in line)
    assert "alarms that no fault explains:" in out
    assert re.search(r"drift injected 5 times in 4 features: found 5, missed 0, false alarms \d", out)

    replayed = ["replay", str(tmp_path / "events.jsonl"), "-c", str(tmp_path / "demo.yaml")]
    assert main([*replayed, "-o", str(tmp_path / "r.jsonl")]) == 0
    alerts = [
        json.loads(line) for line in (tmp_path / "r.jsonl").read_text().splitlines() if '"alert"' in line[:20]
    ]
    assert len([a for a in alerts if a["status"] == "firing"]) == out.count(" firing ") - _repeated(out)


def _repeated(out):
    """Alerts are told as they come, and some of them again in the summary."""
    return out[out.index("faults injected") :].count(" firing ")


@pytest.mark.kafka
@pytest.mark.parametrize("address", ["apache", "light"])
def test_through_a_broker_the_same_is_found(request, capsys, address):
    """The same events by Apache Kafka, and by the light broker."""
    where = [request.getfixturevalue("kafka")] if address == "apache" else []
    assert main(["demo", "--exit", "--port", "0", "--kafka", *where]) == 0

    assert "found 5, missed 0" in capsys.readouterr().out


def test_without_a_broker_the_error_is_one_line(capsys):
    """Named with its address and what to do."""
    assert main(["demo", "--exit", "--kafka", "127.0.0.1:1"]) == 2

    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "127.0.0.1:1" in err


def _alert(feature, at_s, status="firing"):
    return Transition(status, "A", KEY, "all", feature, 3600.0, "l_infinity", 0.5, 0.1, at_s)


def test_alerts_are_held_against_faults():
    """On time: found. On what a fault drags along: a consequence. Any other: a false alarm."""
    fault = FAULTS[1]
    alerts = [
        _alert("carrier", fault.start_s - 1),
        _alert("carrier", fault.start_s + 7200),
        _alert("arr_delay", fault.end_s),
        _alert("dest", fault.start_s + 1),
        _alert("carrier", fault.end_s + 3601),
    ]
    found = match(alerts, [fault])

    assert found.findings[0].delay_s == 7200
    assert [a.feature for a in found.consequences] == ["arr_delay"]
    assert [a.feature for a in found.false_alarms] == ["carrier", "dest", "carrier"]


def test_a_fault_nobody_noticed_is_missed():
    """Its verdict says so."""
    (finding,) = match([], FAULTS[:1]).findings

    assert finding.alert is None
    assert finding.delay_s is None
