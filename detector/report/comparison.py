"""Two data sets side by side: the record and the text that `compare` prints."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from detector.anomaly import Anomaly
from detector.baseline import Baseline
from detector.baseline.build import count_columns
from detector.batch import ModelKey
from detector.columns import Chunk, check_owner, chunk_columns, column_name
from detector.drift.contributors import Contributor, contributors
from detector.drift.evaluation import Evaluation, State
from detector.drift.judge import Judge
from detector.drift.policy import DecisionPolicy
from detector.profile import Profile
from detector.report.records import Record, anomaly_record, contributor_records, number, statistics_of
from detector.report.text import cut
from detector.windows.slices import Slices
from detector.windows.sliding import WindowProfile

MIN_SAMPLES = 100
"""Rows a comparison needs by default; a window that is judged every minute needs more."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A data set held against a baseline."""

    baseline: Baseline
    evaluation: Evaluation
    judge: Judge
    anomalies: tuple[Anomaly, ...]

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

    def contributors(self, feature: int, most: int = 5) -> tuple[Contributor, ...]:
        """Return what changed most in a feature."""
        current = self.evaluation.window.profile.row(0)
        return contributors(self.baseline, self.judge.reference(0), current, feature, most)

    @property
    def by_change(self) -> list[int]:
        """The features, the one furthest over (or nearest to) a threshold first."""
        excess = self.evaluation.excess[:, 0].max(axis=0, initial=0.0)
        return [int(f) for f in np.argsort(-excess, kind="stable")]

    @property
    def verdict(self) -> str:
        """The result in a sentence."""
        n = len(self.baseline.features)
        drifting = int((self.evaluation.state[0] == State.DRIFT).sum())
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
    """Hold the rows of `chunks` against a baseline, as one window."""
    profile, one = Profile.zeros(baseline.layout), Slices()
    seen: set[str] = set()
    for chunk in chunks:
        check_owner(chunk, baseline.model, baseline.version)
        profile.merge(count_columns(chunk_columns(chunk, baseline.features), baseline, one))
        seen |= _names(chunk, baseline)
    key = ModelKey(baseline.model or "", baseline.version or "")
    judge = Judge(key, baseline, policy)
    evaluation = judge.evaluate(WindowProfile(0.0, 0.0, 0.0, profile))
    return Comparison(baseline, evaluation, judge, tuple(_columns_that_differ(baseline, seen)))


def _names(chunk: Chunk, baseline: Baseline) -> set[str]:
    """Return the features of a chunk, under the names that the baseline has for them."""
    known = {column_name(chunk, feature): feature.name for feature in baseline.features.all}
    return {
        known.get(name, name)
        for name in chunk.columns
        if chunk.roles.get(name, "feature") in ("feature", "prediction")
    }


def column_dropped(name: str) -> Anomaly:
    """A column that the reference data have and the current data lack."""
    return Anomaly(
        name, "SCHEMA_MISSING_COLUMN", "error", "column dropped", f"column {name!r} is completely missing"
    )


def new_column(name: str) -> Anomaly:
    """A column that the reference data lack."""
    return Anomaly(
        name, "SCHEMA_NEW_COLUMN", "error", "new column", f"column {name!r} is not in the reference data"
    )


def _columns_that_differ(baseline: Baseline, seen: set[str]) -> list[Anomaly]:
    known = set(baseline.features.names) | set(baseline.provenance.left_out)
    dropped = [column_dropped(name) for name in baseline.features.names if name not in seen]
    return dropped + [new_column(name) for name in sorted(seen - known)]


def comparison_record(found: Comparison) -> Record:
    """Return a comparison as the record that `compare --format json` prints."""
    statistics = statistics_of(found.evaluation, 0)
    features = {}
    for f, feature in enumerate(found.baseline.features.all):
        features[feature.name] = {
            "type": feature.type,
            "role": feature.role,
            "state": found.state(f).label,
            "statistics": statistics[f],
            "contributors": contributor_records(found.contributors(f)),
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
    }


SYMBOLS = {State.INSUFFICIENT: "?", State.OK: " ", State.WARNING: "~", State.DRIFT: "!"}


def comparison_text(found: Comparison, most: int = 3) -> str:
    """Return a comparison for people: the features that changed most first, at most 100 columns wide."""
    lines = [
        f"reference {found.baseline.n_events:,} rows, current {found.n_current:,} rows",
        "",
        f"  {'feature':<28}{'state':<14}{'statistic':<22}{'value':>10}{'threshold':>11}{'missing':>16}",
    ]
    for f in found.by_change:
        lines.append(_line(found, f))
        if found.state(f) >= State.WARNING:
            why = found.contributors(f, most)
            lines += [f"      {cut(c.bin, 52):<52} {c.reference:>7.2%} -> {c.current:>7.2%}" for c in why]
    lines += ["", *_anomaly_lines(found.anomalies), found.verdict]
    return "\n".join(lines)


def _line(found: Comparison, f: int) -> str:
    evaluation = found.evaluation
    state, name = found.state(f), found.baseline.features.names[f]
    worst = evaluation.worst_statistic(0, f)
    numbers = " " * 21
    if worst is not None:
        statistic = evaluation.statistics[worst]
        numbers = f"{statistic.value[0, f]:>10.4f}{statistic.threshold[0, f]:>11.4f}"
    before, now = found.missing(f)
    missing = f"{before:>7.1%} -> {now:>5.1%}"
    return f"{SYMBOLS[state]} {cut(name, 27):<28}{state.label:<14}{worst or '-':<22}{numbers}{missing:>16}"


def _anomaly_lines(anomalies: Sequence[Anomaly]) -> list[str]:
    lines = [f"{a.severity}: {a.kind}: {a.long}" for a in anomalies]
    return [*lines, ""] if lines else []
