"""`schema infer`, `schema show`, `schema validate` and `schema diff`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from detector.schema import Schema
    from detector.schema.check import Against, Relation
    from detector.summary.model import DataSummary
    from detector.tables import DataFile

EXAMPLES = """\
examples:
  drift-detector schema infer train.csv -o schema.yaml --label repaid
  drift-detector schema show schema.yaml
  drift-detector schema validate schema.yaml serving.csv --environment SERVING
  drift-detector schema validate schema.pbtxt serving.csv --previous last-week.csv
  drift-detector schema diff old.yaml schema.yaml
  drift-detector schema show schema.pbtxt --format yaml -o schema.yaml
  drift-detector baseline build train.csv --schema schema.yaml --output baseline.json

A schema says what data should look like: types, how often values may be missing, allowed values and
ranges. `infer` makes a first one for you to edit; `validate` exits with 1 where data break it, so that a
CI pipeline can stop there. A schema is YAML (.yaml), or TFDV's own text format (.pbtxt).
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.epilog = EXAMPLES
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

    def action(name: str, text: str) -> argparse.ArgumentParser:
        return actions.add_parser(
            name, help=text, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
        )

    infer = action("infer", "make a first schema from training data")
    infer.add_argument("data", nargs="+", metavar="DATA", help="file, directory or glob")
    infer.add_argument(
        "--output", "-o", metavar="S.yaml", help="write there (.yaml or .pbtxt); default: print"
    )
    infer.add_argument("--label", metavar="COL", help="column that serving data do not have yet")
    infer.add_argument(
        "--exclude", metavar="COL", action="append", default=[], help="column to leave out (repeatable)"
    )
    infer.add_argument(
        "--like-tfdv",
        action="store_true",
        help="infer no more than TFDV does: no ranges, no least share, no ids told apart",
    )
    show = action("show", "show a schema, or translate it")
    show.add_argument("schema", metavar="S", help="schema (.yaml or .pbtxt)")
    show.add_argument(
        "--format", choices=["text", "yaml", "pbtxt"], help="default: by the ending of --output, else text"
    )
    show.add_argument("--output", "-o", metavar="FILE", help="write there instead of standard output")
    _add_validate(action("validate", "check data; exit code 1 where they break the schema"))
    differ = action("diff", "what differs between two schemas")
    differ.add_argument("before", metavar="A", help="schema (.yaml or .pbtxt)")
    differ.add_argument("after", metavar="B", help="schema (.yaml or .pbtxt)")
    differ.add_argument("--exit-code", action="store_true", help="exit with 1 where they differ")


def _add_validate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("schema", metavar="S", help="schema (.yaml or .pbtxt)")
    parser.add_argument("data", nargs="+", metavar="DATA", help="file, directory or glob")
    parser.add_argument("--format", choices=["text", "json"], default="text")
    parser.add_argument("--output", "-o", metavar="FILE", help="write there instead of standard output")
    parser.add_argument(
        "--environment", metavar="E", help="check only what is expected there, such as SERVING"
    )
    parser.add_argument(
        "--previous", metavar="DATA", help="the data before: checks the schema's drift comparators"
    )
    parser.add_argument(
        "--serving", metavar="DATA", help="serving data, DATA being training: checks the skew comparators"
    )
    parser.add_argument(
        "--fail-on",
        choices=["warning", "error"],
        default="warning",
        help="exit with 1 on any anomaly (default), or on errors only",
    )


def run(options: argparse.Namespace) -> int:
    """Run the action."""
    actions = {"infer": _infer, "show": _show, "validate": _validate, "diff": _diff}
    return actions[options.action](options)


def _summarized(
    files: Sequence[DataFile], what: str, summarize: Callable[[Callable[[int], None]], DataSummary]
) -> DataSummary:
    from detector.cli.progress import Progress

    progress = Progress(sum(file.bytes for file in files))
    progress.begin(what)
    try:
        return summarize(progress.advance)
    finally:
        progress.end()


def _infer(options: argparse.Namespace) -> int:
    from detector.cli.output import emit, refuse_inputs
    from detector.errors import InputError
    from detector.schema.infer import InferOptions, infer_schema
    from detector.summary.collect import summarize
    from detector.tables import find_files, read_chunks

    format_ = "yaml" if options.output in (None, "-") else _format_of(options.output)
    if format_ is None:
        raise InputError(
            f"{options.output}: unknown kind of schema; name a .yaml file, or a .pbtxt of TFDV's"
        )
    files = find_files(options.data)
    refuse_inputs(options.output, (file.path for file in files))
    data = _summarized(
        files,
        "read",
        lambda advance: summarize(lambda: read_chunks(files, advance=advance), strict=options.like_tfdv),
    )
    absent = {options.label, *options.exclude} - {None} - data.columns.keys()
    if absent:
        raise InputError(f"no column {min(absent)!r} in the data; there are {', '.join(data.columns)}")
    found = infer_schema(data, InferOptions(options.label, frozenset(options.exclude), options.like_tfdv))
    if not found.features:
        raise InputError(f"{files[0].path}: no column is left to say anything of; exclude fewer")
    names = ", ".join(file.path for file in files[:3])
    note = f"Inferred from {data.rows:,} rows of {names}. Edit it: what is under `proposed` only warns."
    schema = _noted(found, note)
    emit(_as_text(schema, format_), options.output)
    if options.output not in (None, "-"):
        from detector.report.schema_notes import inference_notes

        n = len(schema.features)
        head = f"{options.output}: {n:,} feature{'' if n == 1 else 's'}"
        emit("\n".join([head, *inference_notes(schema)]))
    return 0


def _format_of(path: str) -> str | None:
    """Return the format that a file's name means; None if it means none."""
    from pathlib import Path

    from detector.config.schema_file import TFDV_SUFFIXES, YAML_SUFFIXES

    suffix = Path(path).suffix.lower()
    return "yaml" if suffix in YAML_SUFFIXES else "pbtxt" if suffix in TFDV_SUFFIXES else None


def _noted(schema: Schema, note: str | None) -> Schema:
    from dataclasses import replace

    return replace(schema, note=note)


def _as_text(schema: Schema, format_: str) -> str:
    """Return a schema in one of its formats; what a format has no words for is said on standard error."""
    from detector.report.schema import schema_text, schema_yaml
    from detector.report.schema_notes import gathered
    from detector.schema.pbtxt import write_pbtxt

    left_out = schema.left_out
    text = schema_text(schema) if format_ == "text" else schema_yaml(schema)
    if format_ == "pbtxt":
        text, left_out = write_pbtxt(_noted(schema, None))
    from detector.cli.output import warn

    for line in gathered(left_out):
        warn(f"left out: {line}")
    return text.rstrip("\n")


def _show(options: argparse.Namespace) -> int:
    from detector.cli.output import emit, refuse_inputs
    from detector.config.schema_file import load_schema

    refuse_inputs(options.output, [options.schema])
    format_ = options.format or _format_of(options.output or "") or "text"
    emit(_as_text(load_schema(options.schema), format_), options.output)
    return 0


def _validate(options: argparse.Namespace) -> int:
    from detector.cli.output import emit, refuse_inputs, to_json
    from detector.config.schema_file import load_schema
    from detector.report.anomalies import validation_record, validation_text
    from detector.schema.validate import Circumstances, expectations, validate
    from detector.summary.collect import summarize
    from detector.tables import find_files, read_chunks

    schema, files = load_schema(options.schema), find_files(options.data)
    named: list[tuple[str | None, Relation]] = [(options.previous, "drift"), (options.serving, "skew")]
    others = [(find_files([name]), relation) for name, relation in named if name is not None]
    inputs = [*files, *(file for found, _ in others for file in found)]
    refuse_inputs(options.output, [options.schema, *(file.path for file in inputs)])
    against = [_against(files, found, relation) for found, relation in others]
    data = _summarized(
        files,
        "validate",
        lambda advance: summarize(
            lambda: read_chunks(files, advance=advance), expectations(schema), quantiles=False
        ),
    )
    found = validate(schema, data, Circumstances(options.environment, tuple(against)))
    if options.format == "json":
        emit(to_json(validation_record(found, data.rows, options.environment)), options.output)
    else:
        emit(validation_text(found, data.rows, len(schema.features)), options.output)
    fatal = [a for a in found if options.fail_on == "warning" or a.severity == "error"]
    return 1 if fatal else 0


def _against(files: Sequence[DataFile], others: Sequence[DataFile], relation: Relation) -> Against:
    """Measure the data against another data set, as TFDV does: thresholds come from there."""
    from detector.tables import read_chunks
    from detector.tfdv.compare import measure_as_tfdv

    return measure_as_tfdv(
        lambda: read_chunks(others),
        lambda: read_chunks(files),
        single_precision=all(file.kind in ("csv", "tsv") for file in (*files, *others)),
    ).against(relation)


def _diff(options: argparse.Namespace) -> int:
    from detector.cli.output import emit
    from detector.config.schema_file import load_schema
    from detector.report.schema_notes import difference_text
    from detector.schema.diff import diff

    found = diff(load_schema(options.before), load_schema(options.after))
    emit(difference_text(found))
    return 1 if found and options.exit_code else 0
