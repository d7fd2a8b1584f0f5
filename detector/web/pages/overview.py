"""Overview and model page: what stands how, and how the last day went, feature by feature."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from detector.batch import Floats, Ints
from detector.drawing import level_of, strip
from detector.drift.evaluation import State
from detector.metrics.labels import label
from detector.outcome import Judged
from detector.statistic_history import StatisticHistory
from detector.times import format_duration, format_time
from detector.view import View
from detector.web.pages.alerts import alert_list
from detector.web.pages.site import (
    NOT_JUDGED,
    Model,
    NotThereError,
    Page,
    chosen,
    find_model,
    models_of,
    state_of,
    time_text,
    window_name,
)

MAX_MODELS = 20
"""On one page; the next ones are a page further."""

MAX_ALERTS = 6
"""Features with alerts; the page of alerts has all."""

SHORT_LIST = 12
"""Features of each model on the overview; its own page has all."""

A_PAGE = 100

MAX_COLUMNS = 72
"""Of the heat map: neighbours share a column where there are more slots, and the worst is shown."""

ANY = "any"
"""The heat map of whichever window is worst."""


@dataclass(frozen=True, slots=True)
class Row:
    """One feature in the heat map."""

    name: str
    href: str
    state: str
    statistic: str
    value: float
    threshold: float
    excess: float
    strip: Markup


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several views of the same thing."""

    name: str
    text: str
    href: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class ModelCard:
    """One model version on a page."""

    name: str
    version: str
    href: str
    state: str
    knowledge: str
    n_events: int
    rate: float | None
    """Events a second of event time, in the shortest window."""
    n_alerts: int
    n_critical: int
    urgency: str
    """drift: a critical alert fires; warning: another one; else the state of the model as a whole."""
    windows: tuple[tuple[str, int, str, int, int, bool], ...]
    """Length, events, state, features that drift, features judged, whether all events could be read."""
    n_states: tuple[tuple[str, int], ...]
    until: str | None
    rows: tuple[Row, ...]
    n_rows: int
    first_row: int
    begins: str | None
    ends: str | None
    choices: tuple[Choice, ...]


def overview(view: View, page: int = 1) -> Page:
    """Return what stands how, of all model versions.

    Raises:
        NotThereError: there is no such page.
    """
    models = models_of(view)
    n_pages = max(1, math.ceil(len(models) / MAX_MODELS))
    if not 1 <= page <= n_pages:
        raise NotThereError("no such page")
    shown = models[(page - 1) * MAX_MODELS : page * MAX_MODELS]
    cards = [model_card(view, model, ANY, SHORT_LIST) for model in shown]
    about = {
        "page": "overview",
        "cards": cards,
        "alerts": alert_list(view, view.firing, MAX_ALERTS),
        "n_alerts": len(view.firing),
        "number": page,
        "n_pages": n_pages,
    }
    return Page("overview.html", "Overview", about)


def model_page(
    view: View, model: str, version: str, window: str | None, find: str | None, page: int = 1
) -> Page:
    """Return all features of one model version, a hundred at a time.

    Raises:
        NotThereError: there is no such model version, window or page.
    """
    found = find_model(view, model, version)
    lengths = {ANY: None, **{format_duration(j.evaluation.window.length_s): j for j in found.windows}}
    length = chosen(window_name(window), lengths, ANY)
    card = model_card(view, found, length, A_PAGE, find or "", page)
    n_pages = max(1, math.ceil(card.n_rows / A_PAGE))
    if not 1 <= page <= n_pages:
        raise NotThereError("no such page")
    mine = [t for t in view.firing if t.key == found.key]
    about = {
        "page": "model",
        "card": card,
        "alerts": alert_list(view, mine, MAX_ALERTS),
        "n_alerts": len(mine),
        "find": find or "",
        "window": length,
        "number": page,
        "n_pages": n_pages,
    }
    return Page("model.html", f"{card.name} {card.version}", about)


def model_card(view: View, model: Model, window: str, most: int, find: str = "", page: int = 1) -> ModelCard:
    """Return one model version, with `most` rows of its heat map."""
    histories = {
        format_duration(length_s): history
        for (key, length_s), history in sorted(view.history.items(), key=lambda item: item[0][1])
        if key == model.key
    }
    shown = list(histories.values()) if window == ANY else [histories[window]] if window in histories else []
    of_length = model.windows if window == ANY else _of_length(model, window)
    order = _by_change(of_length, len(model.names))
    order = [f for f in order if find.casefold() in model.names[f].casefold()]
    first = (page - 1) * most
    some = order[first : first + most]
    grid = _Grid.of(shown)
    windows = tuple(_window(j) for j in model.windows)
    mine = [t for t in view.firing if t.key == model.key]
    n_critical = sum(t.severity == "critical" for t in mine)
    known = view.knowledge.get(model.key)
    query = [ANY, *histories]
    return ModelCard(
        name=label(model.key.model),
        version=label(model.key.version),
        href=model.href,
        state=model.state.label,
        knowledge="" if known is None else known.text,
        n_events=view.counters.accepted[model.key],
        rate=_rate(model),
        windows=windows,
        n_alerts=len(mine),
        n_critical=n_critical,
        urgency="drift" if n_critical else "warning" if mine else model.state.label,
        n_states=_n_states(of_length, len(model.names)),
        until=time_text(model.windows[0].evaluation.window.end_s) if model.windows else None,
        rows=tuple(_row(model, of_length, grid, f) for f in some),
        n_rows=len(order),
        first_row=first,
        begins=time_text(grid.begins_s),
        ends=time_text(grid.ends_s),
        choices=tuple(
            Choice(name, "any window" if name == ANY else name, f"{model.href}?window={name}", name == window)
            for name in query
        ),
    )


def _of_length(model: Model, window: str) -> tuple[Judged, ...]:
    return tuple(j for j in model.windows if format_duration(j.evaluation.window.length_s) == window)


def _window(window: Judged) -> tuple[str, int, str, int, int, bool]:
    evaluation = window.evaluation
    return (
        format_duration(evaluation.window.length_s),
        int(evaluation.n[0]),
        State(int(window.dataset_state[0])).label,
        int((window.state[0] == State.DRIFT).sum()),
        int(evaluation.is_judged(0).sum()),
        evaluation.window.is_complete,
    )


def _n_states(windows: Sequence[Judged], n: int) -> tuple[tuple[str, int], ...]:
    """Return how many features are in each state, the worst first, as `state_of` says of each."""
    worst = np.max([j.state[0] for j in windows], axis=0) if windows else np.full(n, State.INSUFFICIENT)
    is_judged = (
        np.any([j.evaluation.is_judged(0) for j in windows], axis=0) if windows else np.ones(n, dtype=bool)
    )
    is_ignored = (worst == State.OK) & ~is_judged
    counts = [(s.label, int(((worst == s) & ~is_ignored).sum())) for s in reversed(State)]
    return tuple((name, k) for name, k in (*counts, (NOT_JUDGED, int(is_ignored.sum()))) if k)


def _rate(model: Model) -> float | None:
    """Return events a second of event time in the shortest window."""
    if not model.windows:
        return None
    evaluation = model.windows[0].evaluation
    seconds = evaluation.window.covered_s or evaluation.window.length_s
    return float(evaluation.n[0]) / seconds


def _by_change(windows: Sequence[Judged], n: int) -> list[int]:
    """Return the features: those that drift first, then by how far they are over their threshold."""
    if not windows:
        return list(range(n))
    state = np.max([j.state[0] for j in windows], axis=0)
    excess = np.max([j.evaluation.excess[:, 0].max(axis=0, initial=0.0) for j in windows], axis=0)
    order: list[int] = np.lexsort((np.arange(n), -excess, -state)).tolist()
    return order


def _row(model: Model, windows: Sequence[Judged], grid: "_Grid", f: int) -> Row:
    name = model.names[f]
    statistic, value, threshold, excess = "", math.nan, math.nan, 0.0
    worst = _worst_window(windows, f)
    if worst is not None:
        found = worst.evaluation
        of = found.worst_statistic(0, f)
        if of is not None:
            statistic = of
            value = float(found.statistics[of].value[0, f])
            threshold = float(found.statistics[of].threshold[0, f])
            excess = float(found.excess[:, 0, f].max(initial=0.0))
    went, states = grid.of_feature(f)
    if model.judge.policy.of(name).ignore:
        states = np.full_like(states, State.INSUFFICIENT)
    href = model.feature_href(name)
    if worst is not None:
        href += f"?window={format_duration(worst.evaluation.window.length_s)}"
    return Row(
        name=label(name),
        href=href,
        state=state_of(windows, 0, f),
        statistic=statistic,
        value=value,
        threshold=threshold,
        excess=excess,
        strip=strip(level_of(went, states), grid.times_s, title=f"{label(name)}: {grid.words(f)}"),
    )


def _worst_window(windows: Sequence[Judged], f: int) -> Judged | None:
    return max(
        windows,
        key=lambda j: (int(j.state[0, f]), float(j.evaluation.excess[:, 0, f].max(initial=0.0))),
        default=None,
    )


@dataclass(frozen=True, slots=True)
class _Grid:
    """Features over time, the worst of some windows: columns (C) of equal length."""

    excess: Floats
    """(C, F)."""
    state: Ints
    """(C, F), -1 where there was nothing."""
    begins_s: float
    ends_s: float

    @classmethod
    def of(cls, histories: Sequence[StatisticHistory]) -> "_Grid":
        histories = [history for history in histories if history.slots]
        if not histories:
            return cls(np.zeros((0, 0)), np.zeros((0, 0), dtype=np.int64), math.nan, math.nan)
        slot_s = histories[0].slot_s
        numbers = [np.ceil(history.time_s / slot_s).astype(np.int64) - 1 for history in histories]
        first = min(int(n[0]) for n in numbers)
        last = max(int(n[-1]) for n in numbers)
        step = math.ceil((last + 1 - first) / MAX_COLUMNS)
        n_columns = math.ceil((last + 1 - first) / step)
        # Columns end with the last slot, so that what is new is a whole one.
        begin = last + 1 - n_columns * step
        n_features = histories[0].slots[0].state.shape[1]
        excess = np.zeros((n_columns, n_features))
        state = np.full((n_columns, n_features), -1, dtype=np.int64)
        for history, slots in zip(histories, numbers, strict=True):
            for number, slot in zip(((slots - begin) // step).tolist(), history.slots, strict=True):
                np.maximum(excess[number], slot.excess[0], out=excess[number])
                np.maximum(state[number], slot.state[0], out=state[number])
        return cls(excess, state, begin * slot_s, (last + 1) * slot_s)

    @property
    def times_s(self) -> Floats:
        """Ends of the columns (C)."""
        n = len(self.state)
        return np.linspace(self.begins_s, self.ends_s, n + 1)[1:] if n else np.zeros(0)

    def of_feature(self, f: int) -> tuple[Floats, Ints]:
        """Return excess and state of a feature (C)."""
        if not self.excess.size:
            return np.zeros(0), np.zeros(0, dtype=np.int64)
        return self.excess[:, f], self.state[:, f]

    def words(self, f: int) -> str:
        """Say how a feature went, for those who do not see it."""
        excess, state = self.of_feature(f)
        known = state >= State.OK
        if not known.any():
            return "nothing judged yet"
        most = f"at most {float(excess[known].max()):.2g} times its threshold"
        drifting = np.flatnonzero(state == State.DRIFT)
        if not len(drifting):
            return f"no drift, {most}"
        step_s = (self.ends_s - self.begins_s) / len(state)
        since = format_time(self.begins_s + int(drifting[0]) * step_s)
        still = "" if state[known][-1] == State.DRIFT else ", not any more"
        return f"drift first seen {since[:16].replace('T', ' ')} UTC{still}, {most}"
