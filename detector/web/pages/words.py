"""Numbers, shares and times in plain words."""

import math

DASH = "–"


def percent(share: float | None) -> str:
    """Return a share as people write it, with a digit behind the point where it is small."""
    if share is None or not math.isfinite(share):
        return DASH
    digits = 0 if share >= 0.1 or share == 0 else 1 if share >= 0.001 else 2
    return f"{100 * share:.{digits}f} %"


def number(x: float | None) -> str:
    """Return a number in four digits."""
    return DASH if x is None or not math.isfinite(x) else f"{x:.4g}"


def rate(per_second: float) -> str:
    """Return how often something comes, in the unit that makes the number at least 1."""
    for seconds, name in ((1.0, "a second"), (60.0, "a minute"), (3600.0, "an hour")):
        if per_second * seconds >= 1.0:
            return f"{number(per_second * seconds)} {name}"
    return f"{number(per_second * 86400.0)} a day"


def clock(text: str | None) -> str:
    """Return an RFC 3339 time in UTC as `2 Jul 14:20 UTC`."""
    if text is None:
        return DASH
    day, month = int(text[8:10]), _MONTHS[int(text[5:7]) - 1]
    return f"{day} {month} {text[11:16]} UTC"


def dated(text: str | None) -> str:
    """Return the same with its year: what is replayed may be of another one."""
    if text is None:
        return DASH
    day, month = int(text[8:10]), _MONTHS[int(text[5:7]) - 1]
    return f"{day} {month} {text[:4]} {text[11:16]} UTC"


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
