"""`state show`: what a detector has kept for its next start."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from detector.state import Cut, Found

EXAMPLES = """\
examples:
  drift-detector state show state/
  drift-detector state show /var/lib/drift-detector --format json | jq .counters

DIR is `state.directory` of the configuration. Reading disturbs no detector that is running there, and
changes nothing. Shown are positions, counters, digests and the alerts that fire; no value of the data.
Two detectors with the same digest of evaluations have decided the same on the same events all the way;
`replay` prints it too. To begin anew, stop the detector and move the directory away.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.epilog = EXAMPLES
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    show = actions.add_parser(
        "show",
        help="show the newest that is whole",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    show.add_argument("directory", metavar="DIR", help="where the detector keeps its state")
    show.add_argument("--format", choices=["text", "json"], default="text")


def run(options: argparse.Namespace) -> int:
    """Show the newest cut that makes sense."""
    from detector.cli.output import emit, to_json
    from detector.report.state import state_text

    record = newest(Path(options.directory))
    emit(to_json(record) if options.format == "json" else state_text(record))
    return 0


def newest(directory: Path) -> dict[str, Any]:
    """Return the newest cut that makes sense, and what is wrong with others.

    Raises:
        InputError: there is none.
    """
    from detector.errors import InputError
    from detector.report.state import pipeline_record
    from detector.state import read_cuts

    found = read_cuts(directory)
    if not found:
        raise InputError(f"{directory}: no state here; name the directory that state.directory names")
    problems = [f"{file.path}: {file.problem}" for file in found if file.cut is None]
    for file in found:
        if file.cut is not None:
            try:
                return {**_about(file, file.cut, problems), **pipeline_record(file.cut.tree)}
            except (ValueError, OverflowError, OSError) as error:
                # Times beyond the calendar are the latter two.
                problems.append(f"{file.path}: makes no sense ({error})")
    raise InputError(f"{'; '.join(problems)}; there is no other state here")


def _about(file: Found, cut: Cut, problems: list[str]) -> dict[str, Any]:
    from detector.times import format_time

    return {
        "path": str(file.path),
        "bytes": file.n_bytes,
        "problems": problems,
        "saved_at": format_time(cut.saved_s),
        "sequence": cut.sequence,
        "term": cut.term,
        "config_sha256": cut.config_sha256,
        "positions": [
            {"topic": p.topic, "partition": p.number, "offset": offset}
            for p, offset in sorted(cut.positions.items())
        ],
    }
