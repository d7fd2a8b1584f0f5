"""What the budget and `min_effect` cost and bring: false alarms against what is found, on the same streams.

All settings see the same windows; alarms begin and end by the bench's rule of episodes.
"""

import numpy as np
import pytest

from tests.bench.detection import settings, tables
from tests.bench.detection.campaign import AFTER_DAYS, MONTH, Episodes, run
from tests.bench.detection.stream import BatchJudge, Model, live
from tests.bench.detection.worlds import CHANGES, Days
from tests.support.worlds import PANE_S, PANES_A_DAY, rng_of

pytestmark = [pytest.mark.bench, pytest.mark.timeout(24 * 3600)]

WORLDS = ("day", "season", "t3")
SETTINGS = (
    {"budget": 0.25}, {"budget": 1.0}, {"budget": 4.0}, {"budget": 16.0},
    {"min_effect": 0.05}, {"min_effect": 0.1}, {"min_effect": 0.15},
)  # fmt: skip
"""What differs from the defaults: a budget of 1, `min_effect` .08."""
FOUND = (".25 s", ".5 s")


def trade_off(world, number):
    """Return alarms in a month (settings), and by change the share found in time (settings)."""
    model, days = Model(world), Days(world, rng_of(settings.SEED, "trade-off", world, number))
    baseline, _, _ = model.train(days)
    judges = [BatchJudge(model, baseline, **setting) for setting in SETTINGS]

    def begins(n_days, change=None):
        episodes, begun, panes = Episodes(len(judges), len(baseline.features)), [], []
        for look in live(model, days, judges[1], n_days, change):
            hits = np.stack([judge.hits(look) for judge in judges], axis=1)
            begun += [episodes.update(flags) for flags in hits]
            panes.append(look.panes)
        return np.stack(begun), np.concatenate(panes)

    alarms = begins(MONTH)[0].sum(axis=(0, 2))
    found = {}
    for name in FOUND:
        begun, panes = begins(1 + AFTER_DAYS, CHANGES[name].apply)
        in_time = (panes >= PANES_A_DAY) & (panes < PANES_A_DAY + CHANGES[name].hours * 3600 / PANE_S)
        found[name] = begun[in_time].any(axis=0).mean(axis=1)
    return alarms, found


def test_trade_off(capsys):
    """A larger budget alarms more and finds no less; prints the table of docs/decision.md."""
    tasks = [(world, i) for world in WORLDS for i in range(settings.MODELS)]
    done = dict(zip(tasks, run(trade_off, tasks), strict=True))
    columns = ["alarms", *(f"{name} in {CHANGES[name].hours} h" for name in FOUND)]
    head = ["setting", *(f"{world}: {column}" for world in WORLDS for column in columns)]
    rows = []
    for i, setting in enumerate(SETTINGS):
        row = [", ".join(f"{name} {value:g}" for name, value in setting.items())]
        for world in WORLDS:
            own = [done[world, k] for k in range(settings.MODELS)]
            row.append(tables.number(np.mean([alarms[i] for alarms, _ in own])))
            row += [f"{np.mean([found[name][i] for _, found in own]):.0%}" for name in FOUND]
        rows.append(row)
    with capsys.disabled():
        print(f"\n\nSeed `{settings.SEED}`, {settings.MODELS} models a world, 100 features, 30 days each.\n")
        print(tables.table(head, rows))

    for alarms, found in done.values():
        assert list(alarms[:4]) == sorted(alarms[:4])
        for shares in found.values():
            assert np.all(np.diff(shares[:4]) >= -0.02)
