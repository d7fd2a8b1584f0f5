"""Streams of counts, whose truth is known, through the real judge and the real alert book.

A model of 100 features, each normal with a mean that moves as its world says; 28 days of training data and
30 live ones in panes of five minutes, about 1,000 events each, judged in windows of an hour.
"""

import hashlib
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr, ndtri

from detector.alerts import AlertBook
from detector.baseline import Baseline, Provenance
from detector.baseline.measure_variation import Slots, measure_season, measure_variation
from detector.batch import Feature, FeatureSet, ModelKey
from detector.drift.explanation import NO_EXPLANATION
from detector.drift.judge import Judge
from detector.drift.level import Level
from detector.drift.policy import DecisionPolicy
from detector.profile import Binning, Layout, NumericBinning, Profile
from detector.runs import AlertPolicy
from detector.times import N_HOURS, kind_of_hour
from detector.windows.sliding import WindowProfile

F = 100
"""Features of the model."""
PANES_A_DAY = 288
PANE_S = 300.0
WINDOW = 12
EVENTS = 1000
EDGES = np.concatenate(([-6.0], ndtri(np.arange(1, 64) / 64), [6.0]))
KEY = ModelKey("m", "1")
SLOT_PANES = 3
START_S = 1_767_225_600.0  # 1 January 2026, a Thursday


def rng_of(*names):
    """A generator of its own for each name: SHA-256 of it seeds it."""
    text = "/".join(map(str, names))
    return np.random.default_rng(np.frombuffer(hashlib.sha256(text.encode()).digest(), np.uint32))


@dataclass
class World:
    """How the means of the features move: (panes) x (features), and the events a pane."""

    name: str
    rng: np.random.Generator
    n_features: int = F

    def __post_init__(self):
        n = self.n_features
        self.sd = np.exp(self.rng.uniform(np.log(0.01), np.log(0.06), n))
        self.phase = self.rng.uniform(0, 2 * np.pi, n)
        self.ar = np.zeros(n)

    def day(self):
        """Return the means (288, F), the scale (F) and the events (288) of one day."""
        rng, n = self.rng, np.full(PANES_A_DAY, float(EVENTS))
        mu = np.zeros((PANES_A_DAY, self.n_features))
        hours = np.arange(PANES_A_DAY) / PANES_A_DAY
        if self.name in ("day", "t3", "season"):
            kick = (
                rng.standard_t(3, self.n_features) / np.sqrt(3)
                if self.name == "t3"
                else rng.normal(size=self.n_features)
            )
            mu += self.sd * kick
            noise = rng.normal(0, 0.02 * np.sqrt(1 - 0.92**2), (PANES_A_DAY, self.n_features))
            for i in range(PANES_A_DAY):
                self.ar = 0.92 * self.ar + noise[i]
                mu[i] += self.ar
            n = EVENTS * (1 + 0.6 * np.sin(2 * np.pi * (hours - 0.25)))
        if self.name == "season":
            mu += 0.4 * np.sin(2 * np.pi * hours[:, None] + self.phase)
        return mu, rng.poisson(n)


def shares(mu, scale=1.0):
    """Return the shares of the bins (..., bins)."""
    cdf = ndtr((EDGES - mu[..., None]) / scale)
    return np.diff(cdf, prepend=0.0, append=1.0, axis=-1)


class Model:
    """The binning and the baseline of 100 features."""

    def __init__(self, n_features=F):
        self.n_features = n_features
        features = FeatureSet.of([Feature(f"f{i}", "float") for i in range(n_features)])
        self.binning = Binning(features, (NumericBinning(EDGES),) * n_features, ())
        self.layout = Layout.of(self.binning)

    def vector(self, counts, n):
        """Return the flat vector of one pane: counts (F, bins) and the number of events."""
        row = np.zeros(self.layout.width, dtype=np.int64)
        row[: self.layout.n_bins] = counts.ravel()
        row[self.layout.events] = n
        return row

    def profile(self, row):
        """Return a profile with these counts."""
        profile = Profile.zeros(self.layout)
        profile.counts[0] = row
        return profile

    def train(self, world, days=28):
        """Return a baseline of `days` days of a world, with its season and variation."""
        slots = Slots(PANE_S * SLOT_PANES, {})
        total = np.zeros(self.layout.width, dtype=np.int64)
        first = int(START_S / PANE_S)
        for day in range(days):
            mu, n = world.day()
            p = shares(mu)
            for i in range(PANES_A_DAY):
                row = self.vector(world.rng.multinomial(n[i], p[i]), n[i])
                slots.add((first + day * PANES_A_DAY + i) // SLOT_PANES, row)
                total += row
        provenance = Provenance((), "", int(total[-1]), "2026-01-01T00:00:00Z", "0", 0, timestamp="t")
        baseline = Baseline(
            None, None, self.binning, self.profile(total), np.zeros(self.n_features), (), provenance
        )
        baseline = replace(baseline, season=measure_season(baseline, slots))
        return replace(baseline, variation=measure_variation(baseline, slots, baseline.season))


def judge_of(baseline, **policy):
    """Return the judge of a model in production: one window of an hour, every five minutes."""
    decided = DecisionPolicy(min_samples=500, **policy)
    return Judge(KEY, baseline, decided, level=Level(1.0, len(baseline.features), 1, 1, PANE_S))


def bare(baseline):
    """Return a baseline as training data without timestamps give it."""
    return replace(baseline, variation=None, season=None)


def learned(judge, learner):
    """Return the judge that rests on what a learner knows."""
    known = learner.knowledge
    return judge_of(replace(judge.baseline, variation=known.variation, season=known.season))


def live(model, world, judge, days=30, change=None, start_day=28, policy=None, learner=None):
    """Yield (pane, transitions, evaluation) of a live stream; `change(panes, mu)` may move mean and scale.

    With a learner the judge rests on what that knows.
    """
    if learner is not None:
        judge = learned(judge, learner)
    book = AlertBook(policy or AlertPolicy(3, WINDOW))
    window = np.zeros(model.layout.width, dtype=np.int64)
    panes = []
    pane = 0
    for day in range(days):
        mu, n = world.day()
        if change is not None:
            mu, scale = change(day * PANES_A_DAY + np.arange(PANES_A_DAY), mu)
        else:
            scale = 1.0
        p = shares(mu, scale)
        for i in range(PANES_A_DAY):
            start_s = START_S + (start_day * PANES_A_DAY + pane) * PANE_S
            row = model.vector(world.rng.multinomial(n[i], p[i]), n[i])
            panes.append((row, kind_of_hour(start_s)))
            window += row
            if len(panes) > WINDOW:
                window -= panes.pop(0)[0]
            pane += 1
            if len(panes) < WINDOW:
                if learner is not None:
                    learner.add(start_s, row, np.full(model.n_features, np.inf))
                continue
            hours = np.zeros((1, N_HOURS))
            for other, cell in panes:
                hours[0, cell] += other[-1]
            end_s = start_s + PANE_S
            seen = WindowProfile(3600.0, end_s - 3600.0, end_s, model.profile(window.copy()), hours=hours)
            evaluation = judge.evaluate(seen)
            transitions = book.update([evaluation], lambda *_: NO_EXPLANATION)
            if learner is not None and learner.add(start_s, row, book.suspect_since([evaluation])):
                judge = learned(judge, learner)
            yield pane, transitions, evaluation
