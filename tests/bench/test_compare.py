"""`compare` on 100,000 rows of 30 columns, beside describing the same files with pyarrow and numpy."""

import time

import numpy as np
import pyarrow.csv
import pyarrow.parquet
import pytest

from detector.baseline.build import BuildOptions
from detector.cli.build import build_from_files
from detector.drift.policy import DecisionPolicy
from detector.report.comparison import compare
from detector.tables import find_files, read_chunks

pytestmark = pytest.mark.bench

N_ROWS = 100_000
N_NUMBERS, N_TEXTS = 22, 8
TFDV_CLASS_S = 0.46
"""What TensorFlow Data Validation's DataFrame path takes for statistics of so much, on such a machine."""


def test_compare_100k_rows_of_30_columns(tmp_path, capsys):
    """Reading the serving data and judging them against a baseline; and building that baseline."""
    rng = np.random.default_rng(4)
    for name in ("train", "serving"):
        columns = {f"n{i}": rng.normal(100, 15, N_ROWS).round(3) for i in range(N_NUMBERS)}
        columns |= {f"t{i}": rng.choice(["red", "green", "blue", "grey"], N_ROWS) for i in range(N_TEXTS)}
        table = pyarrow.table(columns)
        pyarrow.csv.write_csv(table, tmp_path / f"{name}.csv")
        pyarrow.parquet.write_table(table, tmp_path / f"{name}.parquet")
    report = {}
    for kind in ("csv", "parquet"):
        train, serving = (str(tmp_path / f"{name}.{kind}") for name in ("train", "serving"))
        started = time.perf_counter()
        baseline = build_from_files(find_files([train]), BuildOptions())
        built = time.perf_counter()
        compare(baseline, read_chunks(find_files([serving])), DecisionPolicy())
        report[kind] = (built - started, time.perf_counter() - built)
    started = time.perf_counter()
    table = pyarrow.csv.read_csv(tmp_path / "serving.csv")
    for name in table.column_names[:N_NUMBERS]:
        np.histogram(table[name].to_numpy(), 64)
    named = time.perf_counter() - started
    with capsys.disabled():
        print(f"\ncompare, {N_ROWS:,} rows x {N_NUMBERS + N_TEXTS} columns (TFDV class {TFDV_CLASS_S} s):")
        for kind, (build_s, compare_s) in report.items():
            print(f"  {kind:<8} build {build_s:.2f} s, compare {compare_s:.2f} s")
        print(f"  pyarrow.csv + np.histogram on the same CSV {named:.2f} s")

    assert report["parquet"][1] < TFDV_CLASS_S
