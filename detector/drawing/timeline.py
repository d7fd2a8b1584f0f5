"""A statistic over time: its value, what it is held against, and what chance alone makes of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from markupsafe import Markup

from detector.batch import Floats
from detector.drawing.svg import (
    Only,
    drawing,
    framed,
    group,
    hover,
    joined,
    label,
    legend,
    line,
    number,
    path,
    percents,
    stretched,
    text_of,
)
from detector.drawing.ticks import clock_of, date_of, time_ticks, value_ticks, when

MOST_POINTS = 288
"""Points that are drawn: a day of five minutes each. Of more, the worst of each stretch is."""

GAP = 3.0
"""A pause of more than so many usual steps breaks the line."""

TOP, PLOT = 26, 150


@dataclass(frozen=True, slots=True)
class _Axes:
    """Where times and values lie: in percent across, in pixels down."""

    first_s: float
    last_s: float
    top: float

    def x(self, seconds: float) -> float:
        return 100.0 * (seconds - self.first_s) / (self.last_s - self.first_s)

    def y(self, value: float) -> float:
        return TOP + PLOT * (1.0 - min(max(value / self.top, 0.0), 1.0))


@dataclass(frozen=True, slots=True)
class _Series:
    """T points, oldest first; NaN where there is nothing. `breaks` says before which the line is broken."""

    times_s: Floats
    value: Floats
    threshold: Floats
    noise: Floats

    @property
    def breaks(self) -> list[bool]:
        steps = np.diff(self.times_s)
        usual = float(np.median(steps)) if len(steps) else 0.0
        return [True, *(steps > GAP * usual).tolist()]

    @property
    def over(self) -> list[bool]:
        return [bool(x) for x in self.value > self.threshold]


def timeline(
    times_s: Floats | Sequence[float],
    value: Floats | Sequence[float],
    threshold: Floats | Sequence[float],
    noise: Floats | Sequence[float],
    *,
    onset_s: float | None = None,
    title: str,
) -> Markup:
    """Return a statistic over time with its legend.

    `times_s` (T) are seconds since 1970 in rising order, the others (T) what there was at each: NaN for
    nothing, and there the line is broken. `onset_s` is when the change began, drawn as an upright line, or
    told at the left end where it lies before the first point. `title` names what is drawn. At most
    `MOST_POINTS` points are drawn; of more, the one of each stretch that is furthest over its threshold.
    """
    arrays = [np.asarray(x, dtype=np.float64) for x in (times_s, value, threshold, noise)]
    series = _thinned(*arrays)
    if np.isnan(series.value).all():
        nothing = drawing(
            "plot", 48, Markup("{}: no values yet").format(text_of(title)), [label("no values yet", 50, 28)]
        )
        return framed("timeline", nothing, Markup(""))
    return framed("timeline", _drawn(series, onset_s, text_of(title)), legend(_entries(series)))


def _entries(series: _Series) -> Iterator[tuple[str, str]]:
    """Yield what there is to be seen, and what it means."""
    yield "value", "value"
    if any(series.over):
        yield "over", "over the threshold"
    if not np.isnan(series.threshold).all():
        yield "threshold", "threshold"
    if not np.isnan(series.noise).all():
        yield "noise", "noise floor: to be expected without drift"


def _thinned(times_s: Floats, value: Floats, threshold: Floats, noise: Floats) -> _Series:
    known = np.isfinite(times_s)
    times_s, value, threshold, noise = times_s[known], value[known], threshold[known], noise[known]
    if len(times_s) > MOST_POINTS:
        with np.errstate(divide="ignore", invalid="ignore"):
            excess = np.nan_to_num(np.where(np.isfinite(threshold), value / threshold, value), nan=-1.0)
        ends = np.linspace(0, len(times_s), MOST_POINTS + 1).astype(np.int64).tolist()
        kept = [a + int(np.argmax(excess[a:b])) for a, b in pairwise(ends)]
        times_s, value, threshold, noise = times_s[kept], value[kept], threshold[kept], noise[kept]
    return _Series(times_s, value, threshold, noise)


def _drawn(series: _Series, onset_s: float | None, title: Markup) -> Markup:
    height = TOP + PLOT + 46
    axes = _axes(series)
    paths = [
        path("noise", _band(series, axes)),
        path("threshold", _line(series.threshold, series, axes)),
        path("value", _line(series.value, series, axes)),
    ]
    parts = [
        _value_axis(axes),
        _time_axis(axes),
        stretched(100, height, paths),
        *_points(series, axes),
        _onset(onset_s, axes),
    ]
    return drawing("plot", height, _gist(series, onset_s, title), parts)


def _axes(series: _Series) -> _Axes:
    first_s, last_s = float(series.times_s[0]), float(series.times_s[-1])
    if not last_s > first_s:
        first_s, last_s = first_s - 30.0, last_s + 30.0
    values = np.concatenate((series.value, series.threshold, series.noise))
    # What is beyond all floats is drawn at the upper end.
    top = float(values[np.isfinite(values)].max(initial=0.0))
    return _Axes(first_s, last_s, top * 1.08 if 1e-12 < top < 1e300 else max(top, 1e-6))


def _gist(series: _Series, onset_s: float | None, title: Markup) -> Markup:
    last = int(np.flatnonzero(~np.isnan(series.value))[-1])
    n_over = sum(series.over)
    since = "" if onset_s is None else f" The change began {when(onset_s)} UTC."
    return Markup("{}, {} to {} UTC: {} of {} values over the threshold; last {}, threshold {}.{}").format(
        title, when(float(series.times_s[0])), when(float(series.times_s[-1])),
        n_over, int((~np.isnan(series.value)).sum()),
        number(float(series.value[last])), number(float(series.threshold[last])), since,
    )  # fmt: skip


def _line(values: Floats, series: _Series, axes: _Axes) -> Iterator[str]:
    """Yield a line through the points there are."""
    is_down = False
    for t, v, broken in zip(series.times_s.tolist(), values.tolist(), series.breaks, strict=True):
        if np.isnan(v):
            is_down = False
            continue
        yield f"{'L' if is_down and not broken else 'M'}{axes.x(t):.2f} {axes.y(v):.1f}"
        if not is_down or broken:
            # A point that stands alone is a dot: the ends of lines are round.
            yield "h0"
        is_down = True


def _band(series: _Series, axes: _Axes) -> Iterator[str]:
    """Yield the area from 0 to the noise floor, a shape for each stretch."""
    stretch: list[tuple[float, float]] = []
    for t, v, broken in zip(series.times_s.tolist(), series.noise.tolist(), series.breaks, strict=True):
        if broken or np.isnan(v):
            yield from _area(stretch, axes)
            stretch = []
        if not np.isnan(v):
            stretch.append((axes.x(t), axes.y(v)))
    yield from _area(stretch, axes)


def _area(stretch: Sequence[tuple[float, float]], axes: _Axes) -> Iterator[str]:
    if stretch:
        base = axes.y(0.0)
        yield f"M{stretch[0][0]:.2f} {base:.1f}"
        yield from (f"L{x:.2f} {y:.1f}" for x, y in stretch)
        yield f"V{base:.1f}Z"


def _points(series: _Series, axes: _Axes) -> Iterator[Markup]:
    """Yield what the pointer finds at each point, and a mark where it is over the threshold."""
    half = max(100.0 / max(len(series.times_s), 1) / 2, 0.3)
    columns = (series.times_s.tolist(), series.value.tolist(), series.threshold.tolist(), series.over)
    for t, v, threshold, is_over in zip(*columns, strict=True):
        if np.isnan(v):
            continue
        x, y = axes.x(t), axes.y(v)
        dots = [Markup('<circle class="{}" cx="{}" cy="{:.1f}" r="3.5"/>').format("over", percents(x), y)]
        words = Markup("{} UTC: {}, threshold {}").format(when(t), number(v), number(threshold))
        yield group(words, hover(x - half, TOP, 2 * half, PLOT), *(dots if is_over else []))


def _onset(onset_s: float | None, axes: _Axes) -> Markup:
    if onset_s is None or onset_s > axes.last_s:
        return Markup("")
    if onset_s < axes.first_s:
        return label(f"\u2190 change began {when(onset_s)}", 0, TOP - 10, "start")
    x = axes.x(onset_s)
    kind = "start" if x < 50 else "end"
    return line("onset", x, TOP - 6, x, TOP + PLOT) + label(
        f"change began {when(onset_s)}", x, TOP - 10, kind
    )


def _value_axis(axes: _Axes) -> Markup:
    parts = []
    for tick in value_ticks(axes.top):
        parts.append(line("grid", 0, axes.y(tick), 100, axes.y(tick)))
        parts.append(label(f"{tick:.4g}", 0, axes.y(tick) + 4, "end", -8))
    return joined(parts)


def _time_axis(axes: _Axes) -> Markup:
    """Return the axis of times: the clock at each tick, and the day where it begins."""
    base, day, is_told = TOP + PLOT, "", False
    parts = [line("axis", 0, base, 100, base)]
    ticks = time_ticks(axes.first_s, axes.last_s)
    for i, tick in enumerate(ticks):
        x = axes.x(tick)
        only: Only | None = "wide" if i % 2 and len(ticks) > 3 else None
        parts += [line("axis", x, base, x, base + 5), label(clock_of(tick), x, base + 20, only=only)]
        was_told, is_told = is_told, date_of(tick) != day
        if is_told:
            day = date_of(tick)
            words = f"{day} UTC" if i == 0 else day
            parts.append(label(words, x, base + 38, only=only if was_told else None))
    return joined(parts)
