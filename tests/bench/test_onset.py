"""Onset and shape of changes that begin at a known time, what one costs, and the memory it takes."""

import os
import time

import numpy as np
import pytest

from detector.drift.scores import AlertTimes, onset_of, positions_of
from detector.windows.slices import Slices
from detector.windows.spec import WindowSpec
from detector.windows.windows import Windows
from tests.support.onsets import Change, Stream, exact_baseline
from tests.support.worlds import START_S, Model, rng_of

pytestmark = [pytest.mark.bench, pytest.mark.timeout(3600)]

RUNS = int(os.environ.get("DRIFT_BENCH_RUNS", "60"))
SEED = os.environ.get("DRIFT_BENCH_SEED", "bench")
SHAPES = ("sudden", "gradual", "unknown")
CHANGES = [
    Change(kind, size, 12 * hours, wobble)
    for kind, size, hours in (
        ("step", 0.25, 0), ("step", 0.5, 0), ("pulse", 0.5, 3),
        ("ramp", 0.25, 6), ("ramp", 0.25, 12), ("ramp", 0.25, 24),
        ("ramp", 0.5, 6), ("ramp", 0.5, 12), ("ramp", 0.5, 24),
    )
    for wobble in (0.0, 0.02)
]  # fmt: skip


def _line(onsets, errors):
    shape = " ".join(f"{sum(o.shape == name for o in onsets) / len(onsets):4.0%}" for name in SHAPES)
    return f"{shape}  {np.nanmedian(errors):+6.1f} {np.nanmax(np.abs(errors)):6.1f}"


def test_shape_and_onset_of_known_changes(capsys):
    """Sudden is always told, and to the pane; a ramp of 24 hours nearly always, and always a day later."""
    found = {}
    for change in CHANGES:
        runs = [Stream(rng_of("onset", SEED, change, run), change).run() for run in range(RUNS)]
        found[change] = [told for told in runs if told is not None]
    with capsys.disabled():
        print(
            f"\n{RUNS} runs a row; share told as sudden, gradual, unknown; error of the onset in panes of 5"
        )
        print(f"minutes: median, largest{'':24}alerts delay  when the alert fires{'':18}a day later")
        for change, told in found.items():
            first = _line([t.first for t in told], [t.first_error for t in told])
            later = _line([t.later for t in told], [t.later_error for t in told])
            delay = np.median([t.delay for t in told])
            print(f"  {change!s:<42} {len(told):>6} {delay:5.0f}   {first}   |   {later}")

    for change, told in found.items():
        if change.kind == "step":
            assert all(t.first.shape == "sudden" and abs(t.first_error) <= 1 for t in told)
            assert np.mean([t.later.shape == "sudden" for t in told]) >= 0.95
    day = [t for change, told in found.items() if change.length == 288 for t in told]
    assert np.mean([t.first.shape == "gradual" for t in day]) >= 0.95
    assert np.mean([t.later.shape == "gradual" for t in day]) >= 0.99


@pytest.mark.parametrize("n_features", [40, 1000])
def test_cost_of_one_onset(capsys, n_features):
    """A few milliseconds for one feature, with three days of history and the default windows."""
    model, rng = Model(n_features), rng_of("onset cost")
    baseline, spec = exact_baseline(model), WindowSpec()
    windows = Windows(spec, model.binning, np.zeros(n_features), Slices())
    first = int(START_S / spec.pane_s)
    for pane in range(first, first + 3 * 1440):
        shift = 0.5 * (pane >= first + 3 * 1440 - 8)
        values = np.clip(np.rint(rng.normal(32 + 18 * shift, 18, (n_features, 50))), 0, 65).astype(np.int64)
        counts = np.bincount(
            (values + 66 * np.arange(n_features)[:, None]).ravel(), minlength=66 * n_features
        )
        windows._put(pane, model.profile(model.vector(counts, 50)), None)
        windows.close(pane)
    end_s = (first + 3 * 1440) * spec.pane_s
    times, reference = AlertTimes(end_s - 600.0, end_s, end_s), baseline.profile.counts[0]
    spent, panes = [], 0
    for f in range(40):
        began = time.perf_counter()
        positions = positions_of(baseline, f)
        series = windows.series(0, positions)
        onset_of(baseline, reference, positions, series, times)
        spent.append(time.perf_counter() - began)
        panes = len(series.n)
    history = windows._history
    with capsys.disabled():
        mib = len(history) * model.layout.width * 4 / 2**20
        print(
            f"\n{n_features} features: {np.median(spent) * 1e3:.2f} ms an onset of {panes} panes; history of"
        )
        print(f"  {len(history)} panes of {history.factor * spec.pane_s / 60:.0f} minutes, {mib:.1f} MiB")

    assert history.n_panes * model.layout.width * 4 <= 16e6
