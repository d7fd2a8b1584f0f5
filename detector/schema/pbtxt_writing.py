"""A schema as TFDV's text format; reading it is in `detector.schema.pbtxt`."""

import math
from collections.abc import Iterator, Mapping

from detector.batch import FeatureType
from detector.schema.model import (
    BoolDomain,
    FeatureSchema,
    Lifecycle,
    Pattern,
    Presence,
    Range,
    RowLimits,
    Schema,
    Values,
)
from detector.schema.protobuf_text import quoted

STAGES: tuple[tuple[str, Lifecycle], ...] = (
    ("UNKNOWN_STAGE", "production"),
    ("PLANNED", "planned"),
    ("ALPHA", "alpha"),
    ("BETA", "production"),
    ("PRODUCTION", "production"),
    ("DEPRECATED", "deprecated"),
    ("DEBUG_ONLY", "debug_only"),
    ("DISABLED", "ignored"),
)
"""Lifecycle stages by their numbers."""

STATISTICS = {
    "infinity_norm": "l_infinity",
    "jensen_shannon_divergence": "jensen_shannon",
    "normalized_abs_difference": "normalized_absolute_difference",
}
"""The distances of a comparator: TFDV's name -> ours."""

_TYPES: Mapping[FeatureType | None, str] = {
    "string": "BYTES",
    "int": "INT",
    "float": "FLOAT",
    "bool": "BYTES",
}
_STAGE_WORDS: Mapping[Lifecycle, str] = {stage: word for word, stage in STAGES}

Parts = list[tuple[str, "str | Parts"]]
"""The fields of a message to write: a scalar as it stands in the text, or a message."""


def write_pbtxt(schema: Schema) -> tuple[str, tuple[str, ...]]:
    """Return a schema as TFDV reads it, and what it has no words for, a line each."""
    left_out: list[str] = []
    domains: Parts = []
    parts: Parts = []
    undefined = {feature.domain_name for feature in schema.features.values()}
    for name, feature in schema.features.items():
        lost: list[str] = []
        domain = _written_domain(feature, lost)
        if domain and domain[0][0] == "string_domain" and name not in undefined:
            domains.append(("string_domain", [("name", quoted(name)), *domain[0][1]]))
            domain = [("domain", quoted(name))]
        parts.append(("feature", _written_feature(name, feature, domain, schema.rules == "tfdv", lost)))
        if lost:
            left_out.append(f"feature {short(name)}: {'; '.join(lost)}")
    parts += domains
    parts += (("default_environment", quoted(name)) for name in schema.environments)
    parts += _message("dataset_constraints", _written_rows(schema.rows))
    left_out += ["schema: its note"] if schema.note is not None else []
    return "".join(f"{line}\n" for line in _lines(parts, "")), tuple(left_out)


def short(name: str) -> str:
    """Return a name, in quotes, as it stands in what is told of a schema."""
    return quoted(name if len(name) <= 60 else name[:59] + "…")


def _lines(parts: Parts, indent: str) -> Iterator[str]:
    for field, value in parts:
        if isinstance(value, str):
            yield f"{indent}{field}: {value}"
        else:
            yield f"{indent}{field} {{"
            yield from _lines(value, indent + "  ")
            yield f"{indent}}}"


def _message(field: str, parts: Parts) -> Parts:
    """Return a field that is there only if anything is in it."""
    return [(field, parts)] if parts else []


def _scalars(**values: float | str | None) -> Parts:
    """Return scalars, without those that are None."""
    return [
        (field, value if isinstance(value, str) else repr(value))
        for field, value in values.items()
        if value is not None
    ]


def _written_feature(name: str, f: FeatureSchema, domain: Parts, is_tfdv: bool, lost: list[str]) -> Parts:
    mass: Parts = []
    if f.min_share != 1.0:
        # TFDV knows a least share of closed sets only.
        if is_tfdv or [field for field, _ in domain] in (["domain"], ["string_domain"]):
            mass = _scalars(min_domain_mass=float(f.min_share))
        else:
            lost.append("min_share, for the domain is not one of texts")
    if f.role != "feature":
        lost.append(f"role {f.role}")
    if f.proposed:
        lost.append(f"proposed ({', '.join(sorted(f.proposed))}): its anomalies will be errors")
    if f.note is not None:
        lost.append("note")
    stage = _STAGE_WORDS[f.lifecycle] if f.lifecycle != "production" else None
    return [
        ("name", quoted(name)),
        *_scalars(type=_TYPES.get(f.type)),
        *domain,
        *_message("presence", _written_presence(f.presence)),
        *_message("distribution_constraints", mass),
        *_message("skew_comparator", _written_thresholds("skew", f.skew, lost)),
        *(("not_in_environment", quoted(e)) for e in f.not_in_environments),
        *(("in_environment", quoted(e)) for e in f.in_environments),
        *_message("drift_comparator", _written_thresholds("drift", f.drift, lost)),
        *_scalars(lifecycle_stage=stage),
        *_message("shape", [("dim", _scalars(size=1))] if f.one_value_a_row else []),
        *_message("unique_constraints", _scalars(min=f.unique_min, max=f.unique_max)),
    ]


def _written_domain(f: FeatureSchema, lost: list[str]) -> Parts:
    bans = _scalars(
        disallow_nan=None if f.allow_nan else "true", disallow_inf=None if f.allow_infinite else "true"
    )
    if f.type == "bool":
        lost.append("type bool, for it has none: written as a text that is true or false")
        lost += ["the domain of a bool"] if f.domain is not None or f.domain_name is not None else []
        return [("bool_domain", _scalars(true_value=quoted("true"), false_value=quoted("false")))]
    if f.domain is None and f.domain_name is None and f.type in ("float", None):
        return _message("float_domain", bans)
    if isinstance(f.domain, Range) and f.domain.of == "float":
        return [("float_domain", _limits(f.domain, lost) + bans)]
    # Only a float can be NaN.
    if bans and f.type in ("float", None):
        lost.append("no NaN or infinity, for the domain is not one of floats")
    return _other_domain(f, lost)


def _other_domain(f: FeatureSchema, lost: list[str]) -> Parts:
    match f.domain:
        case Range():
            return [("int_domain", _limits(f.domain, lost))]
        case Values(values):
            texts = [value for value in values if isinstance(value, str)]
            if len(texts) == len(values):
                return [("string_domain", [("value", quoted(text)) for text in texts])]
            lost.append("values that are whole numbers")
        case BoolDomain(true, false):
            words = {"true_value": true, "false_value": false} if f.type not in ("int", "float") else {}
            return [("bool_domain", [(k, quoted(word)) for k, word in words.items() if word is not None])]
        case Pattern():
            lost.append("pattern")
    return [] if f.domain_name is None else [("domain", quoted(f.domain_name))]


def _limits(domain: Range, lost: list[str]) -> Parts:
    """Return the limits; between whole numbers, those that say the same of whole numbers."""
    parts: Parts = []
    for field, limit, whole in (("min", domain.min, math.ceil), ("max", domain.max, math.floor)):
        if limit is None:
            continue
        if not math.isfinite(limit) or (domain.of == "int" and not -(1 << 63) <= whole(limit) < 1 << 63):
            lost.append(f"{field} of the range, a number it cannot hold")
            continue
        parts.append((field, str(whole(limit)) if domain.of == "int" else repr(float(limit))))
    return parts


def _written_presence(presence: Presence) -> Parts:
    return _scalars(
        min_fraction=float(presence.min_fraction) if presence.min_fraction else None,
        min_count=presence.min_count or None,
    )


def _written_thresholds(comparator: str, thresholds: Mapping[str, float], lost: list[str]) -> Parts:
    parts: Parts = []
    for field, statistic in STATISTICS.items():
        if statistic in thresholds:
            parts.append((field, _scalars(threshold=float(thresholds[statistic]))))
    lost += [f"{comparator} by {name}" for name in thresholds if name not in STATISTICS.values()]
    return parts


def _written_rows(rows: RowLimits) -> Parts:
    ratios = _scalars(
        min_fraction_threshold=_float(rows.previous_min_ratio),
        max_fraction_threshold=_float(rows.previous_max_ratio),
    )
    return [
        *_message("num_examples_drift_comparator", ratios),
        *_scalars(min_examples_count=rows.min, max_examples_count=rows.max),
    ]


def _float(x: float | None) -> float | None:
    return None if x is None else float(x)
