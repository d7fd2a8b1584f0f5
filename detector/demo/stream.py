"""The live half of the flights as a source of events, with the faults in it."""

import random
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from detector.batch import Loss, Partition, Records
from detector.demo.faults import FAULTS, SEED
from detector.demo.flights import DelayModel, Flight, event_of, flights, is_live, is_training
from detector.sources import Mark
from detector.times import parse_rfc3339
from detector.view import PartitionStatus, SourceStatus

EVENTS_A_POLL = 500


def events(live: Sequence[Flight], model: DelayModel) -> Iterator[bytes]:
    """Yield the events that serving the live flights sends."""
    rng = random.Random(SEED)  # noqa: S311 - a fault's dice, no secret
    spans = [(fault, fault.start_s, fault.end_s) for fault in FAULTS]
    for number, recorded in enumerate(live):
        flight = dict(recorded)
        at_s = parse_rfc3339(str(flight["timestamp"]))
        active = [
            (fault, (at_s - start) / (end - start)) for fault, start, end in spans if start <= at_s < end
        ]
        for fault, share in active:
            if not fault.hits_prediction:
                fault.apply(flight, share, rng)
        prediction: Flight = dict(model.predict(flight))
        for fault, share in active:
            if fault.hits_prediction:
                fault.apply(prediction, share, rng)
        yield event_of(number, flight, prediction)


def split() -> tuple[list[Flight], list[Flight]]:
    """Return the training flights and the live ones."""
    training: list[Flight] = []
    live: list[Flight] = []
    for flight in flights():
        if is_training(flight):
            training.append(flight)
        elif is_live(flight):
            live.append(flight)
    return training, live


def span_s(live: Sequence[Flight]) -> float:
    """Return the event time from the first flight to the last, in seconds."""
    return parse_rfc3339(str(live[-1]["timestamp"])) - parse_rfc3339(str(live[0]["timestamp"]))


class FlightSource:
    """Delivers the live events as fast as they are taken."""

    def __init__(self, live: Sequence[Flight], model: DelayModel) -> None:
        self._events = events(live, model)
        self._n = len(live)
        self._read = 0
        self._partition = Partition("flights", 0)

    def poll(self, timeout_s: float) -> Records:  # noqa: ARG002 - nothing here to wait for
        """Return the next events; none when all have been delivered."""
        values: list[bytes | None] = [
            event for _, event in zip(range(EVENTS_A_POLL), self._events, strict=False)
        ]
        first = self._read
        self._read += len(values)
        return Records(
            values,
            np.zeros(len(values), dtype=np.int64),
            np.arange(first, self._read),
            np.full(len(values), -1),
            (self._partition,),
        )

    def status(self) -> SourceStatus:
        """Say how far the stream is."""
        return SourceStatus(
            connected=True, partitions=(PartitionStatus(self._partition, self._read, self._n),)
        )

    def idle(self) -> Sequence[Partition]:
        """Nothing is idle: the stream's last windows stay as they are, for people to look at."""
        return ()

    def positions(self) -> Mapping[Partition, int]:
        """Return the number of the next event."""
        return {self._partition: self._read}

    def seek(self, positions: Mapping[Partition, int], topic_ids: Mapping[str, str]) -> None:
        """Stay at the beginning: the demonstration tells its story from there."""

    def topic_ids(self) -> Mapping[str, str]:
        """There is no topic."""
        return {}

    def take_losses(self) -> Sequence[Loss]:
        """Nothing gets lost."""
        return ()

    def cluster_id(self) -> None:
        """Nor are there brokers."""

    def committed(self) -> Mapping[Partition, Mark]:
        """Nothing is left from an earlier run."""
        return {}

    def commit(self, marks: Mapping[Partition, Mark]) -> None:
        """There is no later run."""

    def close(self) -> None:
        """Nothing to let go of."""
