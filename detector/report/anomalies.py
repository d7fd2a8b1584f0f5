"""Broken expectations for people and programs: what `schema validate` prints."""

import textwrap
from collections.abc import Sequence

from detector.anomaly import Anomaly
from detector.report.records import Record, anomaly_record
from detector.report.text import cut

WIDTH = 80


def anomaly_lines(anomalies: Sequence[Anomaly]) -> list[str]:
    """Return anomalies as lines of at most 80 columns: errors first, each with what was found below."""
    lines: list[str] = []
    for anomaly in sorted(anomalies, key=lambda a: a.severity != "error"):
        name = "(data set)" if anomaly.feature is None else cut(anomaly.feature, 28)
        lines.append(f"{anomaly.severity:<8} {name:<28} {anomaly.kind}"[:WIDTH].rstrip())
        lines += textwrap.wrap(
            cut(anomaly.long, 600), WIDTH, initial_indent=" " * 9, subsequent_indent=" " * 9
        )
    return lines


def anomaly_verdict(anomalies: Sequence[Anomaly]) -> str:
    """Return how many there are, in a sentence."""
    if not anomalies:
        return "no anomalies"
    n_errors = sum(a.severity == "error" for a in anomalies)
    n_features = len({a.feature for a in anomalies if a.feature is not None})
    kinds = [
        _plural(n, word) for n, word in ((n_errors, "error"), (len(anomalies) - n_errors, "warning")) if n
    ]
    return f"{' and '.join(kinds)} in {_plural(n_features, 'feature')}"


def _plural(n: int, word: str) -> str:
    return f"{n:,} {word}{'' if n == 1 else 's'}"


def validation_text(anomalies: Sequence[Anomaly], rows: int, n_features: int) -> str:
    """Return a validation for people."""
    head = f"{_plural(rows, 'row')} against the schema of {_plural(n_features, 'feature')}"
    return "\n".join(
        [head, "", *anomaly_lines(anomalies), *([""] if anomalies else []), anomaly_verdict(anomalies)]
    )


def validation_record(anomalies: Sequence[Anomaly], rows: int, environment: str | None) -> Record:
    """Return a validation as the record that `schema validate --format json` prints."""
    return {
        "rows": rows,
        "environment": environment,
        "anomalies": [anomaly_record(a) for a in anomalies],
    }
