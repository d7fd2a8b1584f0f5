"""Durations and timestamps between text and seconds.

Inside, time is always float seconds since the Unix epoch in UTC; text appears only at the edges.
"""

import math
import re
from datetime import UTC, datetime
from typing import Literal, cast

TimestampFormat = Literal["rfc3339", "iso8601", "s", "ms", "us", "ns"]
"""How a timestamp is written: text with an offset, text where no offset means UTC, or epoch numbers."""

UNITS_S = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}

# Event times outside these years are mistakes of unit (seconds read as milliseconds and so on).
MIN_TIME_S = 0.0
MAX_TIME_S = 253370764800.0  # the year 9999, so that the end of a window is a date too

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)")
_DURATION_UNITS_S = {"ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}


def parse_duration(text: str) -> float:
    """Return the seconds in a duration such as `90s`, `10m`, `1h30m` or `7d`.

    Raises:
        ValueError: the text is not such a duration.
    """
    position, total = 0, 0.0
    for match in _DURATION.finditer(text):
        if match.start() != position:
            break
        total += float(match[1]) * _DURATION_UNITS_S[match[2]]
        position = match.end()
    if position == 0 or position != len(text):
        raise ValueError(f"{text!r} is not a duration; write it like 30s, 10m, 1h30m or 7d")
    return total


def format_duration(seconds: float) -> str:
    """Return the shortest exact text that `parse_duration` reads back: `600` is `10m`."""
    for unit, size in (("w", 604800), ("d", 86400), ("h", 3600), ("m", 60)):
        # A day is said as 24h and a week as 7d: that is how people name windows.
        if seconds >= size * (1 if unit in "hm" else 2 if unit == "w" else 1.5) and seconds % size == 0:
            return f"{int(seconds // size)}{unit}"
    return f"{seconds:g}s"


def parse_rfc3339(text: str) -> float:
    """Return the epoch seconds of an RFC 3339 timestamp; the offset is required.

    Raises:
        ValueError: the text is not one, or has no offset.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no offset (such as Z)")
    return moment.timestamp()


def parse_iso8601(text: str) -> float:
    """Return the epoch seconds of an ISO 8601 timestamp; without an offset it is UTC.

    Raises:
        ValueError: the text is not one.
    """
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()


def parse_timestamp(value: object, written: TimestampFormat) -> float:
    """Return the epoch seconds of a timestamp written as `written`.

    Raises:
        ValueError: the value is not a timestamp of that form, or lies outside the years 1970 to 9998.
    """
    if written in UNITS_S:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ValueError(f"expected a number of {written} since 1970")
        seconds = value * UNITS_S[written]
    elif not isinstance(value, str):
        raise ValueError("expected text")
    else:
        seconds = parse_rfc3339(value) if written == "rfc3339" else parse_iso8601(value)
    if not MIN_TIME_S < seconds < MAX_TIME_S:
        raise ValueError("outside the years 1970 to 9998")
    return seconds


def parse_any_timestamp(text: str) -> float:
    """Return the epoch seconds of an ISO 8601 text (UTC without an offset) or of an epoch number.

    A number's unit shows in its size: 1e9 seconds is the year 2001, and so is 1e12 ms, 1e15 us, 1e18 ns.
    For files that people hand over; events say their unit in the configuration.

    Raises:
        ValueError: the text is neither.
    """
    try:
        number = float(text)
    except ValueError:
        return parse_timestamp(text, "iso8601")
    for unit, below in (("s", 1e11), ("ms", 1e14), ("us", 1e17)):
        if number < below:
            return parse_timestamp(number, cast(TimestampFormat, unit))
    return parse_timestamp(number, "ns")


N_HOURS = 48
"""Kinds of hours: 24 of working days, 24 of weekends."""

_DAY_S, _HOUR_S = 86400.0, 3600.0
_FIRST_WEEKDAY = 3  # 1 January 1970 was a Thursday; Monday is 0


def kind_of_hour(seconds: float) -> int:
    """Return the hour of the day in UTC, plus 24 on Saturdays and Sundays."""
    day, of_day = divmod(seconds, _DAY_S)
    is_weekend = (int(day) + _FIRST_WEEKDAY) % 7 >= 5
    return int(of_day // _HOUR_S) + 24 * is_weekend


def format_time(seconds: float) -> str:
    """Return an RFC 3339 text in UTC, with milliseconds only where there are any."""
    if not math.isfinite(seconds):
        raise ValueError(f"{seconds} is no time")
    moment = datetime.fromtimestamp(round(seconds, 3), tz=UTC)
    spec = "milliseconds" if moment.microsecond else "seconds"
    return moment.isoformat(timespec=spec).replace("+00:00", "Z")
