"""`baseline build` and `baseline show`."""

import argparse
from pathlib import Path

from detector.cli.output import emit, to_json

EXAMPLES = """\
examples:
  drift-detector baseline build train.csv --output credit-3.json --model credit --version 3 \\
      --timestamp time --prediction score --label repaid --id id
  drift-detector baseline build 'data/2026-*.parquet' --output baseline.json --exclude customer_name
  drift-detector baseline build train.csv --schema schema.yaml --output baseline.json
  drift-detector baseline show credit-3.json

DATA are CSV, JSON Lines or Parquet files (text also .gz), directories or quoted globs; a column a
feature, or full events. They are read twice, in bounded memory. Ids, free text and points in time are
recognised and left out; where that is wrong, say so in a schema (`schema infer`, then `role: feature`) and
give it here.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.epilog = EXAMPLES
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    build = actions.add_parser(
        "build",
        help="build a baseline from training data",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    build.add_argument("data", nargs="+", metavar="DATA", help="file, directory or glob")
    build.add_argument("--output", "-o", required=True, metavar="B.json", help="where the baseline goes")
    build.add_argument("--model", metavar="M", help="name of the model; a baseline without one fits any")
    build.add_argument("--version", metavar="V", help="version of the model; without one it fits any")
    build.add_argument("--timestamp", metavar="COL", help="column with the event time")
    build.add_argument(
        "--prediction",
        metavar="COL",
        action="append",
        default=[],
        help="column with a prediction (repeatable)",
    )
    build.add_argument("--label", metavar="COL", help="column with the true outcome: no feature")
    build.add_argument("--id", metavar="COL", help="column with the event id: no feature")
    build.add_argument(
        "--exclude", metavar="COL", action="append", default=[], help="column to leave out (repeatable)"
    )
    build.add_argument(
        "--slice",
        metavar="COL",
        action="append",
        default=[],
        help="text column whose values get a reference of their own (repeatable)",
    )
    build.add_argument(
        "--schema", metavar="S", help="what is expected of the data (.yaml or .pbtxt); default: inferred"
    )
    show = actions.add_parser("show", help="show what a baseline holds")
    show.add_argument("baseline", metavar="B.json")
    show.add_argument("--format", choices=["text", "json"], default="text")


def run(options: argparse.Namespace) -> int:
    """Build or show."""
    return _build(options) if options.action == "build" else _show(options)


def _build(options: argparse.Namespace) -> int:
    from detector.baseline.build import BuildOptions
    from detector.cli.build import build_from_files
    from detector.cli.output import refuse_inputs
    from detector.report.baseline import apart_lines, baseline_line
    from detector.store import write_baseline
    from detector.tables import find_files

    files = find_files(options.data)
    schema = None
    if options.schema is not None:
        from detector.config.schema_file import load_schema

        schema = load_schema(options.schema)
    refuse_inputs(options.output, [*(file.path for file in files), *filter(None, [options.schema])])
    baseline = build_from_files(
        files,
        BuildOptions(
            model=options.model,
            version=options.version,
            timestamp=options.timestamp,
            prediction=tuple(options.prediction),
            label=options.label,
            id=options.id,
            exclude=tuple(options.exclude),
            slices=tuple(options.slice),
            schema=schema,
        ),
    )
    size = write_baseline(Path(options.output), baseline)
    emit("\n".join([f"{options.output}: {baseline_line(baseline)}, {size:,} bytes", *apart_lines(baseline)]))
    return 0


def _show(options: argparse.Namespace) -> int:
    from detector.baseline.file import describe_file
    from detector.report.baseline import baseline_statistics, baseline_text
    from detector.store import read_baseline, read_baseline_bytes

    path = Path(options.baseline)
    baseline = read_baseline(path)
    if options.format == "json":
        document = describe_file(read_baseline_bytes(path))
        emit(to_json(document | {"statistics": baseline_statistics(baseline)}))
    else:
        emit(baseline_text(baseline))
    return 0
