"""`replay EVENTS... --config C`."""

from __future__ import annotations

import argparse
import contextlib
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from detector.cli.progress import Progress
    from detector.pipeline import Outcome
    from detector.replay.openmetrics import OpenMetricsFile
    from detector.report.replay import AlertList

EXAMPLES = """\
examples:
  drift-detector replay events.jsonl.gz --config detector.yaml
  drift-detector replay 'day-*.jsonl' --config detector.yaml --output result.jsonl --openmetrics result.om
  promtool tsdb create-blocks-from openmetrics result.om data/

EVENTS are JSON Lines as they were on the topic, or flat CSV, JSON Lines or Parquet tables, in the order
of their time. `source` in the configuration is not used. The exit code is 0 whatever was found.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.epilog = EXAMPLES
    parser.add_argument("events", nargs="+", metavar="EVENTS", help="file, directory or glob")
    parser.add_argument("--config", "-c", required=True, metavar="CONFIG")
    parser.add_argument("--output", "-o", metavar="R.jsonl", help="every evaluation and alert, as JSON Lines")
    parser.add_argument("--openmetrics", metavar="O.om", help="the metrics at their event time")


def run(options: argparse.Namespace) -> int:
    """Replay; print alerts as they come, and what they were in short at the end."""
    from detector.assembly import assemble
    from detector.cli.output import refuse_inputs
    from detector.cli.progress import Progress
    from detector.clock import SystemClock
    from detector.config import load_config
    from detector.replay.events import Recording
    from detector.replay.openmetrics import OpenMetricsFile
    from detector.replay.run import replay
    from detector.report.records import summary_record
    from detector.tables import find_files

    config = load_config(options.config, allow_replay=True)
    assembly = assemble(config)
    files = find_files(options.events)
    for output in (options.output, options.openmetrics):
        refuse_inputs(output, [*(file.path for file in files), options.config])
    clock = SystemClock()
    started_s = clock.monotonic_s()
    recording = Recording(config.event_options(), assembly.decoder, assembly.catalog, assembly.baselines)
    progress = Progress(sum(file.bytes for file in files))
    progress.begin("replay")
    with contextlib.ExitStack() as stack:
        lines = stack.enter_context(_output(options.output)) if options.output else None
        metrics = (
            stack.enter_context(OpenMetricsFile(Path(options.openmetrics))) if options.openmetrics else None
        )
        writer = _Writer(lines, metrics, progress)
        replay(
            recording.read(files, progress.advance),
            assembly.pipeline,
            clock.now_s(),
            writer.take,
            writer.warn,
        )
        progress.end()
        summary = summary_record(assembly.pipeline.counters, clock.monotonic_s() - started_s)
        writer.end(summary)
    return 0


@contextlib.contextmanager
def _output(path: str) -> Iterator[IO[bytes]]:
    from detector.errors import InputError

    if path == "-":
        yield sys.stdout.buffer
        return
    try:
        with Path(path).open("wb") as file:
            yield file
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})") from None


def _alert_list() -> AlertList:
    # Late, like all that needs numpy.
    from detector.report.replay import AlertList

    return AlertList()


class _Writer:
    """Writes outcomes where the user wants them; without an output file, alerts go to the terminal."""

    def __init__(self, lines: IO[bytes] | None, metrics: OpenMetricsFile | None, progress: Progress) -> None:
        self._lines = lines
        self._metrics = metrics
        self._progress = progress
        self._alerts = _alert_list()

    def take(self, outcome: Outcome) -> None:
        """Write one outcome."""
        from detector.report.records import alert_record, evaluation_records
        from detector.sinks.log import describe

        for judged in outcome.judged:
            if self._lines is not None:
                self._write_lines(evaluation_records(judged))
            if self._metrics is not None:
                self._metrics.add(judged)
        for transition in outcome.transitions:
            self._alerts.add(transition)
            if self._lines is not None:
                self._write_lines([alert_record(transition)])
            if self._lines is not sys.stdout.buffer:
                self._progress.end()
                sys.stdout.write(describe(transition) + "\n")

    def warn(self, text: str) -> None:
        """Tell the user, beside the results."""
        self._progress.end()
        sys.stderr.write(f"warning: {text}\n")

    def end(self, summary: dict[str, Any]) -> None:
        """Write the summary: what alerted, for people, and what was read."""
        from detector.cli.output import to_json

        if self._lines is not None:
            self._write_lines([summary])
        if self._lines is not sys.stdout.buffer:
            sys.stdout.write("\n".join([*self._alerts.lines(), to_json(summary)]) + "\n")

    def _write_lines(self, records: Any) -> None:
        import msgspec

        assert self._lines is not None
        self._lines.write(msgspec.json.Encoder().encode_lines(records))
