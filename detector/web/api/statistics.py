"""One feature: every statistic in every window and slice."""

from collections.abc import Mapping, Sequence

import numpy as np

from detector.drift.evaluation import Statistic
from detector.outcome import Judged
from detector.report.records import number
from detector.times import format_duration
from detector.view import View
from detector.web.api.answers import Answer, Named, Number, StateName, Time, Window, named, state_name
from detector.web.api.asking import OfStatistics, feature_of, slice_of, windows_of
from detector.web.api.models import FeatureHead, feature_head
from detector.web.pages.site import time_text

MAX_SLICES = 50
"""Slices that are told, `all` and those that changed most; any other can be asked for."""


class StatisticAnswer(Answer):
    """One statistic."""

    value: Number
    threshold: Number
    """What drift is above; null where the statistic does not decide."""
    noise_floor: Number
    """The value to expect without drift."""
    p_value: Number
    """The chance of one as large without drift."""


class SliceStatistics(Named):
    """One slice of a window."""

    n: int
    """Events in it."""
    state: StateName
    statistics: Mapping[str, StatisticAnswer]
    """By name; those without a value are left out."""


class WindowStatistics(Answer):
    """One window."""

    window: Window
    window_s: float
    start: Time
    end: Time
    slices: Sequence[SliceStatistics]


class FeatureDetail(FeatureHead):
    """One feature with its statistics."""

    windows: Sequence[WindowStatistics]
    """Shortest first; none before the first is complete."""
    slices_total: int
    """How many slices there are; a window tells 50 at most."""


def feature_answer(view: View, model: str, version: str, feature: str, asked: OfStatistics) -> FeatureDetail:
    """Return a feature.

    Raises:
        NotThereError: there is no such model version, feature, window or slice.
    """
    found, f = feature_of(view, model, version, feature)
    row = None if asked.slice is None else slice_of(found, asked.slice)
    windows = [_window(judged, f, row) for judged in windows_of(found, asked.window)]
    return FeatureDetail(
        **feature_head(found, f), windows=windows, slices_total=len(found.judge.slices.names)
    )


def _window(judged: Judged, f: int, row: int | None) -> WindowStatistics:
    window = judged.evaluation.window
    rows = _rows(judged, f) if row is None else [row]
    return WindowStatistics(
        window=format_duration(window.length_s),
        window_s=window.length_s,
        start=time_text(window.start_s),
        end=time_text(window.end_s),
        slices=[_slice(judged, row, f) for row in rows],
    )


def _rows(judged: Judged, f: int) -> list[int]:
    """Return the row of all events, and those of the slices that changed most."""
    excess = judged.evaluation.excess[:, :, f].max(axis=0, initial=0.0)
    order: list[int] = np.lexsort((-excess, -judged.state[:, f].astype(np.int64))).tolist()
    return [0, *(row for row in order if row != 0)][:MAX_SLICES]


def _slice(judged: Judged, row: int, f: int) -> SliceStatistics:
    evaluation = judged.evaluation
    return SliceStatistics(
        **named(evaluation.slices[row]).model_dump(),
        n=int(evaluation.n[row]),
        state=state_name(int(judged.state[row, f])),
        statistics={
            name: _statistic(found, row, f)
            for name, found in evaluation.statistics.items()
            if np.isfinite(found.value[row, f])
        },
    )


def _statistic(found: Statistic, row: int, f: int) -> StatisticAnswer:
    value, threshold, noise_floor, p_value = (
        number(float(array[row, f]))
        for array in (found.value, found.threshold, found.noise_floor, found.p_value)
    )
    return StatisticAnswer(value=value, threshold=threshold, noise_floor=noise_floor, p_value=p_value)
