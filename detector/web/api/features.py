"""The features of a model version: how each stands, the worst first."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from detector.alerts import numbers_of
from detector.batch import Bools, Floats, Ints
from detector.drift.evaluation import State
from detector.outcome import Judged
from detector.report.records import number
from detector.times import format_duration
from detector.view import View
from detector.web.api.answers import Number, Page, StateName, Window, state_name
from detector.web.api.asking import OfFeatures, slice_of, windows_of
from detector.web.api.models import FeatureHead, feature_head
from detector.web.pages.site import Model, find_model

RATES_TOLD = ("missing", "unseen", "outside")


class FeatureSummary(FeatureHead):
    """One feature, in the window that shows it most."""

    state: StateName
    """In the worst of the windows that were asked for."""
    judged: bool
    """Whether any statistic decides on it; what is not judged is never anything but ok."""
    excess: Number = None
    """Value over threshold of the statistic that is furthest over it."""
    window: Window | None = None
    """Where it is so far; null before a window is complete."""
    statistic: str | None = None
    value: Number = None
    threshold: Number = None
    missing: Number = None
    """Share of events without a value, in that window."""
    unseen: Number = None
    """Share of values that training never had."""
    outside: Number = None
    """Share of values outside the training range."""


class FeaturePage(Page[FeatureSummary]):
    """Some of the features."""


class _Found(NamedTuple):
    """All features at once, each an array (F)."""

    state: Ints
    excess: Floats
    judged: Bools
    window: Ints
    """Index of the window that shows it most."""


def features_answer(view: View, model: str, version: str, asked: OfFeatures) -> FeaturePage:
    """Return some of the features of a model version.

    Raises:
        NotThereError: there is no such model version, window or slice.
    """
    found = find_model(view, model, version)
    row, windows = slice_of(found, asked.slice), windows_of(found, asked.window)
    of_all = _found(found, windows, row)
    order = _order(found, of_all, asked)
    some = order[asked.offset : asked.offset + asked.limit].tolist()
    items = [_summary(found, windows, of_all, row, f) for f in some]
    return FeaturePage(items=items, total=len(order), offset=asked.offset, limit=asked.limit)


def _found(model: Model, windows: Sequence[Judged], row: int) -> _Found:
    n = len(model.names)
    if not windows:
        return _Found(
            np.full(n, State.INSUFFICIENT), np.zeros(n), np.zeros(n, dtype=bool), np.zeros(n, np.int64)
        )
    states = np.array([j.state[row] for j in windows], dtype=np.int64)
    excess = np.array([j.evaluation.excess[:, row].max(axis=0, initial=0.0) for j in windows])
    judged = np.zeros(n, dtype=bool)
    for evaluation in (j.evaluation for j in windows):
        judged |= evaluation.is_judged(row)
    # The worst state first, and of the windows that are in it the one that is furthest over.
    order = np.lexsort((-excess, -states), axis=0)[0]
    return _Found(states.max(axis=0), np.take_along_axis(excess, order[None], axis=0)[0], judged, order)


def _order(model: Model, found: _Found, asked: OfFeatures) -> Ints:
    """Return the indices of the features that are asked for, in order."""
    if asked.sort == "name":
        order = np.array(sorted(range(len(model.names)), key=model.names.__getitem__), dtype=np.int64)
    else:
        order = np.lexsort((-found.excess, -found.state)).astype(np.int64)
    if asked.state is None:
        return order
    wanted = State[asked.state.upper()]
    wanted_ones: Ints = order[found.state[order] == wanted]
    return wanted_ones


def _summary(model: Model, windows: Sequence[Judged], found: _Found, row: int, f: int) -> FeatureSummary:
    head = feature_head(model, f) | {
        "state": state_name(int(found.state[f])),
        "judged": bool(found.judged[f]),
    }
    if not windows:
        return FeatureSummary(**head)
    evaluation = windows[int(found.window[f])].evaluation
    statistic = evaluation.worst_statistic(row, f)
    value, threshold = numbers_of(evaluation, statistic, row, f)
    head |= {name: number(float(evaluation.statistics[name].value[row, f])) for name in RATES_TOLD}
    return FeatureSummary(
        **head,
        excess=number(float(found.excess[f])),
        window=format_duration(evaluation.window.length_s),
        statistic=statistic,
        value=number(value),
        threshold=number(threshold),
    )
