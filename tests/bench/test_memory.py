"""The bound on memory that is printed at the start, beside what processes take that hold all they can."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from detector.store import write_baseline
from tests.support.factories import baseline_of

pytestmark = [pytest.mark.bench, pytest.mark.timeout(900)]

ROOT = Path(__file__).parents[2]

MOST_TIMES = 3.0
"""All peaks never come at once, stored counts are small numbers, and arrays compress."""


@pytest.mark.parametrize(
    ("n_features", "n_versions", "n_slices"),
    [(1, 1, 0), (200, 1, 0), (200, 1, 5), (2000, 1, 0), (40, 20, 0)],
)
def test_the_bound_holds_and_is_of_the_right_size(capsys, tmp_path, n_features, n_versions, n_slices):
    """Full windows, open panes, history, slots; evaluated, shown, encoded: less than the bound."""
    rng = np.random.default_rng(7)
    names = [f"feature_{i}" for i in range(n_features)]
    rows = [dict(zip(names, row, strict=True)) for row in rng.normal(size=(600, n_features)).tolist()]
    rows = [row | {"country": f"c{i % 10}"} for i, row in enumerate(rows)]
    write_baseline(tmp_path / "m.json", baseline_of(rows, model="m", version=None))
    arguments = [str(tmp_path / "m.json"), str(n_versions), str(n_slices)]
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.fill", *arguments], cwd=ROOT, check=True, capture_output=True
    )
    found = json.loads(done.stdout)
    with capsys.disabled():
        print(f"\n{n_features} features, {n_versions} versions, {n_slices} slices: ", end="")
        print(f"bound {found['bound'] / 2**20:.0f} MiB, peak {found['peak'] / 2**20:.0f} MiB, ", end="")
        print(f"{found['bound'] / found['peak']:.2f} times; {found['firing']} alerts\n  {found['text']}")

    assert found["peak"] <= found["bound"] <= MOST_TIMES * found["peak"]
