"""Alerts, states and times in plain words."""

import math
from dataclasses import dataclass

from detector.alerts import UNSURE, Transition
from detector.drift.causes import WORDS
from detector.metrics.labels import label
from detector.printable import printable
from detector.times import format_duration, format_time
from detector.web.slugs import slug

MAX_TEXT = 500

MAX_TOGETHER = 6

DASH = "–"


@dataclass(frozen=True, slots=True)
class AlertWords:
    """One alert, ready to be read: texts print, and are not yet quoted for HTML."""

    id: str
    subject: str
    place: str
    """Model version and slice."""
    href: str
    """Where its picture is."""
    what: str
    """What has changed."""
    shape: str
    onset: str | None
    """When the change began, RFC 3339."""
    starts_at: str
    ends_at: str | None
    severity: str
    window: str
    size: str
    together: tuple[str, ...]
    changes: tuple[tuple[str, float, float], ...]
    """Name of a bin, its share in training and now."""
    note: str


def alert_words(t: Transition) -> AlertWords:
    """Return an alert in words."""
    place = f"{label(t.key.model)} {label(t.key.version)}" + (
        "" if t.slice == "all" else f", {label(t.slice)}"
    )
    model = f"/models/{slug(t.key.model)}/{slug(t.key.version)}"
    slice_query = "" if t.slice == "all" else f"&slice={slug(t.slice)}"
    href = model
    if t.feature is not None:
        window = format_duration(t.window_s)
        href = f"{model}/features/{slug(t.feature)}?window={window}{slice_query}"
    return AlertWords(
        id=t.id,
        subject="the model as a whole" if t.feature is None else label(t.feature),
        place=place,
        href=href,
        what=_what(t),
        shape="" if t.shape == "unknown" else t.shape,
        onset=None if t.onset_s is None else format_time(t.onset_s),
        starts_at=format_time(t.starts_at_s),
        ends_at=None if t.ends_at_s is None else format_time(t.ends_at_s),
        severity=t.severity,
        window=format_duration(t.window_s),
        size=_size(t),
        together=tuple(label(name) for name in t.moved_with[:MAX_TOGETHER]),
        changes=tuple((label(c.bin), c.reference, c.current) for c in t.contributors),
        note=UNSURE if t.unsure else "",
    )


def _what(t: Transition) -> str:
    """Say what has changed: the cause where it is known, else the bin that changed most."""
    if t.message is not None:
        return printable(t.message, MAX_TEXT)
    if t.feature is None:
        return "" if t.value is None else f"{percent(t.value)} of the judged features have drifted"
    if t.contributors:
        most = t.contributors[0]
        before, now = percent(most.reference), percent(most.current)
        return f"{printable(most.bin, MAX_TEXT)}: {before} of events in training, {now} now"
    return WORDS.get(t.kind or "", "its distribution has moved")


def _size(t: Transition) -> str:
    """Say how large the change is now, and how large it was."""
    size, said = t.size, []
    if size.value is None or not math.isfinite(size.value):
        return ""
    said.append(f"{t.statistic} {number(size.value)}")
    if size.threshold is not None and math.isfinite(size.threshold):
        said.append(f"threshold {number(size.threshold)}")
    if size.peak is not None and size.peak > size.value:
        said.append(f"at most {number(size.peak)}")
    return ", ".join(said)


def percent(share: float | None) -> str:
    """Return a share as people write it, with a digit behind the point where it is small."""
    if share is None or not math.isfinite(share):
        return DASH
    digits = 0 if share >= 0.1 or share == 0 else 1 if share >= 0.001 else 2
    return f"{100 * share:.{digits}f} %"


def number(x: float | None) -> str:
    """Return a number in four digits."""
    return DASH if x is None or not math.isfinite(x) else f"{x:.4g}"


def clock(text: str | None) -> str:
    """Return an RFC 3339 time as `2 Jul 14:20`."""
    if text is None:
        return DASH
    day, month = int(text[8:10]), _MONTHS[int(text[5:7]) - 1]
    return f"{day} {month} {text[11:16]}"


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
