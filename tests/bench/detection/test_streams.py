"""False alarms and power of our rule and of what others do, on the same streams: `make bench-detection`.

Prints the tables of docs/detection-bench.md. `DRIFT_BENCH_MONTHS` models of 100 features live a month in each
world; all rules see the same windows of an hour, every five minutes, and begin and end their alarms the same
way: three in a row, twelve without.
"""

import time

import pytest

from tests.bench.detection import settings, tables
from tests.bench.detection.campaign import OURS, month, power, run
from tests.bench.detection.worlds import CHANGES, KINDS

pytestmark = [pytest.mark.bench, pytest.mark.timeout(24 * 3600)]

KEPT = ("iid", "day", "season", "mixed")
"""Worlds in which our budget of one false alarm per model and 30 days is promised."""


def test_false_alarms(capsys):
    """Our budget is kept where it is promised; the fat tail and swinging shares are only reported.

    Error rate: twice the budget and two more in M models; at exactly the budget a Poisson count exceeds that
    with chance .02 for M = 1, .003 for M = 10.
    """
    started = time.perf_counter()
    tasks = [(world, i) for world in KINDS for i in range(settings.MODELS)]
    done = dict(zip(tasks, run(month, tasks), strict=True))
    found = {world: [done[world, i] for i in range(settings.MODELS)] for world in KINDS}
    with capsys.disabled():
        print(f"\n\nSeed `{settings.SEED}`, {settings.MODELS} models a world, 100 features, 30 days each.\n")
        print(tables.false_alarms(found), tables.time_raised(found), sep="\n\n")
        print("\nOur own alarms by the statistic that raised them:\n")
        print(tables.whose(found))
        print(f"\n{time.perf_counter() - started:.0f} s in {settings.PROCESSES} processes")

    for world in KEPT:
        assert sum(t[OURS].alarms for t in found[world]) <= 2 * settings.MODELS + 2, world


def test_power(capsys):
    """Half a standard deviation is found by us in every world of days that vary, before an hour is over."""
    started = time.perf_counter()
    worlds = ("iid", "day", "mixed", "swing")
    tasks = [(world, i) for world in worlds for i in range(settings.POWER_MODELS)]
    done = dict(zip(tasks, run(power, tasks), strict=True))
    limits = {name: change.hours for name, change in CHANGES.items()}
    with capsys.disabled():
        print(f"\n\nSeed `{settings.SEED}`, {settings.POWER_MODELS} models a world.")
        for world in worlds:
            print(f"\nWorld `{world}`:\n")
            print(tables.power([done[world, i] for i in range(settings.POWER_MODELS)], limits))
        print(f"\n{time.perf_counter() - started:.0f} s in {settings.PROCESSES} processes")

    for world in ("iid", "day"):
        delays = [done[world, i][".5 s"][OURS] for i in range(settings.POWER_MODELS)]
        assert all((d <= 1.0).mean() >= 0.9 for d in delays), world
