"""Rules about one column as a whole: whether it is there, how often it has a value, of which type."""

import math
from collections.abc import Iterator

from detector.anomaly import Anomaly
from detector.schema.check import Check, counted, examples, share
from detector.schema.self_rules import Rule

NEVER = 1e-6
"""A live column is called dropped when so many events without it are less likely than this."""


def rule_05_new_column(check: Check) -> Iterator[Anomaly]:
    """A column that is there is expected in this environment."""
    if check.column is not None and not check.is_expected and check.column.present:
        yield from check.anomaly(
            "SCHEMA_NEW_COLUMN",
            "new column",
            f"column {check.name!r} is in the data, but not expected in environment {check.environment}",
        )


def rule_06_missing_column(check: Check) -> Iterator[Anomaly]:
    """A required column is there."""
    if not check.is_expected or not check.feature.presence.is_required:
        return
    column = check.column
    if column is None or (column.never_named and not _may_be_missing(check, column.rows)):
        yield from check.anomaly(
            "SCHEMA_MISSING_COLUMN", "column dropped", f"column {check.name!r} is completely missing"
        )


def _may_be_missing(check: Check, n: int) -> bool:
    """Whether n rows without a value may be mere chance."""
    least = check.feature.presence.min_fraction
    return least < 1.0 and n * math.log1p(-least) > math.log(NEVER)


def rule_07_not_present(check: Check) -> Iterator[Anomaly]:
    """A required column has a value somewhere."""
    column = check.column
    if column is None or column.never_named or not check.is_expected:
        return
    if column.present == 0 and check.feature.presence.is_required and not _live_chance(check):
        yield from check.anomaly(
            "FEATURE_TYPE_NOT_PRESENT",
            "column dropped",
            f"column {check.name!r} has no value in any of {column.rows:,} rows",
        )


def _live_chance(check: Check) -> bool:
    return check.tolerance > 0 and _may_be_missing(check, check.seen.rows)


def rule_08_fraction(check: Check) -> Iterator[Anomaly]:
    """Enough rows have a value."""
    column, least = check.seen, check.feature.presence.min_fraction
    allowed = 1.0 - least + check.tolerance
    noise = 4.0 * math.sqrt(max(allowed, 0.0) * column.rows) if check.tolerance else 0.0
    if least > 0 and column.missing > allowed * column.rows + noise + 1e-4:
        yield from check.anomaly(
            "FEATURE_TYPE_LOW_FRACTION_PRESENT",
            "values missing",
            f"{share(column.present, column.rows)} of the rows have a value, at least {share(least, 1)} "
            f"must; {counted(column.missing, column.rows, 'rows')} have none",
            "presence",
        )


def rule_09_count(check: Check) -> Iterator[Anomaly]:
    """Enough values in all. A window has no fixed size, so it is not asked for a count."""
    column, least = check.seen, check.feature.presence.min_count
    if not check.tolerance and column.present < least:
        yield from check.anomaly(
            "FEATURE_TYPE_LOW_NUMBER_PRESENT",
            "values missing",
            f"{column.present:,} rows have a value, at least {least:,} must",
        )


def rule_10_shape(check: Check) -> Iterator[Anomaly]:
    """TFDV's fixed shape: every row has exactly one value; live, a few may have none."""
    missing = check.seen.missing
    if check.feature.one_value_a_row and missing and _are_too_many(check, missing):
        yield from check.anomaly(
            "INVALID_FEATURE_SHAPE",
            "shape dropped",
            f"the schema has a fixed shape (one value a row), but "
            f"{counted(check.seen.missing, check.seen.rows, 'rows')} have no value",
        )


def _are_too_many(check: Check, missing: int) -> bool:
    return not check.tolerance or check.too_many(missing, check.seen.rows)


TYPE_NAMES = {"int": "whole numbers", "float": "numbers", "string": "text", "bool": "true or false"}


def rule_11_type(check: Check) -> Iterator[Anomaly]:
    """The values are of the type."""
    column, type_ = check.seen, check.feature.type
    assert type_ is not None
    n = column.present
    if n == 0:
        return
    found = _other_type(check)
    if found is not None:
        yield from check.anomaly(
            "UNEXPECTED_DATA_TYPE", "unexpected data type", f"expected {TYPE_NAMES[type_]}, got {found}"
        )
    elif type_ == "float" and column.evidence.total and column.evidence.ints == column.evidence.total:
        yield Anomaly(
            check.name,
            "UNEXPECTED_DATA_TYPE",
            "error" if check.schema.rules == "tfdv" else "warning",
            "unexpected data type",
            f"expected numbers with decimals, got whole numbers only: all {n:,} values",
        )


def _other_type(check: Check) -> str | None:
    """Return what was found instead of values of the type; None where that is too little to matter."""
    column, type_, n = check.seen, check.feature.type, check.seen.present
    evidence = column.evidence
    if type_ == "bool" and evidence.strings + evidence.bools:
        return None  # a text that is no truth value is for the rule of bools
    if column.mismatches and check.too_many(column.mismatches, n):
        such = examples(dict(column.mismatch_examples[:3]), n)
        return f"another type in {counted(column.mismatches, n)}" + (f", such as {such}" if such else "")
    numbers = evidence.ints + evidence.floats
    if type_ == "string" and evidence.total and numbers == evidence.total:
        return f"numbers only: all {n:,} values"
    if type_ == "int":
        return _fractions(check)
    return None


def _fractions(check: Check) -> str | None:
    column, n = check.seen, check.seen.present
    fractional = (column.numeric.fractional if column.numeric is not None else None) or 0
    # An int with more digits than a double has room for counts as infinite, and is whole.
    odd = min(column.nan + column.infinite, column.evidence.floats) if not check.tolerance else 0
    if check.too_many(fractional + odd, n):
        return f"numbers that are not whole in {counted(fractional + odd, n)}"
    floats = column.evidence.floats
    # Whole numbers that only look like floats: pandas writes them so where some are, or were, missing.
    if check.schema.rules == "tfdv" and floats:
        return f"numbers with decimals: {counted(floats, n)}"
    if floats and not column.missing and check.feature.presence.min_fraction == 1.0:
        return f"whole numbers written with decimals (such as 5.0): {counted(floats, n)}"
    return None


PRESENCE_RULES: tuple[Rule, ...] = (
    rule_05_new_column,
    rule_06_missing_column,
    rule_07_not_present,
)
"""A column that breaks one of these is not looked at further."""

COLUMN_RULES: tuple[Rule, ...] = (
    rule_10_shape,
    rule_09_count,
    rule_08_fraction,
    rule_11_type,
)
