"""A first schema from data, for a person to edit.

What TFDV would infer is inferred as there: type, presence, bool domains, closed sets of up to 100
texts. What it leaves open is *proposed*: numeric ranges with a margin, the least share of values where
some are missing, no NaN where there was none. Nobody has confirmed those, so their anomalies are
warnings. Ids, free text and points in time are told apart: they are no features to compare.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from detector.schema.model import (
    BoolDomain,
    Domain,
    FeatureSchema,
    Presence,
    Range,
    Rule,
    Schema,
    Values,
)
from detector.schema.recognize import recognize
from detector.summary.model import QUANTILES, ColumnSummary, DataSummary, NumericSummary

MAX_VALUES = 100
"""A text column with at most so many distinct values is a closed set (TFDV: max_string_domain_size)."""

TRUE_TEXTS = frozenset({"true", "TRUE", "set", "SET", "1"})
FALSE_TEXTS = frozenset({"false", "FALSE", "clear", "CLEAR", "0"})
"""The words that TFDV takes for a bool."""

STANDARD_ERRORS = 4.0
LEEWAY, LEAST_LEEWAY = 0.25, 0.01
"""A share may fall by so many standard errors, and by this part of itself or of what it lacks to 1; by
one point of a hundred in any case, for no two weeks are alike."""

NEAR_END = 0.01
"""Numbers that come so near to 0 and to 1, and never leave that range, are shares or probabilities."""

COLUMN_ROLES = frozenset({"feature", "prediction", "label"})
"""Of full events, the columns that a schema is about."""

NO_TYPE = "lists, objects or bytes: only whether there is a value is checked"
"""The note on a column whose cells are of no type that we have."""

MIXED = "cells of several types, which TFDV does not read: nothing is checked"
"""The note on such a column where nothing but TFDV's rules may be inferred."""

TRAINING, SERVING = "TRAINING", "SERVING"


@dataclass(frozen=True, slots=True)
class InferOptions:
    """What the user knows of the columns; `tfdv` infers no more than TFDV does, and as it does."""

    label: str | None = None
    exclude: frozenset[str] = frozenset()
    tfdv: bool = False


def infer_schema(data: DataSummary, options: InferOptions | None = None) -> Schema:
    """Return a schema that the data satisfy."""
    options = options or InferOptions()
    columns = checked_columns(data)
    features = {
        name: _feature(name, column, options)
        for name, column in columns.items()
        if name not in options.exclude
    }
    schema = Schema(features, rules="tfdv" if options.tfdv else "own")
    if options.label is None or options.label not in features:
        return schema
    label = replace(features[options.label], not_in_environments=(SERVING,))
    return replace(schema, features=features | {options.label: label}, environments=(TRAINING, SERVING))


def checked_columns(data: DataSummary) -> Mapping[str, ColumnSummary]:
    """Return the columns that a schema is about: of full events not the model, the time or the id."""
    return {
        name: column
        for name, column in data.columns.items()
        if data.roles.get(name, "feature") in COLUMN_ROLES
    }


def _feature(name: str, column: ColumnSummary, options: InferOptions) -> FeatureSchema:
    if column.type is None:
        note = f"no value in {column.rows:,} rows: the type is a guess, nothing is checked"
        if options.tfdv:
            return FeatureSchema("string")
        return FeatureSchema("string", lifecycle="planned", note=note)
    return _as_tfdv(column) if options.tfdv else _own(name, column)


def _as_tfdv(column: ColumnSummary) -> FeatureSchema:
    """Return TFDV's inference from a column read `strict`ly: no proposals."""
    if column.mismatches:
        return FeatureSchema(column.type, lifecycle="planned", note=MIXED)
    whole = column.missing == 0
    presence = Presence(1.0 if whole else 0.0, 1)
    domain = _bool_domain(column) or _closed_set(column)
    return FeatureSchema(column.type, presence, domain, one_value_a_row=whole)


def _own(name: str, column: ColumnSummary) -> FeatureSchema:
    role, note = recognize(name, column)
    proposed: set[Rule] = set()
    presence = Presence(1.0 if column.missing == 0 else _least_share(column), 1)
    if 0.0 < presence.min_fraction < 1.0:
        proposed.add("presence")
    domain: Domain | None = None
    if role == "feature":
        domain = _bool_domain(column) or _closed_set(column) or _range(column)
        if isinstance(domain, Range) and column.type != "string":
            proposed.add("domain")
    type_ = column.type
    if _is_int_with_gaps(column):
        type_ = "int"
        note = note or "whole numbers, written as floats for some are missing"
    is_number = type_ in ("int", "float")
    if is_number and not (column.nan and column.infinite):
        proposed.add("non_finite")
    return FeatureSchema(
        type_,
        presence,
        _typed(domain, type_ == "int"),
        min_share=_least_matching(column),
        allow_nan=not is_number or column.nan > 0,
        allow_infinite=not is_number or column.infinite > 0,
        role=role,
        proposed=frozenset(proposed),
        note=note or _note(column, domain),
    )


def _typed(domain: Domain | None, is_int: bool) -> Domain | None:
    return replace(domain, of="int") if is_int and isinstance(domain, Range) else domain


def _is_int_with_gaps(column: ColumnSummary) -> bool:
    """Whether these are ints that became floats because of missing values, as pandas makes them."""
    numeric = column.numeric
    is_whole = numeric is not None and not numeric.fractional and not (column.nan or column.infinite)
    return column.type == "float" and is_whole and column.missing > 0


def _least_share(column: ColumnSummary) -> float:
    return _lowered(column.present / column.rows, column.rows)


def _least_matching(column: ColumnSummary) -> float:
    """Return the least share of values of the type: all, unless training data have others already."""
    if not column.mismatches:
        return 1.0
    return _lowered(1.0 - column.mismatches / column.present, column.present)


def _lowered(share: float, n: int) -> float:
    """Return a share that one as large will hardly fall below, rounded down to three digits."""
    noise = STANDARD_ERRORS * math.sqrt(share * (1.0 - share) / n)
    least = share - noise - max(LEEWAY * min(share, 1.0 - share), LEAST_LEEWAY)
    return max(0.0, math.floor(least * 1000.0) / 1000.0)


def _bool_domain(column: ColumnSummary) -> BoolDomain | None:
    """Return the domain of a column of two values, by TFDV's rule."""
    if column.type == "int" and column.numeric is not None:
        is_bool = column.numeric.min >= 0 and column.numeric.max == 1
        return BoolDomain() if is_bool and not column.numeric.fractional else None
    values = column.values
    if column.type == "bool" and values is not None:
        return None
    if column.type != "string" or values is None or not values.is_complete or values.unnamed:
        return None
    texts = {str(value) for value in values.counts}
    true, false = texts & TRUE_TEXTS, texts & FALSE_TEXTS
    if not texts or texts - true - false or len(true) > 1 or len(false) > 1:
        return None
    return BoolDomain(next(iter(true), None), next(iter(false), None))


def _closed_set(column: ColumnSummary) -> Domain | None:
    """Return the values of a text column, where they are few; digits alone are numbers in disguise."""
    values = column.values
    if column.type != "string" or values is None or not values.counts:
        return None
    texts = sorted(str(value) for value in values.counts)
    if not values.unnamed and values.is_complete and all(map(_is_whole, texts)):
        return Range(of="int")
    if len(texts) > MAX_VALUES or values.unnamed or not values.is_complete:
        return None
    return Values(tuple(texts))


def _is_whole(text: str) -> bool:
    return text.lstrip("+-").isascii() and text.lstrip("+-").isdigit()


def _range(column: ColumnSummary) -> Range | None:
    """Return the range of a number column with a margin: half its width, or more where a tail is long.

    Numbers that were never negative stay so, and the other way round.
    """
    found = column.numeric
    if column.type == "string" or found is None:
        return None
    width = found.max - found.min
    if not math.isfinite(width):
        return None
    if width == 0.0:
        margins = (max(abs(found.min) / 2.0, 1.0 if column.type == "int" else 0.0),) * 2
    else:
        low, high = _tails(found)
        margins = (max(width / 2.0, 2.0 * low), max(width / 2.0, 2.0 * high))
    low_limit = _outward(found.min - margins[0], width, down=True)
    high_limit = _outward(found.max + margins[1], width, down=False)
    if found.min >= 0.0:
        low_limit = max(low_limit, 0.0)
    if found.max <= 0.0:
        high_limit = min(high_limit, 0.0)
    if column.type == "float" and 0.0 <= found.min <= NEAR_END and 1.0 - NEAR_END <= found.max <= 1.0:
        low_limit, high_limit = 0.0, 1.0
    if column.type == "int":
        return Range(math.floor(low_limit), math.ceil(high_limit))
    return Range(low_limit, high_limit)


def _tails(found: NumericSummary) -> tuple[float, float]:
    """Return how far the extremes lie from the outermost percentiles."""
    if not found.quantiles:
        return 0.0, 0.0
    assert (QUANTILES[0], QUANTILES[-1]) == (0.01, 0.99)
    return found.quantiles[0] - found.min, found.max - found.quantiles[-1]


def _outward(x: float, width: float, *, down: bool) -> float:
    """Return x rounded away from the data, to two digits of the width: people edit these numbers."""
    size = width or abs(x)
    if not math.isfinite(x) or size == 0.0:
        return x
    digits = 1 - math.floor(math.log10(size))
    if not -300 < digits < 300:
        return x
    scaled = x * 10.0**digits
    if not math.isfinite(scaled):
        return x
    return round((math.floor(scaled) if down else math.ceil(scaled)) / 10.0**digits, max(digits, 0))


def _note(column: ColumnSummary, domain: Domain | None) -> str | None:
    """Return what people want to know beside a rule that was made up."""
    if column.mismatches and column.mismatches == column.present:
        return NO_TYPE
    parts = []
    found = column.numeric
    if column.distinct == 1 and found is not None:
        parts.append(f"always {found.min:.6g}")
    elif found is not None and isinstance(domain, Range):
        parts.append(f"saw {found.min:.6g} to {found.max:.6g}")
    if column.type == "string" and domain is None:
        parts.append(f"{column.distinct:,} distinct values: no closed set")
    if column.mismatches:
        parts.append(f"{column.mismatches:,} of {column.present:,} cells are of another type")
    return "; ".join(parts) or None
