"""A broken expectation about data: one record for every kind.

Kinds bear the names TensorFlow Data Validation gave them (`SCHEMA_NEW_COLUMN`, ...), so that a
team that knows those need not learn others.
"""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Anomaly:
    """One broken expectation of one feature, or of the data set where `feature` is None."""

    feature: str | None
    kind: str
    severity: Severity
    short: str
    long: str
