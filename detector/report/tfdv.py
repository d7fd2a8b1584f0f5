"""What `compare --measures tfdv` prints, as a record and as text."""

from collections.abc import Mapping
from dataclasses import dataclass

from detector.anomaly import Anomaly
from detector.report.anomalies import anomaly_lines, anomaly_verdict
from detector.report.records import Record, anomaly_record
from detector.report.text import cut
from detector.schema import Schema
from detector.tfdv.compare import MEASURES, TfdvComparison


@dataclass(frozen=True, slots=True)
class TfdvReport:
    """Two data sets by TFDV's measures, and the anomalies by its rules."""

    measured: TfdvComparison
    schema: Schema
    """With the thresholds that decide, as drift comparators."""
    anomalies: tuple[Anomaly, ...]

    def drifts(self, feature: str) -> bool:
        """Whether a measure exceeds its threshold; without one a feature does not drift."""
        return any(a.feature == feature and a.kind.startswith("COMPARATOR_") for a in self.anomalies)

    @property
    def found_something(self) -> bool:
        """Whether any rule is broken, thresholds among them."""
        return any(anomaly.severity == "error" for anomaly in self.anomalies)

    def thresholds(self, feature: str) -> Mapping[str, float]:
        """Return the thresholds of a feature by measure."""
        expected = self.schema.features.get(feature)
        return {} if expected is None else expected.drift


def tfdv_record(found: TfdvReport) -> Record:
    """Return the comparison in the shape of `compare --format json`."""
    features: Record = {}
    for name, measured in found.measured.features.items():
        thresholds = found.thresholds(name)
        features[name] = {
            "type": measured.type,
            "state": "drift" if found.drifts(name) else "ok",
            "statistics": {
                measure: {"value": value, "threshold": thresholds.get(measure), "p_value": None}
                for measure, value in measured.values.items()
                if value is not None
            },
            "contributors": [],
        }
    return {
        "reference": {"rows": found.measured.reference_rows},
        "current": {"rows": found.measured.current_rows},
        "features": features,
        "anomalies": [anomaly_record(a) for a in found.anomalies],
    }


def tfdv_text(found: TfdvReport) -> str:
    """Return the comparison for people, at most 80 columns wide."""
    measured = found.measured
    rows = f"reference {measured.reference_rows:,} rows, current {measured.current_rows:,} rows"
    lines = [
        f"{rows}, measures of TFDV",
        "",
        f"  {'feature':<28}{'type':<7}{'l_infinity':>11}{'js_divergence':>15}{'abs_difference':>15}",
    ]
    for name, feature in measured.features.items():
        cells = ["-" if x is None else f"{x:.6f}" for x in map(feature.values.get, MEASURES)]
        mark = "!" if found.drifts(name) else " "
        what = f"{mark} {cut(name, 27):<28}{feature.type:<7}"
        lines.append(f"{what}{cells[0]:>11}{cells[1]:>15}{cells[2]:>15}")
    n = sum(map(found.drifts, measured.features))
    return "\n".join(
        [
            *lines,
            "",
            *anomaly_lines(found.anomalies),
            f"{n} of {len(measured.features)} features over a threshold; {anomaly_verdict(found.anomalies)}",
        ]
    )
