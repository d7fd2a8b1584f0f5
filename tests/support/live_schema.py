"""Traffic with all that makes a rule of the schema nervous, and a rig that is fed with it by the minute."""

from dataclasses import replace
from typing import Any

import numpy as np

from detector.alerts import Transition
from detector.drift.policy import DecisionPolicy
from detector.metrics.collect import evaluated_families
from detector.metrics.names import ExportPolicy
from detector.pipeline import Pipeline
from detector.runs import AlertPolicy
from detector.view import SourceStatus, view_of
from detector.windows.spec import WindowSpec
from tests.support.factories import KEY, START_S, Rig, decoder_of, event, training_rows

N_TRAINING = 20_000
PANE = 300
"""Events of a pane."""

SPEC = WindowSpec(pane_s=60, lengths_s=(300,), lateness_s=0)
POLICY = DecisionPolicy(min_samples=100)

NEW_COLUMN = ("", "SCHEMA_NEW_COLUMN")


def sound_rows(rng: np.random.Generator, n: int) -> list[dict[str, Any]]:
    """Sound traffic with all that makes a rule nervous: gaps, rare values, a feature hardly ever there."""
    rows = training_rows(rng, n)
    plans = rng.choice(["basic", "plus", "pro", "trial"], n, p=[0.6, 0.3, 0.095, 0.005]).tolist()
    tail = (rng.geometric(0.09, n).clip(max=90)).tolist()
    draws = rng.random((3, n))
    scores, ratios = rng.random(n).round(4).tolist(), rng.normal(0, 1, n).round(4).tolist()
    for i, row in enumerate(rows):
        row |= {"plan": plans[i], "code": f"c{tail[i]}", "flag": int(draws[0, i] < 0.2)}
        row["ratio"] = None if draws[1, i] < 0.05 else ratios[i]
        if draws[2, i] < 0.01:
            row["referral"] = scores[i]
    return rows


class Live:
    """A rig that is fed minute by minute."""

    def __init__(self, baseline, spec=SPEC, policy=POLICY, clear_after=3, **options: Any) -> None:
        self.rig = Rig(baseline, spec, policy, alerts=AlertPolicy(3, clear_after))
        if options:
            self.rig.models = {KEY: replace(self.rig.models[KEY], environment=options.get("environment"))}
            self.rig.pipeline = Pipeline(spec, self.rig.models, AlertPolicy(3, clear_after))
            self.rig.decoder = decoder_of(self.rig.models, options.get("events"))
        self.minute = 0

    def feed(self, rows, write=event, minutes_later=0):
        """Feed the rows of one minute; return the anomalies of each minute that closed before."""
        self.minute += minutes_later
        step = 59.0 / max(len(rows), 1)
        values = [write(row, START_S + 60 * self.minute + i * step) for i, row in enumerate(rows)]
        self.minute += 1
        return [anomalies_of(o) for o in self.rig.feed(values)]

    def close(self):
        """Close the minute fed last, as silence would; called again, the empty ones after it."""
        silent_for_s = START_S + 60 * self.minute - self.rig.pipeline.max_event_time_s
        self.minute += 1
        return [anomalies_of(o) for o in self.rig._take(self.rig.pipeline.quiet([], silent_for_s))]

    @property
    def transitions(self) -> list[Transition]:
        return [t for o in self.rig.outcomes for t in o.transitions]

    @property
    def told(self) -> list[tuple[str, str | None, str | None]]:
        """(status, feature, kind) of every alert but that of the model as a whole."""
        found = [t for t in self.transitions if t.alert != "DriftDatasetDrifted"]
        return [(t.status, t.feature, t.kind or t.statistic) for t in found]


def anomalies_of(outcome) -> set[tuple[str, str]]:
    """(feature, kind) of the errors of all windows; names of new columns as on the page."""
    return {
        ("" if a.kind == "SCHEMA_NEW_COLUMN" else a.feature, a.kind)
        for judged in outcome.judged
        for a in judged.anomalies
        if a.severity == "error"
    }


def on_page(pipeline: Pipeline) -> set[tuple[str, str]]:
    """(feature, kind) of which `drift_feature_anomaly` is 1."""
    view = view_of(pipeline, {}, SourceStatus(), revision=0, last_evaluation_s=None, ready=True)
    families = {f.name: f for f in evaluated_families(view, ExportPolicy())}
    found = families["drift_feature_anomaly"].samples
    return {(s.labels["feature"], s.labels["kind"]) for s in found if s.value == 1}


def broken_row(row):
    """Text for a number, one column gone, one more."""
    changed = {k: v for k, v in row.items() if k != "age"}
    return changed | {"amount": f"{row['amount']} EUR", "channel": "app"}


BROKEN = {("amount", "UNEXPECTED_DATA_TYPE"), ("age", "SCHEMA_MISSING_COLUMN"), NEW_COLUMN}


def without(rows: list[dict[str, Any]], *names: str) -> list[dict[str, Any]]:
    """The rows with some columns dropped."""
    return [{k: v for k, v in row.items() if k not in names} for row in rows]
