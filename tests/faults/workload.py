"""A stream with everything in it that may go wrong by itself, the same for the same seed.

Four partitions, three hours of event time, ten features; in each partition the events come
a little out of order, some far too late, some unusable. Twice something changes and changes back, so
that alerts fire and resolve. The last event of each partition lies behind all others and closes
their windows: nothing depends on the clock.

All is made as arrays first. The payloads are written from them, and the oracle counts them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from tests.support.factories import KEY, START_S

N_PARTITIONS = 4
PANE_S = 60
LENGTHS_S = (300, 1800)
LATENESS_S = 120
HOURS = 3
LENGTH_S = HOURS * 3600
END_S = START_S + LENGTH_S
FLUSH_S = END_S + LATENESS_S + PANE_S
"""Event time of the last event of each partition: by it the watermark passes the last full pane."""

FIRST_FAULT_S = (START_S + 0.30 * LENGTH_S, START_S + 0.45 * LENGTH_S)
SECOND_FAULT_S = (START_S + 0.60 * LENGTH_S, START_S + 0.72 * LENGTH_S)

LATE_SHARE = 0.01
"""Events held back by 10 to 40 minutes; those that come before their pane is closed are still in time."""

EVENT, GARBAGE, NO_OBJECT, NO_TIME, TOMBSTONE, STRANGER = range(6)
"""What a record is: an event, or one that nothing can be done with."""

UNUSABLE_SHARE = 0.004

COUNTRIES = ("DE", "FR", "IT", "ES")
DEVICES = tuple(f"device-{i}" for i in range(400))

NUMBERS = ("amount", "ratio", "score", "wait", "visits", "age")
TEXTS = ("country", "device", "member", "plan")
PLANS = ("free", "basic", "pro")


@dataclass(frozen=True)
class Log:
    """The records of one partition in the order of their offsets: n of them."""

    kind: np.ndarray
    """(n) which of `EVENT`, `GARBAGE`, ..."""
    time_s: np.ndarray
    """(n) event time in whole milliseconds, in epoch seconds."""
    numbers: dict[str, np.ndarray]
    """By feature (n), NaN for no value."""
    texts: dict[str, np.ndarray]
    """By feature (n), None for no value."""

    def __len__(self) -> int:
        return len(self.kind)


Parts = list[Sequence[bytes | None]]
"""Some records of every partition."""


@dataclass(frozen=True)
class Workload:
    """What is sent, partition by partition."""

    logs: tuple[Log, ...]
    payloads: tuple[list[bytes | None], ...]

    def __len__(self) -> int:
        return sum(map(len, self.logs))

    def slices(self, n: int) -> Iterator[Parts]:
        """Cut every partition into n parts; yield the parts of all partitions together."""
        cuts = [np.linspace(0, len(values), n + 1).astype(int).tolist() for values in self.payloads]
        for i in range(n):
            yield [values[cut[i] : cut[i + 1]] for values, cut in zip(self.payloads, cuts, strict=True)]

    def interleaved(self, rng: np.random.Generator) -> Iterator[Parts]:
        """Yield parts of any length of one partition after another, as chance has it."""
        read = [0] * len(self.payloads)
        while any(at < len(values) for at, values in zip(read, self.payloads, strict=True)):
            p = int(rng.integers(len(read)))
            end = read[p] + int(rng.integers(1, max(2, len(self.payloads[p]) // 10)))
            yield [values[read[p] : end] if i == p else [] for i, values in enumerate(self.payloads)]
            read[p] = end


def workload(seed: int, n_events: int) -> Workload:
    """Make `n_events` records and the four that close the windows."""
    rng = np.random.default_rng(seed)
    logs = tuple(_log(rng, n_events // N_PARTITIONS, p) for p in range(N_PARTITIONS))
    return Workload(logs, tuple(_payloads(log, p) for p, log in enumerate(logs)))


def training_rows(seed: int, n: int) -> list[dict[str, object]]:
    """n rows of the same features, as they are while nothing is wrong."""
    rng = np.random.default_rng(seed)
    numbers, texts = _features(rng, np.full(n, START_S))
    columns = numbers | texts
    return [
        {name: _plain(values[i]) for name, values in columns.items() if _plain(values[i]) is not None}
        for i in range(n)
    ]


def _log(rng: np.random.Generator, n: int, partition: int) -> Log:
    # Partitions are not equally busy at all times, nor equally far.
    time_s = START_S + LENGTH_S * np.sort(rng.beta(1 + 0.1 * partition, 1.1, n))
    arrives_s = time_s + rng.exponential(15, n).clip(max=LATENESS_S / 2)
    held_back = rng.random(n) < LATE_SHARE
    arrives_s[held_back] += rng.uniform(600, 2400, int(held_back.sum()))
    time_s = time_s[np.argsort(arrives_s, kind="stable")]
    time_s = np.append(np.round(time_s, 3), FLUSH_S)
    kind = np.full(n + 1, EVENT)
    unusable = rng.random(n) < UNUSABLE_SHARE
    kind[:-1][unusable] = rng.integers(GARBAGE, STRANGER + 1, int(unusable.sum()))
    numbers, texts = _features(rng, time_s)
    return Log(kind, time_s, numbers, texts)


def _features(
    rng: np.random.Generator, time_s: np.ndarray
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    n = len(time_s)
    first = (time_s >= FIRST_FAULT_S[0]) & (time_s < FIRST_FAULT_S[1])
    second = (time_s >= SECOND_FAULT_S[0]) & (time_s < SECOND_FAULT_S[1])
    numbers = {
        "amount": np.where(first, 100, 1) * rng.lognormal(3, 1, n).round(2),
        "ratio": rng.normal(0, 1, n).round(6),
        "score": rng.beta(2, 5, n).round(4) + np.where(second, 0.25, 0),
        "wait": rng.exponential(20, n).round(3),
        "visits": rng.poisson(3, n).astype(float),
        "age": rng.integers(18, 90, n).astype(float),
    }
    missing = rng.random(n) < np.where(second, 0.6, 0.1)
    numbers["ratio"][missing] = np.nan
    country = rng.choice(COUNTRIES, n, p=[0.4, 0.3, 0.2, 0.1]).astype(object)
    country[first & (rng.random(n) < 0.5)] = "XX"
    texts = {
        "country": country,
        "device": np.array(DEVICES, dtype=object)[rng.zipf(1.4, n).clip(max=len(DEVICES)) - 1],
        "member": rng.random(n) < 0.3,
        "plan": rng.choice(PLANS, n, p=[0.6, 0.3, 0.1]).astype(object),
    }
    return numbers, texts


def _payloads(log: Log, partition: int) -> list[bytes | None]:
    columns = {name: values.tolist() for name, values in (log.numbers | log.texts).items()}
    encode = msgspec.json.Encoder().encode
    whole = {"visits", "age"}
    times = np.datetime_as_string((log.time_s * 1000).round().astype("datetime64[ms]"), unit="ms").tolist()
    found: list[bytes | None] = []
    for i, kind in enumerate(log.kind.tolist()):
        features = {
            name: int(values[i]) if name in whole else values[i]
            for name, values in columns.items()
            if values[i] == values[i]
        }
        event = {
            "model": KEY.model,
            "version": "of nobody" if kind == STRANGER else KEY.version,
            "event_id": f"{partition}-{i}",
            "timestamp": "soon" if kind == NO_TIME else times[i] + "Z",
            "features": features,
        }
        unusable = {GARBAGE: b"{", NO_OBJECT: b"[]", TOMBSTONE: None}
        found.append(unusable[kind] if kind in unusable else encode(event))
    return found


def _plain(value: object) -> object:
    """Return a cell as JSON has it, None for no value."""
    if isinstance(value, float | np.floating):
        return None if np.isnan(value) else float(value)
    return value.item() if isinstance(value, np.generic) else value
