"""A data set held against a baseline that knows how the data vary by themselves."""

import csv
from datetime import UTC, datetime

from detector.baseline import Provenance
from detector.baseline.build import BuildOptions, build_baseline
from detector.drift.policy import DecisionPolicy
from detector.report.comparison import compare
from detector.tables import find_files, read_chunks

START_S = 1_767_225_600


def _write(path, rng, days, mean=0.0):
    """Write a row a minute; the mean of x swings from hour to hour."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["time", "x"])
        swing = 0.0
        for minute in range(days * 1440):
            if minute % 60 == 0:
                swing = rng.normal(0, 0.4)
            at = datetime.fromtimestamp(START_S + 60 * minute, tz=UTC).isoformat()
            writer.writerow([at, f"{rng.normal(mean + swing):.3f}"])
    return path


def test_a_data_set_is_judged_as_a_long_window(tmp_path, rng):
    """Hours swing by .4, days hardly: a week whose mean has moved by .5 drifts, one that has not does not."""
    train = find_files([str(_write(tmp_path / "train.csv", rng, 21))])
    nothing = Provenance((), "", 0, "2026-01-01T00:00:00Z", "0", 0)
    baseline = build_baseline(
        lambda: read_chunks(train), BuildOptions(timestamp="time"), nothing, lambda _: None
    )
    same, moved = (
        compare(baseline, read_chunks(find_files([str(path)])), DecisionPolicy(min_samples=100))
        for path in (_write(tmp_path / "same.csv", rng, 7), _write(tmp_path / "moved.csv", rng, 7, mean=0.5))
    )

    assert baseline.variation is not None
    assert (same.n_drifting, moved.n_drifting) == (0, 1)
