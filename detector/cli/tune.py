"""`tune EVENTS... --config C`."""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from detector.batch import Decoded, ModelKey
    from detector.pipeline import Outcome, Pipeline
    from detector.replay.events import Recording
    from detector.runs import AlertPolicy
    from detector.tables import DataFile
    from detector.tune.rehearsal import Interval, Rehearsal
    from detector.tune.window_advice import WindowAdvice
    from detector.watched import Monitored
    from detector.windows.spec import WindowSpec

EXAMPLES = """\
examples:
  drift-detector demo --exit --keep tour               leaves a history of half a year, with faults in it
  drift-detector tune tour/events.jsonl --config tour/demo.yaml
  drift-detector tune tour/events.jsonl --config tour/demo.yaml --known-drift 2013-07-22..2013-08-01
  drift-detector tune 'day-*.jsonl.gz' --config detector.yaml --budget 0.2 --format json --output tune.json

A rehearsal: recorded events run through the detector at their own event time, and what would have
alarmed is counted, at several values of `min_effect`. All of the history is taken for healthy, but for
what --known-drift names (days or times; a day at the end counts to its end). Use a month if you can.
Ends with a proposal to paste into the configuration. docs/tuning.md explains the output.
"""

MOST_PROOFS = 3
"""A proposal that turns out too loud is mended so often."""

DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.epilog = EXAMPLES
    parser.add_argument("events", nargs="+", metavar="EVENTS", help="file, directory or glob")
    parser.add_argument("--config", "-c", required=True, metavar="C", help="the configuration to improve")
    parser.add_argument("--format", choices=["text", "json"], default="text")
    parser.add_argument("--output", "-o", metavar="F", help="where the result goes; default: standard output")
    parser.add_argument(
        "--budget",
        type=float,
        metavar="N",
        help="false alarms in 30 days; default: decision.false_alarms_per_30_days",
    )
    parser.add_argument(
        "--known-drift",
        action="append",
        default=[],
        metavar="FROM..TO",
        help="time in which there was drift: not counted (repeatable)",
    )


def run(options: argparse.Namespace) -> int:
    """Rehearse, and print the advice."""
    from detector.assembly import assemble
    from detector.cli.output import emit, refuse_inputs, to_json
    from detector.config import load_config
    from detector.errors import InputError
    from detector.replay.events import Recording
    from detector.report.tune import advice_text
    from detector.report.tune_record import advice_record
    from detector.tables import find_files
    from detector.tune.advice import advise, loads_of
    from detector.tune.window_advice import advise_windows

    if options.budget is not None and not 0 < options.budget < float("inf"):
        raise InputError(f"--budget {options.budget:g}: expected a number above 0, such as 1 or 0.2")
    known = tuple(interval_of(text) for text in options.known_drift)
    config = load_config(options.config, allow_replay=True)
    assembly = assemble(config)
    files = find_files(options.events)
    refuse_inputs(options.output, [*(file.path for file in files), options.config])
    recording = Recording(config.event_options(), assembly.decoder, assembly.catalog, assembly.baselines)
    stage = _Stage(recording, files, config.alert_policy(), known)
    models = _with_budget(assembly.models, options.budget)
    spec = config.window_spec()
    before = stage.rehearse(models, spec, "rehearsal")
    loads = loads_of(before)
    if not loads:
        raise InputError(
            f"{options.events[0]}: no event of a model in {options.config}; "
            "`drift-detector replay` tells why events are rejected"
        )
    windows = advise_windows(loads, spec)
    after = before
    proposed = replace(spec, lengths_s=windows.lengths_s)
    fitted = _with_samples(models, windows.min_samples)
    if set(proposed.lengths_s) != set(spec.lengths_s) or fitted != models:
        after = stage.rehearse(fitted, proposed, "proposal")
    proved = stage.prove(fitted, after, windows)
    advice = replace(
        advise(before, after, proved, windows),
        is_budget_asked=options.budget is not None,
        is_by_model=len(config.models) > 1 or bool(config.models[0].decision.model_fields_set),
    )
    emit(to_json(advice_record(advice)) if options.format == "json" else advice_text(advice), options.output)
    return 0


def interval_of(text: str) -> Interval:
    """Return the times of `FROM..TO` in epoch seconds.

    Raises:
        InputError: it is not of that form.
    """
    from detector.errors import InputError
    from detector.times import parse_iso8601

    since, _, to = text.partition("..")
    try:
        interval = parse_iso8601(since), parse_iso8601(to) + (86400.0 if DAY.fullmatch(to) else 0.0)
    except ValueError:
        raise InputError(
            f"--known-drift {text}: expected FROM..TO, such as 2026-03-01..2026-03-04 or "
            "2026-03-01T06:00:00Z..2026-03-01T18:00:00Z"
        ) from None
    if not interval[0] < interval[1]:
        raise InputError(f"--known-drift {text}: ends before it begins; write the earlier time first")
    return interval


def _with_budget(models: Mapping[ModelKey, Monitored], budget: float | None) -> dict[ModelKey, Monitored]:
    if budget is None:
        return dict(models)
    return {
        key: replace(m, policy=replace(m.policy, false_alarms_per_30_days=budget))
        for key, m in models.items()
    }


def _with_samples(
    models: Mapping[ModelKey, Monitored], min_samples: Mapping[ModelKey, int]
) -> dict[ModelKey, Monitored]:
    return {
        key: replace(m, policy=replace(m.policy, min_samples=min_samples.get(key, m.policy.min_samples)))
        for key, m in models.items()
    }


@dataclass(frozen=True)
class _Stage:
    """The history, and how it is shown to a detector."""

    recording: Recording
    files: Sequence[DataFile]
    alerts: AlertPolicy
    known_drift: Sequence[Interval]

    def prove(
        self, models: Mapping[ModelKey, Monitored], after: Mapping[ModelKey, Rehearsal], windows: WindowAdvice
    ) -> dict[ModelKey, Rehearsal]:
        """Rehearse what is proposed: features share a budget, so to calm one may let others speak."""
        from detector.tune.advice import proposed_policy, settings_of

        spec = next(iter(after.values())).spec
        proved, tried = dict(after), models
        for _ in range(MOST_PROOFS):
            settings = settings_of(after, proved, windows)
            proposed = {
                key: replace(m, policy=proposed_policy(m.policy, settings[key.model]))
                if key.model in settings
                else m
                for key, m in models.items()
            }
            if _levels(proposed) == _levels(tried):
                break
            proved, tried = self.rehearse(proposed, spec, "proof"), proposed
        return proved

    def rehearse(
        self, models: Mapping[ModelKey, Monitored], spec: WindowSpec, task: str
    ) -> dict[ModelKey, Rehearsal]:
        """Run the history through a pipeline of its own; return what each model version did."""
        from detector.cli.output import warn
        from detector.cli.progress import Progress
        from detector.clock import SystemClock
        from detector.pipeline import Pipeline
        from detector.replay.run import replay
        from detector.tune.rehearsal import Rehearsal

        pipeline = Pipeline(spec, models, self.alerts)
        found = {
            key: Rehearsal(key, monitored, spec, self.alerts, self.known_drift)
            for key, monitored in models.items()
        }
        for key, known in pipeline.knowledge.items():
            found[key].rest_on(known)
        progress = Progress(sum(file.bytes for file in self.files))
        progress.begin(task)

        def take(outcome: Outcome) -> None:
            _share_out(outcome, pipeline, found)

        def tell(text: str) -> None:
            progress.end()
            warn(f"warning: {text}")

        events = _counted(self.recording.read(self.files, progress.advance), found)
        try:
            replay(events, pipeline, SystemClock().now_s(), take, tell)
        finally:
            progress.end()
        return found


def _levels(models: Mapping[ModelKey, Monitored]) -> dict[ModelKey, list[float | None]]:
    """Return the `min_effect` of every feature."""
    return {
        key: [m.policy.of(name).min_effect for name in m.baseline.features.names] for key, m in models.items()
    }


def _counted(events: Iterator[Decoded], found: Mapping[ModelKey, Rehearsal]) -> Iterator[Decoded]:
    """Count events on their way."""
    for decoded in events:
        for batch in decoded.batches:
            if batch.key in found:
                found[batch.key].traffic.add(decoded.time_s[batch.rows])
        yield decoded


def _share_out(outcome: Outcome, pipeline: Pipeline, found: Mapping[ModelKey, Rehearsal]) -> None:
    known = pipeline.knowledge
    for key, rehearsal in found.items():
        judged = [j for j in outcome.judged if j.evaluation.key == key]
        transitions = [t for t in outcome.transitions if t.key == key]
        rehearsal.take(judged, transitions, pipeline.anomalies.covered(key))
        rehearsal.rest_on(known[key])
