"""Real data: what fires on NannyML's car loans and on the shipped flights, by us and by the peers' rules."""

import os

import pytest

from detector.times import parse_rfc3339
from tests.bench.detection import real, settings, tables
from tests.bench.detection.rules.columns import alarms

pytestmark = [pytest.mark.bench, pytest.mark.timeout(3600)]

CHUNK_ROWS = (1000, 5000)
"""Rows of a peer's chunk: about a week; and what NannyML's own example takes."""


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch):
    """The command line takes every DRIFT_... variable for a setting of its own."""
    for name in [name for name in os.environ if name.startswith("DRIFT_")]:
        monkeypatch.delenv(name)


@pytest.mark.skipif(
    not settings.CAR_LOAN, reason="car loans left out: DRIFT_BENCH_CAR_LOAN names no directory"
)
def test_car_loans(tmp_path, capsys):
    """Nothing fires on the second part of the reference half; the shifts of the analysis half are found."""
    reference, analysis = (real.loans(settings.CAR_LOAN, name) for name in ("reference", "analysis"))
    half = len(reference) // 2
    cases = {
        "second part of the reference, by the first": (reference[:half], reference[half:]),
        "analysis half, by the reference": (reference, analysis),
    }
    with capsys.disabled():
        for i, (name, (training, live)) in enumerate(cases.items()):
            directory = tmp_path / str(i)
            directory.mkdir()
            fired = real.replayed(directory, training, live, real.LOAN_WINDOWS, 500)
            print(f"\n\nCar loans, {name}; this detector, windows of 7 and 30 days:\n")
            print("\n".join(_alert(a) for a in fired) or "- nothing")
            print("\n" + _peers(training, live, real.LOAN_NUMBERS, real.LOAN_TEXTS))
            cases[name] = fired

    assert not next(iter(cases.values()))


def _alert(alert):
    where = alert["feature"] or "the model as a whole"
    days = alert["window_s"] / 86400
    return f"- {alert['starts_at'][:10]} {where}: {alert['statistic']} over {days:.0f} days"


def _peers(training, live, numbers, texts, sizes=CHUNK_ROWS):
    """Return the table of chunks that alarm, and of features whose alarms go on to the end."""
    sides = [real.columns(rows, numbers, texts) for rows in (training, live)]
    rows = []
    for size in sizes:
        for rule, features in alarms(*sides, size).items():
            hits = sum(sum(found) for found in features.values())
            total = sum(len(found) for found in features.values())
            named = [
                f"{name} {sum(found)} (first {live[found.index(True) * size]['timestamp'][:10]})"
                for name, found in features.items()
                if any(found)
            ]
            rows.append([rule, f"{size:,}", f"{hits} of {total}", "; ".join(named) or "none"])
    return tables.table(["rule", "rows a chunk", "alarms", "chunks a feature"], rows)


def test_flights(tmp_path, capsys):
    """Each of the demonstration's five faults is found by us; what fires beside them is printed."""
    training, clean, faulty = real.flights()
    windows = {"pane": "2h", "lengths": ["48h", "168h"], "lateness": "0s"}
    fired = {}
    for name, live in (("as they were", clean), ("with the faults", faulty)):
        directory = tmp_path / name.replace(" ", "-")
        directory.mkdir()
        fired[name] = real.replayed(directory, training, live, windows, 500)
    causes = [
        real.fault_of(a["feature"], parse_rfc3339(a["starts_at"]), a["window_s"])
        for a in fired["with the faults"]
    ]
    numbers, texts = (*real.NUMBERS, "arr_delay"), real.TEXTS
    with capsys.disabled():
        print("\n\nFlights, second half of 2013 by the first; this detector, windows of 2 and 7 days:\n")
        print(f"- as they were: {len(fired['as they were'])} alerts")
        print("\n".join("  " + _alert(a) for a in fired["as they were"]))
        print(
            f"- with the faults: {len(causes)} alerts, {causes.count(None)} of them without a fault; found:"
        )
        print("\n".join(f"  - {name}" for name in sorted(set(causes) - {None})))
        print("\nPeers on chunks of 1,900 flights (two days), as they were:\n")
        print(_peers(training, clean, numbers, texts, (1900,)))

    assert len(set(causes) - {None}) == 5
