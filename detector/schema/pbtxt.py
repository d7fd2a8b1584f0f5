"""Schemas of TFDV's: `schema.pbtxt`, the text format of TensorFlow Metadata's `Schema`.

What this model has no word for is left out, and said: on reading in `Schema.left_out`, on writing
beside the text.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from detector.batch import FeatureType
from detector.errors import InputError
from detector.schema.model import (
    BoolDomain,
    Domain,
    FeatureSchema,
    Lifecycle,
    Presence,
    Range,
    RowLimits,
    Schema,
    Values,
)
from detector.schema.pbtxt_writing import STAGES, STATISTICS, short, write_pbtxt
from detector.schema.protobuf_fields import FALSE, Fields
from detector.schema.protobuf_text import parse, quoted

__all__ = ["read_pbtxt", "write_pbtxt"]

_TYPES: Mapping[str, FeatureType | None] = {
    "TYPE_UNKNOWN": None,
    "BYTES": "string",
    "INT": "int",
    "FLOAT": "float",
    "0": None,
    "1": "string",
    "2": "int",
    "3": "float",
}

_LIFECYCLES: Mapping[str, Lifecycle] = dict(STAGES) | {str(n): stage for n, (_, stage) in enumerate(STAGES)}

_OTHER_DOMAINS = (
    *("struct_domain", "natural_language_domain", "image_domain", "audio_domain", "video_domain"),
    *("content_chunk_domain", "mid_domain", "url_domain", "time_domain", "time_of_day_domain"),
)


def read_pbtxt(text: str, name: str) -> Schema:
    """Read a schema of TFDV's; `name` is the file's in messages.

    Raises:
        InputError: it is not the text format, or says something that cannot be meant.
    """
    top = Fields(parse(text, name), name)
    left_out: list[str] = []
    shared = _SharedDomains(top, left_out)
    features: dict[str, FeatureSchema] = {}
    for fields in top.messages("feature"):
        feature_name = fields.text("name")
        if feature_name is None:
            raise InputError(f"{name}:{fields.line}: feature: has no name; write name: {quoted('NAME')}")
        label = f"feature {short(feature_name)}"
        if feature_name in features:
            raise InputError(f"{name}:{fields.line}: {label} stands twice; remove one")
        type_ = _TYPES[fields.word("type", among=_TYPES) or "TYPE_UNKNOWN"]
        if "type" in fields:
            left_out.append(f"{label}: all of it, for no column has such a type (line {fields.line})")
            continue
        features[feature_name] = _feature(fields, type_, shared)
        left_out += _rest(label, fields)
    rows, environments = _rows(top.message("dataset_constraints")), top.texts("default_environment")
    left_out += [*shared.unused(), *_rest("schema", top)]
    return Schema(features, rows, environments, "tfdv", tuple(left_out))


def _rest(label: str, fields: Fields) -> Iterator[str]:
    for field, line in fields.rest():
        yield f"{label}: {field} (line {line})"


class _SharedDomains:
    """The string domains at the top of a schema, by name."""

    def __init__(self, top: Fields, left_out: list[str]) -> None:
        self._values: dict[str, Values] = {}
        self._unused: dict[str, int] = {}
        for fields in top.messages("string_domain"):
            name = fields.text("name") or ""
            label = f"string_domain {short(name)}"
            if name in self._values:
                left_out.append(f"{label}: stands twice, only the first counts (line {fields.line})")
                continue
            self._values[name] = _values(fields)
            self._unused[name] = fields.line
            left_out += _rest(label, fields)

    def get(self, name: str) -> Values | None:
        """Return the domain of that name, None if it is not defined."""
        self._unused.pop(name, None)
        return self._values.get(name)

    def unused(self) -> Iterator[str]:
        """Say which ones no feature refers to."""
        for name, line in self._unused.items():
            yield f"string_domain {short(name)}: no feature has it (line {line})"


def _feature(fields: Fields, type_: FeatureType | None, shared: _SharedDomains) -> FeatureSchema:
    presence = fields.message("presence")
    unique = fields.message("unique_constraints")
    mass = fields.message("distribution_constraints").number("min_domain_mass")
    found = _domain(fields, type_, shared)
    return FeatureSchema(
        type_,
        Presence(presence.number("min_fraction") or 0.0, presence.whole("min_count") or 0),
        found.domain,
        domain_name=found.undefined,
        min_share=1.0 if mass is None else mass,
        unique_min=unique.whole("min"),
        unique_max=unique.whole("max"),
        allow_nan=found.allow_nan,
        allow_infinite=found.allow_infinite,
        one_value_a_row=_is_one_value_a_row(fields),
        in_environments=fields.texts("in_environment"),
        not_in_environments=fields.texts("not_in_environment"),
        lifecycle=_lifecycle(fields),
        drift=_thresholds(fields.message("drift_comparator")),
        skew=_thresholds(fields.message("skew_comparator")),
    )


class _Found(NamedTuple):
    domain: Domain | None
    undefined: str | None = None
    allow_nan: bool = True
    allow_infinite: bool = True


def _domain(fields: Fields, type_: FeatureType | None, shared: _SharedDomains) -> _Found:
    kind = fields.only(
        "domain", "string_domain", "bool_domain", "int_domain", "float_domain", *_OTHER_DOMAINS
    )
    if kind == "domain":
        name = fields.text(kind) or ""
        values = shared.get(name)
        return _Found(values, name if values is None else None)
    if kind is None or kind in _OTHER_DOMAINS:
        return _Found(None)
    inner = fields.message(kind)
    inner.text("name")  # TFDV only shows it
    if kind == "string_domain":
        return _Found(_values(inner))
    if kind == "bool_domain":
        has_words = type_ not in ("int", "float")
        return _Found(
            BoolDomain(inner.text("true_value"), inner.text("false_value")) if has_words else BoolDomain()
        )
    inner.word("is_categorical", among=FALSE)
    if kind == "int_domain":
        return _Found(Range(inner.whole("min"), inner.whole("max"), "int"))
    inner.word("is_embedding", among=FALSE)
    limits = Range(inner.number("min"), inner.number("max"), "float")
    allowed = not inner.flag("disallow_nan"), not inner.flag("disallow_inf")
    # Of floats, a domain that only bans NaN says nothing about a range; a text would have to be a number.
    says_nothing = limits == Range() and not all(allowed) and type_ in ("float", None)
    return _Found(None if says_nothing else limits, None, *allowed)


def _values(fields: Fields) -> Values:
    fields.word("is_categorical", among=("CATEGORICAL_UNSPECIFIED", "CATEGORICAL_NO", "0", "2"))
    return Values(fields.texts("value"))


def _is_one_value_a_row(fields: Fields) -> bool:
    """Take a fixed shape of one value; also take what holds for every table: at most one value a row."""
    kind = fields.only("shape", "value_count", "value_counts")
    if kind == "shape":
        sizes = [dim.whole("size") for dim in fields.look("shape").messages("dim")]
        if all(size == 1 for size in sizes):
            fields.drop("shape")
            return True
    elif kind is not None:
        counts = [fields.look(kind)]
        if kind == "value_counts":
            counts = counts[0].messages("value_count")
        if (
            len(counts) == 1
            and counts[0].whole("min") in (None, 0, 1)
            and counts[0].whole("max") in (None, 1)
        ):
            fields.drop(kind)
    return False


def _lifecycle(fields: Fields) -> Lifecycle:
    stage = _LIFECYCLES[fields.word("lifecycle_stage", among=_LIFECYCLES) or "UNKNOWN_STAGE"]
    is_deprecated = fields.flag("deprecated")
    return "deprecated" if is_deprecated and stage == "production" else stage


def _thresholds(comparator: Fields) -> dict[str, float]:
    found = {}
    for field, statistic in STATISTICS.items():
        inner = comparator.message(field)
        inner.word("source", among=("DEFAULT", "STANDARD", "0", "2"))
        threshold = inner.number("threshold")
        if threshold is not None:
            found[statistic] = threshold
    return found


def _rows(constraints: Fields) -> RowLimits:
    previous = constraints.message("num_examples_drift_comparator")
    return RowLimits(
        constraints.whole("min_examples_count"),
        constraints.whole("max_examples_count"),
        previous.number("min_fraction_threshold"),
        previous.number("max_fraction_threshold"),
    )
