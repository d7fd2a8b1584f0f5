"""What may happen to the disk that state is kept on: the service goes on judging, and says what is wrong.

When it is over the next cut is written, and a restart goes on from it. What is damaged is never taken for
what it was: the older of the two cuts is, or none.
"""

import os
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.faults.form import either
from tests.faults.running import Detector, finish
from tests.faults.sending import send_parts
from tests.faults.setting import CUT_EVERY, write_setting
from tests.faults.workload import N_PARTITIONS
from tests.support.processes import wait_until
from tests.support.producing import Producer

N_EVENTS = either(24_000, 120_000)
NOTICED_WITHIN_S = 30.0

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(either(180, 1200))]

SMALL_DISK = 'mount -t tmpfs -o size=64k,mode=700 none "$0" && exec "$@"'
"""Mounts a disk that is too small in a namespace of the program's own, and runs it there."""

SMALL_FILES = 'ulimit -f 32; exec "$@"'
"""No file may get longer than 32 blocks (of 512 bytes or 1 KiB): as on a full quota."""


class Run:
    """A stream in two halves and the detector that reads it, run in some way."""

    def __init__(self, kafka: str, topic: str, home: Path, stream) -> None:
        self._kafka, self._topic, self.stream = kafka, topic, stream
        source = {"kind": "kafka", "bootstrap_servers": [kafka], "topics": [topic], "start": "earliest"}
        self.state = home / "state"
        self._config = write_setting(
            home, stream.baseline, source,
            state={"kind": "directory", "directory": str(self.state), "every": CUT_EVERY},
        )  # fmt: skip
        self._halves = stream.work.slices(2)
        self.detectors: list[Detector] = []
        self.sent = 0

    def send_half(self) -> None:
        with Producer(self._kafka) as producer:
            self.sent += send_parts(producer, self._topic, next(self._halves))

    def start(self, wrapper: Sequence[str] = ()) -> Detector:
        detector = Detector(self._config, wrapper)
        self.detectors.append(detector)
        detector.start()
        return detector


@pytest.fixture
def run(kafka, make_topic, home, expected) -> Iterator[Run]:
    found = Run(kafka, make_topic(N_PARTITIONS), home, expected(N_EVENTS))
    yield found
    for detector in found.detectors:
        detector.running.kill()


def _fails_to_save(detector: Detector) -> None:
    """It says so, once, and goes on for more cuts than one."""
    said = '"state is not kept: '
    wait_until(lambda: said in detector.log.read_text(), NOTICED_WITHIN_S, "it says that it cannot save")
    detector.live(3.0)
    assert detector.log.read_text().count(said) == 1


@pytest.mark.skipif(
    shutil.which("unshare") is None, reason="there is no `unshare` to mount a small disk with"
)
def test_a_full_disk_stops_no_detection(run, tell):
    """A cut does not fit on it: all is read and judged, it says what is wrong, and ends as it should."""
    run.state.mkdir(mode=0o700)
    detector = run.start(["unshare", "-rm", "sh", "-c", SMALL_DISK, str(run.state)])
    run.send_half()
    run.send_half()
    detector.wait_for(run.sent)
    _fails_to_save(detector)
    inside = Path(f"/proc/{detector.running.process.pid}/root{run.state}")
    left = sorted(p.name for p in inside.iterdir() if ".tmp" in p.name)
    evaluations = int(detector.metric("drift_evaluations_total"))
    detector.stop()
    tell(events=run.sent, evaluations=evaluations)

    assert evaluations == run.stream.right.evaluations
    assert left == []


def test_files_that_may_not_grow_stop_no_detection(run, tell):
    """RLIMIT_FSIZE, then none: the old cut stays, and a restart without the limit goes on from it."""
    run.send_half()
    detector = run.start()
    detector.wait_for(run.sent)
    detector.stop()
    before = _cuts(run.state)
    detector = run.start(["sh", "-c", SMALL_FILES, "sh"])
    run.send_half()
    detector.wait_for(run.sent)
    _fails_to_save(detector)
    detector.running.kill()
    assert before.items() <= _cuts(run.state).items()
    detector = run.start()
    found = finish(detector, run.stream.right, run.stream.like)
    tell(events=run.sent, mismatches=len(found))

    assert found == []


def test_a_cut_that_is_cut_short_anywhere_is_never_taken(run, tell):
    """The newest cut at every class of length: nothing, in its head, in its body, one byte less.

    The service begins with the older one; the outcome is the same.
    """
    run.send_half()
    detector = run.start()
    detector.wait_for(run.sent)
    wait_until(lambda: len(_cuts(run.state)) == 2, 30, "there are two cuts")
    detector.stop()
    run.send_half()
    whole = _cuts(run.state)
    newest = max(whole, key=lambda name: (run.state / name).stat().st_mtime_ns)
    lengths = _lengths(len(whole[newest]))
    took = []
    for length in lengths:
        for name, content in whole.items():
            (run.state / name).write_bytes(content)
        os.truncate(run.state / newest, length)
        started = time.monotonic()
        detector = run.start()
        found = finish(detector, run.stream.right, run.stream.like)
        took.append(time.monotonic() - started)
        assert found == [], f"cut short to {length} of {len(whole[newest])} bytes"
    tell(events=run.sent, lengths=len(lengths), slowest_s=f"{max(took):.1f}", mismatches=0)


def _cuts(state: Path) -> dict[str, bytes]:
    """The files of at least a kilobyte: not locks, nor what else there may be."""
    return {p.name: p.read_bytes() for p in state.iterdir() if p.is_file() and p.stat().st_size >= 1024}


def _lengths(whole: int) -> list[int]:
    if either(0, 1):
        return [0, 1, 8, 16, 48, 100, *range(4096, whole, max(4096, whole // 40)), whole - 1]
    return [0, whole // 2, whole - 1]
