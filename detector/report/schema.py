"""A schema for people: as the YAML that they edit, and as a table."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from detector.report.text import cut
from detector.schema.diff import domain_words
from detector.schema.model import FeatureSchema, Presence, Schema
from detector.schema.record import schema_record

FORMAT = "streaming-drift-detector schema"
FORMAT_VERSION = 1

WIDTH = 100
"""Lists that would be wider are written an item a line."""
MAX_NOTE = 200
MAX_IMPLICIT_KEY = 1000
"""YAML wants a longer key marked with `?`."""

_PLAIN = re.compile(r"[^\W\d]\w*(?:[ ./-]\w+)*")
_NOT_TEXT = frozenset(["true", "false", "null", "nan", "inf", "yes", "no", "on", "off", "y", "n"])
"""Words that this or another reader of YAML takes for something else."""
_DOMAINS = frozenset(["values", "range", "bool", "pattern"])
"""Keys that say something even without content."""
_SHORT_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0"}


def schema_yaml(schema: Schema) -> str:
    """Return the YAML that `load_schema` reads; notes become remarks, which are not read."""
    record = schema_record(schema)
    lines = [f"# {_remark(schema.note)}"] if schema.note else []
    lines += [f"format: {FORMAT}", f"format_version: {FORMAT_VERSION}"]
    for key in ("rows", "environments"):
        if value := _without_none(record.get(key)):
            lines += _entry(key, value, "")
    if schema.rules != "own":
        lines.append(f"rules: {schema.rules}")
    lines.append("features:" if schema.features else "features: {}")
    for name, feature in schema.features.items():
        lines += _feature(name, feature, record["features"][name])
    return "\n".join(lines) + "\n"


def _feature(name: str, feature: FeatureSchema, record: Mapping[str, Any]) -> Iterator[str]:
    key = _text(name)
    remark = f"   # {_remark(feature.note)}" if feature.note else ""
    if len(key) <= MAX_IMPLICIT_KEY:
        yield f"  {key}:{remark}"
    else:
        yield f"  ? {key}"
        yield f"  :{remark}"
    yield f"    type: {feature.type or 'null'}"
    for key, value in record.items():
        if key in ("type", "note"):
            continue
        if key == "presence":
            value = {limit: x for limit, x in value.items() if x}
        if key in _DOMAINS or value not in ({}, []):
            yield from _entry(key, _without_none(value), "    ")


def _without_none(value: Any) -> Any:
    """Return a mapping without what is not there; a limit that is not finite is none."""
    if not isinstance(value, dict):
        return value
    return {key: x for key, x in value.items() if x is not None and not _is_endless(x)}


def _is_endless(x: object) -> bool:
    return isinstance(x, float) and not math.isfinite(x)


def _entry(key: str, value: Any, indent: str) -> Iterator[str]:
    line = f"{indent}{key}: {_flow(value)}"
    if len(line) <= WIDTH or not isinstance(value, list):
        yield line
        return
    yield f"{indent}{key}:"
    for item in value:
        yield f"{indent}  - {_flow(item)}"


def _flow(value: Any) -> str:
    """Return plain data on one line."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {_flow(x)}' for key, x in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_flow, value))}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return _text(value) if isinstance(value, str) else repr(value)


def _text(text: str) -> str:
    """Return a text, in quotes where it could be taken for anything else."""
    if _PLAIN.fullmatch(text) and len(text) <= WIDTH and text.lower() not in _NOT_TEXT:
        return text
    return f'"{"".join(_SHORT_ESCAPES.get(c) or _printable(c) for c in text)}"'


def _printable(c: str) -> str:
    if c.isprintable():
        return c
    return f"\\u{ord(c):04x}" if ord(c) < 0x10000 else f"\\U{ord(c):08x}"


def _remark(note: str) -> str:
    return cut(" ".join(note.split()), MAX_NOTE)


def schema_text(schema: Schema) -> str:
    """Return a schema as a table, a line a feature, at most 80 columns wide."""
    lines = [cut(" ".join(schema.note.split()), 80)] if schema.note else []
    lines += [cut(f"{what}: {words}", 80) for what, words in _whole(schema) if words]
    lines += [""] if lines else []
    lines.append(f"{'feature':<22}{'type':<8}{'presence':<10}{'domain':<26}and")
    lines += [_line(name, feature) for name, feature in schema.features.items()]
    return "\n".join(lines) + "\n"


def _whole(schema: Schema) -> Iterator[tuple[str, str]]:
    """Yield what is expected of the data set as a whole."""
    rows = _without_none(schema_record(schema).get("rows") or {})
    yield "rows", ", ".join(f"{key.replace('_', ' ')} {value:,}" for key, value in rows.items())
    yield "environments", ", ".join(schema.environments)
    yield "judged", "as TFDV does" if schema.rules == "tfdv" else ""
    left_out = len(schema.left_out)
    yield "left out", f"{left_out:,} thing(s) that the file says" if left_out else ""


def _line(name: str, feature: FeatureSchema) -> str:
    domain = "" if feature.domain is None else domain_words(feature.domain)
    if feature.domain_name is not None:
        domain = f"{feature.domain_name}: not defined"
    line = (
        f"{cut(name, 20):<22}{feature.type or 'none':<8}{cut(_presence(feature.presence), 8):<10}"
        f"{cut(domain, 24):<26}{cut(', '.join(_further(feature)), 14)}"
    )
    return line.rstrip()


def _presence(presence: Presence) -> str:
    if not presence.is_required:
        return "any"
    if presence.min_fraction == 1.0:
        return "always"
    return f"{presence.min_fraction:.1%}".replace(".0%", "%") if presence.min_fraction > 0 else "once"


def _further(feature: FeatureSchema) -> Sequence[str]:
    """Return what else is expected, the most important first, in a word each."""
    # A ban that is proposed is nothing to name beside `proposed`.
    bans = "non_finite" not in feature.proposed
    return [
        word
        for word, applies in (
            (feature.lifecycle, feature.lifecycle != "production"),
            (feature.role.replace("_", " "), feature.role != "feature"),
            ("proposed", feature.proposed),
            ("environments", feature.in_environments or feature.not_in_environments),
            ("min share", feature.min_share < 1.0),
            ("unique", feature.unique_min is not None or feature.unique_max is not None),
            ("drift", feature.drift),
            ("skew", feature.skew),
            ("no NaN", bans and not feature.allow_nan),
            ("finite", bans and not feature.allow_infinite),
        )
        if applies
    ]
