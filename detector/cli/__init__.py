"""The command line: `drift-detector COMMAND ...`.

Exit codes: 0 fine; 1 a check found something; 2 usage, configuration or input error, in one line on
standard error; 70 a defect in the program itself; 130 interrupted.
"""

import argparse
import errno
import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from typing import NoReturn

from detector import __version__
from detector.errors import DetectorError
from detector.printable import escaped

PROGRAM = "drift-detector"

# Imported when chosen: `--help` should not wait for numpy.
COMMANDS = {
    "demo": "show the detector at work on shipped data, nothing else needed",
    "baseline": "build a baseline from training data, or show one",
    "compare": "compare two data sets; exit code 1 where drift or an anomaly is found",
    "schema": "say what data should look like: infer, show, validate, diff",
    "replay": "run recorded events through the detector at their own event time",
    "tune": "rehearse on recorded events which settings suit, and propose them",
    "run": "run the service",
    "status": "show how a running detector is",
    "state": "show what a detector has kept for its next start",
    "check-config": "check a configuration without running it",
}

DESCRIPTION = """\
Watches a model's live inputs and predictions for drift: reads events from Kafka, compares sliding
event-time windows with a baseline of the training data, exports metrics to Prometheus.

First look:   drift-detector demo
In CI:        drift-detector schema infer train.csv -o schema.yaml
              drift-detector schema validate schema.yaml serving.csv
From data:    drift-detector baseline build train.csv --output baseline.json --model credit
              drift-detector compare train.csv serving.csv
Live:         drift-detector check-config detector.yaml && drift-detector run --config detector.yaml
"""


class OneLineParser(argparse.ArgumentParser):
    """Reports a usage error in one line."""

    def error(self, message: str) -> NoReturn:
        """Print the error and exit with code 2."""
        self.exit(2, f"{self.prog}: {escaped(message)}; see `{self.prog} --help`\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    parser = _parser()
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    chosen = next((a for a in arguments if a in COMMANDS), None)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    for name, text in COMMANDS.items():
        sub = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        sub.formatter_class = argparse.RawDescriptionHelpFormatter
        if name == chosen:
            module = importlib.import_module(f"detector.cli.{name.replace('-', '_')}")
            module.add_arguments(sub)
            sub.set_defaults(run=module.run)
    options = parser.parse_args(arguments)
    if options.command is None:
        parser.print_help()
        return 2
    return _guarded(options)


def _parser() -> argparse.ArgumentParser:
    parser = OneLineParser(
        prog=PROGRAM, description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    return parser


def _guarded(options: argparse.Namespace) -> int:
    try:
        code: int = options.run(options)
        sys.stdout.flush()
    except DetectorError as error:
        print(f"{PROGRAM}: {_one_line(str(error))}", file=sys.stderr)  # noqa: T201
        return error.exit_code
    except BrokenPipeError:
        # The reader of our output (`| head`) has left.
        _drop_output()
        return 0
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # noqa: BLE001 - the last place that can say anything
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            _drop_output()
            print(f"{PROGRAM}: no space left where the output goes; make room", file=sys.stderr)  # noqa: T201
            return 2
        traceback.print_exc()
        print(f"{PROGRAM}: this is a defect in the program, please report it", file=sys.stderr)  # noqa: T201
        return 70
    return code


def _drop_output() -> None:
    """Let standard output go nowhere: Python would complain again when it exits."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _one_line(text: str) -> str:
    return escaped(" ".join(text.split()))
