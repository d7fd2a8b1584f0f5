"""Two data sets side by side: the record and the text that `compare` prints."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from textwrap import wrap

import numpy as np

from detector.anomaly import Anomaly
from detector.baseline import Baseline
from detector.baseline.build import count_columns
from detector.baseline.summary import training_summary
from detector.batch import ModelKey
from detector.columns import Chunk, check_owner, chunk_columns, column_name
from detector.drift.causes import Cause, cause_of
from detector.drift.contributors import Contributor, contributors
from detector.drift.distribution import Distribution, distribution
from detector.drift.evaluation import Evaluation, State
from detector.drift.judge import Judge
from detector.drift.policy import DecisionPolicy
from detector.profile import Profile
from detector.report.anomalies import anomaly_lines
from detector.report.records import Record, anomaly_record, contributor_records, number, statistics_of
from detector.report.summaries import summary_lines, summary_record
from detector.report.text import cut
from detector.schema.infer import COLUMN_ROLES, SERVING
from detector.schema.validate import Circumstances, expectations, validate
from detector.summary.collect import DataCollector
from detector.summary.model import ColumnSummary, DataSummary
from detector.windows.slices import Slices
from detector.windows.sliding import WindowProfile

SCHEMA_SKEW = frozenset(
    {"SCHEMA_NEW_COLUMN", "SCHEMA_MISSING_COLUMN", "FEATURE_TYPE_NOT_PRESENT", "UNEXPECTED_DATA_TYPE"}
)
"""The kinds of anomaly that say that training and serving data do not have the same columns."""

MIN_SAMPLES = 100
"""Rows a comparison needs by default; a window that is judged every minute needs more."""


@dataclass(frozen=True)
class Comparison:
    """A data set held against a baseline."""

    baseline: Baseline
    evaluation: Evaluation
    judge: Judge
    anomalies: tuple[Anomaly, ...]
    current: DataSummary

    @property
    def n_current(self) -> int:
        """Rows on the current side."""
        return int(self.evaluation.n[0])

    def state(self, feature: int) -> State:
        """Return the state of a feature."""
        return State(int(self.evaluation.state[0, feature]))

    def missing(self, feature: int) -> tuple[float, float]:
        """Return the share of rows without a value of a feature, reference and current."""
        block = self.baseline.layout.missing
        sides = (self.judge.reference(0), self.evaluation.window.profile)
        before, now = (side.counts[0, block][feature] / max(side.n_events, 1) for side in sides)
        return float(before), float(now)

    @cached_property
    def training(self) -> dict[str, ColumnSummary]:
        """The statistics of the training data by feature."""
        return training_summary(self.baseline)

    @property
    def apart(self) -> dict[str, str]:
        """Columns that are not compared, with the reason: ids, free text, points in time."""
        return {
            name: feature.note or feature.role
            for name, feature in self.baseline.schema.features.items()
            if not feature.is_compared
        }

    @property
    def schema_skew(self) -> tuple[Anomaly, ...]:
        """The anomalies of columns as such: new, missing, of another type."""
        return tuple(a for a in self.anomalies if a.kind in SCHEMA_SKEW)

    def contributors(self, feature: int, most: int = 5) -> tuple[Contributor, ...]:
        """Return what changed most in a feature."""
        current = self.evaluation.window.profile.row(0)
        return contributors(self.baseline, self.judge.reference(0), current, feature, most)

    def distribution(self, feature: int) -> Distribution:
        """Return both distributions of a feature."""
        current = self.evaluation.window.profile.row(0)
        return distribution(self.baseline, self.judge.reference(0), current, feature)

    def cause(self, feature: int) -> Cause | None:
        """Return why a feature drifts; None where it does not, or its distribution has moved."""
        if self.state(feature) != State.DRIFT:
            return None
        return cause_of(self.baseline, self.judge.reference(0), self.evaluation, 0, feature)

    @property
    def by_change(self) -> list[int]:
        """The features, the one furthest over (or nearest to) a threshold first."""
        excess = self.evaluation.excess[:, 0].max(axis=0, initial=0.0)
        return [int(f) for f in np.argsort(-excess, kind="stable")]

    @property
    def n_drifting(self) -> int:
        """Number of features that drift."""
        return int((self.evaluation.state[0] == State.DRIFT).sum())

    @property
    def verdict(self) -> str:
        """The result in a sentence."""
        n = len(self.baseline.features)
        drifting = self.n_drifting
        if self.evaluation.dataset_state[0] == State.INSUFFICIENT:
            return f"too few rows to judge drift ({self.n_current:,}); anomalies: {len(self.anomalies)}"
        return f"drift in {drifting} of {n} features; anomalies: {len(self.anomalies)}"

    @property
    def found_something(self) -> bool:
        """Whether any feature drifts or an expectation is broken."""
        return bool((self.evaluation.state == State.DRIFT).any()) or any(
            anomaly.severity == "error" for anomaly in self.anomalies
        )


def compare(baseline: Baseline, chunks: Iterable[Chunk], policy: DecisionPolicy) -> Comparison:
    """Hold the rows of `chunks` against a baseline, as one window, and against its schema."""
    profile, one = Profile.zeros(baseline.layout), Slices()
    collector = DataCollector(expectations(baseline.schema))
    for chunk in chunks:
        check_owner(chunk, baseline.model, baseline.version)
        profile.merge(count_columns(chunk_columns(chunk, baseline.features), baseline, one))
        collector.add(_renamed(chunk, baseline))
    key = ModelKey(baseline.model or "", baseline.version or "")
    judge = Judge(key, baseline, policy)
    # A data set counts as a long window: it varies by itself as little as the longest that was measured.
    evaluation = judge.evaluate(WindowProfile(math.inf, 0.0, 0.0, profile))
    data = collector.summary()
    return Comparison(baseline, evaluation, judge, tuple(_anomalies(baseline, data, policy)), data)


def _renamed(chunk: Chunk, baseline: Baseline) -> Chunk:
    """Return the features and predictions of a chunk, under the names that the baseline has for them."""
    known = {column_name(chunk, feature): feature.name for feature in baseline.features.all}
    columns = {
        known.get(name, name): column
        for name, column in chunk.columns.items()
        if chunk.roles.get(name, "feature") in COLUMN_ROLES
    }
    return Chunk(chunk.n, columns, chunk.path, chunk.first_row)


def _anomalies(baseline: Baseline, data: DataSummary, policy: DecisionPolicy) -> Iterator[Anomaly]:
    """Yield what the data break of the baseline's schema.

    Nobody has read an inferred schema: there, what only a few values break is a warning.
    """
    schema = baseline.schema
    has_label = baseline.label is None or baseline.label in data.columns
    serving = SERVING if SERVING in schema.known_environments and not has_label else None
    about = Circumstances(serving)
    found = [a for a in validate(schema, data, about) if not _is_known(a, baseline)]
    lasting = found
    if baseline.provenance.schema != "given" and policy.schema_tolerance is not None:
        lasting = validate(schema, data, replace(about, tolerance=policy.schema_tolerance))
    kinds = {(anomaly.feature, anomaly.kind) for anomaly in lasting}
    for anomaly in found:
        yield anomaly if (anomaly.feature, anomaly.kind) in kinds else replace(anomaly, severity="warning")


def _is_known(anomaly: Anomaly, baseline: Baseline) -> bool:
    """Whether a column is only new to the schema: the user left it out of the baseline."""
    return anomaly.kind == "SCHEMA_NEW_COLUMN" and anomaly.feature in baseline.known


def comparison_record(found: Comparison) -> Record:
    """Return a comparison as the record that `compare --format json` prints."""
    statistics = statistics_of(found.evaluation, 0)
    features = {}
    for f, feature in enumerate(found.baseline.features.all):
        cause = found.cause(f)
        features[feature.name] = {
            "type": feature.type,
            "role": feature.role,
            "state": found.state(f).label,
            "statistics": statistics[f],
            "cause": None if cause is None else cause.name,
            "message": None if cause is None else cause.message,
            "contributors": contributor_records(found.contributors(f)),
            "summary": {
                "reference": summary_record(found.training[feature.name]),
                "current": _or_none(found.current.columns.get(feature.name)),
            },
        }
    return {
        "reference": {"rows": found.baseline.n_events},
        "current": {"rows": found.n_current},
        "features": features,
        "dataset": {
            "state": State(int(found.evaluation.dataset_state[0])).label,
            "drifted_features_ratio": number(float(found.evaluation.drifted_ratio[0])),
        },
        "anomalies": [anomaly_record(a) for a in found.anomalies],
        "skew": {
            "schema": {"found": bool(found.schema_skew), "features": _features(found.schema_skew)},
            "distribution": {"found": found.n_drifting > 0, "features": _drifting(found)},
            # Known only from rows joined by id: `compare --join ID`.
            "feature": None,
        },
        "not_compared": found.apart,
    }


def _or_none(column: ColumnSummary | None) -> Record | None:
    return None if column is None else summary_record(column)


def _features(anomalies: Sequence[Anomaly]) -> list[str]:
    return sorted({a.feature for a in anomalies if a.feature is not None})


def _drifting(found: Comparison) -> list[str]:
    return [name for f, name in enumerate(found.baseline.features.names) if found.state(f) == State.DRIFT]


SYMBOLS = {State.INSUFFICIENT: "?", State.OK: " ", State.WARNING: "~", State.DRIFT: "!"}


def comparison_text(found: Comparison, most: int = 3) -> str:
    """Return a comparison for people, at most 80 columns wide; the features that changed most first."""
    lines = [
        f"reference {found.baseline.n_events:,} rows, current {found.n_current:,} rows",
        "",
        "distribution skew: the features that changed most first",
        f"  {'feature':<24}{'state':<14}{'statistic':<20}{'value':>9}{'threshold':>10}",
    ]
    for f in found.by_change:
        lines.append(_line(found, f))
        cause = found.cause(f)
        if cause is not None:
            lines += wrap(
                f"{cause.name}: {cause.message}", 80, initial_indent=" " * 6, subsequent_indent=" " * 8
            )
        if found.state(f) >= State.WARNING:
            why = found.contributors(f, most)
            lines += [f"      {cut(c.bin, 44):<44} {c.reference:>8.2%} -> {c.current:>8.2%}" for c in why]
    lines += [f"  not compared: {cut(name, 24)} ({cut(why, 38)})" for name, why in found.apart.items()]
    names = [found.baseline.features.names[f] for f in found.by_change]
    sides = (("reference", found.training), ("current", found.current.columns))
    lines += ["", "statistics", *summary_lines(sides, names), ""]
    skewed = _features(found.schema_skew)
    lines.append(f"schema skew: {cut(', '.join(skewed), 60) if skewed else 'none'}")
    lines.append("feature skew: join the rows of both sides by id to see it (--join ID)")
    if found.anomalies:
        lines += ["", "anomalies", *anomaly_lines(found.anomalies)]
    return "\n".join([*lines, "", found.verdict])


def _line(found: Comparison, f: int) -> str:
    evaluation = found.evaluation
    state, name = found.state(f), found.baseline.features.names[f]
    worst = evaluation.worst_statistic(0, f)
    numbers = ""
    if worst is not None:
        statistic = evaluation.statistics[worst]
        numbers = f"{statistic.value[0, f]:>9.4f}{statistic.threshold[0, f]:>10.4f}"
    line = f"{SYMBOLS[state]} {cut(name, 23):<24}{state.label:<14}{cut(worst or '-', 19):<20}{numbers}"
    return line.rstrip()
