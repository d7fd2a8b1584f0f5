"""Alerts into the log: one line when an alert begins, one when it ends."""

import logging
import re
from collections.abc import Sequence
from typing import Literal

from detector.alerts import UNSURE, Transition
from detector.kinds import Kind
from detector.notice import Notice
from detector.sinks.base import PromptSink, sinks
from detector.sinks.settings import SinkSettings
from detector.sinks.words import MAX_TEXT, printable
from detector.times import format_duration, format_time
from detector.view import SinkStatus

log = logging.getLogger(__name__)

_ODD = re.compile(r"[\s\"'=,;]")


class LogSettings(SinkSettings):
    """There is nothing to set but which alerts."""

    kind: Literal["log"] = "log"


class LogSink(PromptSink):
    """Writes transitions to this module's logger, at WARNING when they begin and INFO when they end."""

    def __init__(self, settings: LogSettings) -> None:
        self._settings = settings
        self._n = 0

    def send(self, notices: Sequence[Notice]) -> None:
        """Write a line for each transition."""
        for t in (notice.transition for notice in notices if self._settings.wants(notice.transition)):
            level = logging.WARNING if t.status == "firing" else logging.INFO
            log.log(level, "alert %s", describe(t))
            self._n += 1

    def status(self) -> SinkStatus:
        """Say how many lines were written."""
        return SinkStatus(self._settings.label, sent=self._n)


def describe(t: Transition) -> str:
    """Return a transition as key=value text, with what changed most."""
    at_s = t.starts_at_s if t.ends_at_s is None else t.ends_at_s
    parts = [
        f"status={t.status} alert={t.alert} model={word(t.key.model)} version={word(t.key.version)}",
        f"slice={_slice(t.slice)}",
        f"feature={'-' if t.feature is None else word(t.feature)} window={format_duration(t.window_s)}",
        f"statistic={t.statistic or '-'}",
    ]
    if t.value is not None:
        parts.append(f"value={t.value:.4g}")
    if t.threshold is not None:
        parts.append(f"threshold={t.threshold:.4g}")
    if t.status == "resolved" and t.size.peak is not None:
        parts.append(f"peak={t.size.peak:.4g}")
    parts.append(f"at={format_time(at_s)}")
    if t.onset_s is not None:
        parts.append(f"since={format_time(t.onset_s)} shape={t.shape}")
    if t.kind is not None:
        parts.append(f"kind={t.kind}")
    if t.message is not None and t.status == "firing":
        parts.append(f"message={quoted(t.message)}")
    if t.moved_with and t.status == "firing":
        parts.append(f"moved_with=[{', '.join(map(word, t.moved_with))}]")
    if t.unsure and t.status == "firing":
        parts.append(f"note={quoted(UNSURE)}")
    if t.contributors and t.status == "firing":
        changes = "; ".join(
            f"{printable(c.bin)}: {c.reference:.1%} -> {c.current:.1%}" for c in t.contributors
        )
        parts.append(f"contributors=[{changes}]")
    return " ".join(parts)


def word(text: str) -> str:
    """Return a name as it is, in quotes where it could be taken for more than one `key=value`."""
    return (
        text
        if len(text) <= MAX_TEXT and text.isprintable() and not _ODD.search(text) and text not in ("", "-")
        else quoted(text)
    )


def quoted(text: str) -> str:
    """Return a text in quotes, on one line whatever it holds: names of new columns come from events."""
    return '"' + printable(text, MAX_TEXT).replace('"', "'") + '"'


def _slice(text: str) -> str:
    """Return a slice as it is, `country=DE`, in quotes where it could be taken for more."""
    column, _, value = text.partition("=")
    is_plain = word(column) == column and (not value or word(value) == value)
    return text if is_plain else quoted(text)


sinks.add("log", Kind(LogSettings, lambda settings, _clock: LogSink(settings)))
