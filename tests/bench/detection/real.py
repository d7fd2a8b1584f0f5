"""Real data through the command line: a baseline of one part, a replay of the other."""

import csv
import gzip
import io
import json
from pathlib import Path

import numpy as np
import yaml

from detector.cli import main
from detector.demo.faults import FAULTS
from detector.demo.flights import NUMBERS, TEXTS, DelayModel
from detector.demo.stream import events, split

LOAN_NUMBERS = ("car_value", "debt_to_income_ratio", "loan_length", "driver_tenure", "y_pred_proba")
LOAN_TEXTS = ("salary_range", "repaid_loan_on_prev_car", "size_of_downpayment", "y_pred")
LOAN_WINDOWS = {"pane": "6h", "lengths": ["168h", "720h"], "lateness": "0s"}
"""165 loans a day: a week has 1,150 of them."""


def loans(directory, name):
    """Read one half of NannyML's car loans: rows of texts, with times in RFC 3339."""
    with gzip.open(Path(directory) / f"{name}.csv.gz", "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(io.StringIO(file.read())))
    names = (*LOAN_NUMBERS, *LOAN_TEXTS)
    return [
        {"timestamp": row["timestamp"].replace(" ", "T")[:19] + "Z", **{n: row[n] for n in names}}
        for row in rows
    ]


def columns(rows, numbers, texts):
    """Return rows as columns by name: float64, or objects."""

    def number(x):
        return np.nan if x in (None, "") else float(x)

    found = {name: np.array([number(row[name]) for row in rows]) for name in numbers}
    return found | {name: np.array([row[name] or None for row in rows], dtype=object) for name in texts}


def replayed(directory, training, live, windows, min_samples, features=None):
    """Return the alerts that begin when `live` is replayed against a baseline of `training`, rows by name."""
    train, stream, baseline, config, output = (
        directory / name
        for name in ("train.csv", "live.csv", "baseline.json", "detector.yaml", "result.jsonl")
    )
    _write(train, training)
    _write(stream, live)
    arguments = [str(train), "--output", str(baseline), "--model", "m", "--version", "1"]
    assert main(["baseline", "build", *arguments, "--timestamp", "timestamp"]) == 0
    document = {
        "source": {"kind": "replay"},
        "models": [{"name": "m", "baselines": str(baseline), "features": features or {}}],
        "windows": windows,
        "decision": {"min_samples": min_samples},
    }
    config.write_text(yaml.safe_dump(document))
    assert main(["replay", str(stream), "--config", str(config), "--output", str(output)]) == 0
    records = (json.loads(line) for line in output.read_text().splitlines())
    return [r for r in records if r["type"] == "alert" and r["status"] == "firing"]


def _write(path, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def flights():
    """Return the shipped flights: training, live as they were, and live with the demonstration's faults."""
    training, live = split()
    model = DelayModel.shipped()

    def row(flight):
        made = {"timestamp": str(flight["timestamp"]).replace("Z", ":00Z")}
        return made | {n: flight[n] for n in (*NUMBERS, *TEXTS)} | model.predict(flight)

    faulty = []
    for event in events(live, model):
        document = json.loads(event)
        faulty.append({"timestamp": document["timestamp"], **document["features"], **document["prediction"]})
    return [row(f) for f in training], [row(f) for f in live], faulty


def fault_of(feature, time_s, window_s):
    """Return the name of the fault that an alarm on a feature may come from; None: no fault explains it."""
    for fault in FAULTS:
        within = fault.start_s <= time_s <= fault.end_s + window_s
        if within and (feature is None or feature in (fault.feature, *fault.also)):
            return fault.name.split(":")[0]
    return None
