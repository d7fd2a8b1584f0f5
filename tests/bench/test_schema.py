"""Inferring and validating a schema on 100,000 rows of 30 columns, and on 50 times as many."""

import subprocess
import sys
import time

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest

pytestmark = pytest.mark.bench

N_ROWS = 100_000
TFDV_ROWS_PER_S = 9_400
"""TensorFlow Data Validation's CSV path: statistics alone, on such a machine (measured with 1.16.1)."""
MAX_MB = 300

PROGRAM = """
import sys
from detector.cli import main
code = main(sys.argv[1:])
# Not ru_maxrss: that of a child process begins with its parent's.
status = open("/proc/self/status").read()
print("peak", int(status.split("VmHWM:")[1].split()[0]) // 1024, file=sys.stderr)
sys.exit(code)
"""


def _columns(rng, n, start=0):
    columns = {f"n{i}": rng.normal(i, 1 + i, n).round(4) for i in range(15)}
    columns |= {f"c{i}": rng.poisson(5 + i, n) for i in range(5)}
    columns |= {f"t{i}": [f"v{v}" for v in rng.zipf(1.5, n) % 10 ** (1 + i % 5)] for i in range(9)}
    return columns | {"id": [f"id{start + i}" for i in range(n)]}


def _write(path, rng, n):
    with path.open("wb") as file:
        for start in range(0, n, N_ROWS):
            table = pa.table(_columns(rng, N_ROWS, start))
            options = pa.csv.WriteOptions(include_header=start == 0)
            pa.csv.write_csv(table, file, options)
    return path


def _run(*arguments):
    """Run a command in a process of its own; return the seconds and the peak memory in MB."""
    started = time.perf_counter()
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert ran.returncode in (0, 1), ran.stderr
    return time.perf_counter() - started, int(ran.stderr.rsplit("peak", 1)[1])


def test_infer_and_validate(tmp_path, capsys):
    """At least 3 times TFDV's CSV path, start of the program included; under 300 MB however many rows."""
    rng = np.random.default_rng(8)
    train, serving = (_write(tmp_path / f"{name}.csv", rng, N_ROWS) for name in ("train", "serving"))
    large = _write(tmp_path / "large.csv", rng, 50 * N_ROWS)
    schema = tmp_path / "schema.yaml"
    infer_s, infer_mb = _run("schema", "infer", train, "-o", schema)
    validate_s, validate_mb = _run("schema", "validate", schema, serving)
    large_s, large_mb = _run("schema", "infer", large, "-o", tmp_path / "large.yaml")
    large_validate_s, large_validate_mb = _run("schema", "validate", schema, large)
    rate = 2 * N_ROWS / (infer_s + validate_s)
    with capsys.disabled():
        print(f"\nschema, {N_ROWS:,} rows x 30 columns of CSV:")
        print(f"  infer    {infer_s:6.2f} s  {infer_mb:4} MB")
        print(f"  validate {validate_s:6.2f} s  {validate_mb:4} MB")
        print(f"  {rate:,.0f} rows/s, {rate / TFDV_ROWS_PER_S:.1f} times TFDV's CSV path")
        print(
            f"  50 times the rows: infer {large_s:.1f} s, {large_mb} MB;"
            f" validate {large_validate_s:.1f} s, {large_validate_mb} MB"
        )

    assert rate > 3 * TFDV_ROWS_PER_S
    assert max(infer_mb, validate_mb, large_mb, large_validate_mb) < MAX_MB
