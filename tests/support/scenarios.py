"""Acceptance scenarios: raw values through the whole chain, and how often the decision is `drift`.

A scenario has a law of training values and one of a window's. Baselines are built from columns of raw values
by the code of `baseline build`, windows are counted on their bins, judged by the real judge; no alert needs
three windows in a row here. Columns are independent, so each is a run of its own: a table of 20 columns and
10 windows are 200 runs on 20 baselines.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa

from detector.baseline.build import BuildOptions, build_baseline, count_columns
from detector.columns import Chunk, chunk_columns
from detector.drift.evaluation import State
from detector.drift.judge import Judge
from detector.drift.policy import DecisionPolicy
from detector.tables.arrow_column import ArrowColumn
from detector.times import format_time
from detector.windows.slices import Slices
from detector.windows.sliding import WindowProfile
from tests.support.factories import KEY, PROVENANCE, START_S
from tests.support.worlds import rng_of

COLUMNS = 20
WINDOWS_A_BASELINE = 10
TRAINING_ROWS = 100_000
CHUNK_ROWS = 50_000

Law = Callable[[np.random.Generator, int], np.ndarray]
"""n values; NaN is missing."""


@dataclass(frozen=True)
class Scenario:
    """Training and window law, the window's size, and the share of runs that should be drift."""

    name: str
    reference: Law
    current: Law
    n: int
    target: float
    """At least so many runs find drift; at most, where `silent`."""
    runs: int = 200
    silent: bool = False
    gap: str = ""
    """Why the target is not met today; empty: it is."""

    def is_met(self, share: float) -> bool:
        """Whether a share of runs with drift is what is asked for."""
        return share <= self.target if self.silent else share >= self.target


def normal(mean=0.0, sd=1.0):
    """Normal law with a standard deviation."""
    return lambda rng, n: rng.normal(mean, sd, n)


def with_share(law, share, value):
    """A law of which a share of values is replaced by one value."""

    def draw(rng, n):
        x = law(rng, n)
        x[rng.random(n) < share] = value
        return x

    return draw


def _zero_inflated(rng, n):
    x = np.where(rng.random(n) < 0.7, 0.0, rng.lognormal(size=n))
    x[rng.random(n) < 0.01] = np.nan
    return x


NORMAL = normal()
LAWS = {
    "normal": NORMAL,
    "log-normal": lambda rng, n: rng.lognormal(0.0, 2.0, n),
    "zero-inflated": _zero_inflated,
    "Poisson(2)": lambda rng, n: rng.poisson(2.0, n).astype(float),
    "constant": lambda rng, n: np.full(n, 3.0),
}
_HUNDRED = lambda rng, n: 100.0 * rng.lognormal(0.0, 2.0, n)  # noqa: E731

WITH_GAPS = with_share(NORMAL, 0.01, np.nan)

SHAPE_GAP = (
    "the Hellinger distance over 70 bins has more noise than over the 16 groups the target was measured on"
)

SCENARIOS = (
    *(
        Scenario(f"1 null, {law}, n = {n:,}", draw, draw, n, 1 / runs, runs, silent=True)
        for law, draw in LAWS.items()
        for n, runs in ((1000, 2000), (10_000, 1000), (100_000, 100))
    ),
    Scenario("2 mean + .25 s, n = 1,000", NORMAL, normal(0.25), 1000, 0.88),
    Scenario("2 mean + .25 s, n = 10,000", NORMAL, normal(0.25), 10_000, 0.99),
    Scenario("2 mean + .5 s, n = 1,000", NORMAL, normal(0.5), 1000, 0.99),
    Scenario("2 mean + .5 s, n = 10,000", NORMAL, normal(0.5), 10_000, 0.99),
    Scenario("2b mean + .1 s, n = 10,000", NORMAL, normal(0.1), 10_000, 0.10, silent=True),
    Scenario("3 variance x 1.5, n = 1,000", NORMAL, normal(0, 1.5**0.5), 1000, 0.85, gap=SHAPE_GAP),
    Scenario("3 variance x 1.5, n = 10,000", NORMAL, normal(0, 1.5**0.5), 10_000, 0.99),
    *(
        Scenario(
            f"4 missing 1 -> 5 %, n = {n:,}", WITH_GAPS,
            with_share(NORMAL, 0.05, np.nan), n, target,
        )
        for n, target in ((500, 0.75), (1000, 0.98), (10_000, 0.99))
    ),
    Scenario("5 outside 1 %, n = 1,000", NORMAL, with_share(NORMAL, 0.01, 50.0), 1000, 0.90),
    Scenario("5 outside 1 %, n = 10,000", NORMAL, with_share(NORMAL, 0.01, 50.0), 10_000, 0.99),
    Scenario("5 infinite 1 %, n = 10,000", NORMAL, with_share(NORMAL, 0.01, np.inf), 10_000, 0.99),
    Scenario("6a constant 3.0 -> 3.2, n = 500", LAWS["constant"], lambda r, n: np.full(n, 3.2), 500, 0.99),
    Scenario("6b unit x 100, n = 1,000", LAWS["log-normal"], _HUNDRED, 1000, 0.99),
    Scenario("6c 5 % become the median, n = 10,000", NORMAL, with_share(NORMAL, 0.05, 0.0), 10_000, 0.99),
)  # fmt: skip
"""Scenarios 1 to 6; tuned and measured figures of the rule they came from are in docs/detection-bench.md."""


def found(scenario, min_effect, runs=None):
    """Return how many of the runs are drift, and how many there were.

    Streams are named by the scenario and the block of runs: fewer runs are the first ones of more.
    """
    wanted = runs or scenario.runs
    drifting = done = 0
    while done < wanted:
        block = done // (COLUMNS * WINDOWS_A_BASELINE)
        judge = judge_of(_baseline(scenario.reference, block), min_effect)
        rng = rng_of("scenario", scenario.name, block)
        for _ in range(WINDOWS_A_BASELINE):
            if done >= wanted:
                break
            window = _columns(scenario.current, rng, scenario.n)
            drifting += int((evaluate(judge, window).state[0] == State.DRIFT).sum())
            done += COLUMNS
    return drifting, done


@lru_cache(maxsize=64)
def _baseline(law, block):
    """Build the baseline of one block; scenarios that begin with the same law share it."""
    names = {id(draw): name for name, draw in LAWS.items()} | {id(WITH_GAPS): "with gaps"}
    return baseline_of_columns(_columns(law, rng_of("scenario", names[id(law)], block), TRAINING_ROWS))


def _columns(law, rng, n):
    return {f"x{i}": law(rng, n) for i in range(COLUMNS)}


def baseline_of_columns(columns, times=None):
    """Build a baseline of raw values by name, as `baseline build` does; `times` are epoch seconds."""
    chunks = list(_chunks(columns, times))
    options = BuildOptions(timestamp=None if times is None else "time")
    return build_baseline(lambda: iter(chunks), options, PROVENANCE, lambda _: None)


def judge_of(baseline, min_effect):
    """Return a judge of single windows, whose chance of a false alarm is a millionth a gate."""
    return Judge(KEY, baseline, DecisionPolicy(min_effect=min_effect, min_samples=100))


def evaluate(judge, columns, length_s=3600.0):
    """Judge a window of raw values by name."""
    n = len(next(iter(columns.values())))
    chunk = next(_chunks(columns, None, n))
    counted = count_columns(chunk_columns(chunk, judge.baseline.features), judge.baseline, Slices())
    return judge.evaluate(WindowProfile(length_s, START_S, START_S + length_s, counted))


def _chunks(columns, times, rows=CHUNK_ROWS):
    n = len(next(iter(columns.values())))
    for start in range(0, n, rows):
        part = slice(start, min(start + rows, n))
        cells = {name: ArrowColumn(_array(x[part])) for name, x in columns.items()}
        if times is not None:
            cells["time"] = ArrowColumn(pa.array([format_time(t) for t in times[part].tolist()]))
        yield Chunk(part.stop - start, cells, "simulated", start + 1)


def _array(x):
    return pa.array(x, mask=np.isnan(x)) if x.dtype.kind == "f" else pa.array(x.tolist())


WOBBLE = 0.03
WOBBLE_WINDOWS, WOBBLE_ROWS = 60, 10_000
WOBBLE_SHIFTS = {
    "7a wobble, null": (0.0, 0.0),
    "7b wobble + .25 s": (0.25, 0.95),
    "7b wobble + .5 s": (0.5, 0.95),
}
"""Shift, and the share of runs with drift to reach; the null has none at all."""


class Wobble:
    """Scenario 7: every hour has a mean of its own, in training as in the windows."""

    def __init__(self, rows=WOBBLE_ROWS, columns=10):
        self.rows, self.columns = rows, columns
        rng = rng_of("scenario", "wobble", rows)
        means = rng.normal(0, WOBBLE, (columns, WOBBLE_WINDOWS))
        values = rng.normal(np.repeat(means, rows, axis=1))
        times = START_S + np.arange(values.shape[1]) * (3600.0 / rows)
        self.baseline = baseline_of_columns(self._named(values), times)

    def _named(self, values):
        return {f"x{i}": row for i, row in enumerate(values)}

    def found(self, shift, min_effect, runs):
        """Return how many of so many windows are drift, and how many there were."""
        rng, judge = rng_of("scenario", "wobble", shift), judge_of(self.baseline, min_effect)
        drifting = done = 0
        while done < runs:
            mean = rng.normal(shift, WOBBLE, (self.columns, 1))
            window = self._named(rng.normal(mean, 1.0, (self.columns, self.rows)))
            drifting += int((evaluate(judge, window).state[0] == State.DRIFT).sum())
            done += self.columns
        return drifting, done
