"""What all pages share: the frame, the templates, finding what an address means."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

from detector import __version__
from detector.anomaly import Anomaly
from detector.batch import ModelKey
from detector.drawing import strip_legend
from detector.drift.evaluation import State
from detector.drift.judge import Judge
from detector.metrics.labels import label
from detector.outcome import Judged
from detector.times import format_duration, format_time, parse_duration
from detector.view import View
from detector.web.pages.words import DASH, clock, dated, number, percent, rate
from detector.web.slugs import slug
from detector.windows.sliding import WindowProfile

POLL_S = 5
"""An open page asks so often whether anything is new."""

_templates = Environment(
    loader=PackageLoader("detector.web.pages"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.filters.update(
    label=label, slug=slug, clock=clock, dated=dated, number=number, percent=percent, rate=rate,
    duration=format_duration,
)  # fmt: skip
_templates.globals.update(DASH=DASH, poll_s=POLL_S, program_version=__version__, legend=strip_legend())


class NotThereError(Exception):
    """The address means nothing that there is now: a model, a feature or a choice that is gone."""


@dataclass(frozen=True, slots=True)
class Page:
    """A template and what is filled into it."""

    template: str
    title: str
    about: Mapping[str, Any]


def draw(page: Page, view: View) -> bytes:
    """Return a page as UTF-8."""
    text = _templates.get_template(page.template).render(
        page.about,
        title=page.title,
        n_firing=len(view.firing),
        watermark=time_text(view.watermark_s),
        is_connected=view.source.connected,
        is_active=view.is_active,
        config=view.config,
    )
    # What data say may hold halves of characters, which are no text in UTF-8.
    return text.encode("utf-8", "replace")


def time_text(seconds: float | None) -> str | None:
    """Return a time as RFC 3339; None where it is not known."""
    return None if seconds is None or not abs(seconds) < float("inf") else format_time(seconds)


NOT_JUDGED = "not judged"


def state_of(windows: Iterable[Judged], row: int, f: int) -> str:
    """Return the worst state of a feature in some windows; nothing is called ok that nobody judges."""
    windows = tuple(windows)
    worst = State(max((int(j.state[row, f]) for j in windows), default=-1))
    if worst != State.OK:
        return worst.label
    return State.OK.label if any(j.evaluation.is_judged(row)[f] for j in windows) else NOT_JUDGED


def has_hours(judge: Judge, window: WindowProfile, row: int) -> bool:
    """Whether a slice of a window is held against other counts than those of all its training data."""
    return not np.array_equal(judge.expected(window, row).counts, judge.reference(row).counts)


@dataclass(frozen=True, slots=True)
class Model:
    """One model version, as far as a view knows it."""

    key: ModelKey
    judge: Judge
    windows: tuple[Judged, ...]
    """The latest evaluation of each window length, shortest first; none before the first."""

    @property
    def href(self) -> str:
        """Its address."""
        return f"/models/{slug(self.key.model)}/{slug(self.key.version)}"

    def feature_href(self, name: str) -> str:
        """Return the address of a feature."""
        return f"{self.href}/features/{slug(name)}"

    @property
    def names(self) -> tuple[str, ...]:
        """Its features."""
        return self.judge.baseline.features.names

    @property
    def state(self) -> State:
        """How it stands as a whole, in the window that is worst."""
        return State(max((int(j.dataset_state[0]) for j in self.windows), default=-1))

    def broken(self) -> list[tuple[Anomaly, list[str]]]:
        """Return the expectations that the latest windows break, each with the lengths of those that do."""
        found: dict[tuple[str | None, str], tuple[Anomaly, list[str]]] = {}
        for judged in self.windows:
            for anomaly in judged.anomalies:
                _, windows = found.setdefault((anomaly.feature, anomaly.kind), (anomaly, []))
                windows.append(format_duration(judged.evaluation.window.length_s))
        return sorted(found.values(), key=lambda item: item[0].severity != "error")

    def is_sensitive(self, feature: str) -> bool:
        """Whether no value of a feature may be told."""
        return bool(self.judge.policy.of(feature).sensitive)


def models_of(view: View) -> list[Model]:
    """Return every model version that is watched."""
    by_key: dict[ModelKey, list[Judged]] = {key: [] for key in view.judges}
    for (key, _), judged in sorted(view.judged.items(), key=lambda item: item[0][1]):
        if key in by_key:
            by_key[key].append(judged)
    return [Model(key, judge, tuple(by_key[key])) for key, judge in view.judges.items()]


def find_model(view: View, model: str, version: str) -> Model:
    """Return the model version that two parts of an address mean.

    Raises:
        NotThereError: there is none.
    """
    for found in models_of(view):
        if (slug(found.key.model), slug(found.key.version)) == (model, version):
            return found
    raise NotThereError("no such model version is watched")


def window_name(wanted: str | None) -> str | None:
    """Return a window length as pages write it: 48h is 2d."""
    if wanted is None:
        return None
    try:
        return format_duration(parse_duration(wanted))
    except ValueError:
        return wanted


def chosen(wanted: str | None, among: Mapping[str, Any], default: str) -> str:
    """Return the choice of an address.

    Raises:
        NotThereError: there is no such choice.
    """
    if wanted is None:
        return default
    if wanted not in among:
        raise NotThereError("no such choice")
    return wanted
