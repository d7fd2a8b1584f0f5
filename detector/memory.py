"""How much memory a configuration can take, before anything has come: a sum of what each part holds at most.

    program | baselines | closed panes | open panes | history | statistics | learning | evaluation | alerts
            | one poll | the source's buffers | the metrics page | a cut being written

Arrays are exact: their shapes follow from baseline, slices and windows, never from events. Python's objects
are counted with what they were measured to take (`tests/bench/test_memory.py` holds the sum against
processes). A part that comes and goes, such as a poll, counts with its peak; the sum is of all peaks at once.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from detector.baseline.learning import MOST_DAYS, learning_slot
from detector.baseline.variation import DAY_S
from detector.batch import ModelKey
from detector.drift.limits import STATISTICS
from detector.errors import ConfigError
from detector.past_alerts import MAX_PAST
from detector.profile import Layout
from detector.statistic_history import history_bytes
from detector.times import N_HOURS
from detector.watched import Monitored
from detector.windows.history import PaneHistory
from detector.windows.latest import MIN_LATEST
from detector.windows.pieces import SHARE_OF_OPEN
from detector.windows.spec import WindowSpec
from detector.windows.windows import MAX_CELLS

MIB = 1 << 20

PROGRAM = 150 * MIB
"""The interpreter with all modules: 136 MiB resident with CPython 3.11 on Linux x86-64, and some threads."""

FEATURE_BYTES = 4096
"""Objects of one feature in a baseline: its facts, schema and bins, measured with 2,000 features."""

ALERT_BYTES = 2048
"""One alert that fires, explained."""

NOTICE_BYTES = 6144
"""One that waits for a receiver."""

SERIES_BYTES = 2700
"""One series: 620 in families, old and new at once, 130 in each of 8 texts, 400 while a text is made."""

CELL_BYTES = 72
"""One value of an event being decoded: a Python object and two references."""

COUNTED_BYTES = 48
"""The same value while it is counted, for each slice column once more: six arrays."""

RECORD_BYTES = 1024
"""What one record takes beside its bytes and values."""

BUFFERED = 3
"""The source holds `source.max_batch_bytes` so many times for a moment: packed, unpacked and as records."""

BROKER_BYTES = 10 * MIB
"""Batches of one broker that are not opened yet."""

LETTERS_BYTES = 8 * MIB
"""Rejected records that wait, which the client has twice more while it sends; `dead_letters` holds to it."""

LETTER_BYTES = 1500
"""What one takes beside its bytes."""

BINS_AT_ONCE = 25
"""Arrays over all bins that exist at once while a window is judged."""


SHARE_OF_LIMIT = 0.9
"""Above this share of the limit the watchdog ends the process, with a reason, before the kernel does."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What beside windows and models decides how much memory is taken."""

    max_poll_records: int = 2000
    max_batch_bytes: int = 64 * MIB
    n_brokers: int = 1
    n_series: int = 0
    n_queued: int = 1000
    """Notifications that may wait, of all sinks together."""
    keeps_state: bool = True
    n_dead_letters: int = 0
    """Rejected records that may wait."""


class Part(NamedTuple):
    """One thing that takes memory."""

    name: str
    n_bytes: int


def memory_parts(
    spec: WindowSpec, models: Mapping[ModelKey, Monitored], around: Surroundings
) -> tuple[Part, ...]:
    """Return what each part takes at most, in bytes; the bound is their sum.

    The longest-lived stand first; names are for people.
    """
    each = [_Sizes.of(spec, monitored) for monitored in models.values()]
    pane = sum(sizes.profile for sizes in each)
    n_open = spec.open_panes(pane)
    # A piece of a poll may reach further before panes are closed.
    opened = (n_open + max(1, n_open // SHARE_OF_OPEN) + 1) * pane
    closed, history = sum(s.rings for s in each), sum(s.history for s in each)
    statistics = sum(s.statistics for s in each)
    learning = sum(s.learning for s in each)
    # All versions learn at midnight: each has beside its counts those without what drifted. They are added
    # up one version at a time.
    learns = 2 * learning + max((s.learning for s in each), default=0)
    parts = [
        Part("program", PROGRAM),
        Part("baselines", sum(s.baseline for s in each)),
        Part("windows", closed),
        Part("open panes", opened),
        Part("history", history),
        Part("statistics", statistics),
        Part("learning", learns),
        Part("evaluation", sum(s.judged for s in each) + max((s.judging for s in each), default=0)),
        Part(
            "alerts",
            2 * MAX_PAST * ALERT_BYTES + sum(s.alerts for s in each) + around.n_queued * NOTICE_BYTES,
        ),
        Part("a poll", _poll(each, around, n_open)),
        Part("source", BUFFERED * around.max_batch_bytes + around.n_brokers * BROKER_BYTES),
        Part("metrics", around.n_series * SERIES_BYTES),
    ]
    if around.n_dead_letters:
        waiting = min(LETTERS_BYTES, around.n_dead_letters * around.max_batch_bytes)
        parts.append(Part("dead letters", 3 * waiting + around.n_dead_letters * LETTER_BYTES))
    if around.keeps_state:
        parts.append(Part("state", _cut(closed + opened, history + learning + statistics, opened)))
    return tuple(parts)


def total(parts: Iterable[Part]) -> int:
    """Return the bound in bytes."""
    return sum(part.n_bytes for part in parts)


STORED = 0.75
"""Part of a profile that is stored: counts as four bytes, sums as eight; compressing makes it less."""


def _cut(profiles: int, counts: int, opened: int) -> int:
    """Return what writing a cut takes: the open panes copied, everything encoded, and the text of all of it.

    `profiles` and `counts` are the bytes of what is kept as profiles and as bare counts of four bytes.
    """
    encoded = round(STORED * profiles) + counts
    return opened + 2 * encoded + encoded // 10


class _Sizes(NamedTuple):
    """Bytes of one model version, and what else goes into the sum."""

    profile: int
    rings: int
    history: int
    statistics: int
    learning: int
    baseline: int
    judged: int
    judging: int
    alerts: int
    n_features: int
    n_slice_columns: int

    @classmethod
    def of(cls, spec: WindowSpec, monitored: Monitored) -> "_Sizes":
        layout, n_slices = monitored.baseline.layout, len(monitored.slices)
        n, n_windows = len(layout.features), len(spec.lengths_s)
        profile = layout.profile_bytes(n_slices)
        expectations = monitored.expectations
        places = n_slices * (n + 1) + (0 if expectations is None else len(expectations.possible))
        # Runs of evaluations by window: two counters, a time and a flag, old and new at once.
        runs = 2 * 25 * n_windows * n_slices * (n + 1)
        return cls(
            profile=profile,
            rings=_rings(spec) * profile + n_windows * 8 * n_slices * layout.width,
            history=4 * layout.width * (PaneHistory(spec, layout.width).n_panes + 1),
            statistics=history_bytes(spec, n_slices, n),
            learning=_learning(spec, layout) if monitored.learns else 0,
            baseline=len(monitored.baseline.profile.counts) * layout.profile_bytes(1)
            + 24 * layout.width
            + n * FEATURE_BYTES,
            judged=_judged(layout, n_slices, n_windows),
            judging=BINS_AT_ONCE * 8 * n_slices * layout.n_bins,
            alerts=places * ALERT_BYTES + runs,
            n_features=n,
            n_slice_columns=len(monitored.slices.columns),
        )


def _rings(spec: WindowSpec) -> int:
    """Return how many closed panes are kept: of each granularity those of the longest window, and two more.

    One is being filled, and one falls out only when the next pane has come.
    """
    most: dict[int, int] = {}
    for length_s in spec.lengths_s:
        factor = spec.coarseness(length_s)
        most[factor] = max(most.get(factor, 0), spec.panes_in(length_s) // factor)
    return sum(most.values()) + 2 * len(most)


def _learning(spec: WindowSpec, layout: Layout) -> int:
    slot_s = learning_slot(min(*spec.lengths_s, 3600.0), spec.pane_s, layout.width)
    n_slots = round((MOST_DAYS + 1.0) * DAY_S / slot_s) + 1
    return n_slots * (4 * layout.width + len(layout.features))


def _judged(layout: Layout, n_slices: int, n_windows: int) -> int:
    """Return what evaluations keep: those shown and those that take their place, with the latest events."""
    profile, n = layout.profile_bytes(n_slices), len(layout.features)
    # Six arrays a statistic; what decides has its excess, and there are states.
    cells = 8 * n_slices * n * (7 * len(STATISTICS) + 2)
    of_windows = 2 * n_windows * (profile + cells + 8 * n_slices * N_HOURS)
    # The judge has the training side by slice, with the means of its bins.
    return of_windows + (MIN_LATEST + 2) * profile + 3 * profile


def _poll(each: Iterable[_Sizes], around: Surroundings, n_open: int) -> int:
    """Return what a poll takes once it is read: its values as objects, as columns, and counted."""
    most = 0
    for sizes in each:
        cell = CELL_BYTES + COUNTED_BYTES * (1 + sizes.n_slice_columns)
        counted = min(2 * 8 * MAX_CELLS, (n_open // SHARE_OF_OPEN + 1) * sizes.profile)
        most = max(most, around.max_poll_records * (RECORD_BYTES + sizes.n_features * cell) + counted)
    return most


def memory_text(parts: Iterable[Part]) -> str:
    """Return the bound in words, the largest parts first."""
    parts = sorted(parts, key=lambda part: -part.n_bytes)
    told = ", ".join(f"{part.name} {-(-part.n_bytes // MIB)}" for part in parts if part.n_bytes)
    return f"memory: at most {-(-total(parts) // MIB)} MiB: {told}"


LOWER = {
    "windows": "fewer slices, shorter windows.lengths or a longer windows.pane",
    "open panes": "a shorter windows.lateness, a longer windows.pane or fewer slices",
    "learning": "baselines built with --timestamp",
    "evaluation": "fewer slices or windows.lengths",
    "alerts": "fewer slices",
    "a poll": "source.max_poll_records",
    "source": "source.max_batch_bytes",
    "metrics": "metrics.statistics or fewer slices",
    "state": "fewer slices or versions, or no state",
}
"""What makes a part smaller."""


def check_memory(parts: Iterable[Part], limit: int | None) -> tuple[str, ...]:
    """Return a warning where the bound is more than the process may take; nothing where it fits.

    Raises:
        ConfigError: what is always there, once windows are full, does not fit.
    """
    if limit is None:
        return ()
    parts = tuple(parts)
    usable = round(SHARE_OF_LIMIT * limit)
    for_certain = sum(part.n_bytes for part in parts if part.name in CERTAIN)
    if for_certain > usable:
        raise ConfigError(
            f"limits.memory: {' and '.join(CERTAIN)} take {-(-for_certain // MIB)} MiB once windows are "
            f"full, and {usable // MIB} MiB may be used; allow more, or choose {LOWER['windows']}"
        )
    if total(parts) <= usable:
        return ()
    largest = max((part for part in parts if part.name in LOWER), key=lambda part: part.n_bytes)
    warning = (
        f"limits.memory: at most {-(-total(parts) // MIB)} MiB may be needed, and {usable // MIB} MiB may be "
        f"used (nine tenths of the limit); allow more, or lower the largest part ({largest.name}, "
        f"{-(-largest.n_bytes // MIB)} MiB): {LOWER[largest.name]}"
    )
    return (warning,)


CERTAIN = ("program", "baselines", "windows")
"""Parts that are there all the time."""
