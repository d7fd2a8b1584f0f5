"""False alarms and power of our rule and of what others do, on the same streams.

One model of 100 features a world and month of `DRIFT_BENCH_MONTHS` (default 1); seeds are named by
`DRIFT_BENCH_SEED`. All rules see the same windows of an hour, every five minutes, and begin and end their
alarms the same way: three in a row, twelve without.
"""

import os
import time

import numpy as np
import pytest

from tests.support.worlds import PANES_A_DAY, WINDOW, F, Model, World, judge_of, live, rng_of

pytestmark = [pytest.mark.bench, pytest.mark.timeout(24 * 3600)]

MONTHS = int(os.environ.get("DRIFT_BENCH_MONTHS", "1"))
SEED = os.environ.get("DRIFT_BENCH_SEED", "bench")
WORLDS = ("iid", "day", "season", "t3")
ON = PANES_A_DAY

RULES = {
    "PSI > .1": lambda e: e.statistics["population_stability"].value[0] > 0.1,
    "PSI > .2": lambda e: e.statistics["population_stability"].value[0] > 0.2,
    "JS distance > .1": lambda e: np.sqrt(e.statistics["jensen_shannon"].value[0]) > 0.1,
    "L-infinity > .01": lambda e: e.statistics["l_infinity"].value[0] > 0.01,
    "KS p < .05": lambda e: e.statistics["kolmogorov_smirnov"].p_value[0] < 0.05,
}


class Episodes:
    """Counts alarms of one rule: three evaluations in a row raise, twelve without end."""

    def __init__(self):
        self.up, self.calm = np.zeros(F, int), np.zeros(F, int)
        self.raised = np.zeros(F, bool)
        self.begun = 0
        self.first = np.full(F, np.inf)

    def update(self, hits, pane):
        self.up = np.where(hits, self.up + 1, 0)
        self.calm = np.where(hits, 0, self.calm + 1)
        begins = ~self.raised & (self.up >= 3)
        self.begun += int(begins.sum())
        self.first[begins] = np.minimum(self.first[begins], pane)
        self.raised = (self.raised | begins) & (self.calm < WINDOW)


def _follow(model, world, judge, **how):
    """Return the episodes of each rule, and when each feature was first found by it."""
    peers = {name: Episodes() for name in RULES}
    own = Episodes()
    for pane, transitions, evaluation in live(model, world, judge, **how):
        for name, rule in RULES.items():
            peers[name].update(rule(evaluation), pane)
        for t in transitions:
            if t.status == "firing" and t.feature is not None:
                own.begun += 1
                f = int(t.feature[1:])
                own.first[f] = min(own.first[f], pane)
    return {"this detector": own, **peers}


def _step(size):
    return lambda panes, mu: (mu + size * (panes[:, None] >= ON), 1.0)


def _ramp(size):
    return lambda panes, mu: (mu + size * np.clip((panes[:, None] - ON) / PANES_A_DAY, 0, 1), 1.0)


def _wider(panes, mu):
    return mu, np.where(panes[:, None, None] >= ON, np.sqrt(1.5), 1.0)


CHANGES = {
    ".25 s within 2 h": (_step(0.25), 2),
    ".5 s within 1 h": (_step(0.5), 1),
    "variance x 1.5 within 24 h": (_wider, 24),
    "ramp to .5 s within its 24 h": (_ramp(0.5), 24),
}


def test_false_alarms_and_power(capsys):
    """Our budget of one false alarm per model and 30 days is kept in every world but the fat-tailed one."""
    started, model = time.perf_counter(), Model()
    alarms = {world: dict.fromkeys(("this detector", *RULES), 0) for world in WORLDS}
    for name in WORLDS:
        for month in range(MONTHS):
            world = World(name, rng_of(name, SEED, month))
            for rule, episodes in _follow(model, world, judge_of(model.train(world))).items():
                alarms[name][rule] += episodes.begun
    world = World("day", rng_of("day", SEED, "power"))
    judge = judge_of(model.train(world))
    power = {}
    for change, (move, hours) in CHANGES.items():
        for rule, episodes in _follow(model, world, judge, days=3, change=move).items():
            delay_h = (episodes.first - ON) * 5 / 60
            power[rule, change] = float(np.mean((delay_h >= 0) & (delay_h <= hours)))
    with capsys.disabled():
        print(f"\nfalse alarms per model of {F} features and 30 days, {MONTHS} models a world:")
        print(f"  {'rule':<20}" + "".join(f"{world:>10}" for world in WORLDS))
        for rule in ("this detector", *RULES):
            print(f"  {rule:<20}" + "".join(f"{alarms[w][rule] / MONTHS:>10.1f}" for w in WORLDS))
        print("share of features found, days that vary by themselves (never before the change):")
        for change in CHANGES:
            cells = "".join(f"  {rule} {power[rule, change]:.0%};" for rule in ("this detector", *RULES))
            print(f"  {change:<30}{cells}")
        print(f"  {time.perf_counter() - started:.0f} s")

    for name in ("iid", "day", "season"):
        # Twice the budget and two more: beyond the chance of a few models.
        assert alarms[name]["this detector"] <= 2 * MONTHS + 2, name
