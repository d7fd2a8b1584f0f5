"""A model of many kinds of features, and windows of it with one fault each: what causes are named by."""

import numpy as np

from detector.baseline.build import count_columns
from detector.batch import Columns, ModelKey
from detector.drift.causes import cause_of
from detector.drift.evaluation import State
from detector.drift.judge import Judge
from detector.drift.policy import DecisionPolicy
from detector.windows.slices import Slices
from detector.windows.sliding import WindowProfile
from tests.support.factories import baseline_of

NUMBERS = {
    "lognormal": lambda rng, n: rng.lognormal(3, 0.8, n).round(2),
    "heavy": lambda rng, n: rng.lognormal(2, 1.5, n).round(3),
    "normal": lambda rng, n: rng.normal(50, 10, n),
    "exponential": lambda rng, n: rng.exponential(20, n),
    "counts": lambda rng, n: rng.poisson(30, n).astype(float),
    "few": lambda rng, n: rng.choice([1.0, 2.0, 3.0, 5.0, 8.0], n, p=[0.3, 0.3, 0.2, 0.15, 0.05]),
    "uniform": lambda rng, n: rng.uniform(18, 90, n).round(1),
    "degrees": lambda rng, n: rng.normal(15, 8, n).round(1),
    "centred": lambda rng, n: rng.normal(0, 1, n),
}
CARRIERS = [f"C{i}" for i in range(16)]
CARRIER_SHARES = np.array([17, 16, 15, 14, 10, 8, 6, 5, 2, 2, 1, 1, 1, 1, 0.5, 0.5]) / 100
PLANS = ["free", "basic", "pro", "team", "trial"]
TEXTS = {
    "carrier": lambda rng, n: rng.choice(CARRIERS, n, p=CARRIER_SHARES).tolist(),
    "plan": lambda rng, n: rng.choice(PLANS, n, p=[0.4, 0.25, 0.15, 0.12, 0.08]).tolist(),
    "city": lambda rng, n: [f"town {min(int(k), 5000)}" for k in rng.zipf(1.6, n)],
    "flag": lambda rng, n: (rng.random(n) < 0.3).tolist(),
}

N = 2000


def training(rng, n):
    """n rows by column."""
    return {name: law(rng, n) for name, law in (NUMBERS | TEXTS).items()}


def train(rng, n=20_000):
    """Return the baseline of n rows."""
    columns = {name: list(values) for name, values in training(rng, n).items()}
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return baseline_of(rows)


class Faults:
    """Windows of a baseline, and the cause that is named of a feature."""

    def __init__(self, baseline):
        self.baseline = baseline
        self.judge = Judge(ModelKey("m", "1"), baseline, DecisionPolicy(min_samples=100))

    def evaluate(self, columns, latest=None):
        """Judge a window of columns."""
        profiles = [None if c is None else self._count(c) for c in (columns, latest)]
        return self.judge.evaluate(WindowProfile(3600.0, 0.0, 3600.0, profiles[0], profiles[1]))

    def cause(self, evaluation, feature):
        """Return the cause named of a feature, None where there is none."""
        f = self.baseline.features.names.index(feature)
        return cause_of(self.baseline, self.judge.reference(0), evaluation, 0, f)

    def named(self, columns, feature, latest=None):
        """Return the name of the cause; `calm` where the feature does not drift, None where none is named."""
        evaluation = self.evaluate(columns, latest)
        if evaluation.state[0, self.baseline.features.names.index(feature)] != State.DRIFT:
            return "calm"
        found = self.cause(evaluation, feature)
        return None if found is None else found.name

    def _count(self, columns):
        features = self.baseline.features
        n = len(next(iter(columns.values())))
        numeric = np.array([np.asarray(columns[f.name], dtype=float) for f in features.numeric])
        texts = tuple(list(columns[f.name]) for f in features.categorical)
        return count_columns(Columns(n, numeric, texts), self.baseline, Slices())
