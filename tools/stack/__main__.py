"""`python -m tools.stack [--keep]`: see tools/stack/__init__.py.

Exit codes: 0 both shifts went the whole way and nothing else was told; 1 not so; 2 something to run is
missing; 130 interrupted before the end.
"""

import argparse
import shutil
import signal
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from subprocess import CalledProcessError

from tests.support.availability import alertmanager_available, kafka_available, prometheus_available
from tools.stack.parts import Parts, start
from tools.stack.traffic import DAY_LASTS_S, SHIFTS, Sender
from tools.stack.verdict import faults_of, summary
from tools.stack.watching import WATCHDOG, Watch

LOOK_EVERY_S = 0.2
PATIENCE_S = 30.0
"""How long after the day's end everything may take to be told."""


class Run:
    """One run: everything started, the day sent, all that is said told with its times."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._sender: Sender | None = None

    def tell(self, text: str) -> None:
        """Print a line with the time here, and the time of the events sent so far."""
        sender = self._sender
        then = "-----" if sender is None else datetime.fromtimestamp(sender.time_s, UTC).strftime("%H:%M")
        hour = "" if sender is None else f"{sender.hour:4.1f} h"
        now = datetime.now(UTC).strftime("%H:%M:%S")
        sys.stdout.write(f"{now}  {then}  {hour:>6}  {text}\n")
        sys.stdout.flush()

    def play(self, keep: bool) -> int:
        """Do it; return the exit code.

        Raises:
            AssertionError: something did not start, or ended on its own.
        """
        with ExitStack() as stack:
            print_plain("here (UTC), event time, hour of the day that is replayed:")
            parts = start(self._directory, stack, self.tell)
            self._sender = stack.enter_context(Sender(parts.kafka.bootstrap, parts.start_s))
            self.tell(f"stream         a day of events begins; it takes {DAY_LASTS_S:.0f} s")
            watch = Watch(parts, self.tell)
            self._until_told(parts, watch, self._sender)
            faults = faults_of(watch.steps)
            self._sum_up(watch, faults)
            if keep:
                self._keep(parts, watch, self._sender)
            return 1 if faults else 0

    def _until_told(self, parts: Parts, watch: Watch, sender: Sender) -> None:
        """Look until the day is over and nothing fires any more, or patience is."""
        marks = sorted(
            [(s.first_hour, f"SHIFT BEGINS: {s.name}") for s in SHIFTS]
            + [(s.last_hour, f"shift ends: {s.name}") for s in SHIFTS]
        )
        over_s: float | None = None
        while True:
            while marks and sender.hour >= marks[0][0]:
                self.tell(f"stream         {marks.pop(0)[1]}")
            self._look(parts, watch, sender)
            if sender.hour >= 24:
                over_s = over_s or time.monotonic()
                calm = all(alert == WATCHDOG for _, alert, _ in watch.firing())
                if calm or time.monotonic() - over_s > PATIENCE_S:
                    return
            time.sleep(LOOK_EVERY_S)

    def _look(self, parts: Parts, watch: Watch, sender: Sender) -> None:
        ended = parts.ended()
        assert not ended, f"{' and '.join(ended)} ended"
        if sender.error is not None:
            raise AssertionError(f"sending failed: {sender.error!r}")
        watch.look(sender.hour)

    def _sum_up(self, watch: Watch, faults: list[str]) -> None:
        print_plain("\n" + summary(watch.steps))
        if faults:
            print_plain("\nNOT as it should be:\n" + "\n".join(f"  {fault}" for fault in faults))
        else:
            n = len(SHIFTS)
            print_plain(f"\n{n} shifts, each found, alerted, notified and resolved; nothing else was told")

    def _keep(self, parts: Parts, watch: Watch, sender: Sender) -> None:
        print_plain(f"\nstill running, with events at their own pace; Ctrl-C ends it\n{parts.urls()}")
        print_plain(f"  files, logs   {self._directory}\n")
        try:
            while True:
                self._look(parts, watch, sender)
                time.sleep(LOOK_EVERY_S)
        except KeyboardInterrupt:
            # Ctrl-C is how it is meant to end.
            print_plain("\nending")


def print_plain(text: str) -> None:
    """Print a line without times."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


PARTS = (kafka_available, prometheus_available, alertmanager_available)
"""Say why a program that it starts is missing, None if it is there."""


def _end(number: int, _frame: object) -> None:
    # As Ctrl-C: everything that runs is ended on the way out.
    raise SystemExit(128 + number)


def main() -> int:
    """Run, and leave the files there where something went wrong."""
    parser = argparse.ArgumentParser(prog="make stack ARGS=", description="see tools/stack/__init__.py")
    parser.add_argument("--keep", action="store_true", help="leave everything running until Ctrl-C")
    options = parser.parse_args()
    for why_missing in PARTS:
        if reason := why_missing():
            sys.stderr.write(f"make stack: {reason}\n")
            return 2
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    directory = Path(tempfile.mkdtemp(prefix="drift-stack-"))
    code = 1
    try:
        code = Run(directory).play(options.keep)
    except (AssertionError, OSError, CalledProcessError) as error:
        sys.stderr.write(f"make stack: {error}\n")
    except KeyboardInterrupt:
        code = 130
    finally:
        if code:
            sys.stderr.write(f"all logs and files are in {directory}\n")
        else:
            shutil.rmtree(directory, ignore_errors=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
