"""`compare REFERENCE CURRENT`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from detector.cli.skew import add_join_arguments

if TYPE_CHECKING:
    from detector.baseline import Baseline
    from detector.drift.policy import DecisionPolicy
    from detector.schema import Schema

EXAMPLES = """\
examples:
  drift-detector compare train.csv serving.csv
  drift-detector compare credit-3.json 'serving-*.parquet' --format json --output report.json
  drift-detector compare train.csv serving.csv --format html --output report.html
  drift-detector compare train.csv serving.csv --config detector.yaml
  drift-detector compare train.csv serving.csv --measures tfdv
  drift-detector compare train.csv serving.csv --schema schema.yaml
  drift-detector compare logged-at-training.csv logged-at-serving.csv --join request_id

Three kinds of skew: schema skew (other columns or types), distribution skew (values occur more or less
often), and, with --join, feature skew (the same row has another value).

REFERENCE is a baseline (.json) or data; CURRENT is data. Exit code 1 where a feature drifts or an
expectation is broken, so that a CI pipeline can stop there. With `--measures tfdv` the numbers are those of
TensorFlow Data Validation 1.16; then both sides are data, and only fixed thresholds of the configuration
decide, as there.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.epilog = EXAMPLES
    parser.add_argument("reference", metavar="REFERENCE", help="baseline file, or data")
    parser.add_argument("current", metavar="CURRENT", nargs="+", help="data: file, directory or glob")
    parser.add_argument("--format", choices=["text", "json", "html"], default="text")
    parser.add_argument("--output", "-o", metavar="FILE", help="write there instead of standard output")
    parser.add_argument(
        "--config", "-c", metavar="CONFIG", help="take `decision` and the model's features from there"
    )
    parser.add_argument(
        "--measures",
        choices=["own", "tfdv"],
        default="own",
        help="our statistics on common bins (default), or TFDV's own measures, digit for digit",
    )
    parser.add_argument(
        "--schema", metavar="S", help="what is expected of the data (.yaml or .pbtxt); default: inferred"
    )
    add_join_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Compare; return 1 where something is found."""
    if options.join:
        from detector.cli.skew import run_join

        return run_join(options)
    if options.measures == "tfdv":
        return _as_tfdv(options)
    from detector.baseline.build import BuildOptions
    from detector.cli.build import build_from_files
    from detector.cli.output import emit, refuse_inputs, to_json
    from detector.cli.progress import Progress
    from detector.errors import InputError
    from detector.report.comparison import compare, comparison_record, comparison_text
    from detector.tables import find_files, read_chunks

    current = find_files(options.current)
    baseline = _baseline(options.reference)
    reference = [] if baseline is not None else find_files([options.reference])
    inputs = (file.path for file in (*reference, *current))
    refuse_inputs(options.output, [options.reference, *inputs, *([options.schema] if options.schema else [])])
    if baseline is None:
        exclude = tuple(options.exclude)
        baseline = build_from_files(reference, BuildOptions(schema=_schema(options.schema), exclude=exclude))
    elif options.schema is not None or options.exclude:
        raise InputError(
            f"{options.reference}: a baseline has its schema and its columns inside; give --schema and "
            "--exclude to `baseline build`, or compare with the data"
        )
    progress = Progress(sum(file.bytes for file in current))
    progress.begin("compare")
    try:
        found = compare(
            baseline, read_chunks(current, advance=progress.advance), _policy(options.config, baseline.model)
        )
    finally:
        progress.end()
    if options.format == "html":
        from detector.report.html import comparison_html

        emit(comparison_html(found), options.output)
    else:
        is_json = options.format == "json"
        emit(to_json(comparison_record(found)) if is_json else comparison_text(found), options.output)
    return 1 if found.found_something else 0


def _as_tfdv(options: argparse.Namespace) -> int:
    from detector.cli.output import emit, refuse_inputs, to_json
    from detector.errors import InputError
    from detector.report.tfdv import TfdvReport, tfdv_record, tfdv_text
    from detector.schema.infer import InferOptions, infer_schema
    from detector.schema.validate import Circumstances, expectations, validate, with_thresholds
    from detector.summary.collect import summarize
    from detector.tables import find_files, read_chunks
    from detector.tfdv.compare import measure_as_tfdv

    if options.reference.endswith(".json"):
        raise InputError("--measures tfdv needs data on both sides: TFDV bins each by its own range")
    if options.format == "html":
        raise InputError("--measures tfdv is printed as text or json; the HTML report shows our own measures")
    reference, current = find_files([options.reference]), find_files(options.current)
    refuse_inputs(options.output, (file.path for file in (*reference, *current)))
    policy = _policy(options.config, None)
    measured = measure_as_tfdv(
        lambda: read_chunks(reference),
        lambda: read_chunks(current),
        single_precision=all(file.kind in ("csv", "tsv") for file in (*reference, *current)),
    )
    schema = _schema(options.schema)
    if schema is None:
        strict = summarize(lambda: read_chunks(reference), strict=True, quantiles=False)
        schema = infer_schema(strict, InferOptions(tfdv=True))
    schema = with_thresholds(schema, {name: policy.of(name).thresholds for name in measured.features})
    data = summarize(lambda: read_chunks(current), expectations(schema), quantiles=False)
    against = measured.against("drift")
    found = TfdvReport(measured, schema, tuple(validate(schema, data, Circumstances(against=(against,)))))
    emit(to_json(tfdv_record(found)) if options.format == "json" else tfdv_text(found), options.output)
    return 1 if found.found_something else 0


def _schema(path: str | None) -> Schema | None:
    if path is None:
        return None
    from detector.config.schema_file import load_schema

    return load_schema(path)


def _baseline(name: str) -> Baseline | None:
    """Return the baseline file called `name`; None where the name is that of data."""
    from pathlib import Path

    from detector.store import read_baseline

    return read_baseline(Path(name)) if name.endswith(".json") else None


def _policy(config_path: str | None, model: str | None) -> DecisionPolicy:
    """Return the rules of the configuration for a model; a comparison needs fewer rows than a live window."""
    from dataclasses import replace

    from detector.drift.policy import DecisionPolicy
    from detector.errors import InputError
    from detector.report.comparison import MIN_SAMPLES

    if config_path is None:
        return DecisionPolicy(min_samples=MIN_SAMPLES)
    from detector.config import load_config

    config = load_config(config_path, allow_replay=True)
    names = [m.name for m in config.models]
    if model is None and len(names) > 1:
        raise InputError(
            f"{config_path}: several models ({', '.join(names)}), and the reference does not say whose "
            "it is; build a baseline with --model and compare with that"
        )
    name = names[0] if model is None else model
    if name not in names:
        raise InputError(
            f"{config_path}: no model {name!r}, whose baseline this is; it has {', '.join(names)}"
        )
    policy = config.decision_policy(name)
    is_set = config.decision.model_fields_set | config.model(name).decision.model_fields_set
    return policy if "min_samples" in is_set else replace(policy, min_samples=MIN_SAMPLES)
