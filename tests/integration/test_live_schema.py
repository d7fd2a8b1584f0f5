"""A producer that breaks the schema, on real Apache Kafka: the service as a process, its page and its log.

Nothing here waits for a time to pass: events carry their own timestamps, and the evaluations are told
by how far event time has come on the page.
"""

import json
import re
import sys
import urllib.request
from pathlib import Path

import pytest

from detector.store import write_baseline
from detector.times import parse_rfc3339
from tests.cli.running import write_config
from tests.support.factories import START_S, baseline_of, event, training_rows
from tests.support.processes import Program, free_port, wait_until
from tests.support.producing import send

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(180)]

PANE = 60
"""Events of a pane, which is a second long."""

WINDOW = 5
CLEAR_AFTER = 3

TYPE, GONE, NEW = (
    ("amount", "UNEXPECTED_DATA_TYPE"),
    ("age", "SCHEMA_MISSING_COLUMN"),
    ("", "SCHEMA_NEW_COLUMN"),
)


class LiveService:
    """`drift-detector run` over a topic, fed second by second of event time."""

    def __init__(self, directory: Path, bootstrap: str, topic: str, rng) -> None:
        self._bootstrap, self._topic, self._rng = bootstrap, topic, rng
        self._port = free_port()
        self._second = 0
        baseline = directory / "baseline.json"
        write_baseline(baseline, baseline_of(training_rows(rng, 3000)))
        config = write_config(
            directory / "run.yaml",
            baseline,
            source={
                "kind": "kafka", "bootstrap_servers": [bootstrap], "topics": [topic], "start": "earliest"
            },
            windows={"pane": "1s", "lengths": [f"{WINDOW}s"], "lateness": "0s", "idle_after": "1h"},
            alerts={"clear_after": CLEAR_AFTER},
            http={"port": self._port},
        )  # fmt: skip
        command = [sys.executable, "-m", "detector", "run", "--config", str(config)]
        self.program = Program(command, directory / "service.log", {"DRIFT_LOG__FORMAT": "json"})

    def page(self) -> str:
        """The metrics as they are now; empty while there is no page."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/metrics", timeout=5) as answer:
                return answer.read().decode()
        except OSError:
            return ""

    def anomalies(self) -> set[tuple[str, str]]:
        """(feature, kind) of the series that are 1."""
        found = re.findall(r"^drift_feature_anomaly\{(.*)\} (\S+)$", self.page(), re.MULTILINE)
        assert found
        return {
            (re.search('feature="(.*?)"', labels)[1], re.search('kind="(.*?)"', labels)[1])
            for labels, value in found if float(value) == 1
        }  # fmt: skip

    def feed(self, seconds: int, change=lambda row: row) -> set[tuple[str, str]]:
        """Send so many seconds of events and wait until they are read; return what the page says then.

        The last of these seconds is still open then: the first event after it closes it.
        """
        for _ in range(seconds):
            rows = [change(row) for row in training_rows(self._rng, PANE)]
            times = [START_S + self._second + i / 100 for i in range(PANE)]
            send(self._bootstrap, self._topic, [event(r, t) for r, t in zip(rows, times, strict=True)])
            self._second += 1
            wait_until(lambda last=times[-1]: self._has_read(last), 60, "the events are read")
        return self.anomalies()

    def _has_read(self, last_s: float) -> bool:
        reached = re.search(r"^drift_watermark_timestamp_seconds (\S+)$", self.page(), re.MULTILINE)
        return reached is not None and float(reached[1]) > last_s - 0.005

    @property
    def n_evaluations(self) -> int:
        """Evaluations since the start, whatever came of them."""
        found = re.findall(r"^drift_evaluations_total\{.*\} (\S+)$", self.page(), re.MULTILINE)
        return int(sum(map(float, found)))

    def alerts(self) -> list[tuple[str, str, str, str, float]]:
        """(status, feature, kind, message, event time) of the alerts of the schema in the log, in order."""
        found = []
        for line in self.program.log.read_text().splitlines():
            text = json.loads(line)["message"]
            if "alert=DriftSchemaAnomaly" in text:
                kind = re.search(r"kind=(\S+)", text)
                message = re.search(r'message="(.*?)"', text)
                found.append((
                    re.search(r"status=(\S+)", text)[1], re.search(r"feature=(\S+)", text)[1],
                    kind[1] if kind else "", message[1] if message else "",
                    parse_rfc3339(re.search(r"at=(\S+)", text)[1]),
                ))  # fmt: skip
        return found


@pytest.fixture
def service(kafka, make_topic, tmp_path, rng):
    live = LiveService(tmp_path, kafka, make_topic(), rng)
    wait_until(live.page, 60, "the page is served")
    yield live
    live.program.kill()


def _broken(row):
    return {k: v for k, v in row.items() if k != "age"} | {"amount": f"{row['amount']} EUR", "channel": "app"}


def test_a_producer_that_breaks_the_schema_is_told_in_one_evaluation_and_it_clears(service):
    """Text for a number, a column dropped, another added: in the first evaluation of a pane with them.

    The events are sent second by second, and the page is read between: after the first second of
    broken events their pane is open, and nothing is told; the next event closes it, and all is told,
    with the end of that pane for its time. One evaluation for every second in between: none is missed.
    """
    assert service.feed(7) == set()
    assert service.feed(1, _broken) == set()
    assert service.n_evaluations == 7
    assert service.feed(1, _broken) == {TYPE, GONE, NEW}
    assert service.n_evaluations == 8

    first_end_s = START_S + 8
    fired = [a for a in service.alerts() if a[0] == "firing"]
    assert {(feature, kind): at for _, feature, kind, _, at in fired} == {
        TYPE: first_end_s, GONE: first_end_s, ("channel", NEW[1]): first_end_s
    }  # fmt: skip
    messages = {feature: message for _, feature, _, message, _ in fired}
    assert messages["age"] == "column 'age' is completely missing"
    assert messages["channel"] == "column 'channel' is not in the schema"
    assert messages["amount"] == "expected numbers, got another type in 60 of 60 values (100 %)"

    assert service.feed(WINDOW + CLEAR_AFTER + 1) == set()
    resolved = {(name, kind): at for status, name, kind, _, at in service.alerts() if status == "resolved"}
    assert resolved == {
        # The second broken pane ends at 9, sound ones at 10, 11 and 12.
        GONE: START_S + 9 + CLEAR_AFTER,
        # What the broken panes held is in the window until that of 14 begins behind them.
        TYPE: START_S + 14 + CLEAR_AFTER - 1,
        ("channel", NEW[1]): START_S + 14 + CLEAR_AFTER - 1,
    }
    assert [a for a in service.alerts() if a[0] == "firing"] == fired
    assert service.program.terminate() == 0
