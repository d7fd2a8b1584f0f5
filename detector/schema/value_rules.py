"""Rules about the values of one column: domains, numbers that are none, how many differ."""

import math
import re
from collections.abc import Iterator
from typing import Literal

from detector.anomaly import Anomaly
from detector.schema.check import Check, counted, examples, outside, share
from detector.schema.model import BoolDomain, Pattern, Range, Values
from detector.schema.self_rules import Rule
from detector.summary.model import ColumnSummary


def rule_12_values(check: Check) -> Iterator[Anomaly]:
    """Values are in the closed set, or match the pattern."""
    domain, column = check.feature.domain, check.seen
    if not isinstance(domain, Values | Pattern) or column.values is None:
        return
    evidence = column.evidence
    if (
        check.feature.type == "string"
        and evidence.total
        and evidence.ints + evidence.floats == evidence.total
    ):
        return  # numbers throughout: of another type, which says it all
    if isinstance(domain, Values):
        allowed: frozenset[object] = frozenset(domain.values)
        what = f"not among the {len(domain.values):,} of the schema"
    else:
        pattern = re.compile(domain.regex)
        allowed = frozenset(v for v in column.values.counts if pattern.fullmatch(str(v)))
        what = f"do not match the pattern {domain.regex}"
    odd = outside(column.values, allowed)
    of = column.present
    # What has no name is not in a closed set; whether it matches a pattern is known only if all have one.
    unnamed = column.values.unnamed if isinstance(domain, Values) or column.values.is_complete else 0
    n = sum(odd.values()) + unnamed
    if not check.too_many(n, of):
        return
    tells = check.tells_values or check.feature.type == "string"
    named = f": {examples(odd, of)}" if odd and tells else ""
    yield from check.anomaly(
        "ENUM_TYPE_UNEXPECTED_STRING_VALUES",
        "unexpected values",
        f"{counted(n, of)} are {what}{named}{_limit(check)}",
        "domain",
    )


def _limit(check: Check) -> str:
    """Say how many are allowed, where some are."""
    allowed = max(1.0 - check.feature.min_share, check.tolerance)
    return f"; up to {share(allowed, 1)} is tolerated" if allowed > 0 else ""


def rule_13_range(check: Check) -> Iterator[Anomaly]:
    """Numbers lie in the range."""
    domain = check.feature.domain
    if not isinstance(domain, Range):
        return
    if check.feature.type == "string":
        yield from _range_of_texts(check, domain)
        return
    numeric = check.seen.numeric
    if numeric is not None:
        yield from _range(check, domain, (numeric.min, numeric.below), (numeric.max, numeric.above))


def _range(
    check: Check, domain: Range, low: tuple[float, int | None], high: tuple[float, int | None]
) -> Iterator[Anomaly]:
    """Report numbers beyond either end; a count that is not known stands for one."""
    prefix = "INT_TYPE" if domain.of == "int" else "FLOAT_TYPE"
    number = "INT" if domain.of == "int" else "FLOAT"
    of = check.seen.present
    if domain.min is not None and low[0] < domain.min:
        n = 1 if low[1] is None else low[1]
        if check.too_many(n, of):
            found = f": {low[0]:.6g}" if check.tells_values else ""
            long = f"unexpectedly small{found}, the least allowed is {domain.min:.6g}; {_beyond(low[1], of)}"
            yield from check.anomaly(f"{prefix}_SMALL_{number}", "out-of-range values", long, "domain")
    if domain.max is not None and high[0] > domain.max:
        n = 1 if high[1] is None else high[1]
        if check.too_many(n, of):
            found = f": {high[0]:.6g}" if check.tells_values else ""
            long = f"unexpectedly large{found}, the most allowed is {domain.max:.6g}; {_beyond(high[1], of)}"
            yield from check.anomaly(f"{prefix}_BIG_{number}", "out-of-range values", long, "domain")


def _beyond(n: int | None, of: int) -> str:
    return f"{counted(n, of)} lie beyond" if n is not None else "some values lie beyond"


def _range_of_texts(check: Check, domain: Range) -> Iterator[Anomaly]:
    """Report texts that are no such numbers, and those beyond the range."""
    values, of = check.seen.values, check.seen.present
    if values is None:
        return
    numbers = {str(text): _number(str(text), domain.of) for text in values.counts}
    odd = {text: values.counts[text] for text, number in numbers.items() if number is None}
    n_odd = sum(odd.values()) + (values.unnamed if values.is_complete else 0)
    if check.too_many(n_odd, of):
        kind = "INT_TYPE_NOT_INT_STRING" if domain.of == "int" else "FLOAT_TYPE_STRING_NOT_FLOAT"
        long = f"{counted(n_odd, of)} are no {domain.of}s: {examples(odd, of)}"
        yield from check.anomaly(kind, "invalid values", long, "domain")
    found = {text: number for text, number in numbers.items() if number is not None}
    if not found:
        return

    def count(side: Literal[-1, 1], limit: float | None) -> int:
        return (
            0 if limit is None else sum(values.counts[t] for t, x in found.items() if side * (x - limit) > 0)
        )

    ends = min(found.values()), max(found.values())
    yield from _range(check, domain, (ends[0], count(-1, domain.min)), (ends[1], count(1, domain.max)))


def _number(text: str, of: Literal["int", "float"]) -> float | None:
    try:
        number = float(int(text)) if of == "int" else float(text)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def rule_14_non_finite(check: Check) -> Iterator[Anomaly]:
    """No NaN, no infinity, where they are not allowed."""
    feature, column = check.feature, check.seen
    for n, allowed, kind, what in (
        (column.nan, feature.allow_nan, "FLOAT_TYPE_HAS_NAN", "NaN"),
        (column.infinite, feature.allow_infinite, "FLOAT_TYPE_HAS_INF", "infinite"),
    ):
        if n and not allowed and check.too_many(n, column.present):
            yield from check.anomaly(
                kind, "invalid values", f"{counted(n, column.present)} are {what}", "non_finite"
            )


def rule_15_bool(check: Check) -> Iterator[Anomaly]:
    """Bools are bools."""
    feature, column = check.feature, check.seen
    if feature.type == "bool":
        texts = column.evidence.strings + column.evidence.bools
        if texts and check.too_many(column.mismatches, column.present):
            yield from _odd_words(check, dict(column.mismatch_examples), column.mismatches, "true or false")
    elif isinstance(feature.domain, BoolDomain) and feature.type == "string":
        yield from _bool_texts(check, feature.domain)
    elif isinstance(feature.domain, BoolDomain) and column.numeric is not None:
        yield from _bool_numbers(check, column)


def _odd_words(check: Check, odd: dict[str, int], n: int, wanted: str) -> Iterator[Anomaly]:
    of = check.seen.present
    long = f"{counted(n, of)} are not {wanted}: {examples(odd, of)}"
    yield from check.anomaly("BOOL_TYPE_UNEXPECTED_STRING", "non-boolean values", long, "domain")


def _bool_texts(check: Check, domain: BoolDomain) -> Iterator[Anomaly]:
    values = check.seen.values
    if values is None:
        return
    allowed = frozenset(word for word in (domain.true, domain.false) if word is not None)
    odd = outside(values, frozenset(allowed))
    n = sum(odd.values()) + values.unnamed
    if check.too_many(n, check.seen.present):
        yield from _odd_words(check, odd, n, " or ".join(map(repr, sorted(allowed))) or "allowed")


def _bool_numbers(check: Check, column: ColumnSummary) -> Iterator[Anomaly]:
    numeric, of = column.numeric, column.present
    assert numeric is not None
    odd: int | None = None
    if column.values is not None and column.values.is_complete:
        odd = sum(n for value, n in column.values.counts.items() if value not in (0.0, 1.0))
    if check.feature.type == "float":
        kinds = [("BOOL_TYPE_UNEXPECTED_FLOAT", _worst_float(column))]
        is_inside = numeric.min >= 0.0 and numeric.max <= 1.0 and not column.nan
        if check.schema.rules == "tfdv" and is_inside and odd is not None and odd < 0.1 * numeric.n:
            return  # TFDV looks at tenths of the values, and misses fewer that lie between 0 and 1
    else:
        kinds = [
            ("BOOL_TYPE_BIG_INT", numeric.max if numeric.max > 1 else None),
            ("BOOL_TYPE_SMALL_INT", numeric.min if numeric.min < 0 else None),
        ]
    for kind, worst in kinds:
        if worst is not None and check.too_many(1 if odd is None else odd, of):
            count = f"; {counted(odd, of)} are neither" if odd is not None else ""
            what = f"{worst:.6g}" if check.tells_values else "a number"
            yield from check.anomaly(
                kind, "non-boolean values", f"{what} is neither 0 nor 1{count}", "domain"
            )


def _worst_float(column: ColumnSummary) -> float | None:
    """Return a number that is neither 0 nor 1: the extreme one, else one between."""
    numeric = column.numeric
    assert numeric is not None
    for extreme in (numeric.max, numeric.min):
        if extreme not in (0.0, 1.0):
            return extreme
    if column.nan:
        return math.nan
    if column.values is None:
        return None
    between = [float(str(value)) for value in column.values.counts if value not in (0.0, 1.0)]
    return min(between, default=None)


def rule_16_unique(check: Check) -> Iterator[Anomaly]:
    """As many distinct values as expected. A window holds not all of them, so it is not asked."""
    feature, column = check.feature, check.seen
    least, most = feature.unique_min, feature.unique_max
    if (least is None and most is None) or check.tolerance:
        return
    if check.schema.rules == "tfdv":
        if feature.type in ("int", "float"):
            yield from check.anomaly(
                "FEATURE_TYPE_NO_UNIQUE",
                "no unique values",
                "limits on unique values are for text; in a schema of our own, numbers are counted too",
            )
            return
        most = most or 0  # TFDV takes a limit that is not set for 0
    if column.distinct is None:
        return
    found = f"{'' if column.distinct_is_exact else 'about '}{column.distinct:,}"
    if least is not None and column.distinct < least:
        long = f"{found} distinct values, expected at least {least:,}"
        yield from check.anomaly("FEATURE_TYPE_LOW_UNIQUE", "low number of unique values", long)
    if most is not None and column.distinct > most:
        long = f"{found} distinct values, expected at most {most:,}"
        yield from check.anomaly("FEATURE_TYPE_HIGH_UNIQUE", "high number of unique values", long)


KIND_OF_STATISTIC = {
    "l_infinity": "COMPARATOR_L_INFTY_HIGH",
    "normalized_absolute_difference": "COMPARATOR_NORMALIZED_ABSOLUTE_DIFFERENCE_HIGH",
    "jensen_shannon": "COMPARATOR_JENSEN_SHANNON_DIVERGENCE_HIGH",
}
"""The statistics that a comparator may have a threshold for, in TFDV's order."""


def rule_17_comparators(check: Check) -> Iterator[Anomaly]:
    """Distances to another data set stay within their thresholds."""
    for against in check.against:
        thresholds = check.feature.drift if against.relation == "drift" else check.feature.skew
        if thresholds and check.name not in against.present:
            other = "previous" if against.relation == "drift" else "serving"
            yield from check.anomaly(
                "COMPARATOR_CONTROL_DATA_MISSING",
                f"{other} data missing",
                f"the {other} data have no value of this feature to compare with",
            )
            continue
        measured = against.measured.get(check.name, {})
        for statistic, kind in KIND_OF_STATISTIC.items():
            threshold, value = thresholds.get(statistic), measured.get(statistic)
            if threshold is not None and value is not None and value > threshold:
                word = statistic.replace("_", " ")
                between = f"{word} between {against.sides}"
                long = f"the {between} data is {value:.6g}, above the threshold {threshold:g}"
                yield from check.anomaly(kind, f"high {between}", long)


VALUE_RULES: tuple[Rule, ...] = (
    rule_12_values,
    rule_13_range,
    rule_14_non_finite,
    rule_15_bool,
    rule_16_unique,
    rule_17_comparators,
)
