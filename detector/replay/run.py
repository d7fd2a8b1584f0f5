"""One replay: events in, evaluations and alerts out, a summary at the end."""

from collections.abc import Callable, Iterable

import numpy as np

from detector.batch import Decoded, Floats, Partition
from detector.pipeline import Outcome, Pipeline
from detector.times import format_time

FURTHEST_JUMP_S = 30 * 86400.0
"""An event that lies further than this ahead of all others, and of the clock, is stamped in the future."""


def replay(
    events: Iterable[Decoded],
    pipeline: Pipeline,
    wall_s: float,
    take: Callable[[Outcome], None],
    warn: Callable[[str], None],
) -> None:
    """Run recorded events through a pipeline; `take` is given the outcome of every pane.

    A file is a partition; once the next one is read, nobody waits for it any more. `warn` is told of
    a file that begins before what was judged already.
    """
    seen: set[Partition] = set()
    for decoded in events:
        read = seen.difference(decoded.partitions)
        times = decoded.time_s[~np.isnan(decoded.time_s)]
        if not seen.issuperset(decoded.partitions) and len(times) and times[0] < pipeline.watermark_s:
            warn(
                f"{decoded.partitions[0].topic} begins at {format_time(float(times[0]))}, but windows are "
                f"judged until {format_time(pipeline.watermark_s)}: files are read one after another, so "
                "merge files that overlap in time, or give them in the order of their time"
            )
        seen.update(decoded.partitions)
        for outcome in pipeline.quiet(read, 0.0):
            take(outcome)
        now_s = replay_now(decoded.time_s, pipeline.max_event_time_s, wall_s)
        for outcome in pipeline.feed(decoded, now_s):
            take(outcome)
    for outcome in pipeline.finish():
        take(outcome)


def replay_now(time_s: Floats, reached_s: float, wall_s: float) -> float:
    """Return the time that recorded events are not allowed to exceed.

    A recording may lie ahead of the clock (made-up data), so it sets the time itself as it goes; but
    a single event of the year 2099 must not. `reached_s` is the largest time so far, -inf at first.
    """
    times = np.unique(time_s[~np.isnan(time_s)])
    start = max(reached_s, wall_s)
    ahead = times[times > start]
    if not len(ahead):
        return start
    if not np.isfinite(reached_s) and len(ahead) == len(times):
        start = float(ahead[0])
    gaps = np.diff(np.concatenate(([start], ahead)))
    jumps = np.flatnonzero(gaps > FURTHEST_JUMP_S)
    return float(ahead[jumps[0] - 1] if len(jumps) and jumps[0] else start if len(jumps) else ahead[-1])
