"""Detectors that need raw values, on the same worlds drawn value by value: false alarms and delays."""

import time

import numpy as np
import pytest

from tests.bench.detection import settings, tables
from tests.bench.detection.campaign import run
from tests.bench.detection.raw import CHANGED, FEATURES, LIMITS, READERS, read, tfdv

pytestmark = [pytest.mark.bench, pytest.mark.timeout(6 * 3600)]

WORLDS = ("iid", "day")
MODEL_MONTH = 100 * 30
"""Days of features in a month of a model of 100."""


def _row(name, world, outcome):
    days = outcome.feature_days / MODEL_MONTH
    cells = []
    for change in CHANGED:
        delay = np.array(outcome.delays[change])
        found = delay[np.isfinite(delay)]
        median = tables.hours(float(np.median(found))) if len(found) else "–"
        cells.append(f"{len(found)}/{FEATURES}, {median}")
    return [f"{name}, {world}", f"{outcome.feature_days:.1f}", tables.rate(outcome.alarms, days), *cells]


def test_readers_of_single_values(capsys):
    """ADWIN is the one reader that is quiet where nothing varies: fewer alarms than the two others."""
    pytest.importorskip("river", reason="river is not installed; `make bench-detection` installs it")
    started = time.perf_counter()
    tasks = [(reader, world) for reader in READERS for world in WORLDS]
    found = dict(zip(tasks, run(read, tasks), strict=True))
    divergence = dict(zip(WORLDS, run(tfdv, [(world,) for world in WORLDS]), strict=True))
    rows = [_row(f"river {reader}", world, outcome) for (reader, world), outcome in found.items()]
    rows += [
        _row(f"TFDV JSD > {limit:g}", world, divergence[world][limit]) for world in WORLDS for limit in LIMITS
    ]
    with capsys.disabled():
        print(f"\n\nSeed `{settings.SEED}`, {FEATURES} features a world; found, median delay.\n")
        head = ["reader, world", "days of a feature", "alarms per model and 30 days (≤ 95 %)", *CHANGED]
        print(tables.table(head, rows))
        print(f"\n{time.perf_counter() - started:.0f} s")

    per_day = {key: outcome.alarms / outcome.feature_days for key, outcome in found.items()}
    assert per_day["ADWIN", "iid"] < min(per_day["Page-Hinkley", "iid"], per_day["KSWIN", "iid"])
