"""Files for the commands to work on."""

import csv
import json

import numpy as np
import pytest

from tests.cli.running import Command
from tests.support.factories import START_S, event, training_rows


@pytest.fixture
def drift_detector(capsys):
    """The program."""
    return Command(capsys)


def _write_csv(path, rows):
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    """train.csv, same.csv, drifted.csv and events.jsonl in one directory."""
    rng = np.random.default_rng(9)
    directory = tmp_path_factory.mktemp("data")
    _write_csv(directory / "train.csv", training_rows(rng, 5000))
    _write_csv(directory / "same.csv", training_rows(rng, 3000))
    drifted = [{**row, "country": "XX", "amount": row["amount"] * 3} for row in training_rows(rng, 3000)]
    _write_csv(directory / "drifted.csv", drifted)
    with (directory / "events.jsonl").open("wb") as file:
        for minute in range(12):
            for row in training_rows(rng, 300):
                changed = {"country": "XX"} if minute >= 5 else {}
                file.write(event({**row, **changed}, START_S + 60 * minute) + b"\n")
        file.write(b"rubbish\n" + json.dumps({"model": "other"}).encode() + b"\n")
    return directory


@pytest.fixture
def baseline(data, tmp_path, drift_detector):
    """A baseline file of train.csv."""
    path = tmp_path / "baseline.json"
    built = drift_detector(
        "baseline", "build", data / "train.csv", "-o", path, "--model", "credit", "--version", "1"
    )
    assert built.code == 0, built.err
    return path
