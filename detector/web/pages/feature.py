"""One feature: training data and live data over each other, how its statistics went, and its slices."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

import numpy as np
from markupsafe import Markup

from detector.alerts import Transition
from detector.drawing import figure, timeline
from detector.drift.contributors import contributors
from detector.drift.distribution import distribution, quantiles
from detector.drift.evaluation import State
from detector.metrics.labels import label
from detector.outcome import Judged
from detector.profile import Profile
from detector.times import format_duration
from detector.view import View
from detector.web.pages.alerts import alert_words, in_order
from detector.web.pages.overview import Choice
from detector.web.pages.site import (
    Model,
    NotThereError,
    Page,
    chosen,
    find_model,
    has_hours,
    state_of,
    time_text,
    window_name,
)
from detector.web.slugs import slug

MAX_SLICES = 24
"""Slices that are drawn side by side: those that have changed most."""

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)

SCALES: Mapping[str, str] = {"share": "share of events", "density": "density"}

AGAINST = {"window": "training data of the same hours", "training": "all training data"}

MAX_OPEN = 10
"""Alerts of one feature that fire: one for each slice and window that drifts."""

MAX_PAST = 5


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an address asks for, as it is written there."""

    window: str | None = None
    slice: str | None = None
    scale: str | None = None
    statistic: str | None = None
    against: str | None = None


@dataclass(frozen=True, slots=True)
class Number:
    """One statistic in a table."""

    name: str
    value: float
    threshold: float
    noise_floor: float
    p_value: float
    is_over: bool


@dataclass(frozen=True, slots=True)
class SliceCard:
    """One slice beside the others."""

    name: str
    href: str
    state: str
    n: int
    excess: float
    figure: Markup | None
    is_chosen: bool


def feature_page(view: View, model: str, version: str, feature: str, wanted: Wanted) -> Page:
    """Return the page of a feature.

    Raises:
        NotThereError: there is no such model version, feature or choice.
    """
    found = find_model(view, model, version)
    names = {slug(name): f for f, name in enumerate(found.names)}
    if feature not in names:
        raise NotThereError("no such feature")
    f = names[feature]
    name = found.names[f]
    about = {
        "page": "feature",
        "name": label(name),
        "type": found.judge.baseline.features.all[f].type,
        "role": found.judge.baseline.features.all[f].role,
        "model": label(found.key.model),
        "version": label(found.key.version),
        "model_href": found.href,
        "is_sensitive": found.is_sensitive(name),
        "is_ignored": found.judge.policy.of(name).ignore,
        "judged": None,
        "state": State.INSUFFICIENT.label,
        "alerts": [alert_words(view, t) for t in in_order(_of_feature(view.firing, found, name))[:MAX_OPEN]],
        "past": [alert_words(view, t) for t in _of_feature(view.past, found, name)[::-1][:MAX_PAST]],
    }
    if found.windows:
        about |= _Drawn(view, found, f, wanted).about()
    return Page("feature.html", label(name), about)


def _of_feature(alerts: Sequence[Transition], model: Model, name: str) -> list[Transition]:
    return [t for t in alerts if t.key == model.key and t.feature == name]


class _Drawn:
    """A feature of a model version that has windows."""

    def __init__(self, view: View, model: Model, f: int, wanted: Wanted) -> None:
        self._view, self._model, self._f = view, model, f
        self._name = model.names[f]
        self._is_hidden = model.is_sensitive(self._name)
        self._windows = {format_duration(j.evaluation.window.length_s): j for j in model.windows}
        self._window = chosen(window_name(wanted.window), self._windows, _worst_of(self._windows, f))
        self._judged = self._windows[self._window]
        self._evaluation = self._judged.evaluation
        self._slices = {slug(name): row for row, name in enumerate(self._evaluation.slices)}
        self._slice = chosen(wanted.slice, self._slices, "all")
        self._row = self._slices[self._slice]
        self._scale = chosen(wanted.scale, SCALES, "share")
        self._against = chosen(wanted.against, AGAINST, "window")
        self._history = view.history.get((model.key, self._evaluation.window.length_s))
        of = () if self._history is None else self._history.statistics
        self._statistics = dict.fromkeys(n for n in of if self._has_values(n))
        worst = self._evaluation.worst_statistic(self._row, f)
        default = worst if worst in self._statistics else next(iter(self._statistics), "")
        self._statistic = chosen(wanted.statistic, self._statistics, default or "")

    def _has_values(self, statistic: str) -> bool:
        assert self._history is not None
        return bool(np.isfinite(self._history.series(statistic, self._f).value).any())

    def about(self) -> dict[str, object]:
        """Return everything the template shows."""
        evaluation, row, f = self._evaluation, self._row, self._f
        window = evaluation.window
        reference, current = self._sides(self._row)
        is_numeric = self._model.judge.baseline.features.all[f].is_numeric
        return {
            "judged": self._judged,
            "state": state_of(self._windows.values(), row, f),
            "window_state": state_of((self._judged,), row, f),
            "begins": time_text(window.start_s),
            "ends": time_text(window.end_s),
            "is_complete": window.is_complete,
            "n": int(evaluation.n[row]),
            "slice": label(evaluation.slices[row]),
            "is_waiting": self._is_waiting(),
            "is_excess": row != 0,
            "windows": self._choices("window", {name: name for name in self._windows}, self._window),
            "scales": self._choices("scale", SCALES, self._scale) if is_numeric else (),
            "against": self._choices("against", AGAINST, self._against) if self._has_hours(row) else (),
            "statistics": self._choices("statistic", {n: n for n in self._statistics}, self._statistic)
            if row == 0
            else (),
            "figure": self._figure(reference, current),
            "changes": self._changes(reference, current),
            "quantiles": self._quantiles(reference, current) if is_numeric else (),
            "numbers": self._numbers(),
            "timeline": self._timeline(),
            "statistic": self._statistic,
            "slot": "" if self._history is None else format_duration(self._history.slot_s),
            "slices": self._slice_cards(),
            "n_slices": len(self._slices),
        }

    def _href(self, **other: str) -> str:
        choices = {
            "window": self._window,
            "slice": self._slice if self._slice != "all" else "",
            "scale": self._scale if self._scale != "share" else "",
            "against": self._against if self._against != "window" else "",
            "statistic": "",
        } | other
        query = urlencode({name: choice for name, choice in choices.items() if choice})
        part = "history" if "statistic" in other else "slices" if "slice" in other else "distributions"
        return f"{self._model.feature_href(self._name)}?{query}#{part}"

    def _choices(self, what: str, names: Mapping[str, str], now: str) -> tuple[Choice, ...]:
        return tuple(
            Choice(name, text, self._href(**{what: name}), name == now) for name, text in names.items()
        )

    def _is_waiting(self) -> bool:
        """Whether the feature counts as drifting though nothing is over its threshold: it is not calm yet."""
        is_over = float(self._evaluation.excess[:, self._row, self._f].max(initial=0.0)) > 1.0
        return int(self._judged.state[self._row, self._f]) == State.DRIFT and not is_over

    def _has_hours(self, row: int) -> bool:
        """Whether the window is held against the training data of its own hours."""
        return has_hours(self._model.judge, self._evaluation.window, row)

    def _sides(self, row: int) -> tuple[Profile, Profile]:
        judge, window = self._model.judge, self._evaluation.window
        reference = judge.reference(row) if self._against == "training" else judge.expected(window, row)
        return reference, window.profile.row(row)

    def _figure(self, reference: Profile, current: Profile) -> Markup | None:
        if self._is_hidden:
            return None
        judge = self._model.judge
        found = distribution(judge.baseline, reference, current, self._f, judge.policy.min_count)
        return figure(found, "density" if self._scale == "density" else "share")

    def _changes(self, reference: Profile, current: Profile) -> tuple[tuple[str, float, float], ...]:
        if self._is_hidden:
            return ()
        judge = self._model.judge
        found = contributors(judge.baseline, reference, current, self._f, min_count=judge.policy.min_count)
        return tuple((label(c.bin), c.reference, c.current) for c in found)

    def _quantiles(self, reference: Profile, current: Profile) -> tuple[tuple[str, float, float], ...]:
        if self._is_hidden:
            return ()
        sides = [
            quantiles(self._model.judge.baseline, side.counts[0], self._f, QUANTILES)
            for side in (reference, current)
        ]
        return tuple(
            (f"{share:.0%}", float(before), float(now))
            for share, before, now in zip(QUANTILES, *sides, strict=True)
        )

    def _numbers(self) -> list[Number]:
        rows = []
        for name, found in self._evaluation.statistics.items():
            value, threshold, noise_floor, p_value = (
                float(array[self._row, self._f])
                for array in (found.value, found.threshold, found.noise_floor, found.p_value)
            )
            if math.isfinite(value):
                rows.append(Number(name, value, threshold, noise_floor, p_value, value > threshold))
        return sorted(rows, key=lambda n: math.isnan(n.threshold))

    def _timeline(self) -> Markup | None:
        """Return how the chosen statistic went; of another slice than `all`, its excess."""
        history = self._history
        if history is None or not history.slots:
            return None
        onset_s = self._onset()
        name = label(self._name)
        if self._row != 0:
            excess = history.excess(self._row, self._f)
            excess = np.where(history.states(self._row, self._f) >= State.OK, excess, np.nan)
            one = np.ones_like(excess)
            title = f"{name}: value over threshold of the worst statistic"
            return timeline(
                history.time_s, excess, one, np.full_like(one, np.nan), onset_s=onset_s, title=title
            )
        if not self._statistic:
            return None
        series = history.series(self._statistic, self._f)
        return timeline(
            series.time_s, series.value, series.threshold, series.noise_floor,
            onset_s=onset_s, title=f"{name}: {self._statistic}",
        )  # fmt: skip

    def _onset(self) -> float | None:
        """Return the onset of the alert that fires on this feature and slice, of the first one."""
        of = self._evaluation.slices[self._row]
        firing = _of_feature(self._view.firing, self._model, self._name)
        return min((t.onset_s for t in firing if t.slice == of and t.onset_s is not None), default=None)

    def _slice_cards(self) -> list[SliceCard]:
        """Return the slices side by side, those that changed most first; nothing where there is only one."""
        if len(self._slices) == 1:
            return []
        excess = self._evaluation.excess[:, :, self._f].max(axis=0, initial=0.0)
        order = np.lexsort((-excess, -self._judged.state[:, self._f].astype(np.int64)))
        cards = []
        for row in order[:MAX_SLICES].tolist():
            name = self._evaluation.slices[row]
            reference, current = self._sides(row)
            cards.append(
                SliceCard(
                    label(name),
                    self._href(slice=slug(name)),
                    state_of((self._judged,), row, self._f),
                    int(self._evaluation.n[row]),
                    float(excess[row]),
                    self._figure(reference, current) if self._evaluation.n[row] else None,
                    row == self._row,
                )
            )
        return cards


def _worst_of(windows: Mapping[str, Judged], f: int) -> str:
    """Return the window length in which a feature has changed most, of all events."""
    return max(
        windows,
        key=lambda name: (
            int(windows[name].state[0, f]),
            float(windows[name].evaluation.excess[:, 0, f].max(initial=0.0)),
        ),
    )
