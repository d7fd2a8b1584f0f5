"""What the environment says of how much is simulated; every figure depends on the seed and these alone."""

import os

MODELS = int(os.environ.get("DRIFT_BENCH_MONTHS", "1"))
"""Models of 100 features a world, each for a month: ten of them are 1,000 months of a feature."""
POWER_MODELS = int(os.environ.get("DRIFT_BENCH_POWER", "1"))
"""Models a world on which every change is tried."""
SEED = os.environ.get("DRIFT_BENCH_SEED", "bench")
PROCESSES = int(os.environ.get("DRIFT_BENCH_PROCESSES", str(min(2, os.cpu_count() or 1))))
RAW_DAYS = float(os.environ.get("DRIFT_BENCH_RAW_DAYS", "2"))
"""Days of raw values a detector that reads single values sees in each world, for each of four features."""
CAR_LOAN = os.environ.get("DRIFT_BENCH_CAR_LOAN", "")
"""Directory with `reference.csv.gz` and `analysis.csv.gz` of NannyML's car loans; empty: left out."""
