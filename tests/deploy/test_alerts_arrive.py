"""From events to people: a real detector, Prometheus and Alertmanager with the files of `deploy/`.

Only addresses differ from the shipped files, and a minute lasts 0.4 s.
"""

import re
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.deploy.live import live_detector
from tests.deploy.shipped import ALERTMANAGER, PROMETHEUS, RULES, hurried, moved
from tests.support.alertmanager import Alertmanager, Inbox, Notified
from tests.support.processes import wait_until
from tests.support.prometheus import Prometheus

pytestmark = [pytest.mark.prometheus, pytest.mark.alertmanager]

SLICES = {"all", "country=DE", "country=FR"}

DRIFT = re.compile("Drift(Feature|Prediction|Dataset)")


class World:
    """Everything between the events and the people who are told."""

    def __init__(self, directory: Path, stack: ExitStack) -> None:
        self.inbox = stack.enter_context(Inbox())
        routes = moved(hurried(ALERTMANAGER.read_text()), (":9095/", f":{self.inbox.port}/"))
        self.alertmanager = stack.enter_context(Alertmanager(directory, routes))
        port, self.traffic = stack.enter_context(live_detector())
        (directory / "rules.yml").write_text(hurried(RULES.read_text()))
        config = moved(
            (PROMETHEUS / "prometheus.yml").read_text(),
            ("15s", "1s"), (":9093", f":{self.alertmanager.port}"), (":9723", f":{port}"),
        )  # fmt: skip
        self.prometheus = stack.enter_context(Prometheus(directory, config=config))
        self.began_s = time.monotonic()

    def since(self, start_s: float, status: str, alert: str | re.Pattern[str]) -> list[Notified]:
        """Return what was notified since a moment."""
        return [
            n
            for n in self.inbox.received
            if n.at_s >= start_s and n.status == status and re.match(alert, n.labels["alertname"])
        ]

    def wait_for(self, alert: str, status: str = "firing", start_s: float = 0.0) -> Notified:
        """Wait until an alert has arrived; say how long it took."""
        asked_s = time.monotonic()
        wait_until(lambda: self.since(start_s, status, alert), 60, f"{alert} {status}")
        found = self.since(start_s, status, alert)[0]
        print(f"{alert} {status}: {found.at_s - asked_s:.1f} s")
        return found

    def shift(self, *features: str) -> float:
        """Let features leave the training data, the others be as there; return when."""
        self.traffic.shifted = frozenset(features)
        return time.monotonic()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with ExitStack() as stack:
        yield World(tmp_path, stack)


def _slices_told(world: World, start_s: float) -> set[str]:
    return {n.labels["slice"] for n in world.since(start_s, "firing", "DriftDatasetDrifted")}


def _calm(world: World) -> bool:
    """Whether every feature is ok, and no alert is left of the time when nothing had been scraped yet."""
    states = world.prometheus.query("feature:drift_feature_state:max")
    firing = world.prometheus.query('ALERTS{alertname!="DriftDetectorWatchdog"}')
    return bool(states) and all(s["value"][1] == "0" for s in states) and not firing


def test_alerts_arrive_and_silence_each_other(world):
    """One feature is told; a data set for all of its features; recovery brings no news; a stall silences."""
    world.wait_for("DriftDetectorWatchdog")
    wait_until(lambda: _calm(world), 30, "everything is calm")
    assert world.since(0.0, "firing", DRIFT) == []

    one_s = world.shift("age")
    told = world.wait_for("DriftFeatureDrifted", start_s=one_s)
    assert (told.path, told.labels["feature"], told.labels["version"]) == ("/team", "age", "1")
    assert re.search(r"is \d+\.\d times its threshold", told.annotations["description"])

    many_s = world.shift("age", "amount")
    told = world.wait_for("DriftDatasetDrifted", start_s=many_s)
    assert (told.path, told.labels["slice"]) == ("/on-call", "all")
    wait_until(lambda: "DriftFeatureDrifted" in world.alertmanager.silenced(), 10, "features are silenced")
    # Its slices drift as well, and may be told a group interval later.
    wait_until(lambda: _slices_told(world, many_s) >= SLICES, 30, "the slices are told")
    silenced_s = time.monotonic()

    world.shift()
    world.wait_for("DriftDatasetDrifted", "resolved", silenced_s)
    # Two group intervals after everything is over, nothing more can come.
    wait_until(lambda: not world.prometheus.query('ALERTS{alertname=~"DriftFeature.*"}'), 30, "all is over")
    over_s = time.monotonic()
    wait_until(lambda: time.monotonic() - over_s > 2, 10)
    assert [
        n.labels for n in world.since(many_s, "firing", "DriftFeature") if n.labels["feature"] != "age"
    ] == []
    # All events and slices may recover one after the other; each time what still fires is listed once more.
    known = [n.labels for n in world.since(many_s, "firing", "DriftDatasetDrifted") if n.at_s < silenced_s]
    assert [n.labels for n in world.since(silenced_s, "firing", DRIFT) if n.labels not in known] == []

    again_s = world.shift("age")
    world.wait_for("DriftFeatureDrifted", start_s=again_s)
    world.traffic.flows = False
    stalled_s = time.monotonic()
    assert world.wait_for("DriftIngestionStalled", start_s=stalled_s).path == "/on-call"
    wait_until(lambda: "DriftFeatureDrifted" in world.alertmanager.silenced(), 10, "drift is silenced")
    print(f"from the start of Prometheus: {time.monotonic() - world.began_s:.1f} s")
