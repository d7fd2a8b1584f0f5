"""What `compare --measures tfdv` prints, as a record and as text."""

from collections.abc import Mapping

from detector.anomaly import Anomaly
from detector.drift.policy import DecisionPolicy
from detector.report.comparison import column_dropped, new_column
from detector.report.records import Record, anomaly_record
from detector.report.text import cut
from detector.tfdv.compare import MEASURES, Measured, TfdvComparison


def tfdv_anomalies(found: TfdvComparison) -> list[Anomaly]:
    """Return what is wrong with the columns as such."""
    return [column_dropped(name) for name in found.dropped] + [new_column(name) for name in found.new]


def tfdv_drifts(found: TfdvComparison, policy: DecisionPolicy) -> dict[str, bool]:
    """Say for each feature whether a measure exceeds its fixed threshold; without one it does not drift."""
    return {name: _exceeds(measured, _thresholds(policy, name)) for name, measured in found.features.items()}


def _thresholds(policy: DecisionPolicy, feature: str) -> Mapping[str, float | None]:
    return policy.of(feature).thresholds


def _exceeds(measured: Measured, thresholds: Mapping[str, float | None]) -> bool:
    # Strictly above, as TFDV has it.
    pairs = ((measured.values[name], thresholds.get(name)) for name in MEASURES)
    return any(
        value is not None and threshold is not None and value > threshold for value, threshold in pairs
    )


def tfdv_record(found: TfdvComparison, policy: DecisionPolicy) -> Record:
    """Return the comparison in the shape of `compare --format json`."""
    drifts = tfdv_drifts(found, policy)
    features: Record = {}
    for name, measured in found.features.items():
        thresholds = _thresholds(policy, name)
        features[name] = {
            "type": measured.type,
            "state": "drift" if drifts[name] else "ok",
            "statistics": {
                measure: {"value": value, "threshold": thresholds.get(measure), "p_value": None}
                for measure, value in measured.values.items()
                if value is not None
            },
            "contributors": [],
        }
    return {
        "reference": {"rows": found.reference_rows},
        "current": {"rows": found.current_rows},
        "features": features,
        "anomalies": [anomaly_record(a) for a in tfdv_anomalies(found)],
    }


def tfdv_text(found: TfdvComparison, policy: DecisionPolicy) -> str:
    """Return the comparison for people, at most 80 columns wide."""
    lines = [
        f"reference {found.reference_rows:,} rows, current {found.current_rows:,} rows, measures of TFDV",
        "",
        f"  {'feature':<28}{'type':<7}{'l_infinity':>11}{'js_divergence':>15}{'abs_difference':>15}",
    ]
    drifts = tfdv_drifts(found, policy)
    for name, measured in found.features.items():
        cells = ["-" if x is None else f"{x:.6f}" for x in map(measured.values.get, MEASURES)]
        mark = "!" if drifts[name] else " "
        what = f"{mark} {cut(name, 27):<28}{measured.type:<7}"
        lines.append(f"{what}{cells[0]:>11}{cells[1]:>15}{cells[2]:>15}")
    anomalies = tfdv_anomalies(found)
    lines += ["", *(f"{a.severity}: {a.kind}: {a.long}" for a in anomalies)]
    n = sum(drifts.values())
    lines.append(f"{n} of {len(drifts)} features over a threshold; anomalies: {len(anomalies)}")
    return "\n".join(lines)
