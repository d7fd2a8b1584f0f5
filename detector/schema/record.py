"""A schema as plain data (dicts, lists, numbers, texts) and back: what YAML files and baselines hold.

Only what differs from the default is written. Reading checks types, not sense: whether the rules
make sense is for the rules about the schema itself.
"""

from dataclasses import asdict
from typing import Any, Literal

import msgspec

from detector.batch import FeatureType
from detector.schema.model import (
    BoolDomain,
    Domain,
    FeatureSchema,
    Lifecycle,
    Pattern,
    Presence,
    Range,
    RowLimits,
    Rule,
    Rules,
    Schema,
    SchemaRole,
    Values,
)


class _Presence(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    # None for the default, here and below: msgspec leaves out no float that equals its default.
    min_fraction: float | None = None
    min_count: int = 0


class _Range(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    min: int | float | None = None
    max: int | float | None = None
    of: Literal["int", "float"] | None = None


class _Bool(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    true: str | None = None
    false: str | None = None


class _Unique(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    min: int | None = None
    max: int | None = None


class _Feature(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    type: FeatureType | None = None
    presence: _Presence | None = None
    values: list[str | int] | None = None
    range: _Range | None = None
    bool_: _Bool | None = msgspec.field(default=None, name="bool")
    pattern: str | None = None
    domain_name: str | None = None
    min_share: float | None = None
    unique: _Unique | None = None
    allow_nan: bool = True
    allow_infinite: bool = True
    one_value_a_row: bool = False
    in_environments: list[str] = []
    not_in_environments: list[str] = []
    role: SchemaRole = "feature"
    lifecycle: Lifecycle = "production"
    drift: dict[str, float] = {}
    skew: dict[str, float] = {}
    proposed: list[Rule] = []
    note: str | None = None


class _Rows(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    min: int | None = None
    max: int | None = None
    previous_min_ratio: float | None = None
    previous_max_ratio: float | None = None


class _Schema(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    features: dict[str, _Feature]
    rows: _Rows | None = None
    environments: list[str] = []
    rules: Rules = "own"
    note: str | None = None


def schema_record(schema: Schema) -> dict[str, Any]:
    """Return a schema as plain data."""
    record: dict[str, Any] = msgspec.to_builtins(
        _Schema(
            {name: _to_struct(feature) for name, feature in schema.features.items()},
            None if schema.rows == RowLimits() else _Rows(**asdict(schema.rows)),
            list(schema.environments),
            schema.rules,
            schema.note,
        )
    )
    return record


def schema_of_record(record: object) -> Schema:
    """Read what `schema_record` wrote.

    Raises:
        ValueError: it is not that.
    """
    try:
        found = msgspec.convert(record, _Schema)
    except msgspec.ValidationError as error:
        raise ValueError(f"schema: {error}") from None
    return Schema(
        {name: _of_struct(name, feature) for name, feature in found.features.items()},
        RowLimits() if found.rows is None else RowLimits(**msgspec.structs.asdict(found.rows)),
        tuple(found.environments),
        found.rules,
        note=found.note,
    )


def _to_struct(f: FeatureSchema) -> _Feature:
    struct = _Feature(
        f.type,
        domain_name=f.domain_name,
        min_share=None if f.min_share == 1.0 else f.min_share,
        allow_nan=f.allow_nan,
        allow_infinite=f.allow_infinite,
        one_value_a_row=f.one_value_a_row,
        in_environments=list(f.in_environments),
        not_in_environments=list(f.not_in_environments),
        role=f.role,
        lifecycle=f.lifecycle,
        drift=dict(f.drift),
        skew=dict(f.skew),
        proposed=sorted(f.proposed),
        note=f.note,
    )
    if f.presence != Presence():
        struct.presence = _Presence(f.presence.min_fraction or None, f.presence.min_count)
    if (f.unique_min, f.unique_max) != (None, None):
        struct.unique = _Unique(f.unique_min, f.unique_max)
    match f.domain:
        case Values(values):
            struct.values = list(values)
        case Range(least, most, of):
            struct.range = _Range(least, most, None if of == f.type else of)
        case BoolDomain(true, false):
            struct.bool_ = _Bool(true, false)
        case Pattern(regex):
            struct.pattern = regex
    return struct


def _of_struct(name: str, f: _Feature) -> FeatureSchema:
    presence, unique = f.presence or _Presence(), f.unique or _Unique()
    return FeatureSchema(
        f.type,
        Presence(presence.min_fraction or 0.0, presence.min_count),
        _domain(name, f),
        f.domain_name,
        1.0 if f.min_share is None else f.min_share,
        unique.min,
        unique.max,
        f.allow_nan,
        f.allow_infinite,
        f.one_value_a_row,
        tuple(f.in_environments),
        tuple(f.not_in_environments),
        f.role,
        f.lifecycle,
        f.drift,
        f.skew,
        frozenset(f.proposed),
        f.note,
    )


def _domain(name: str, f: _Feature) -> Domain | None:
    found: list[Domain] = []
    if f.values is not None:
        texts = tuple(value for value in f.values if isinstance(value, str))
        numbers = tuple(value for value in f.values if isinstance(value, int))
        if texts and numbers:
            raise ValueError(f"schema: feature {name!r} has texts and numbers among its values")
        found.append(Values(numbers or texts))
    if f.range is not None:
        of = f.range.of or ("int" if f.type == "int" else "float")
        found.append(Range(_end(f.range.min, of), _end(f.range.max, of), of))
    if f.bool_ is not None:
        found.append(BoolDomain(f.bool_.true, f.bool_.false))
    if f.pattern is not None:
        found.append(Pattern(f.pattern))
    if len(found) > 1:
        raise ValueError(f"schema: feature {name!r} has two domains")
    return found[0] if found else None


def _end(x: float | None, of: str) -> float | None:
    """Return a limit as people write it: without decimals for whole numbers."""
    return int(x) if of == "int" and isinstance(x, float) and x.is_integer() else x
