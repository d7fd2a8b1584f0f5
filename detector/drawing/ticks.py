"""Where an axis has its ticks, and what stands at them."""

import math
from datetime import UTC, datetime

from detector.times import MAX_TIME_S, MIN_TIME_S

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

DAY_S = 86400.0

STEPS_S = (
    *(1.0, 5.0, 15.0, 30.0),
    *(60.0 * n for n in (1, 2, 5, 10, 15, 30)),
    *(3600.0 * n for n in (1, 2, 3, 6, 12)),
    *(DAY_S * n for n in (1, 2, 7, 14, 28, 91, 182, 364, 3640, 36400, 364000)),
)

MOST_TICKS = 6


def value_ticks(top: float, most: int = 4) -> list[float]:
    """Return round numbers from 0 to `top` > 0, at most `most` + 1 of them."""
    step = 10.0 ** math.floor(math.log10(top / most))
    step *= next(factor for factor in (1, 2, 5, 10, 20) if step * factor * most >= top * (1 - 1e-9))
    return [i * step for i in range(int(top / step * (1 + 1e-9)) + 1)]


def range_ticks(low: float, high: float, most: int = MOST_TICKS) -> list[float]:
    """Return round numbers between two, at most `most` + 1; the two themselves where there are none."""
    step = value_ticks((high - low) if math.isfinite(high - low) else 1e308, most)
    width = step[1] - step[0] if len(step) > 1 else high - low
    first = math.ceil(low / width) if math.isfinite(low / width) else 0
    ticks = [(first + i) * width for i in range(most + 2)]
    found = [tick for tick in ticks if low <= tick <= high]
    return found if len(set(found)) >= 2 else [low, high]


def time_ticks(first_s: float, last_s: float) -> list[float]:
    """Return round times (UTC) from `first_s` to `last_s`, at most `MOST_TICKS` + 1."""
    span = max(last_s - first_s, 1.0)
    step = next((s for s in STEPS_S if span / s <= MOST_TICKS), STEPS_S[-1])
    start = math.ceil(first_s / step) * step
    return [start + i * step for i in range(MOST_TICKS + 1) if start + i * step <= last_s]


def moment(seconds: float) -> datetime:
    """Return a time in UTC; what lies beyond the years that events may be of is brought to their ends."""
    return datetime.fromtimestamp(min(max(seconds, MIN_TIME_S), MAX_TIME_S), tz=UTC)


def clock_of(seconds: float) -> str:
    """Return the time of day in UTC; with seconds where it is not a full minute."""
    return f"{moment(seconds):%H:%M:%S}" if seconds % 60.0 else f"{moment(seconds):%H:%M}"


def date_of(seconds: float) -> str:
    """Return the day in UTC, such as `25 Nov`."""
    found = moment(seconds)
    return f"{found.day} {MONTHS[found.month - 1]}"


def when(seconds: float) -> str:
    """Return day and time in UTC, such as `25 Nov 04:10`."""
    return f"{date_of(seconds)} {clock_of(seconds)}"
