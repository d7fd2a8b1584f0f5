"""Measuring the season and the natural variation from training data cut into slots of time.

Each window is held against the rest of the training data, so the two sides are independent and the
noise of their distance is known; what is left is variation.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from detector.baseline.excursions import NORMAL_TAIL, excursions_of, tail_of, telling, telling_noise
from detector.baseline.model import Baseline
from detector.baseline.rate_variation import RateChanges, rates_beyond_noise
from detector.baseline.variation import (
    DAY_S,
    Season,
    Tail,
    Variation,
    hour_cells,
    hour_of,
)
from detector.batch import Bools, Floats, Ints
from detector.distances import Distance, Pair, distances

SLOTS_S = (300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0, 14400.0, 28800.0, 86400.0)
MAX_SLOTS = 9000
"""A year by the hour, a month by five minutes."""
MAX_SLOT_CELLS = 24_000_000
"""Counters of all slots together (96 MB)."""

LENGTHS_IN_SLOTS = (1, 2, 3, 4, 6, 8, 12, 24, 48, 96, 144, 288, 672)
MIN_WINDOWS = 8
"""Training windows that a length needs; with fewer a shorter length stands in."""
MOST_WINDOWS = 700
RUN = 10
"""Neighbours looked at together where there are more windows: they tell how long an excursion lasts."""
MIN_EVENTS = 100
"""A training window with fewer events tells nothing."""

CELLS_AT_ONCE = 200_000
DEVIATION_CELLS = 10_000_000
"""Of windows looked at for how long an excursion lasts."""

SEASON_MATTERS = 0.02
"""Hours make a season where their shares differ by so much from the whole (Hellinger distance)."""

WEEKS_APART_DAYS = 28.0

VARYING = ("hellinger", "kolmogorov_smirnov", "l_infinity")
"""The statistics that decide."""


def slot_length(span_s: float, width: int) -> float | None:
    """Return how long a slot is for training data over `span_s`; None if they are too long for any."""
    for slot_s in SLOTS_S:
        n = span_s / slot_s + 1
        if n <= MAX_SLOTS and n * width <= MAX_SLOT_CELLS:
            return slot_s
    return None


@dataclass
class Slots:
    """Training counts by slot of time, in order, gaps left out."""

    slot_s: float
    counts: dict[int, Ints]
    """Slot index -> flat vector of counts (int32)."""

    def add(self, slot: int, counts: Ints) -> None:
        """Add the events of some rows."""
        own = self.counts.get(slot)
        if own is None:
            self.counts[slot] = counts.astype(np.int32)
        else:
            own += counts.astype(np.int32)


def measure_season(baseline: Baseline, slots: Slots) -> Season | None:
    """Return the season of the features that have one; None where there is none, or too little data.

    Even and odd weeks (days, of less than four weeks) are told apart: what differs by the hour in the
    same way in both returns, and is no chance and no single day's excursion.
    """
    if not slots.counts or slots.slot_s > DAY_S / 24:
        return None
    n_days = (max(slots.counts) - min(slots.counts) + 1) * slots.slot_s / DAY_S
    n_cells = hour_cells(n_days)
    if not n_cells:
        return None
    layout = baseline.layout
    halves = np.zeros((2, n_cells, layout.width), dtype=np.int64)
    period_s = DAY_S * (7 if n_days >= WEEKS_APART_DAYS else 1)
    index = np.array(sorted(slots.counts))
    for slot, cell in zip(index.tolist(), hour_of(index * slots.slot_s, n_cells).tolist(), strict=True):
        halves[int(slot * slots.slot_s // period_s) % 2, cell] += slots.counts[slot]
    returns = _returning(baseline, halves) > SEASON_MATTERS**2
    if not returns.any():
        return None
    by_hour = halves.sum(axis=0)
    positions = _positions(baseline, returns)
    return Season(by_hour[:, positions], positions, by_hour[:, layout.events])


def _returning(baseline: Baseline, halves: Ints) -> Floats:
    """Return how much of the difference between hours both halves have (F), as a squared distance.

    A squared Hellinger distance is an eighth of the summed squares of changes over shares; the product of
    two independent estimates of one change has its square for a mean, without any noise.
    """
    layout = baseline.layout
    bins, events = halves[:, :, : layout.n_bins], halves[:, :, layout.events]
    whole = bins.sum(axis=(0, 1))
    starts, lengths = layout.segments.starts, layout.segments.lengths
    totals = np.add.reduceat(whole, starts)
    p = whole / np.repeat(np.maximum(totals, 1), lengths)
    values = np.add.reduceat(bins, starts, axis=-1)
    q = bins / np.repeat(np.maximum(values, 1), lengths, axis=-1)
    both = (q[0] - p) * (q[1] - p) / np.maximum(p, 1e-12)
    apart = np.add.reduceat(np.where(whole > 0, both, 0.0), starts, axis=-1) / 8.0
    enough = np.all(events >= MIN_EVENTS, axis=0)
    weight = np.where(enough, events.sum(axis=0), 0) / max(int(events.sum()), 1)
    found: Floats = np.sum(apart * weight[:, None], axis=0)
    return found


def _positions(baseline: Baseline, which: Bools) -> Ints:
    """Return where the counters of some features lie in the flat vector: bins, then the rates' blocks."""
    layout = baseline.layout
    bins = np.flatnonzero(which[layout.segments.feature_of_bin])
    blocks = [np.flatnonzero(which) + block.start for block in layout.odd.values()]
    return np.concatenate([bins, *blocks]).astype(np.int64)


def measure_variation(
    baseline: Baseline,
    slots: Slots,
    season: Season | None,
    lengths_in_slots: Iterable[int] = LENGTHS_IN_SLOTS,
) -> Variation | None:
    """Return how windows of the training data vary beyond sampling; None with too few windows."""
    if not slots.counts:
        return None
    first, last = min(slots.counts), max(slots.counts)
    found = []
    for n in lengths_in_slots:
        windows = _windows(slots, first, last, n)
        if len(windows) >= MIN_WINDOWS:
            found.append((n * slots.slot_s, _measure(baseline, slots, windows, n * slots.slot_s, season)))
    if not found:
        return None
    names = found[0][1].excess
    return Variation(
        tuple(length_s for length_s, _ in found),
        tuple(measured.n_windows for _, measured in found),
        {name: np.stack([measured.excess[name] for _, measured in found]) for name in names},
        np.stack([measured.looks for _, measured in found]),
        np.stack([measured.effective for _, measured in found]),
        tuple(measured.tail for _, measured in found),
        tuple(measured.rate_tail for _, measured in found),
    )


@dataclass(frozen=True)
class _Window:
    """One training window: its number in order of time, its counts, and the slots it is made of."""

    index: int
    counts: Ints
    slots: tuple[int, ...]


def _windows(slots: Slots, first: int, last: int, n: int) -> list[_Window]:
    """Return windows of n slots one behind the other; of many, runs spread over the whole time."""
    found = []
    for index in _chosen((last + 1 - first) // n):
        # Counted from the end, which is nearest to what comes.
        start = last + 1 - n * (index + 1)
        here = tuple(i for i in range(start, start + n) if i in slots.counts)
        if not here:
            continue
        counts: Ints = np.stack([slots.counts[i] for i in here]).sum(axis=0, dtype=np.int64)
        if counts[-1] >= MIN_EVENTS:
            found.append(_Window(-index, counts, here))
    return found[::-1]


def _chosen(n_windows: int) -> list[int]:
    """Return which of n windows are looked at: all, or runs of neighbours at even distances."""
    if n_windows <= MOST_WINDOWS:
        return list(range(n_windows))
    n_runs = MOST_WINDOWS // RUN
    starts = np.linspace(0, n_windows - RUN, n_runs).astype(int)
    return sorted({start + i for start in starts.tolist() for i in range(RUN)})


@dataclass(frozen=True)
class _Measured:
    n_windows: int
    excess: dict[str, Floats]
    looks: Floats
    effective: Floats
    tail: Tail
    rate_tail: Tail


def _measure(
    baseline: Baseline, slots: Slots, windows: list[_Window], length_s: float, season: Season | None
) -> _Measured:
    """Measure one window length."""
    squares: dict[str, list[Floats]] = {}
    along: list[Floats] = []
    noise: list[Floats] = []
    rates: dict[str, list[RateChanges]] = {}
    n_features = len(baseline.features)
    kept, most = 0, max(3, DEVIATION_CELLS // baseline.layout.n_bins)
    for reference, current in _sides(baseline, slots, windows, season):
        n_bins = baseline.layout.n_bins
        pair = Pair(reference[:, :n_bins], current[:, :n_bins], baseline.layout.segments)
        for name in VARYING:
            squares.setdefault(name, []).append(_beyond_noise(distances.get(name), pair))
        noise.append(telling_noise(pair, n_features))
        for name, changes in rates_beyond_noise(baseline, reference, current).items():
            squares.setdefault(name, []).append(changes.squares)
            rates.setdefault(name, []).append(changes)
        if kept < most:
            along.append(_deviations(pair)[: most - kept])
            kept += len(along[-1])
    stacked = {name: np.concatenate(parts) for name, parts in squares.items()}
    excess: dict[str, Floats] = {}
    for name, values in stacked.items():
        known = np.isfinite(values)
        mean = np.where(known, values, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
        excess[name] = _padded(np.maximum(mean, 0.0), n_features)
    index = np.array([window.index for window in windows[:kept]])
    share = _independent_share(baseline, np.concatenate(along), index)
    n, days = len(windows), _days(windows, slots.slot_s)
    excursions, tells = excursions_of(telling(stacked, n_features), np.concatenate(noise), days)
    return _Measured(
        n,
        excess,
        30.0 * DAY_S / length_s * share,
        np.maximum(n * share, 5.0),
        _told_from(tail_of(excursions), float((n * share[tells]).sum())),
        _rate_tail(rates, days),
    )


def _told_from(tail: Tail, independent: float) -> Tail:
    return replace(tail, independent=independent) if tail != NORMAL_TAIL else tail


def _rate_tail(rates: dict[str, list[RateChanges]], days: Ints) -> Tail:
    """Return how far rises of all rates of all features reach: more skewed than distances, and day by day."""
    squares, noise, is_up = (
        np.concatenate(
            [np.concatenate([getattr(part, what) for part in parts]) for parts in rates.values()], axis=1
        )
        for what in ("squares", "noise", "is_up")
    )
    excursions, tells = excursions_of(squares, noise, days, is_up)
    return _told_from(tail_of(excursions), float((days[-1] + 1) * tells.sum()))


def _sides(
    baseline: Baseline, slots: Slots, windows: list[_Window], season: Season | None
) -> Iterator[tuple[Ints, Ints]]:
    """Yield what the rest of the training data lead one to expect beside windows, some at a time."""
    layout = baseline.layout
    whole = baseline.profile.counts[0]
    at_once = max(1, CELLS_AT_ONCE // layout.n_bins)
    for i in range(0, len(windows), at_once):
        some = windows[i : i + at_once]
        current = np.stack([window.counts for window in some])
        reference = whole[None, :] - current
        if season is not None:
            for row, window in enumerate(some):
                reference[row, season.positions] = _expected_elsewhere(season, slots, window)
        yield reference, current


def _expected_elsewhere(season: Season, slots: Slots, window: _Window) -> Ints:
    """Return the counts that the same hours of other days lead one to expect."""
    n_cells = len(season.events)
    cells = hour_of(np.array(window.slots) * slots.slot_s, n_cells)
    own = np.zeros_like(season.counts)
    events = np.zeros(n_cells, dtype=np.int64)
    for slot, cell in zip(window.slots, cells.tolist(), strict=True):
        own[cell] += slots.counts[slot][season.positions]
        events[cell] += slots.counts[slot][-1]
    rest = Season(season.counts - own, season.positions, season.events - events)
    shares, size = rest.expected(events[None, :].astype(np.float64))
    expected: Ints = np.rint(shares[0] * size[0]).astype(np.int64)
    return expected


def _beyond_noise(distance: Distance, pair: Pair) -> Floats:
    """Return the squared distance less its squared noise (..., F); without order, of numbers alone."""
    of = pair.ordered if distance.ordered else pair
    assert distance.noise_floor is not None
    with np.errstate(invalid="ignore"):
        apart: Floats = distance.measure(of) ** 2 - distance.noise_floor(of) ** 2
    return apart


def _deviations(pair: Pair) -> Floats:
    """Return the scaled changes of all shares (k, B)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        scaled: Floats = np.nan_to_num(-pair.change / np.sqrt(np.maximum((pair.p + pair.q) / 2.0, 1e-12)))
    return scaled.astype(np.float32)


def _independent_share(baseline: Baseline, deviations: Floats, index: Ints) -> Floats:
    """Return how many of the windows are as good as independent: (1 - r) / (1 + r) of them.

    r is the correlation of neighbouring windows' deviations (k, B), all bins of a feature together; their
    noise does not correlate, so it is taken off the variance. `index` (k) tells who is a neighbour.
    """
    starts = baseline.layout.segments.starts

    def product(lag: int) -> Floats | None:
        behind = np.flatnonzero(index[lag:] - index[:-lag] == lag)
        if not len(behind):
            return None
        summed = np.einsum("ij,ij->j", deviations[behind + lag], deviations[behind], dtype=np.float64)
        mean: Floats = np.add.reduceat(summed, starts) / len(behind)
        return mean

    both, apart = product(1), product(2)
    if both is None or apart is None:
        return np.ones(len(starts))
    with np.errstate(divide="ignore", invalid="ignore"):
        # Of a decaying correlation r, r² the ratio of two lags is r, whatever the noise.
        r = np.where(both > 0, apart / both, 0.0)
    r = np.clip(np.nan_to_num(r), 0.0, 0.98)
    independent: Floats = (1.0 - r) / (1.0 + r)
    return independent


def _days(windows: list[_Window], slot_s: float) -> Ints:
    """Return the day each window begins on, counted from 0."""
    _, days = np.unique([int(window.slots[0] * slot_s // DAY_S) for window in windows], return_inverse=True)
    return days.astype(np.int64)


def _padded(values: Floats, n_features: int) -> Floats:
    """Fill up features that an ordered distance is not taken of."""
    out = np.zeros(n_features)
    out[: len(values)] = values
    return out
