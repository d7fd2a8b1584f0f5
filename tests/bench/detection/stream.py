"""Training and live streams of a world: drawn, counted, and judged by the real judge, many windows at a time.

A window is one row of a profile, as a slice is. Rows are judged independently of each other, so a batch of
windows costs little more than one (a test holds the two against each other).
"""

from dataclasses import dataclass, fields, replace

import numpy as np

from detector.alerts import AlertBook
from detector.baseline import Baseline, Provenance
from detector.baseline.measure_variation import Slots, measure_season, measure_variation
from detector.baseline.model import CategoryFacts
from detector.batch import Feature, FeatureSet
from detector.drift.evaluation import Evaluation, State, Statistic
from detector.drift.explanation import NO_EXPLANATION
from detector.drift.judge import Judge
from detector.drift.level import Level
from detector.drift.policy import DecisionPolicy
from detector.profile import Binning, CategoryBinning, Layout, NumericBinning, Profile
from detector.runs import AlertPolicy
from detector.times import N_HOURS, kind_of_hour
from detector.windows.slices import Slices
from detector.windows.sliding import WindowProfile
from tests.bench.detection.worlds import FINE, KINDS, N_VALUES, NEW, TAIL
from tests.support.worlds import EDGES, KEY, PANE_S, PANES_A_DAY, SLOT_PANES, START_S, WINDOW

BATCH = 24
"""Windows judged at once: what fits into the processor's cache."""
TRAINING_DAYS = 28
COARSE = np.concatenate(([0], FINE.searchsorted(EDGES) + 1))
"""Where our bins begin among the fine ones."""
BUCKET_OF_NEW = 7


@dataclass(frozen=True)
class Sample:
    """Counts of the same events, T rows: numbers on the fine grid, categories by cell, missing, all."""

    numeric: np.ndarray
    """(T, N, len(FINE) + 1)"""
    categories: np.ndarray
    """(T, C, CATEGORIES)"""
    missing: np.ndarray
    """(T, N + C)"""
    n: np.ndarray
    """(T)"""

    def __getitem__(self, rows):
        return Sample(*(getattr(self, f.name)[rows] for f in fields(self)))

    def grouped(self, size):
        """Return sums of `size` rows each."""
        return Sample(*(_grouped(getattr(self, f.name), size) for f in fields(self)))

    def total(self):
        """Return the sum of all rows, as one."""
        return Sample(*(getattr(self, f.name).sum(axis=0, keepdims=True) for f in fields(self)))

    def __add__(self, other):
        return Sample(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


def joined(samples):
    """Return the rows of several samples."""
    return Sample(*(np.concatenate([getattr(s, f.name) for s in samples]) for f in fields(Sample)))


def _grouped(x, size):
    return x.reshape(len(x) // size, size, *x.shape[1:]).sum(axis=1)


def draw(rng, day):
    """Draw the events of a day, pane by pane."""
    n = day.n[:, None]
    numeric = rng.multinomial(n, day.numeric_shares())
    categories = rng.multinomial(n, day.categorical_shares())
    missing = np.concatenate((numeric[..., -1], categories[..., -1]), axis=1)
    return Sample(numeric[..., :-1], categories[..., :-1], missing, day.n)


class Model:
    """The binning of a world's features, and what a baseline of it is."""

    def __init__(self, name):
        kind = KINDS[name]
        self.n_numeric, self.n_categorical = kind.n_numeric, kind.n_categorical
        numbers = [Feature(f"n{i}", "float") for i in range(self.n_numeric)]
        texts = [Feature(f"c{i}", "string") for i in range(self.n_categorical)]
        values = tuple(f"v{i}" for i in range(N_VALUES))
        self.binning = Binning(
            FeatureSet.of([*numbers, *texts]),
            (NumericBinning(EDGES),) * self.n_numeric,
            (CategoryBinning(values, np.empty(0, np.uint64)),) * self.n_categorical,
        )
        self.layout = Layout.of(self.binning)

    def rows(self, sample):
        """Return the flat vectors (T, width) that counting these events gives."""
        layout, t = self.layout, len(sample.n)
        rows = np.zeros((t, layout.width), dtype=np.int64)
        split = layout.n_numeric_bins
        rows[:, :split] = np.add.reduceat(sample.numeric, COARSE, axis=-1).reshape(t, -1)
        cells = sample.categories[..., :NEW].copy()
        cells[..., N_VALUES + BUCKET_OF_NEW] += sample.categories[..., NEW]
        rows[:, split : layout.n_bins] = cells.reshape(t, -1)
        rows[:, layout.missing] = sample.missing
        once = sample.categories[..., TAIL].sum(axis=-1)
        rows[:, layout.unseen][:, self.n_numeric :] = once + sample.categories[..., NEW]
        rows[:, layout.events] = sample.n
        return rows

    def profile(self, rows):
        """Return a profile with these rows; sums of values are not drawn."""
        return replace(Profile.zeros(self.layout, len(rows)), counts=rows)

    def train(self, days, n_days=TRAINING_DAYS):
        """Return a baseline of so many days, the training sample as a whole, and its windows of an hour."""
        slots, total, hours = Slots(PANE_S * SLOT_PANES, {}), None, []
        first = int(START_S / PANE_S) // SLOT_PANES
        for day in range(n_days):
            by_slot = draw(days.rng, days.day(training=True)).grouped(SLOT_PANES)
            rows = self.rows(by_slot)
            rows[:, self.layout.unseen] = 0  # what training data have is seen, by definition
            for i, row in enumerate(rows):
                slots.add(first + day * len(rows) + i, row)
            whole = by_slot.total()
            total = whole if total is None else total + whole
            hours.append(by_slot.grouped(WINDOW // SLOT_PANES))
        row = self.rows(total)
        row[:, self.layout.unseen] = 0
        once = total.categories[0, :, TAIL].sum(axis=-1).tolist()
        facts = tuple(CategoryFacts(N_VALUES + k, k) for k in once)
        provenance = Provenance((), "", int(total.n[0]), "2026-01-01T00:00:00Z", "0", 0, timestamp="t")
        baseline = Baseline(
            None, None, self.binning, self.profile(row), np.zeros(self.n_numeric), facts, provenance
        )
        baseline = replace(baseline, season=measure_season(baseline, slots))
        variation = measure_variation(baseline, slots, baseline.season)
        return replace(baseline, variation=variation), total, joined(hours)


class BatchJudge:
    """The real judge of a model in production, over many windows of an hour at once."""

    def __init__(self, model, baseline, budget=1.0, **policy):
        self.model = model
        level = Level(budget, len(baseline.features), 1, 1, PANE_S)
        decided = DecisionPolicy(min_samples=500, **policy)
        slices = Slices({"window": [str(i) for i in range(1, BATCH)]})
        self._judge = Judge(KEY, baseline, decided, slices, level)

    def hits(self, look):
        """Return which features drift in each window of a look (T, F)."""
        found = self.evaluations(self.model.rows(look.sample), look.hours, end_of(look.panes))
        return np.stack([e.state[0] == State.DRIFT for e in found])

    def evaluations(self, rows, hours, end_s):
        """Yield the evaluation of each window: flat rows (T, width), hours (T, 48), ends (T)."""
        for start in range(0, len(rows), BATCH):
            some = rows[start : start + BATCH]
            at = np.minimum(np.arange(BATCH), len(some) - 1)
            profile = self.model.profile(some[at])
            window = WindowProfile(
                3600.0, float(end_s[start]) - 3600.0, float(end_s[start]), profile,
                hours=hours[start : start + BATCH][at],
            )  # fmt: skip
            whole = self._judge.evaluate(window)
            for i in range(len(some)):
                yield _one(whole, i, float(end_s[start + i]))


def _one(whole, i, end_s):
    """Return row i of an evaluation as the evaluation of one window."""
    at = slice(i, i + 1)
    return Evaluation(
        whole.key, whole.features, ("all",),
        replace(whole.window, start_s=end_s - 3600.0, end_s=end_s, profile=whole.window.profile.row(i)),
        whole.n[at],
        {
            name: Statistic(s.value[at], s.threshold[at], s.noise_floor[at], s.p_value[at])
            for name, s in whole.statistics.items()
        },
        whole.state[at], whole.worst, whole.excess[:, at], whole.dataset_state[at], whole.drifted_ratio[at],
    )  # fmt: skip


@dataclass(frozen=True)
class Look:
    """The windows of one day of a live stream, and what our rule says of them."""

    panes: np.ndarray
    """Index of the last pane of each window, counted from the stream's start (T)."""
    sample: Sample
    """What is in the windows."""
    hours: np.ndarray
    """Their events by kind of hour (T, 48)."""
    hits: np.ndarray
    """Features that our rule finds drifting (T, F), of each window alone."""
    begun: np.ndarray
    """Features whose alert begins (T, F)."""
    statistics: list
    """(pane, feature, name of the statistic) of the alerts that begin."""


def end_of(panes):
    """Return when panes of a live stream end, in epoch seconds."""
    return START_S + (TRAINING_DAYS * PANES_A_DAY + panes + 1) * PANE_S


def live(model, days, judge, n_days, change=None):
    """Yield the looks at a live stream; a change sets in after its first day."""
    book = AlertBook(AlertPolicy(3, WINDOW))
    before, first = None, TRAINING_DAYS * PANES_A_DAY
    names = model.binning.features.names
    for d in range(n_days):
        day = days.day()
        panes = d * PANES_A_DAY + np.arange(PANES_A_DAY)
        if change is not None:
            # At the end of its first pane a change is on: there a share of 0 would be none at all.
            day = change(day, (panes + 1 - PANES_A_DAY) / PANES_A_DAY)
        drawn = draw(days.rng, day)
        recent = drawn if before is None else joined([before, drawn])
        before = drawn[-(WINDOW - 1) :]
        windows = _sliding(recent)
        ends = panes[-len(windows.n) :]
        hours = _hours(recent.n, first + panes[-1] + 1 - len(recent.n))
        end_s = end_of(ends)
        flags = np.zeros((2, len(ends), len(names)), dtype=bool)
        statistics = []
        for i, evaluation in enumerate(judge.evaluations(model.rows(windows), hours, end_s)):
            flags[0, i] = evaluation.state[0] == State.DRIFT
            for t in book.update([evaluation], lambda *_: NO_EXPLANATION):
                if t.status == "firing" and t.feature is not None:
                    flags[1, i, names.index(t.feature)] = True
                    statistics.append((int(ends[i]), t.feature, t.statistic))
        yield Look(ends, windows, hours, *flags, statistics)


def _sliding(sample):
    return Sample(*(_moving_sum(getattr(sample, f.name)) for f in fields(sample)))


def _moving_sum(x):
    sums = np.cumsum(x, axis=0)
    sums[WINDOW:] -= sums[:-WINDOW].copy()
    return sums[WINDOW - 1 :]


def _hours(n, first):
    """Return the events by kind of hour of each window (T, 48); `first` is the index of the first pane."""
    kinds = np.array([kind_of_hour(START_S + (first + i) * PANE_S) for i in range(len(n))])
    hours = np.zeros((len(n), N_HOURS))
    hours[np.arange(len(n)), kinds] = n
    return _moving_sum(hours)
