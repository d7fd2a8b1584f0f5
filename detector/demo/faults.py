"""The faults that the demonstration injects, each at a known time, as they happen in practice."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from detector.demo.flights import Flight
from detector.times import parse_rfc3339

SEED = 20130701


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that goes wrong between two moments."""

    name: str
    feature: str
    """Where it should be found."""
    start: str
    end: str
    apply: Callable[[Flight, float, random.Random], None]
    """Changes a flight (or its prediction) in place; the float is the elapsed share of the fault, 0 to 1."""
    also: tuple[str, ...] = ()
    """Features and predictions that the fault drags along."""
    hits_prediction: bool = False
    """The fault changes the prediction, not the features."""

    @property
    def start_s(self) -> float:
        """When it begins, in epoch seconds."""
        return parse_rfc3339(self.start)

    @property
    def end_s(self) -> float:
        """When it is mended, in epoch seconds."""
        return parse_rfc3339(self.end)


def _kilometres(flight: Flight, _share: float, _rng: random.Random) -> None:
    if isinstance(flight["distance"], float):
        flight["distance"] = round(flight["distance"] * 1.609344)


def _icao_code(flight: Flight, _share: float, _rng: random.Random) -> None:
    if flight["carrier"] == "UA":
        flight["carrier"] = "UAL"


def _lose_delays(flight: Flight, _share: float, rng: random.Random) -> None:
    if rng.random() < 0.35:
        flight["dep_delay"] = None


def _slow_clock(flight: Flight, share: float, _rng: random.Random) -> None:
    if isinstance(flight["dep_delay"], float):
        flight["dep_delay"] += round(30.0 * share)


def _stuck_model(prediction: Flight, _share: float, _rng: random.Random) -> None:
    prediction["arr_delay"] = 0.0


FAULTS = (
    Fault(
        "unit change: distances come in kilometres instead of miles",
        "distance", "2013-07-22T06:00:00Z", "2013-07-26T06:00:00Z", _kilometres,
    ),
    Fault(
        "category renamed: United is sent as UAL instead of UA",
        "carrier", "2013-08-19T06:00:00Z", "2013-08-23T06:00:00Z", _icao_code,
        also=("arr_delay",),
    ),
    Fault(
        "missing values: 35 % of the departure delays are lost",
        "dep_delay", "2013-09-16T06:00:00Z", "2013-09-20T06:00:00Z", _lose_delays,
        also=("arr_delay",),
    ),
    Fault(
        "slow ramp: a clock runs away, departure delays grow by up to 30 minutes over 14 days",
        "dep_delay", "2013-10-07T06:00:00Z", "2013-10-21T06:00:00Z", _slow_clock,
        also=("arr_delay", "late"),
    ),
    Fault(
        "stuck model: a fallback answers 0 minutes for every flight",
        "arr_delay", "2013-11-18T06:00:00Z", "2013-11-21T06:00:00Z", _stuck_model,
        hits_prediction=True,
    ),
)  # fmt: skip
"""In the order of their time."""
