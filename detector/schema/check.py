"""What a rule looks at: one column beside what is expected of it."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from detector.anomaly import Anomaly, Severity
from detector.printable import printable
from detector.schema.model import FeatureSchema, Rule, Schema
from detector.summary.model import ColumnSummary, ValueCounts

TOLERANCE_STANDARD_ERRORS = 4.0

Relation = Literal["drift", "skew"]


@dataclass(frozen=True, slots=True)
class Against:
    """Another data set that the data are held against.

    `drift`: the data before, against the current ones. `skew`: serving data, against training data.
    """

    relation: Relation
    rows: int
    measured: Mapping[str, Mapping[str, float | None]]
    """Feature -> statistic -> value, of the features that have values on both sides."""
    present: frozenset[str]
    """Columns of the other data set that have values."""

    @property
    def sides(self) -> str:
        """The two data sets in words."""
        return "current and previous" if self.relation == "drift" else "training and serving"


@dataclass(frozen=True, slots=True)
class Check:
    """One feature under the rules. `column` is None where the data have none of this name."""

    name: str
    feature: FeatureSchema
    column: ColumnSummary | None
    schema: Schema
    environment: str | None = None
    against: tuple[Against, ...] = ()
    tolerance: float = 0.0
    """Share of the values that may break a rule about single values: above 0 on live windows."""
    tells_values: bool = True
    """Whether messages hold numbers of the data: those of live windows do not, one may be of one person."""

    @property
    def is_expected(self) -> bool:
        """Whether the feature belongs to the environment."""
        return self.feature.belongs_to(self.environment, self.schema.environments)

    @property
    def seen(self) -> ColumnSummary:
        """The column; rules are asked only where there is one."""
        assert self.column is not None
        return self.column

    def too_many(self, n: int, of: int) -> bool:
        """Whether n of so many values may not break the rules.

        Allowed is what `min_share` leaves, or the tolerance and four standard errors of it: so a window
        of a hundred events is not alarmed by two odd cells.
        """
        allowed = max(1.0 - self.feature.min_share, self.tolerance)
        noise = TOLERANCE_STANDARD_ERRORS * math.sqrt(allowed * of) if self.tolerance else 0.0
        # A ten-thousandth of a value: 1 - 0.9 is not quite 0.1.
        return n > allowed * of + noise + 1e-4

    def anomaly(self, kind: str, short: str, long: str, rule: Rule | None = None) -> Iterator[Anomaly]:
        """Yield the anomaly; a rule that was only proposed makes a warning."""
        severity: Severity = "warning" if rule in self.feature.proposed else "error"
        yield Anomaly(self.name, kind, severity, short, long)


def share(n: float, of: float) -> str:
    """Return a share for people: `7.9 %`, never a misleading 0 or 100."""
    if not of:
        return "0 %"
    x = 100.0 * n / of
    if 0.0 < x < 0.1:
        return "< 0.1 %"
    if 99.9 < x < 100.0:
        return "> 99.9 %"
    return f"{x:.1f} %".replace(".0 %", " %")


def counted(n: int, of: int, what: str = "values") -> str:
    """Return a count with its share: `118 of 1,500 values (7.9 %)`."""
    return f"{n:,} of {of:,} {what} ({share(n, of)})"


def examples(values: Mapping[str, int], of: int, most: int = 10) -> str:
    """Return the most frequent values with their shares."""
    ranked = sorted(values.items(), key=lambda item: (-item[1], item[0]))
    shown = ", ".join(f"{shortened(text)} ({share(n, of)})" for text, n in ranked[:most])
    more = len(ranked) - most
    return f"{shown} and {more:,} more" if more > 0 else shown


def shortened(text: str, width: int = 60) -> str:
    """Return a value printable and of bounded width, with blanks at its ends shown."""
    cut = printable(text, width)
    return repr(cut) if cut != cut.strip() or not cut else cut


def outside(counts: ValueCounts, allowed: frozenset[object]) -> dict[str, int]:
    """Return the values, as text, that are not among the allowed ones."""
    return {str(value): n for value, n in counts.counts.items() if value not in allowed}
