"""How the values of a feature are distributed: bin by bin, in training and now.

Of a sensitive feature there is nothing here. Categories are those of training, rare ones counted together.
"""

from collections.abc import Sequence
from typing import Literal

from detector.drift.distribution import Bin, Distribution, distribution, quantiles
from detector.outcome import Judged
from detector.printable import printable
from detector.profile import Profile
from detector.report.records import number
from detector.times import format_duration
from detector.view import View
from detector.web.api.answers import Answer, Named, Number, Time, Window, named
from detector.web.api.asking import OfDistributions, feature_of, slice_of, windows_of
from detector.web.api.models import FeatureHead, feature_head
from detector.web.pages.site import Model, has_hours, time_text

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)

MAX_BIN_NAME = 128

Kind = Literal["values", "outside", "rest", "unseen", "missing", "type_mismatch", "non_finite"]


class BinAnswer(Answer):
    """One bin, or one category."""

    name: str
    kind: Kind
    """values: of training; outside: of its range; rest: rare categories; unseen: never in training; the
    others are cells without a value."""
    low: Number
    """Lower edge, inside; null of categories, and below the training range."""
    high: Number
    """Upper edge, not inside."""
    reference: float
    """Share of the training side."""
    current: float
    """Share of the window."""


class QuantileAnswer(Answer):
    """One quantile, estimated from bins; null outside the training range and of few values."""

    share: float
    reference: Number
    current: Number


class Sides(Answer):
    """A window beside one training side; the shares of each add up to 1."""

    n_reference: int
    """Cells of the feature in training, with a value and without."""
    n_current: int
    bins: Sequence[BinAnswer]
    quantiles: Sequence[QuantileAnswer]
    """None of categories."""


class WindowDistribution(Answer):
    """One window."""

    window: Window
    window_s: float
    start: Time
    end: Time
    training: Sides
    """Beside all training data of the slice."""
    same_hours: Sides | None
    """Beside the training data of the window's own hours; null where the baseline does not know hours."""


class DistributionAnswer(FeatureHead):
    """The distributions of one feature in one slice."""

    slice: Named
    windows: Sequence[WindowDistribution]
    """Shortest first; none of a sensitive feature, and before the first is complete."""


def distributions_answer(
    view: View, model: str, version: str, feature: str, asked: OfDistributions
) -> DistributionAnswer:
    """Return how a feature is distributed.

    Raises:
        NotThereError: there is no such model version, feature, window or slice.
    """
    found, f = feature_of(view, model, version, feature)
    row, windows = slice_of(found, asked.slice), windows_of(found, asked.window)
    if found.is_sensitive(found.names[f]):
        windows = ()
    return DistributionAnswer(
        **feature_head(found, f),
        slice=named(found.judge.slices.names[row]),
        windows=[_window(found, judged, row, f) for judged in windows],
    )


def _window(model: Model, judged: Judged, row: int, f: int) -> WindowDistribution:
    window, judge = judged.evaluation.window, model.judge
    current = window.profile.row(row)
    reference, expected = judge.reference(row), judge.expected(window, row)
    return WindowDistribution(
        window=format_duration(window.length_s),
        window_s=window.length_s,
        start=time_text(window.start_s),
        end=time_text(window.end_s),
        training=_sides(model, reference, current, f),
        same_hours=_sides(model, expected, current, f) if has_hours(judge, window, row) else None,
    )


def _sides(model: Model, reference: Profile, current: Profile, f: int) -> Sides:
    judge = model.judge
    found: Distribution = distribution(judge.baseline, reference, current, f, judge.policy.min_count)
    return Sides(
        n_reference=found.n_reference,
        n_current=found.n_current,
        bins=list(map(_bin, found.bins)),
        quantiles=_quantiles(model, reference, current, f) if found.type in ("int", "float") else [],
    )


def _bin(found: Bin) -> BinAnswer:
    return BinAnswer(
        name=printable(found.name, MAX_BIN_NAME),
        kind=found.kind,
        low=number(found.low),
        high=number(found.high),
        reference=found.reference,
        current=found.current,
    )


def _quantiles(model: Model, reference: Profile, current: Profile, f: int) -> list[QuantileAnswer]:
    sides = [
        quantiles(model.judge.baseline, side.counts[0], f, QUANTILES).tolist()
        for side in (reference, current)
    ]
    return [
        QuantileAnswer(share=share, reference=number(before), current=number(now))
        for share, before, now in zip(QUANTILES, *sides, strict=True)
    ]
