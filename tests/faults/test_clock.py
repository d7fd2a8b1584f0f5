"""Somebody sets the clock while the service runs: windows go by the events, and nothing else changes."""

import itertools

import pytest

from detector.assembly import assemble
from detector.clock import ManualClock
from detector.config import load_config
from detector.metrics import Metrics
from detector.sources.memory import MemorySource
from tests.faults.form import either
from tests.faults.reference import PARTS, by_reason
from tests.faults.setting import write_setting
from tests.faults.workload import END_S, N_PARTITIONS
from tests.faults.world import DECODER, GOOD, Appended, drain, new_pipeline
from tests.support.factories import START_S, records

N_EVENTS = either(24_000, 120_000)

DAY_S = 86400.0
FAR_S = START_S + 73 * 365.25 * DAY_S


class JumpingClock(ManualClock):
    """A clock of the wall that somebody sets; the one that never goes back does not."""

    def jump(self, seconds: float) -> None:
        self._now_s += seconds


@pytest.mark.parametrize(
    ("name", "jumps", "max_future"),
    [
        ("forward", (3600.0, DAY_S, 30 * DAY_S), "5m"),
        ("back", (-3600.0, -DAY_S, -30 * DAY_S), "3650d"),
        ("to and fro", (3600.0, -3600.0, DAY_S, -DAY_S), "3650d"),
    ],
)
def test_a_clock_that_jumps_changes_nothing(expected, home, tell, name, jumps, max_future):
    """An hour, a day, a month, forward and back at every part of the stream: as without, to the last count.

    Going back makes events new beyond `max_future`, which is what that setting is for; so there it is large.
    """
    stream = expected(N_EVENTS)
    windows = {"pane": "60s", "lengths": ["300s", "1800s"], "lateness": "120s", "idle_after": "30s",
               "max_future": max_future}  # fmt: skip
    config = write_setting(home, stream.baseline, {"kind": "replay"}, windows=windows)
    assembly = assemble(load_config(config, allow_replay=True))
    source, clock = MemorySource(N_PARTITIONS, "predictions"), JumpingClock(END_S + 3600.0)
    service = assembly.service(source, [], Metrics(), clock)
    jump = itertools.cycle(jumps)
    for parts in stream.work.slices(PARTS):
        for partition, values in enumerate(parts):
            for value in values:
                source.append(value, partition)
        while service.step():
            clock.jump(next(jump))
            clock.advance(0.1)
    counters = assembly.pipeline.counters
    tell(jumps=name, events=counters.consumed.total(), evaluations=counters.evaluations.total())

    assert counters.accepted.total() == stream.right.accepted
    assert by_reason(counters.rejected) == stream.right.rejected
    assert counters.evaluations.total() == stream.right.evaluations
    assert counters.evaluation_digest == stream.like.digest


def test_events_of_the_year_2099_move_no_window(tell):
    """Any number of them, from any partition: rejected as `future`, and the watermark stays where it is."""
    n = either(50_000, 1_000_000)
    pipeline = new_pipeline(0)
    good = [Appended(GOOD, START_S + 30.0 * i).payload(0.1, "a") for i in range(40)]
    wrong = [Appended(GOOD, FAR_S + i).payload(0.1, "a") for i in range(1000)]
    for p in range(2):
        drain(pipeline.feed(DECODER.decode(records(good, [p] * len(good), 2)), START_S + DAY_S))
    before = pipeline.watermark_s, pipeline.counters.evaluations.total()
    for i in range(n // len(wrong)):
        drain(pipeline.feed(DECODER.decode(records(wrong, [i % 2] * len(wrong), 2)), START_S + DAY_S))
    tell(events=n, watermark_moved_s=pipeline.watermark_s - before[0])

    assert (pipeline.watermark_s, pipeline.counters.evaluations.total()) == before
    assert by_reason(pipeline.counters.rejected) == {"future": n}
