"""Rules about the schema itself: what cannot be meant. A feature that breaks one is not looked at further."""

from collections.abc import Callable, Iterator

from detector.anomaly import Anomaly
from detector.schema.check import Check
from detector.schema.model import BoolDomain, Pattern, Range, Values

Rule = Callable[[Check], Iterator[Anomaly]]


def rule_01_type(check: Check) -> Iterator[Anomaly]:
    """A feature has a type."""
    if check.feature.type is None:
        yield from check.anomaly(
            "FEATURE_MISSING_TYPE",
            "unspecified type",
            "the schema gives no type; write one of int, float, string, bool",
        )


def rule_02_specification(check: Check) -> Iterator[Anomaly]:
    """Shares lie between 0 and 1, least is not more than most, a least share needs a domain."""
    for problem in _problems(check):
        yield from check.anomaly(
            "INVALID_SCHEMA_SPECIFICATION", "invalid schema", f"in the schema, {problem}"
        )


def _problems(check: Check) -> Iterator[str]:
    feature, presence, domain = check.feature, check.feature.presence, check.feature.domain
    for name, value in (("min_fraction", presence.min_fraction), ("min_share", feature.min_share)):
        if not 0.0 <= value <= 1.0:
            yield f"{name} is {value:g}, and must lie between 0 and 1"
    if presence.min_count < 0:
        yield f"min_count is {presence.min_count}, below 0"
    least, most = feature.unique_min, feature.unique_max
    if least is not None and most is not None and least > most and check.schema.rules == "own":
        yield f"unique has min {least} above max {most}"
    if isinstance(domain, Range) and None not in (domain.min, domain.max) and domain.min > domain.max:  # type: ignore[operator]
        yield f"range has min {domain.min:g} above max {domain.max:g}"
    if (
        isinstance(domain, Values)
        and len(set(domain.values)) < len(domain.values)
        and check.schema.rules == "own"
    ):
        yield "values holds one twice"
    if check.schema.rules == "tfdv" and feature.min_share < 1.0 and not isinstance(domain, Values):
        yield "a least share inside the domain (distribution constraint) needs a domain of values"


def rule_03_domain(check: Check) -> Iterator[Anomaly]:
    """A domain fits the type."""
    feature, domain = check.feature, check.feature.domain
    type_ = feature.type
    fits = True
    if isinstance(domain, Range):
        fits = type_ == "string" or type_ == domain.of
    elif isinstance(domain, Pattern):
        fits = type_ == "string"
    elif isinstance(domain, Values):
        wanted = {"string": str, "int": int}.get(type_ or "")
        fits = wanted is not None and all(type(value) is wanted for value in domain.values)
    elif isinstance(domain, BoolDomain):
        fits = type_ != "string" or domain != BoolDomain() or check.schema.rules == "tfdv"
    if type_ is not None and not fits:
        yield from check.anomaly(
            "DOMAIN_INVALID_FOR_TYPE",
            "domain does not match type",
            f"in the schema, the domain ({_name(domain)}) does not match the type {type_}",
        )


def _name(domain: object) -> str:
    if isinstance(domain, Range):
        return f"range of {domain.of}"
    return {Pattern: "pattern", Values: "values", BoolDomain: "bool"}.get(type(domain), "none")


def rule_04_shared_domain(check: Check) -> Iterator[Anomaly]:
    """A shared domain is defined."""
    if check.feature.domain_name is not None:
        yield from check.anomaly(
            "INVALID_DOMAIN_SPECIFICATION",
            "missing domain",
            f"in the schema, the domain {check.feature.domain_name!r} is not defined",
        )


SELF_RULES: tuple[Rule, ...] = (
    rule_01_type,
    rule_02_specification,
    rule_03_domain,
    rule_04_shared_domain,
)
