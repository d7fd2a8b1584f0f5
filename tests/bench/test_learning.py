"""Natural variation learned from the stream: false alarms, power, cost.

40 features, a baseline without timestamps, windows of an hour; `DRIFT_BENCH_SEED` names the seeds.
"""

import os
import time

import numpy as np
import pytest

from detector.baseline.learning import Learner
from tests.support.worlds import (
    PANE_S,
    PANES_A_DAY,
    START_S,
    Model,
    World,
    bare,
    judge_of,
    live,
    rng_of,
    shares,
)

pytestmark = [pytest.mark.bench, pytest.mark.timeout(24 * 3600)]

SEED = os.environ.get("DRIFT_BENCH_SEED", "bench")
N = 40
CHANGED = 10
"""Features that a change is in."""

WORLDS = {"iid": 1.0, "day": 1.0, "day x 4": 4.0, "season": 1.0, "t3 x 2": 2.0}
"""Name -> how often the standard deviation of days."""


def _step(size, day):
    return lambda panes, mu: (
        mu + size * (panes[:, None] >= day * PANES_A_DAY) * (np.arange(N) < CHANGED),
        1.0,
    )


def _ramp(size, day, days):
    def change(panes, mu):
        part = np.clip((panes[:, None] / PANES_A_DAY - day) / days, 0, 1)
        return mu + size * part * (np.arange(N) < CHANGED), 1.0

    return change


CHANGES = {
    ".5 s on day 1": (_step(0.5, 0.5), 0.5, 12),
    ".25 s on day 5": (_step(0.25, 4), 4, 12),
    ".5 s on day 5": (_step(0.5, 4), 4, 12),
    ".25 s on day 10": (_step(0.25, 9), 9, 12),
    ".5 s on day 10": (_step(0.5, 9), 9, 12),
    "ramp to .5 s, days 10 to 19": (_ramp(0.5, 9, 10), 9, 26),
    "ramp to .5 s, days 31 to 40": (_ramp(0.5, 30, 10), 30, 44),
}


def _world(name, seed):
    world = World(name.split(" ")[0], rng_of(name, SEED, seed), N)
    world.sd = world.sd * WORLDS[name]
    return world


def _follow(model, world, learns, days, change=None):
    """Return (day, feature) of each alert, and the features that fire at the end."""
    baseline = bare(model.train(world))
    learner = Learner(baseline, (3600.0,), PANE_S) if learns else None
    begun, firing = [], set()
    for pane, transitions, _ in live(model, world, judge_of(baseline), days, change, learner=learner):
        for t in (t for t in transitions if t.feature is not None):
            f = int(t.feature[1:])
            if t.status == "firing":
                begun.append((pane / PANES_A_DAY, f))
                firing.add(f)
            else:
                firing.discard(f)
    return begun, firing


def test_false_alarms_of_a_first_month(capsys):
    """After the first week the budget is kept in every world but those with fat tails."""
    model, lines, later = Model(N), [], {}
    for name in WORLDS:
        cells = []
        for learns in (False, True):
            begun, _ = _follow(model, _world(name, "false"), learns, 30)
            days = np.array([day for day, _ in begun])
            cells.append(
                "".join(f"{np.sum((days >= a) & (days < b)):>7}" for a, b in ((0, 2), (2, 7), (7, 30)))
            )
            if learns:
                later[name] = int(np.sum(days >= 7))
        lines.append(f"  {name:<10}{cells[0]}   {cells[1]}")
    with capsys.disabled():
        print(f"\nfalse alarms of a model of {N} features, days 1-2, 3-7, 8-30: off, learned")
        print("\n".join(lines))

    assert all(n <= 3 for name, n in later.items() if not name.startswith("t3"))


def test_power_while_learning_and_after(capsys):
    """Steps and ramps are found as without learning, once the first day is over, and stay found."""
    model, lines = Model(N), []
    for name, (change, day, days) in CHANGES.items():
        for learns in (False, True):
            begun, firing = _follow(model, _world("day", name), learns, days, change)
            first = {}
            for at, f in begun:
                if f < CHANGED and at >= day:
                    first.setdefault(f, (at - day) * 24)
            found = "".join(f"{sum(x <= h for x in first.values()) / CHANGED:>7.0%}" for h in (2, 24, 240))
            kept = sum(f < CHANGED for f in firing) / CHANGED
            lines.append(f"  {name:<30}{'learned' if learns else 'off':<8}{found}{kept:>7.0%}")
    with capsys.disabled():
        print("\nshare of features found within 2 h, 24 h, 10 days; firing at the end")
        print("\n".join(lines))


@pytest.mark.parametrize("n_features", [40, 200])
def test_cost(capsys, n_features):
    """Counting takes next to nothing; once a day one pane takes a while."""
    model, rng = Model(n_features), rng_of("cost", n_features)
    p = shares(np.zeros(n_features))
    baseline = bare(model.train(World("iid", rng, n_features), days=1))
    learner = Learner(baseline, (600.0, 3600.0, 86400.0), PANE_S)
    rows = [model.vector(rng.multinomial(3000, p), 3000) for _ in range(100)]
    calm, took = np.full(n_features, np.inf), []
    for i in range(28 * PANES_A_DAY + 10):
        started = time.process_time()
        learner.add(START_S + i * PANE_S, rows[i * 7 % 100], calm)
        took.append(1e3 * (time.process_time() - started))
    with capsys.disabled():
        print(f"\n{n_features} features: {np.median(took):.3f} ms a pane; the longest {max(took):.0f} ms")

    assert learner.knowledge.days == 28
