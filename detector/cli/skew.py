"""`compare REFERENCE CURRENT --join ID`: feature skew, row by row."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from detector.cli.progress import Progress
    from detector.columns import Chunk
    from detector.tables import DataFile


def add_join_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of a join."""
    group = parser.add_argument_group("feature skew (the same row by its id, with another value)")
    group.add_argument(
        "--join",
        metavar="COL[,COL]",
        action="append",
        default=[],
        help="join the rows of both sides by this id column (repeatable: together they are the id) and count "
        "values that differ; ids of some such rows are printed as they are",
    )
    group.add_argument(
        "--tolerance",
        metavar="X",
        type=_tolerance,
        default=1e-6,
        help="numbers are equal that differ by at most this share (default 1e-6, float32's precision); "
        "columns of whole numbers are compared exactly",
    )
    group.add_argument("--exclude", metavar="COL", action="append", default=[], help="column not to compare")
    group.add_argument(
        "--show-values", action="store_true", help="print pairs of different values, and not only ids"
    )
    group.add_argument(
        "--allow-duplicates",
        action="store_true",
        help="compare all pairs of rows where an id occurs more than once on a side, instead of none",
    )


def _tolerance(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0.0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"expected a number of at least 0, got {text!r}")
    return value


def run_join(options: argparse.Namespace) -> int:
    """Join the data of both sides by id; return 1 where any feature differs in any pair of rows.

    Raises:
        InputError: an option does not go with a join, or the data cannot be joined.
    """
    from detector.cli.output import emit, refuse_inputs, to_json
    from detector.cli.progress import Progress
    from detector.report.skew import skew_record, skew_text
    from detector.skew import JoinOptions, join_by_id
    from detector.tables import find_files

    columns = _checked(options)
    reference, current = find_files([options.reference]), find_files(options.current)
    refuse_inputs(options.output, (file.path for file in (*reference, *current)))
    progress = [Progress(sum(file.bytes for file in files)) for files in (reference, current)]
    try:
        report = join_by_id(
            _reader(reference, "reference", progress[0]),
            _reader(current, "current", progress[1]),
            columns,
            JoinOptions(
                relative_tolerance=options.tolerance,
                allow_duplicates=options.allow_duplicates,
                show_values=options.show_values,
                exclude=tuple(options.exclude),
            ),
        )
    finally:
        for each in progress:
            each.end()
    is_json = options.format == "json"
    emit(to_json(skew_record(report)) if is_json else skew_text(report), options.output)
    return 1 if report.found_something else 0


def _reader(files: list[DataFile], task: str, progress: Progress) -> Callable[[], Iterable[Chunk]]:
    from detector.tables import read_chunks

    def read() -> Iterable[Chunk]:
        progress.begin(task)
        return read_chunks(files, advance=progress.advance)

    return read


def _checked(options: argparse.Namespace) -> list[str]:
    """Return the id columns; refuse what a join would silently ignore."""
    from detector.errors import InputError

    columns = [name for text in options.join for name in text.split(",") if name]
    if not columns:
        raise InputError("--join needs the name of an id column")
    if options.reference.endswith(".json"):
        raise InputError("--join needs rows on both sides, and a baseline holds only counts; name its data")
    if options.format == "html":
        raise InputError("--join prints text or json; the HTML report shows distributions")
    if getattr(options, "measures", "own") != "own":
        raise InputError(
            f"--join compares row by row and measures nothing; drop --measures {options.measures}"
        )
    if getattr(options, "config", None) is not None:
        raise InputError("--join uses nothing of a configuration; drop --config")
    if getattr(options, "schema", None) is not None:
        raise InputError("--join compares row by row and checks no schema; drop --schema")
    return columns
