"""A model's week of training data, and a day of its events with two shifts, sent at the pace of a minute."""

import csv
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from detector.times import format_time
from tests.support.factories import KEY, event, training_rows
from tests.support.producing import Producer

TOPIC = "predictions"
N_PARTITIONS = 2

HOUR_S = 3600.0
DAY_S = 24 * HOUR_S
DAY_LASTS_S = 60.0
"""A day of events is sent in so long."""

EVENTS_AN_HOUR = 1000
TRAINING_DAYS = 7
TRAINING_EVENTS_AN_HOUR = 500
TICK_S = 0.1
SEED = 11

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shift:
    """Something that changes between two hours of the day, and the alerts it should make."""

    name: str
    first_hour: int
    last_hour: int
    apply: Callable[[Row], None]
    alert: str
    feature: str
    receiver: str
    """Path of the receiver that Alertmanager should tell."""
    beside: str
    """An alert on the same feature, to the team, that may come with it: it says why."""

    def is_on(self, hour: float) -> bool:
        """Whether it is in force at an hour of the day."""
        return self.first_hour <= hour < self.last_hour


def _cents(row: Row) -> None:
    row["amount"] = round(row["amount"] * 100, 2)


def _turned_round(row: Row) -> None:
    row["score"] = 1 - row["score"]


SHIFTS = (
    Shift(
        "amounts come in cents", 4, 7, _cents,
        "DriftFeatureDrifted", "amount", "/team", "DriftFeatureOutsideHigh",
    ),
    Shift(
        "a new release answers 1 - score", 14, 17, _turned_round,
        "DriftPredictionDrifted", "score", "/on-call", "DriftFeatureOutsideHigh",
    ),
)  # fmt: skip
"""Apart enough for the longest window to forget the first before the second begins."""


def rows(rng: np.random.Generator) -> Iterator[Row]:
    """Yield what the model sees and answers; its score follows no feature, so each shift stands alone."""
    while True:
        made = training_rows(rng, EVENTS_AN_HOUR)
        for row, score in zip(made, rng.beta(2, 5, EVENTS_AN_HOUR).tolist(), strict=True):
            yield {**row, "score": score}


def write_training(path: Path, end_s: float) -> None:
    """Write the week before `end_s` (epoch seconds) as a CSV, a column a feature."""
    n = 24 * TRAINING_DAYS * TRAINING_EVENTS_AN_HOUR
    step_s = HOUR_S / TRAINING_EVENTS_AN_HOUR
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["timestamp", "amount", "age", "country", "member", "score"])
        writer.writeheader()
        for i, row in enumerate(itertools.islice(rows(np.random.default_rng(SEED)), n)):
            writer.writerow({"timestamp": format_time(end_s - (n - i) * step_s), **row})


def day(start_s: float) -> Iterator[tuple[float, bytes]]:
    """Yield (event time, event) of the day that begins at `start_s`, and of what follows, without end."""
    for i, row in enumerate(rows(np.random.default_rng(SEED + 1))):
        time_s = start_s + i * HOUR_S / EVENTS_AN_HOUR
        for shift in SHIFTS:
            if shift.is_on((time_s - start_s) / HOUR_S):
                shift.apply(row)
        yield time_s, event(row, time_s, KEY, prediction={"score": row.pop("score")})


class Sender:
    """Sends the day that ends now from a thread of its own; what follows it at its own pace."""

    def __init__(self, bootstrap: str, start_s: float) -> None:
        self._bootstrap = bootstrap
        self._start_s = start_s
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sender", daemon=True)
        self.time_s = start_s
        """Event time that has been sent."""
        self.error: Exception | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._thread.join(30)

    @property
    def hour(self) -> float:
        """Hours of the day that have been sent; beyond 24 it is over."""
        return (self.time_s - self._start_s) / HOUR_S

    def _run(self) -> None:
        try:
            with Producer(self._bootstrap) as producer:
                self._send(producer)
        except Exception as error:  # noqa: BLE001 - told to the main thread
            self.error = error

    def _send(self, producer: Producer) -> None:
        began_s = time.monotonic()
        coming = day(self._start_s)
        held: list[tuple[float, bytes]] = [next(coming)]
        while not self._stopping.wait(TICK_S):
            pace_s = self._start_s + (time.monotonic() - began_s) * DAY_S / DAY_LASTS_S
            until_s = min(pace_s, time.time())
            while held[-1][0] < until_s:
                held.append(next(coming))
            *ripe, last = held
            held = [last]
            for number in range(N_PARTITIONS):
                producer.send(TOPIC, [value for _, value in ripe[number::N_PARTITIONS]], partition=number)
            self.time_s = max(self.time_s, until_s)
