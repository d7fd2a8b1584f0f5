"""Alerts, schema and source: the pages that are tables."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from detector.anomaly import Anomaly
from detector.batch import Feature
from detector.metrics.labels import label
from detector.printable import printable
from detector.schema.model import BoolDomain, FeatureSchema, Pattern, Range, Values
from detector.times import format_duration
from detector.view import PartitionStatus, View
from detector.web.pages.alerts import alert_words, in_order
from detector.web.pages.site import Model, NotThereError, Page, find_model, models_of, time_text
from detector.web.pages.words import DASH, number, percent

ALERTS_A_PAGE = 50

ROWS_A_PAGE = 100

MAX_ANOMALIES = 50

MAX_PARTITIONS = 500


def alerts_page(view: View, page: int = 1) -> Page:
    """Return the alerts that fire, and a page of those that are over, the last ones first.

    Raises:
        NotThereError: there is no such page.
    """
    n_pages = max(1, math.ceil(len(view.past) / ALERTS_A_PAGE))
    if not 1 <= page <= n_pages:
        raise NotThereError("no such page")
    past = view.past[::-1][(page - 1) * ALERTS_A_PAGE : page * ALERTS_A_PAGE]
    order = in_order(view.firing)
    about = {
        "page": "alerts",
        "firing": [alert_words(view, t) for t in order[: 2 * ALERTS_A_PAGE]],
        "n_firing_shown": min(len(order), 2 * ALERTS_A_PAGE),
        "past": [alert_words(view, t) for t in past],
        "number": page,
        "n_pages": n_pages,
    }
    return Page("alerts.html", "Alerts", about)


@dataclass(frozen=True, slots=True)
class Expected:
    """What is expected of one feature, in words."""

    name: str
    href: str | None
    type: str
    presence: str
    domain: str
    broken: tuple[str, ...]


def schema_index(view: View) -> Page:
    """Return which model versions there are, with the number of expectations that are broken."""
    models = [
        {
            "name": label(m.key.model),
            "version": label(m.key.version),
            "href": f"{m.href}/schema",
            "n_features": len(m.names),
            "n_broken": len(m.broken()),
        }
        for m in models_of(view)[:ROWS_A_PAGE]
    ]
    return Page("schema_index.html", "Schema", {"page": "schema", "models": models})


def schema_page(view: View, model: str, version: str, find: str | None = None, page: int = 1) -> Page:
    """Return what is expected of a model version's events, and what the latest windows break of it.

    Raises:
        NotThereError: there is no such model version or page.
    """
    found = find_model(view, model, version)
    schema = found.judge.baseline.schema
    broken = found.broken()
    names = [name for name in schema.features if (find or "").casefold() in name.casefold()]
    names.sort(key=lambda name: all(a.feature != name for a, _ in broken))
    n_pages = max(1, math.ceil(len(names) / ROWS_A_PAGE))
    if not 1 <= page <= n_pages:
        raise NotThereError("no such page")
    some = names[(page - 1) * ROWS_A_PAGE : page * ROWS_A_PAGE]
    by_name = {feature.name: feature for feature in found.judge.baseline.features.all}
    about = {
        "page": "schema",
        "name": label(found.key.model),
        "version": label(found.key.version),
        "href": f"{found.href}/schema",
        "model_href": found.href,
        "is_given": found.judge.baseline.provenance.schema == "given",
        "rows": [_expected(found, name, schema.features[name], by_name.get(name), broken) for name in some],
        "n_rows": len(names),
        "anomalies": [_anomaly(a, windows) for a, windows in broken[:MAX_ANOMALIES]],
        "n_anomalies": len(broken),
        "find": find or "",
        "number": page,
        "n_pages": n_pages,
    }
    return Page("schema.html", f"Schema of {about['name']} {about['version']}", about)


def _anomaly(anomaly: Anomaly, windows: Sequence[str]) -> dict[str, object]:
    return {
        "feature": "the data set" if anomaly.feature is None else label(anomaly.feature),
        "kind": anomaly.kind,
        "severity": anomaly.severity,
        "long": printable(anomaly.long, 400),
        "windows": ", ".join(windows),
    }


def _expected(
    model: Model,
    name: str,
    feature: FeatureSchema,
    known: Feature | None,
    broken: Sequence[tuple[Anomaly, list[str]]],
) -> Expected:
    return Expected(
        label(name),
        None if known is None else model.feature_href(name),
        feature.type or "any",
        _presence(feature),
        "not shown: sensitive" if model.is_sensitive(name) else _domain(feature),
        tuple(a.kind for a, _ in broken if a.feature == name),
    )


def _presence(feature: FeatureSchema) -> str:
    presence = feature.presence
    if not presence.is_required:
        return "may be missing"
    if presence.min_fraction > 0:
        return "always" if presence.min_fraction == 1 else f"in {percent(presence.min_fraction)} or more"
    return f"{presence.min_count:,} times or more"


def _domain(feature: FeatureSchema) -> str:
    """Say which values are expected; categories are counted and not named, for some may be of few people."""
    domain = feature.domain
    if isinstance(domain, Range):
        low = DASH if domain.min is None else number(domain.min)
        high = DASH if domain.max is None else number(domain.max)
        return f"{low} to {high}"
    if isinstance(domain, Values):
        return f"one of {len(domain.values):,} values"
    if isinstance(domain, BoolDomain):
        return "true or false"
    if isinstance(domain, Pattern):
        return f"texts like {printable(domain.regex, 80)}"
    return "any value"


def source_page(view: View) -> Page:
    """Return where events come from, how far they are read, and what became of them."""
    counters = view.counters
    lost = [(label(topic), label(reason), n) for (topic, reason), n in sorted(counters.lost.items())]
    about = {
        "page": "source",
        "topics": list(_topics(view)),
        "partitions": [_partition(p) for p in view.source.partitions[:MAX_PARTITIONS]],
        "n_partitions": len(view.source.partitions),
        "consumed": counters.consumed.total(),
        "accepted": counters.accepted.total(),
        "labels": counters.labels,
        "rejected": [
            (label(topic), label(reason), n) for (topic, reason), n in sorted(counters.rejected.items())
        ],
        "lost": lost,
        "skipped": [(label(reason), n) for reason, n in sorted(view.source.skipped.items())],
        "restarts": view.source.restarts,
        "sinks": view.sinks,
        "dead_letters": view.dead_letters,
        "state": view.state,
        "state_at": None if view.state is None else time_text(view.state.last_s),
        "evaluated_at": time_text(view.last_evaluation_s),
        "group": view.group,
        "uptime": format_duration(round(view.uptime_s)),
    }
    return Page("source.html", "Source", about)


def _partition(status: PartitionStatus) -> tuple[str, int, int, int | None]:
    return label(status.partition.topic), status.partition.number, status.position, status.lag


def _topics(view: View) -> Iterator[tuple[str, int, int | None, str | None]]:
    """Yield each topic with its events, what is left to read, and its largest event time."""
    lag: dict[str, int | None] = {}
    for status in view.source.partitions:
        before, topic = lag.get(status.partition.topic, 0), status.partition.topic
        lag[topic] = None if before is None or status.lag is None else before + status.lag
    for topic, n in lag.items():
        yield label(topic), view.counters.consumed[topic], n, time_text(view.event_time_s.get(topic))
