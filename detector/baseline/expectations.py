"""A window held against the schema of its baseline, in time for every pane.

The rules are those for files (`detector.schema`). A few whole-vector operations first tell which
features can break one at all, so that a thousand sound features cost next to nothing.

What a producer does at once shows in the latest events alone, before they are a share of a long window:
a column that is gone, values of another type. All else is asked of the window as a whole.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from detector.anomaly import Anomaly
from detector.baseline.live_feature import Bins, LiveFeature, live_feature, new_columns, told_apart
from detector.baseline.model import Baseline
from detector.baseline.summary import column_summary
from detector.batch import Bools, Floats
from detector.profile import NumericBinning, Profile
from detector.schema.check import TOLERANCE_STANDARD_ERRORS, Check
from detector.schema.infer import SERVING
from detector.schema.validate import check_feature
from detector.windows.latest import MIN_LATEST
from detector.windows.sliding import WindowProfile

MIN_EVENTS = MIN_LATEST
"""A window with fewer events says nothing."""

GONE = frozenset({"SCHEMA_MISSING_COLUMN", "FEATURE_TYPE_NOT_PRESENT"})
AT_ONCE = GONE | {"UNEXPECTED_DATA_TYPE"}
"""Kinds that the latest events alone can tell."""


@dataclass(frozen=True, slots=True)
class _Limits:
    """What `_suspects` compares with, as arrays over the features (F)."""

    is_expected: Bools
    least_present: Floats
    is_required: Bools
    share: Floats
    """Share of the values that may be of another type or outside the domain."""
    no_odd_numbers: Bools
    fixed_shape: Bools
    off_domain: Bools
    """By bin (B): whether it holds values outside the domain."""
    low: Floats
    """Of the numeric features (N)."""
    high: Floats

    @classmethod
    def of(cls, features: Sequence[LiveFeature], n_numeric: int, tolerance: float) -> "_Limits":
        def flags(read: Callable[[LiveFeature], bool]) -> Bools:
            return np.array([read(f) for f in features], dtype=bool)

        def numbers(read: Callable[[LiveFeature], float], some: Sequence[LiveFeature] = features) -> Floats:
            return np.array([read(f) for f in some], dtype=np.float64)

        numeric = features[:n_numeric]
        return cls(
            is_expected=flags(lambda f: f.is_expected),
            least_present=numbers(lambda f: f.schema.presence.min_fraction),
            is_required=flags(lambda f: f.least_to_be_gone > 0),
            share=np.maximum(1.0 - numbers(lambda f: f.schema.min_share), tolerance),
            no_odd_numbers=flags(lambda f: not f.schema.allow_nan),
            fixed_shape=flags(lambda f: f.schema.one_value_a_row),
            off_domain=np.concatenate([np.empty(0, dtype=bool), *(f.off_domain for f in features)]),
            low=numbers(lambda f: f.limits[0], numeric),
            high=numbers(lambda f: f.limits[1], numeric),
        )


class Expectations:
    """What is expected of the windows of one model version. Holds nothing that changes."""

    def __init__(
        self,
        baseline: Baseline,
        tolerance: float,
        environment: str | None = None,
        ignored: frozenset[str] = frozenset(),
    ) -> None:
        self._baseline = baseline
        schema = baseline.schema
        if environment is None and SERVING in schema.known_environments:
            environment = SERVING
        self._tolerance = tolerance
        names = baseline.features.names
        features = [live_feature(baseline, f, environment) for f in range(len(names))]
        self._features = features
        self._checks = [
            Check(name, f.schema, None, schema, environment, tolerance=tolerance, tells_values=False)
            for name, f in zip(names, features, strict=True)
        ]
        is_checked = [f.is_checked and name not in ignored for name, f in zip(names, features, strict=True)]
        self._is_checked = np.array(is_checked, dtype=bool)
        self._limits = _Limits.of(features, len(baseline.features.numeric), tolerance)
        self._is_broken = np.array([bool(f.broken) for f in features], dtype=bool)

    def broken_by(self, seen: WindowProfile) -> tuple[Anomaly, ...]:
        """Return the anomalies of a window: of all events, not of slices."""
        window, latest = seen.profile, seen.latest
        if window.n_events < MIN_EVENTS or not self._baseline.schema.features:
            return ()
        suspects = self._suspects(window)
        suddenly = self._suspects_at_once(latest)
        found: list[Anomaly] = []
        for f in np.flatnonzero((suspects | suddenly) & self._is_checked).tolist():
            first: list[Anomaly] = []
            if suddenly[f] and latest is not None:
                first = [a for a in self._check(f, latest, seen.news.null) if a.kind in AT_ONCE]
            found += first
            if suspects[f] and not any(a.kind in GONE for a in first):
                kinds = {a.kind for a in first}
                found += [a for a in self._check(f, window, seen.news.null) if a.kind not in kinds]
        return (*found, *new_columns(seen.news.new))

    def _check(self, f: int, profile: Profile, null: frozenset[str]) -> list[Anomaly]:
        """Ask every rule about a feature."""
        check, column = self._checks[f], column_summary(self._baseline, profile, f)
        if column.present == 0:
            column = replace(column, never_named=check.name not in null)
            check = replace(check, feature=self._features[f].as_gone)
        binning = self._baseline.binning.of(f)
        if isinstance(binning, NumericBinning):
            start = int(self._baseline.layout.segments.starts[f])
            here = slice(start, start + binning.length)
            bins = Bins(profile.counts[0, here], profile.sums[0, here])
            column = told_apart(column, self._features[f], binning.edges, bins)
        return check_feature(replace(check, column=column))

    def _suspects_at_once(self, latest: Profile | None) -> Bools:
        """Return the features that the latest events lack, or have with values of another type."""
        if latest is None or latest.n_events < MIN_EVENTS:
            return np.zeros(len(self._checks), dtype=bool)
        counts, layout = latest.counts[0], self._baseline.layout
        n, missing = layout.cells(latest.counts)[0], counts[layout.missing]
        suspects: Bools = (missing == n) & self._limits.is_required
        suspects |= counts[layout.mismatch] > self._allowed(self._limits.share, n - missing)
        suspects &= self._limits.is_expected & (n >= MIN_EVENTS)
        return suspects

    def _suspects(self, window: Profile) -> Bools:
        """Return the features that can break a rule; never too few."""
        layout, counts, limits = self._baseline.layout, window.counts[0], self._limits
        n = layout.cells(window.counts)[0]
        missing = counts[layout.missing]
        present = n - missing
        odd = missing > self._allowed(1.0 - limits.least_present + self._tolerance, n)
        odd |= (missing == n) & limits.is_required
        odd |= (missing > self._allowed(limits.share, n)) & limits.fixed_shape
        allowed = self._allowed(limits.share, present)
        odd |= counts[layout.mismatch] > allowed
        odd |= (counts[layout.non_finite] > 0) & limits.no_odd_numbers
        off = np.add.reduceat(counts[: layout.n_bins] * limits.off_domain, layout.segments.starts)
        odd |= (off > 0) & (off > allowed)
        n_numeric = len(limits.low)
        odd[:n_numeric] |= (window.low[0] < limits.low) | (window.high[0] > limits.high)
        suspects: Bools = np.where(limits.is_expected, odd, missing < n) | self._is_broken
        # Nothing is said of what no event of the window tells of.
        suspects &= n > 0
        return suspects

    def _allowed(self, share: Floats, of: Floats | float) -> Floats:
        """Return how many of so many values may be odd: the same bound as `Check.too_many`."""
        expected = np.maximum(share, 0.0) * of
        allowed: Floats = expected + TOLERANCE_STANDARD_ERRORS * np.sqrt(expected)
        return allowed

    @cached_property
    def possible(self) -> tuple[tuple[str, str], ...]:
        """Every (feature, kind) pair that a window can bring; for the data set the feature is empty."""
        if not self._baseline.schema.features:
            return ()
        pairs = [
            (check.name, kind)
            for check, f, is_checked in zip(self._checks, self._features, self._is_checked, strict=True)
            if is_checked
            for kind in f.kinds
        ]
        return (*pairs, ("", "SCHEMA_NEW_COLUMN"))
