"""`make stack`: a day of events from Kafka to a webhook, and its verdict on how they were told."""

import signal
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.deploy.shipped import ROOT
from tests.support.availability import MARKS
from tests.support.processes import Program, wait_until
from tools.stack.__main__ import PARTS
from tools.stack.traffic import SHIFTS
from tools.stack.verdict import ALIVE, TEAM, faults_of
from tools.stack.watching import DETECTOR, FIRING, PROMETHEUS, RESOLVED, WATCHDOG, Step

AMOUNT, SCORE = SHIFTS

real = [pytest.mark.kafka, pytest.mark.prometheus, pytest.mark.alertmanager]


def _start(tmp_path: Path, *arguments: str) -> Program:
    command = [sys.executable, "-u", "-m", "tools.stack", *arguments]
    # What it leaves behind on failure stays where pytest keeps it.
    return Program(command, tmp_path / "stack.log", {"PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)})


def _processes(part_of_command: str) -> list[str]:
    """Return the commands of running processes that have a text in them."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:  # it has just ended
            continue
        if part_of_command in command:
            found.append(command)
    return found


class TestRun:
    """The real thing."""

    pytestmark = real

    def test_both_shifts_go_the_whole_way_and_nothing_else_is_told(self, tmp_path):
        """Found, alerted, notified to the right receiver, resolved; it ends by itself and leaves nothing."""
        run = _start(tmp_path)
        wait_until(lambda: not run.is_running, 170, "the run ends")
        said = run.log.read_text()

        assert run.process.returncode == 0, said
        assert "nothing else was told" in said
        for step in (
            "detector       firing DriftFeatureDrifted amount: ",
            "Prometheus     firing DriftPredictionDrifted score",
            "webhook /on-call: firing DriftPredictionDrifted score  [group job=drift-detector model=credit",
            "webhook /on-call: resolved DriftPredictionDrifted score",
        ):
            assert step in said
        assert list(tmp_path.iterdir()) == [run.log]

    def test_when_it_is_told_to_end_all_that_it_started_ends_and_the_logs_stay(self, tmp_path):
        """Kafka, detector, Prometheus and Alertmanager too."""
        run = _start(tmp_path, "--keep")
        wait_until(lambda: "a day of events begins" in run.log.read_text(), 120, run.log.read_text())
        (directory,) = tmp_path.glob("drift-stack-*")
        assert len(_processes(str(directory))) >= 4
        code = run.terminate()

        assert code == 128 + signal.SIGTERM
        assert f"all logs and files are in {directory}" in run.tail(1)
        assert _processes(str(directory)) == []
        assert {"detector.log", "prometheus.log", "alertmanager.log"} <= {p.name for p in directory.iterdir()}


def test_it_asks_for_no_more_than_it_starts():
    """What only other tests need may be missing."""
    assert tuple(MARKS[mark.name] for mark in real) == PARTS


def _told(shift, hour, at_s):
    """The steps of a shift that goes the whole way."""
    places = (DETECTOR, PROMETHEUS, shift.receiver)
    moments = [(status, place) for status in (FIRING, RESOLVED) for place in places]
    return [
        Step(at_s + i, hour + i / 10, place, status, shift.alert, shift.feature)
        for i, (status, place) in enumerate(moments)
    ]


GOOD = (
    Step(0.5, 0.1, PROMETHEUS, FIRING, WATCHDOG, ""),
    Step(0.6, 0.1, ALIVE, FIRING, WATCHDOG, ""),
    *_told(AMOUNT, 4.5, 10.0),
    *_told(SCORE, 14.5, 40.0),
)


def test_what_goes_the_whole_way_is_no_fault():
    """Nor is what says why beside it."""
    beside = Step(12.0, 5.0, TEAM, FIRING, AMOUNT.beside, AMOUNT.feature)

    assert faults_of(GOOD) == []
    assert faults_of((*GOOD, beside)) == []


@pytest.mark.parametrize("i", range(1, len(GOOD)))
def test_any_step_that_is_missing_is_named(i):
    """With its alert, where it should have come, and whether it was the beginning or the end."""
    missing = GOOD[i]
    (fault, *_) = faults_of(GOOD[:i] + GOOD[i + 1 :])

    assert missing.alert in fault
    assert missing.place in fault
    assert "never" in fault


def test_an_end_that_is_told_before_the_detector_says_so_is_a_fault():
    """Each waits for the one before it."""
    steps = [replace(s, at_s=11.0) if s == GOOD[6] else s for s in GOOD]

    assert any("resolved at Prometheus before" in fault for fault in faults_of(steps))


@pytest.mark.parametrize(
    "odd",
    [
        Step(1.0, 2.0, PROMETHEUS, FIRING, AMOUNT.alert, AMOUNT.feature),
        Step(30.0, 9.0, PROMETHEUS, FIRING, AMOUNT.alert, "age"),
        Step(30.0, 9.0, PROMETHEUS, FIRING, "DriftDatasetDrifted", ""),
        Step(50.0, 15.0, TEAM, FIRING, SCORE.alert, SCORE.feature),
        Step(50.0, 15.0, "/on-call", FIRING, AMOUNT.alert, AMOUNT.feature),
        Step(60.0, 20.0, DETECTOR, FIRING, SCORE.alert, SCORE.feature),
        Step(9.0, 3.0, "/team", FIRING, WATCHDOG, ""),
    ],
    ids=[
        "too early",
        "another feature",
        "another alert",
        "warned only",
        "woken for less",
        "again",
        "watchdog",
    ],
)
def test_what_no_shift_explains_is_a_fault(odd):
    """A false alarm, a second one, or one that goes to other people."""
    steps = sorted((*GOOD, odd), key=lambda step: step.at_s)

    assert any(f"{odd.alert} {odd.feature}".strip() in fault for fault in faults_of(steps))
