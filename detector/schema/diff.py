"""What differs between two schemas, a line each."""

from collections.abc import Iterator
from dataclasses import dataclass, fields

from detector.schema.model import (
    BoolDomain,
    Domain,
    FeatureSchema,
    Pattern,
    Presence,
    Range,
    RowLimits,
    Schema,
    Values,
)

NOT_COMPARED = frozenset({"note", "left_out", "features"})

MOST_VALUES = 5


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference: of a feature, or of the whole where `feature` is None."""

    feature: str | None
    what: str
    before: str | None
    """None: it was not there."""
    after: str | None


def diff(before: Schema, after: Schema) -> list[Difference]:
    """Return the differences: those of the whole first, then by feature in the order of `before`."""
    found = list(_whole(before, after))
    for name, feature in before.features.items():
        other = after.features.get(name)
        if other is None:
            found.append(Difference(name, "feature", feature.type or "no type", None))
        else:
            found += _feature(name, feature, other)
    for name, feature in after.features.items():
        if name not in before.features:
            found.append(Difference(name, "feature", None, feature.type or "no type"))
    return found


def _whole(before: Schema, after: Schema) -> Iterator[Difference]:
    for field in fields(Schema):
        a, b = getattr(before, field.name), getattr(after, field.name)
        if field.name not in NOT_COMPARED and a != b:
            yield Difference(None, field.name, _words(a), _words(b))


def _feature(name: str, before: FeatureSchema, after: FeatureSchema) -> Iterator[Difference]:
    for field in fields(FeatureSchema):
        a, b = getattr(before, field.name), getattr(after, field.name)
        if field.name in NOT_COMPARED or a == b:
            continue
        if isinstance(a, Values) and isinstance(b, Values):
            gone, new = (
                sorted(map(str, set(x) - set(y))) for x, y in ((a.values, b.values), (b.values, a.values))
            )
            if gone:
                yield Difference(name, "values", _few(gone), None)
            if new:
                yield Difference(name, "values", None, _few(new))
        else:
            yield Difference(name, field.name, _words(a), _words(b))


def _few(values: list[str]) -> str:
    more = len(values) - MOST_VALUES
    return ", ".join(values[:MOST_VALUES]) + (f" and {more:,} more" if more > 0 else "")


def _values(n: int) -> str:
    return f"{n:,} value{'' if n == 1 else 's'}"


def _words(value: object) -> str | None:
    """Return a part of a schema in words; None for one that is not there."""
    if isinstance(value, Presence):
        return f"at least {value.min_fraction:g} of the rows, {_values(value.min_count)}"
    if isinstance(value, RowLimits):
        said = [
            f"{f.name} {getattr(value, f.name):g}"
            for f in fields(RowLimits)
            if getattr(value, f.name) is not None
        ]
        return ", ".join(said) or None
    if isinstance(value, Values | Range | BoolDomain | Pattern):
        return domain_words(value)
    if isinstance(value, frozenset | tuple):
        return ", ".join(map(str, sorted(value))) or None
    if isinstance(value, dict):
        return ", ".join(f"{key} {x:g}" for key, x in value.items()) or None
    return None if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def domain_words(domain: Domain) -> str:
    """Return a domain in a few words."""
    if isinstance(domain, Values):
        return f"{_values(len(domain.values))}: {_few([str(value) for value in domain.values])}"
    if isinstance(domain, Range):
        ends = ["any" if end is None else f"{end:.6g}" for end in (domain.min, domain.max)]
        return f"{domain.of} {ends[0]} to {ends[1]}"
    if isinstance(domain, BoolDomain):
        words = [repr(word) for word in (domain.false, domain.true) if word is not None]
        return f"bool: {' or '.join(words) or '0 or 1'}"
    return f"pattern {domain.regex}"
