"""A data set held against a schema: the rules in their order, feature by feature.

    the schema itself (1-4)  ->  is the column there (5-7)  ->  presence, type (8-11)  ->  values (12-17)
    the data set as a whole (18-20)

A rule is a function that sees a summary, never the data. Its number stays the same for ever.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from detector.anomaly import Anomaly
from detector.errors import InputError
from detector.schema.check import Against, Check
from detector.schema.column_rules import COLUMN_RULES, PRESENCE_RULES
from detector.schema.infer import checked_columns
from detector.schema.model import Range, Schema
from detector.schema.self_rules import SELF_RULES
from detector.schema.value_rules import VALUE_RULES
from detector.summary.collect import Expected
from detector.summary.model import DataSummary
from detector.summary.numbers import NO_LIMITS


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What the data are held against beside the schema."""

    environment: str | None = None
    against: tuple[Against, ...] = ()
    tolerance: float = 0.0
    """Share of the values that may break a rule about single values: above 0 on live windows."""


def expectations(schema: Schema) -> dict[str, Expected]:
    """Return how the columns are to be read for `validate`."""
    return {
        name: Expected(
            feature.type,
            (feature.domain.min, feature.domain.max) if isinstance(feature.domain, Range) else NO_LIMITS,
        )
        for name, feature in schema.features.items()
    }


def validate(schema: Schema, data: DataSummary, circumstances: Circumstances | None = None) -> list[Anomaly]:
    """Return every broken expectation: by feature in the order of the schema, then the data set's own.

    The data are summarised as `expectations(schema)` says.

    Raises:
        InputError: the environment is not one of the schema's.
    """
    about = circumstances or Circumstances()
    known = schema.known_environments
    if about.environment is not None and about.environment not in known:
        names = ", ".join(sorted(known)) or "none"
        raise InputError(f"environment {about.environment!r} is not in the schema; it has {names}")
    columns = checked_columns(data)
    found: list[Anomaly] = []
    for name, feature in schema.features.items():
        if feature.is_checked:
            check = Check(
                name,
                feature,
                columns.get(name),
                schema,
                about.environment,
                about.against,
                about.tolerance,
            )
            found += check_feature(check)
    found += [new_column(name) for name in columns if name not in schema.features]
    for rule in DATA_RULES:
        found += rule(schema, data, about)
    return found


def with_thresholds(schema: Schema, thresholds: Mapping[str, Mapping[str, float | None]]) -> Schema:
    """Return a schema with its skew thresholds, and these by feature and statistic, as drift comparators."""
    features = dict(schema.features)
    for name, given in thresholds.items():
        feature = features.get(name)
        if feature is not None:
            fixed = {statistic: x for statistic, x in given.items() if x is not None and not math.isnan(x)}
            features[name] = replace(feature, drift={**feature.drift, **feature.skew, **fixed})
    return replace(schema, features=features)


def check_schema(schema: Schema) -> list[Anomaly]:
    """Return what is wrong with the schema itself."""
    checks = [Check(name, feature, None, schema) for name, feature in schema.features.items()]
    return [anomaly for check in checks for rule in SELF_RULES for anomaly in rule(check)]


def check_feature(check: Check) -> list[Anomaly]:
    """Return what one feature breaks."""
    for rules in (SELF_RULES, PRESENCE_RULES):
        found = [anomaly for rule in rules for anomaly in rule(check)]
        if found:
            return found
    if check.column is None or not check.is_expected or not check.column.present:
        return []
    return [anomaly for rule in (*COLUMN_RULES, *VALUE_RULES) for anomaly in rule(check)]


def new_column(name: str) -> Anomaly:
    """A column that the schema does not know."""
    return Anomaly(name, "SCHEMA_NEW_COLUMN", "error", "new column", f"column {name!r} is not in the schema")


def rule_18_rows(schema: Schema, data: DataSummary, _: Circumstances) -> Iterator[Anomaly]:
    """As many rows as expected."""
    least, most = schema.rows.min, schema.rows.max
    if least is not None and data.rows < least:
        long = f"{data.rows:,} rows, fewer than the {least:,} expected"
        yield Anomaly(None, "DATASET_LOW_NUM_EXAMPLES", "error", "too few rows", long)
    # TFDV looks at the most only where there is a least.
    if most is not None and data.rows > most and not (schema.rules == "tfdv" and least is None):
        long = f"{data.rows:,} rows, more than the {most:,} expected"
        yield Anomaly(None, "DATASET_HIGH_NUM_EXAMPLES", "error", "too many rows", long)


def rule_19_previous_rows(schema: Schema, data: DataSummary, about: Circumstances) -> Iterator[Anomaly]:
    """About as many rows as in the data set before."""
    least, most = schema.rows.previous_min_ratio, schema.rows.previous_max_ratio
    for before in about.against:
        if before.relation != "drift" or not before.rows:
            continue
        ratio = data.rows / before.rows
        words = f"{data.rows:,} rows are {ratio:.6g} times the {before.rows:,} of the data set before"
        if least is not None and ratio < least:
            long = f"{words}, below {least:g}"
            yield Anomaly(None, "COMPARATOR_LOW_NUM_EXAMPLES", "error", "fewer rows than before", long)
        if most is not None and ratio > most:
            long = f"{words}, above {most:g}"
            yield Anomaly(None, "COMPARATOR_HIGH_NUM_EXAMPLES", "error", "more rows than before", long)


DataRule = Callable[[Schema, DataSummary, Circumstances], Iterator[Anomaly]]

DATA_RULES: Sequence[DataRule] = (rule_18_rows, rule_19_previous_rows)
