"""How one feature went over the last day: statistics of all events, excess and state of any slice."""

from collections.abc import Mapping, Sequence

from detector.drift.evaluation import State
from detector.report.records import number
from detector.statistic_history import Slot, StatisticHistory
from detector.times import format_duration
from detector.view import View
from detector.web.api.answers import Answer, Named, Number, StateName, Time, Window, named, state_name
from detector.web.api.asking import OfHistory, feature_of, is_length, slice_of
from detector.web.api.models import FeatureHead, feature_head
from detector.web.pages.site import Model, NotThereError, time_text


class StatisticPoint(Answer):
    """One statistic at one time."""

    value: float
    threshold: Number
    noise_floor: Number


class Point(Answer):
    """The worst evaluation of one slot of time."""

    time: Time
    """End of its last window."""
    n: int
    """Events of that window, in the slice."""
    state: StateName
    excess: Number
    """Value over threshold of the statistic furthest over it; null where there were too few events."""
    statistics: Mapping[str, StatisticPoint]
    """Those that decided, by name; of the slice `all` only."""


class HistoryAnswer(FeatureHead):
    """How a feature went, in one slice and one window length."""

    window: Window
    window_s: float
    slice: Named
    slot_s: float
    """Time from one point to the next, where there were events."""
    points: Sequence[Point]
    """Oldest first, a few hundred at most."""


def history_answer(view: View, model: str, version: str, feature: str, asked: OfHistory) -> HistoryAnswer:
    """Return how a feature went.

    Raises:
        NotThereError: there is no such model version, feature, window or slice.
    """
    found, f = feature_of(view, model, version, feature)
    row = slice_of(found, asked.slice)
    length_s, history = _history(view, found, asked.window)
    return HistoryAnswer(
        **feature_head(found, f),
        window=format_duration(length_s),
        window_s=length_s,
        slice=named(found.judge.slices.names[row]),
        slot_s=history.slot_s,
        points=[_point(slot, row, f) for slot in history.slots],
    )


def _history(view: View, model: Model, wanted: str | None) -> tuple[float, StatisticHistory]:
    """Return a window length and how it went: that which is asked for, else the shortest."""
    lengths = sorted(
        length_s for key, length_s in view.history if key == model.key and is_length(wanted, length_s)
    )
    if not lengths:
        raise NotThereError("no such window")
    return lengths[0], view.history[model.key, lengths[0]]


def _point(slot: Slot, row: int, f: int) -> Point:
    state = int(slot.state[row, f])
    return Point(
        time=time_text(slot.end_s),
        n=int(slot.n[row]),
        state=state_name(state),
        excess=None if state == State.INSUFFICIENT else number(float(slot.excess[row, f])),
        statistics=_statistics(slot, f) if row == 0 else {},
    )


def _statistics(slot: Slot, f: int) -> dict[str, StatisticPoint]:
    found = {}
    for name, figure in slot.figures.items():
        value, threshold, noise_floor = map(number, figure[:, f].tolist())
        if value is not None:
            found[name] = StatisticPoint(value=value, threshold=threshold, noise_floor=noise_floor)
    return found
