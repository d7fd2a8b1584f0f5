"""What needs raw values: detectors that read one value at a time (river), and TFDV's divergence of numbers.

The same worlds as elsewhere, drawn value by value: normal with the pane's mean. Detectors run with the
defaults of river 0.26 (ADWIN delta .002, Page-Hinkley threshold 50 and delta .005, KSWIN alpha .005 over the
last 100 values). They know no training data, start afresh at every alarm, and each alarm counts. Values have
a standard deviation of 1: Page-Hinkley's threshold is in the values' own unit.
"""

from dataclasses import dataclass

import numpy as np

from detector.tfdv.histogram import standard_histogram
from detector.tfdv.measures import numeric_divergence
from tests.bench.detection import settings
from tests.bench.detection.campaign import Episodes
from tests.bench.detection.worlds import CHANGES, Days
from tests.support.worlds import PANES_A_DAY, WINDOW, rng_of

FEATURES = 4
REFERENCE_ROWS = 100_000
LIMITS = (0.01, 0.1)
CHANGED = (".1 s", ".25 s", ".5 s", "variance x 1.5")
BEFORE_PANES, AFTER_PANES = PANES_A_DAY // 4, PANES_A_DAY


@dataclass(frozen=True)
class Reader:
    """A detector of single values, and how much of a day it is given: some are slow."""

    kind: str
    part: float = 1.0

    def new(self):
        """Make one with its defaults."""
        from river import drift

        return drift.KSWIN(seed=1) if self.kind == "KSWIN" else getattr(drift, self.kind)()


READERS = {"ADWIN": Reader("ADWIN"), "Page-Hinkley": Reader("PageHinkley"), "KSWIN": Reader("KSWIN", 0.02)}


@dataclass(frozen=True)
class Outcome:
    """Alarms in so many days of features without change; hours from each change to an alarm (inf: none)."""

    alarms: int
    feature_days: float
    delays: dict


def panes(world, name, n, change=None, onset=0):
    """Yield the raw values (FEATURES, n) of each pane of a stream."""
    days = Days(world, rng_of(settings.SEED, "raw", world, name))
    day = None
    for i in range(n):
        if i % PANES_A_DAY == 0:
            day = days.day()
            if change is not None:
                at = np.arange(i, i + PANES_A_DAY)
                day = change(day, (at + 1 - onset) / PANES_A_DAY)
        at = i % PANES_A_DAY
        mean, scale = day.mean[at, :FEATURES, None], day.scale[at, :FEATURES, None]
        yield days.rng.normal(mean, scale, (FEATURES, int(day.n[at])))


def read(reader, world):
    """Let river's detectors read: false alarms, then every change."""
    kind = READERS[reader]
    n = max(1, int(settings.RAW_DAYS * kind.part * PANES_A_DAY))
    alarms = sum(len(found) for found in _alarms(kind, panes(world, "null", n)))
    before = max(1, int(BEFORE_PANES * kind.part))
    delays = {}
    for name in CHANGED:
        after = int(min(AFTER_PANES, CHANGES[name].hours * 12 * 4) * (1.0 if kind.part == 1 else 0.05))
        stream = panes(world, name, before + after, CHANGES[name].apply, before)
        found = _alarms(kind, stream)
        delays[name] = [_first(hits, before) for hits in found]
    return Outcome(alarms, FEATURES * n / PANES_A_DAY, delays)


def _alarms(kind, stream):
    """Return the panes, in fractions, at which each feature's detector raises an alarm."""
    detectors = [kind.new() for _ in range(FEATURES)]
    found = [[] for _ in detectors]
    for i, values in enumerate(stream):
        for f, detector in enumerate(detectors):
            for k, x in enumerate(values[f].tolist()):
                detector.update(x)
                if detector.drift_detected:
                    found[f].append(i + k / values.shape[1])
    return found


def _first(hits, onset):
    later = [hit for hit in hits if hit >= onset]
    return (later[0] - onset) / 12.0 if later else np.inf


def tfdv(world):
    """Return the outcome of TFDV's divergence at both limits, over sliding windows of an hour."""
    rng = rng_of(settings.SEED, "raw", "reference", world)
    days = Days(world, rng)
    means = np.concatenate([days.day().mean[:, :FEATURES] for _ in range(28)])
    chosen = means[rng.integers(len(means), size=REFERENCE_ROWS)].T
    reference = [_histogram(row) for row in rng.normal(chosen, 1.0)]
    n = int(settings.RAW_DAYS * PANES_A_DAY / 2)
    null, alarmed = _divergence_alarms(reference, panes(world, "null", n)), {}
    for name in CHANGED:
        onset = WINDOW + 12
        n_after = int(min(CHANGES[name].hours * 12 * 2, 72))
        stream = panes(world, name, onset + n_after, CHANGES[name].apply, onset)
        alarmed[name] = (_divergence_alarms(reference, stream), onset)
    return {
        limit: Outcome(
            int(null[r].sum()),
            FEATURES * n / PANES_A_DAY,
            {
                name: [_first((np.flatnonzero(hits[r][:, f]) + 1).tolist(), onset) for f in range(FEATURES)]
                for name, (hits, onset) in alarmed.items()
            },
        )
        for r, limit in enumerate(LIMITS)
    }


def _histogram(values):
    distinct, counts = np.unique(values, return_counts=True)
    return standard_histogram(distinct, counts.astype(float))


def _divergence_alarms(reference, stream):
    """Return where alarms begin (limits, panes, FEATURES)."""
    episodes, recent, begins = Episodes(len(LIMITS), FEATURES), [], []
    for values in stream:
        recent = [*recent[-(WINDOW - 1) :], values]
        if len(recent) < WINDOW:
            begins.append(np.zeros((len(LIMITS), FEATURES), dtype=bool))
            continue
        window = np.concatenate(recent, axis=1)
        found = np.array(
            [numeric_divergence(_histogram(x), r) for x, r in zip(window, reference, strict=True)]
        )
        begins.append(episodes.update(found > np.array(LIMITS)[:, None]))
    return np.stack(begins, axis=1)
