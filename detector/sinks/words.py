"""An alert in plain words, for people who have never seen this program."""

from detector.alerts import DATASET_STATISTIC, PREDICTION_ALERT, SCHEMA_ALERT, UNSURE, Transition
from detector.notice import Notice
from detector.printable import printable as safe
from detector.times import format_duration, format_time
from detector.windows.slices import ALL

MAX_NAME = 128
MAX_TEXT = 1000
"""Characters of a name, and of a sentence that quotes names: both may come from events."""

_ACTIONS = {
    "retrain": "No fault in the data is known: consider retraining.",
    "check_data_source": "This looks like a fault in the data: check their source, do not retrain on them.",
    "investigate": "Look into it before anything is retrained.",
}


def printable(text: str, limit: int = MAX_NAME) -> str:
    """Return a text in one line of characters that print, cut to `limit`."""
    return safe(text, limit)


def subject(t: Transition) -> str:
    """Return what an alert is about."""
    model = f"{t.key.model} {t.key.version}"
    place = "" if t.slice == ALL else f" in {t.slice}"
    if t.feature is None:
        return printable(f"{model}{place}" if t.alert == SCHEMA_ALERT else f"{model} as a whole{place}")
    kind = "prediction " if t.alert == PREDICTION_ALERT else ""
    return printable(f"{kind}{t.feature} of {model}{place}", 2 * MAX_NAME)


def summary(t: Transition) -> str:
    """Return an alert in a few words."""
    if t.alert == SCHEMA_ALERT:
        what = f"breaks its schema: {t.kind}" if t.status == "firing" else "keeps to its schema again"
    else:
        what = "has drifted" if t.status == "firing" else "no longer drifts"
    return f"{subject(t)} {what}"


def description(notice: Notice) -> str:
    """Return what, by how much, what changed most, since when, and what to do."""
    t = notice.transition
    if t.status == "resolved":
        until = "" if t.ends_at_s is None else f" to {format_time(t.ends_at_s)}"
        peak = t.size.peak
        most = "" if peak is None or peak != peak else f", {t.statistic} was {peak:.3g} at most"
        return f"It fired from {format_time(t.starts_at_s)}{until}{most}."
    parts = [] if t.message is None else [_sentence(printable(t.message, MAX_TEXT))]
    parts += [part for part in (_numbers(notice), _changes(notice), _since(t)) if part]
    parts += [_sentence(UNSURE)] if t.unsure else []
    parts += [_ACTIONS[notice.action]] if notice.action in _ACTIONS else []
    return " ".join(parts)


def _sentence(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "…")) else text + "."


def _numbers(notice: Notice) -> str:
    t = notice.transition
    window = f"the last {format_duration(t.window_s)}"
    if t.value is None or t.value != t.value:
        return ""
    if t.statistic == DATASET_STATISTIC:
        return f"{t.value:.0%} of the features drift in {window}."
    limit = "" if t.threshold is None or t.threshold != t.threshold else f", allowed is {t.threshold:.3g}"
    return f"{t.statistic} of {window} is {t.value:.3g}{limit}."


def _changes(notice: Notice) -> str:
    t = notice.transition
    changed = "; ".join(f"{printable(c.bin)}: {c.reference:.1%} -> {c.current:.1%}" for c in t.contributors)
    parts = [f"Changed most: {changed}."] if changed else []
    if t.feature is not None and t.moved_with:
        parts.append(f"Moved with it: {', '.join(map(printable, t.moved_with))}.")
    elif t.feature is None and t.alert != SCHEMA_ALERT:
        names = t.moved_with or tuple(f.name for f in notice.features)
        parts += [f"Furthest: {', '.join(map(printable, names[:5]))}."] if names else []
    return " ".join(parts)


def _since(t: Transition) -> str:
    shape = "" if t.shape == "unknown" else f" ({t.shape})"
    if t.onset_s is None:
        return f"Noticed at {format_time(t.starts_at_s)}{shape}."
    return f"Since {format_time(t.onset_s)}{shape}, noticed at {format_time(t.starts_at_s)}."
