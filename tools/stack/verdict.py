"""Whether both shifts went the whole way and ended, and whether anything else was told."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from tools.stack.traffic import SHIFTS, Shift
from tools.stack.watching import DETECTOR, FIRING, PROMETHEUS, RESOLVED, WATCHDOG, Step

TEAM = "/team"
ALIVE = "/alive"
"""Paths of the receivers of warnings, and of what waits for the watchdog."""


@dataclass(frozen=True, slots=True)
class Way:
    """How one shift was told: a step or none for each place it had to pass, in order."""

    shift: Shift
    links: tuple[tuple[str, str], ...]
    steps: tuple[Step | None, ...]

    @property
    def faults(self) -> list[str]:
        """Say what did not come, or came in the wrong order."""
        what = f"{self.shift.alert} {self.shift.feature}"
        missing = [
            f"{what}: never {status} at {place}"
            for (place, status), step in zip(self.links, self.steps, strict=True)
            if step is None
        ]
        came = [step for step in self.steps if step is not None]
        out_of_order = [
            f"{what}: {late.status} at {late.place} before {early.status} at {early.place}"
            for early, late in pairwise(came)
            if late.at_s < early.at_s
        ]
        return missing + out_of_order


def way_of(shift: Shift, steps: Sequence[Step]) -> Way:
    """Return the first step of the shift's alert at each place, of its beginning and of its end."""
    places = (DETECTOR, PROMETHEUS, shift.receiver)
    links = tuple((place, status) for status in (FIRING, RESOLVED) for place in places)
    own = [s for s in steps if (s.alert, s.feature) == (shift.alert, shift.feature)]
    found = (next((s for s in own if (s.place, s.status) == link), None) for link in links)
    return Way(shift, links, tuple(found))


def unexpected(steps: Sequence[Step]) -> list[str]:
    """Say which alerts no shift explains: before one begins, a second time, or at another receiver."""
    faults = []
    fired: set[tuple[str, str, str]] = set()
    for step in (s for s in steps if s.status == FIRING):
        key = (step.place, step.alert, step.feature)
        if key in fired or not _is_explained(step):
            again = " again" if key in fired else ""
            name = f"{step.alert} {step.feature}".strip()
            faults.append(f"{name}: fired{again} at {step.place}, hour {step.hour:.1f} of the day")
        fired.add(key)
    return faults


def _is_explained(step: Step) -> bool:
    if step.alert == WATCHDOG:
        return step.place in (PROMETHEUS, ALIVE)
    return any(_explains(shift, step) for shift in SHIFTS)


def _explains(shift: Shift, step: Step) -> bool:
    if step.feature != shift.feature or step.hour < shift.first_hour:
        return False
    if step.alert == shift.beside:
        return step.place in (PROMETHEUS, TEAM)
    return step.alert == shift.alert and step.place in (DETECTOR, PROMETHEUS, shift.receiver)


def faults_of(steps: Sequence[Step]) -> list[str]:
    """Say everything that should have been otherwise."""
    ways = [fault for shift in SHIFTS for fault in way_of(shift, steps).faults]
    alive = any(s.alert == WATCHDOG and s.place == ALIVE for s in steps)
    return ways + ([] if alive else [f"{WATCHDOG}: never at {ALIVE}"]) + unexpected(steps)


def summary(steps: Sequence[Step]) -> str:
    """Return how long after a shift began and ended the detector said so, and the others after it."""
    lines = []
    for shift in SHIFTS:
        way = way_of(shift, steps)
        lines.append(f"{shift.name}: {shift.alert} {shift.feature}")
        for what, hour, (found, alert, told) in (
            ("began", shift.first_hour, way.steps[:3]),
            ("ended", shift.last_hour, way.steps[3:]),
        ):
            lines.append(
                f"  {what} at hour {hour}: the detector says so {_of_day(found, hour)}, "
                f"Prometheus {_later(alert, found)}, the webhook {shift.receiver} {_later(told, found)}"
            )
    return "\n".join(lines)


def _of_day(step: Step | None, hour: int) -> str:
    """Return how long after an hour of the day it was: in event time, which the detector lives in."""
    return "never" if step is None else f"after {step.hour - hour:.1f} h of the day"


def _later(step: Step | None, than: Step | None) -> str:
    """Return how long after another step it was: here, where Prometheus and Alertmanager live."""
    return "never" if step is None or than is None else f"{step.at_s - than.at_s:.1f} s later"
