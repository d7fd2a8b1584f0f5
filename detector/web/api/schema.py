"""What is expected of a model version's events, and what the latest windows break of it.

Categories are counted and not named: some may be of few people. Of a sensitive feature no domain is told.
"""

from collections.abc import Sequence
from typing import Literal

from detector.anomaly import Anomaly
from detector.printable import printable
from detector.report.records import number
from detector.schema.model import BoolDomain, FeatureSchema, Pattern, Range, Values
from detector.view import View
from detector.web.api.answers import MAX_LISTED, Answer, Id, Named, Number, Page, Window, named
from detector.web.api.asking import Paged
from detector.web.pages.site import Model, find_model

MAX_TEXT = 400


class DomainAnswer(Answer):
    """Which values are expected."""

    kind: Literal["any", "range", "values", "bool", "pattern"]
    min: Number
    """Of a range; null: no limit on that side."""
    max: Number
    n_values: int | None
    """How many values there are, of a closed set."""
    pattern: str | None
    """Regular expression that texts match from beginning to end."""


class ExpectationAnswer(Named):
    """What is expected of one feature."""

    type: str | None
    role: str
    lifecycle: str
    """What is not in production is not checked."""
    required: bool
    min_fraction: float
    """Least share of events with a value."""
    min_count: int
    """Least number of events with a value."""
    min_share: float
    """Least share of the values that must be of the type and inside the domain."""
    sensitive: bool
    domain: DomainAnswer | None
    """null of a sensitive feature."""
    broken: Sequence[str]
    """Kinds of anomalies that the latest windows have."""


class AnomalyAnswer(Answer):
    """An expectation that the latest windows break."""

    feature: str | None
    """null: the data set."""
    feature_id: Id | None
    kind: str
    severity: Literal["error", "warning"]
    short: str
    long: str
    windows: Sequence[Window]
    """Those that break it."""


class SchemaAnswer(Page[ExpectationAnswer]):
    """The schema, with what is expected of some of its features as items, in the order of the columns."""

    given: bool
    """Whether a person wrote it; else it was inferred from training data."""
    min_rows: int | None
    max_rows: int | None
    anomalies: Sequence[AnomalyAnswer]
    """Errors first; the first 100."""
    anomalies_total: int


def schema_answer(view: View, model: str, version: str, asked: Paged) -> SchemaAnswer:
    """Return the schema of a model version.

    Raises:
        NotThereError: there is none such.
    """
    found = find_model(view, model, version)
    schema, broken = found.judge.baseline.schema, found.broken()
    names = list(schema.features)
    kinds: dict[str | None, list[str]] = {}
    for anomaly, _ in broken:
        kinds.setdefault(anomaly.feature, []).append(anomaly.kind)
    some = names[asked.offset : asked.offset + asked.limit]
    return SchemaAnswer(
        items=[_expectation(found, name, schema.features[name], kinds.get(name, [])) for name in some],
        total=len(names),
        offset=asked.offset,
        limit=asked.limit,
        given=found.judge.baseline.provenance.schema == "given",
        min_rows=schema.rows.min,
        max_rows=schema.rows.max,
        anomalies=[_anomaly(found, anomaly, windows) for anomaly, windows in broken[:MAX_LISTED]],
        anomalies_total=len(broken),
    )


def _anomaly(model: Model, anomaly: Anomaly, windows: list[str]) -> AnomalyAnswer:
    of = None if anomaly.feature is None else named(anomaly.feature)
    # One that was found before its feature was marked still says what was found.
    is_hidden = anomaly.feature is not None and model.is_sensitive(anomaly.feature)
    return AnomalyAnswer(
        feature=None if of is None else of.name,
        feature_id=None if of is None else of.id,
        kind=anomaly.kind,
        severity=anomaly.severity,
        short=printable(anomaly.short, MAX_TEXT),
        long=printable(anomaly.short if is_hidden else anomaly.long, MAX_TEXT),
        windows=windows,
    )


def _expectation(model: Model, name: str, expected: FeatureSchema, broken: list[str]) -> ExpectationAnswer:
    is_sensitive = model.is_sensitive(name)
    return ExpectationAnswer(
        **named(name).model_dump(),
        type=expected.type,
        role=expected.role,
        lifecycle=expected.lifecycle,
        required=expected.presence.is_required,
        min_fraction=expected.presence.min_fraction,
        min_count=expected.presence.min_count,
        min_share=expected.min_share,
        sensitive=is_sensitive,
        domain=None if is_sensitive else _domain(expected),
        broken=broken,
    )


def _domain(expected: FeatureSchema) -> DomainAnswer:
    domain = expected.domain
    kind: Literal["any", "range", "values", "bool", "pattern"] = "any"
    low = high = n_values = pattern = None
    if isinstance(domain, Range):
        kind, low, high = "range", number(domain.min), number(domain.max)
    elif isinstance(domain, Values):
        kind, n_values = "values", len(domain.values)
    elif isinstance(domain, BoolDomain):
        kind = "bool"
    elif isinstance(domain, Pattern):
        kind, pattern = "pattern", printable(domain.regex, MAX_TEXT)
    return DomainAnswer(kind=kind, min=low, max=high, n_values=n_values, pattern=pattern)
