"""The watchdog, in processes of their own: it ends what is stuck or too large, and nothing else."""

import subprocess
import sys

import pytest

from detector.watchdog import EXIT_CODE, Watchdog, cgroup_limit, resident_bytes

PROGRAM = """
import threading
from detector.watchdog import Watchdog
held = []

def loop_that_hangs():
    threading.Event().wait({wait_s})

Watchdog(lambda: {age_s}, {limit}, look_every_s=0.01).start()
loop_that_hangs()
print("went on")
"""


def _run(age_s=0.0, limit=None, wait_s=60):
    program = PROGRAM.format(age_s=age_s, limit=limit, wait_s=wait_s)
    command = [sys.executable, "-c", program]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_a_loop_that_is_stuck_ends_the_process_with_the_stacks():
    """Exit code 70, and on standard error where each thread was."""
    ended = _run(age_s=121.0)

    assert ended.returncode == EXIT_CODE
    assert "the loop has not come round for 121 s" in ended.stderr
    assert "loop_that_hangs" in ended.stderr


def test_too_much_memory_ends_the_process_with_one_line():
    """Before the kernel does; with what can be done about it."""
    ended = _run(limit=1 << 20)

    assert ended.returncode == EXIT_CODE
    assert "MiB of memory are in use and 1 MiB allowed" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_what_runs_as_it_should_is_left_alone():
    """Neither old nor large."""
    ended = _run(age_s=119.0, limit=64 << 30, wait_s=0.5)

    assert (ended.returncode, ended.stdout) == (0, "went on\n")


def test_a_process_that_stood_still_may_come_round():
    """After SIGSTOP for minutes the beat is old; the loop that goes on then is not stuck."""
    ended = _run(age_s="330.0 if held.append(0) or len(held) <= 4 else 0.0", wait_s=0.5)

    assert (ended.returncode, ended.stdout) == (0, "went on\n")


def test_memory_counts_where_it_is_limited_only():
    """What the process takes is known; without a limit it may take it."""
    assert 1 << 20 < resident_bytes() < 64 << 30
    assert Watchdog(lambda: 0.0).reason() is None
    assert Watchdog(lambda: 0.0, resident_bytes()).reason() is not None


@pytest.mark.parametrize(
    ("written", "limit"),
    [("268435456\n", 268435456), ("max\n", None), ("9223372036854771712", None), ("", None), ("0", None)],
)
def test_the_limit_of_the_container_is_found(tmp_path, written, limit):
    """Whatever its control group says; one without a limit has none."""
    (tmp_path / "memory.max").write_text(written)

    assert cgroup_limit((tmp_path / "missing", tmp_path / "memory.max")) == limit
