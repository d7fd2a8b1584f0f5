"""Running models of a world, each in a process of its own if need be, and counting the alarms of every rule.

One task is one model: it is trained once, then lives a month without change, or a few days with each change.
Its seed is its name, so a figure is the same however many processes and tasks there are.
"""

import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context

import numpy as np

from tests.bench.detection import settings
from tests.bench.detection.rules import peers
from tests.bench.detection.rules.measures import Measured
from tests.bench.detection.stream import BATCH, BatchJudge, Model, live
from tests.bench.detection.worlds import CHANGES, Days
from tests.support.worlds import PANE_S, PANES_A_DAY, WINDOW, rng_of

OURS = "this detector"
FINER = "this detector, min_effect .05"
POLICIES = {OURS: {}, FINER: {"min_effect": 0.05}}
RAISE_AFTER = 3
MONTH = 30
AFTER_DAYS = 2
"""Days that a stream goes on after the change."""


class Episodes:
    """Alarms of R rules on F features: three windows in a row raise one, twelve without end it."""

    def __init__(self, n_rules, n_features):
        shape = (n_rules, n_features)
        self._up, self._calm = np.zeros(shape, int), np.zeros(shape, int)
        self.raised = np.zeros(shape, bool)

    def update(self, hits):
        """Take flags (R, F) of one window; return where an alarm begins."""
        self._up = np.where(hits, self._up + 1, 0)
        self._calm = np.where(hits, 0, self._calm + 1)
        begins = ~self.raised & (self._up >= RAISE_AFTER)
        self.raised = (self.raised | begins) & (self._calm < WINDOW)
        return begins


@dataclass
class Tally:
    """What one rule did in one model's month."""

    alarms: int = 0
    features: int = 0
    """Features with at least one alarm."""
    raised: float = 0.0
    """Share of time and features that an alarm was on."""
    by_statistic: dict = field(default_factory=dict)
    """Of our own alarms, how many each statistic raised."""


def month(world, number):
    """Return the tallies by rule of one model in a month without any change."""
    rng = rng_of(settings.SEED, world, number)
    model, days = Model(world), Days(world, rng)
    baseline, reference, chunks = model.train(days)
    return _tallies(_follow(model, days, baseline, (reference, peers(reference, chunks)), MONTH))


def power(world, number):
    """Return by change and rule the hours until each feature is found (F): inf never, NaN alarmed before."""
    model, days = Model(world), Days(world, rng_of(settings.SEED, world, "power", number))
    baseline, reference, chunks = model.train(days)
    rules, found = (reference, peers(reference, chunks)), {}
    for name, change in CHANGES.items():
        if change.features == "categorical" and not model.n_categorical:
            continue
        if change.features != "numeric" and not model.n_categorical:
            continue
        followed = _follow(model, days, baseline, rules, 1 + AFTER_DAYS, change.apply)
        features = _concerned(model, change.features)
        found[name] = {rule: _delays(track)[features] for rule, track in followed.items()}
    return found


def _concerned(model, features):
    n = model.n_numeric
    return {
        "numeric": slice(0, n), "categorical": slice(n, n + model.n_categorical), "all": slice(None)
    }[features]  # fmt: skip


@dataclass
class _Track:
    """What one rule did along a stream: windows and features where alarms begin, and where they are on."""

    begins: np.ndarray
    raised: np.ndarray
    panes: np.ndarray
    by_statistic: dict = field(default_factory=dict)


def _follow(model, days, baseline, rules, n_days, change=None):
    """Return the track of every rule along one stream; `rules` is the training sample and peers' rules."""
    reference, others = rules
    judge = BatchJudge(model, baseline)
    finer = BatchJudge(model, baseline, min_effect=POLICIES[FINER]["min_effect"])
    names = [OURS, FINER, *others]
    episodes = Episodes(len(names), len(baseline.features))
    begins, raised, panes, by_statistic = [], [], [], {}
    for look in live(model, days, judge, n_days, change):
        theirs = _theirs(reference, others, look.sample)
        hits = np.concatenate((look.hits[:, None], finer.hits(look)[:, None], theirs), axis=1)
        for i, flags in enumerate(hits):
            found = episodes.update(flags)
            # Our own alarms are those of the real alert book.
            found[0] = look.begun[i]
            begins.append(found)
            raised.append(episodes.raised)
        panes.append(look.panes)
        for _, _, statistic in look.statistics:
            by_statistic[statistic] = by_statistic.get(statistic, 0) + 1
    begins, raised, panes = np.stack(begins, axis=1), np.stack(raised, axis=1), np.concatenate(panes)
    tracks = {name: _Track(begins[r], raised[r], panes) for r, name in enumerate(names)}
    tracks[OURS].by_statistic = by_statistic
    return tracks


def _theirs(reference, rules, sample):
    """Return the flags of peers' rules (T, R, F); some windows at a time, for the processor's cache."""
    parts = []
    for start in range(0, len(sample.n), BATCH):
        found = Measured(reference, sample[start : start + BATCH])
        parts.append(np.stack([rule(found) for rule in rules.values()], axis=1))
    return np.concatenate(parts)


def _tallies(tracks):
    return {
        name: Tally(
            int(t.begins.sum()), int(t.begins.any(axis=0).sum()), float(t.raised.mean()), t.by_statistic
        )
        for name, t in tracks.items()
    }


def _delays(track):
    """Hours from the change to the first alarm after it (F)."""
    after = track.panes >= PANES_A_DAY
    first = np.where(track.begins[after].any(axis=0), track.begins[after].argmax(axis=0) + 1.0, np.inf)
    return np.where(track.raised[~after][-1], np.nan, first * PANE_S / 3600.0)


def run(task, arguments):
    """Return what `task` gives for each tuple of arguments, in order, in `settings.PROCESSES` processes."""
    if settings.PROCESSES == 1 or len(arguments) == 1:
        return [task(*a) for a in arguments]
    # Fresh interpreters: a fork would take pytest's state along. One thread each, they share the cores.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with ProcessPoolExecutor(settings.PROCESSES, mp_context=get_context("spawn")) as pool:
        return list(pool.map(task, *zip(*arguments, strict=True)))
