"""The shipped flights, and the model whose predictions are watched."""

import csv
import io
import lzma
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import msgspec

MODEL_NAME = "arrival-delay"
MODEL_VERSION = "1"

TRAINING_ENDS = "2013-07-01"
"""Flights before this day are training data, the rest is the live stream."""

LIVE_ENDS = "2013-11-20T18:00"
"""The stream ends amid the last fault, so that it is there for people to look at."""

NUMBERS = ("distance", "dep_delay", "wind_speed", "visibility")
TEXTS = ("carrier", "origin", "dest")

LATE_MIN = 15.0
"""A flight that arrives later than this is late, as airlines count it."""

Flight = dict[str, str | float | None]
"""One flight: its timestamp, texts and numbers by name; None where the table has nothing."""


@dataclass(frozen=True, slots=True)
class DelayModel:
    """The demonstration's model: a linear fit of the arrival delay in minutes."""

    dep_delay: float
    distance: float
    wind_speed: float
    carrier: Mapping[str, float]

    @classmethod
    def shipped(cls) -> "DelayModel":
        """Return the shipped model."""
        return msgspec.json.decode(_data("model.json"), type=cls)

    def predict(self, flight: Mapping[str, str | float | None]) -> dict[str, float | bool]:
        """Predict one flight; like many served models, it takes 0 for what is missing."""

        def number(name: str) -> float:
            value = flight[name]
            return value if isinstance(value, float) else 0.0

        minutes = (
            self.carrier.get(str(flight["carrier"]), 0.0)
            + self.dep_delay * number("dep_delay")
            + self.distance * number("distance")
            + self.wind_speed * number("wind_speed")
        )
        return {"arr_delay": round(minutes, 1), "late": minutes > LATE_MIN}


def _data(name: str) -> bytes:
    return (files("detector.demo") / "data" / name).read_bytes()


def flights() -> Iterator[Flight]:
    """Yield the shipped flights in the order of their time."""
    text = lzma.decompress(_data("flights.csv.xz")).decode()
    for row in csv.DictReader(io.StringIO(text)):
        flight: Flight = {"timestamp": row["timestamp"]}
        flight.update((name, row[name] or None) for name in TEXTS)
        flight.update((name, float(row[name]) if row[name] else None) for name in NUMBERS)
        yield flight


def is_training(flight: Flight) -> bool:
    """Whether a flight belongs to the training months."""
    return str(flight["timestamp"]) < TRAINING_ENDS


def is_live(flight: Flight) -> bool:
    """Whether a flight belongs to the stream."""
    return TRAINING_ENDS <= str(flight["timestamp"]) < LIVE_ENDS


def write_training(path: Path, training: Iterable[Flight], model: DelayModel) -> None:
    """Write the training table, a column a feature and two for the predictions."""
    columns = ["timestamp", *TEXTS, *NUMBERS, "arr_delay", "late"]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        for flight in training:
            writer.writerow(flight | model.predict(flight))


def event_of(number: int, flight: Flight, prediction: Mapping[str, object]) -> bytes:
    """Return the event that serving one flight sends."""
    features = {name: flight[name] for name in (*TEXTS, *NUMBERS)}
    return msgspec.json.encode(
        {
            "model": MODEL_NAME,
            "version": MODEL_VERSION,
            "event_id": f"flight-{number}",
            "timestamp": str(flight["timestamp"]).replace("Z", ":00Z"),
            "features": features,
            "prediction": prediction,
        }
    )
