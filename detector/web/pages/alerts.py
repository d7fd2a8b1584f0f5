"""Alerts in plain words: those that fire as things stand now, those that are over as they were told."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from detector.alerts import SCHEMA_ALERT, UNSURE, Transition
from detector.drift.causes import WORDS, cause_of
from detector.drift.contributors import Contributor, contributors
from detector.metrics.labels import label
from detector.outcome import Judged
from detector.printable import printable
from detector.times import format_duration, format_time
from detector.view import View
from detector.watched import told_of
from detector.web.pages.words import number, percent
from detector.web.slugs import slug

MAX_TEXT = 500

MAX_TOGETHER = 6

MAX_SLICES = 4
"""Slices that are named beside an alert that fires in them, too."""


@dataclass(frozen=True, slots=True)
class AlertWords:
    """One alert, ready to be read: texts print, and are not yet quoted for HTML."""

    id: str
    """Of the element that shows it."""
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
    """Name of a bin, its share in training and now; of an alert that is over, when it began."""
    note: str
    slices: tuple[str, ...] = ()
    """Slices in which the same feature has alerts, too; some of them."""
    n_slices: int = 0


@dataclass(frozen=True, slots=True)
class _Found:
    """What an alert tells of its feature: cause in words, and the bins that changed."""

    message: str | None
    contributors: tuple[Contributor, ...]


def in_order(alerts: Iterable[Transition]) -> list[Transition]:
    """Return alerts as people should read them.

    Critical ones first; what concerns all events before what concerns a slice; then the largest and youngest.
    """
    return sorted(
        alerts,
        key=lambda t: (t.severity != "critical", t.slice != "all", -_times(t), -t.starts_at_s, t.id),
    )


def alert_list(view: View, alerts: Iterable[Transition], most: int) -> list[AlertWords]:
    """Return alerts in order, at most so many, those of one feature of a model version as one."""
    groups: dict[tuple[object, ...], list[Transition]] = {}
    for t in in_order(alerts):
        groups.setdefault((t.key, t.feature, t.alert, t.severity), []).append(t)
    return [alert_words(view, first, rest) for first, *rest in list(groups.values())[:most]]


def alert_words(view: View, t: Transition, rest: Sequence[Transition] = ()) -> AlertWords:
    """Return an alert in words; `rest` are others of the same feature that are told with it."""
    place = f"{label(t.key.model)} {label(t.key.version)}" + (
        "" if t.slice == "all" else f", {label(t.slice)}"
    )
    model = f"/models/{slug(t.key.model)}/{slug(t.key.version)}"
    slice_query = "" if t.slice == "all" else f"&slice={slug(t.slice)}"
    href = model
    if t.feature is not None:
        window = format_duration(t.window_s)
        href = f"{model}/features/{slug(t.feature)}?window={window}{slice_query}"
    found = _found(view, t)
    slices = list(dict.fromkeys(label(other.slice) for other in rest if other.slice != t.slice))
    return AlertWords(
        id="alert-" + sha256(t.id.encode("utf-8", "surrogatepass")).hexdigest()[:16],
        subject="the model as a whole" if t.feature is None else label(t.feature),
        place=place,
        href=href,
        what=_what(t, found),
        shape="" if t.shape == "unknown" else t.shape,
        onset=None if t.onset_s is None else format_time(t.onset_s),
        starts_at=format_time(t.starts_at_s),
        ends_at=None if t.ends_at_s is None else format_time(t.ends_at_s),
        severity=t.severity,
        window=format_duration(t.window_s),
        size=_size(t),
        together=tuple(label(name) for name in t.moved_with[:MAX_TOGETHER]),
        changes=tuple((label(c.bin), c.reference, c.current) for c in found.contributors),
        note=UNSURE if t.unsure else "",
        slices=tuple(slices[:MAX_SLICES]),
        n_slices=len(slices),
    )


def _times(t: Transition) -> float:
    """Return how many times its threshold an alert is."""
    value, threshold = t.size.value, t.size.threshold
    if value is None or threshold is None or not threshold > 0.0 or not math.isfinite(value):
        return 0.0
    return value / threshold


def _found(view: View, t: Transition) -> _Found:
    """Return what is to be told of an alert: while it fires, as the latest window of its length shows it."""
    began = _Found(t.message, t.contributors)
    judged = view.judged.get((t.key, t.window_s))
    judge = view.judges.get(t.key)
    if t.status != "firing" or judged is None or judge is None or t.feature is None:
        return began
    evaluation = judged.evaluation
    if t.feature not in evaluation.features.names or t.slice not in evaluation.slices:
        return began
    row, f = evaluation.slices.index(t.slice), evaluation.features.names.index(t.feature)
    if judge.policy.of(t.feature).sensitive:
        # One that began before its feature was marked still holds what it was told with.
        words = f"breaks what is expected of it ({label(t.kind or '')})"
        return _Found(words if t.alert == SCHEMA_ALERT else WORDS.get(t.kind or ""), ())
    if not evaluation.n[row] or t.alert == SCHEMA_ALERT:
        return began
    changed = contributors(
        judge.baseline, judge.expected(evaluation.window, row), evaluation.window.profile.row(row), f,
        min_count=judge.policy.min_count,
    )  # fmt: skip
    return _Found(_message(view, t, judged, row, f), changed)


def _message(view: View, t: Transition, judged: Judged, row: int, f: int) -> str | None:
    """Return the cause in words as it looks now; in those it began with where it looks like another one."""
    judge, evaluation = view.judges[t.key], judged.evaluation
    if t.message is None:
        return None
    expected = judge.expected(evaluation.window, row)
    cause = cause_of(judge.baseline, expected, evaluation, row, f, swaps=False)
    if cause is None or cause.name != t.kind:
        return f"{t.message} (when the alert began)"
    return told_of(judge, t.feature, cause.message, WORDS[cause.name])


def _what(t: Transition, found: _Found) -> str:
    """Say what has changed: the cause where it is known, else the bin that changed most."""
    if found.message is not None:
        return printable(found.message, MAX_TEXT)
    if t.feature is None:
        # The size of an alert on the whole is its share of features.
        share = t.size.value if t.size.value is not None else t.value
        return "" if share is None else f"{percent(share)} of the judged features have drifted"
    if found.contributors:
        most = found.contributors[0]
        before, now = percent(most.reference), percent(most.current)
        then = "now" if t.status == "firing" else "then"
        return f"{printable(most.bin, MAX_TEXT)}: {before} of events in training, {now} {then}"
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
    if t.status == "firing" and size.threshold is not None and size.value <= size.threshold:
        said.append("below the threshold again, not calm for long enough yet to end")
    return ", ".join(said)
