"""A window held against the schema of its baseline, in time for every pane.

The rules are those for files (`detector.schema`). A few whole-vector operations first tell which
features can break one at all, so that a thousand sound features cost next to nothing.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np

from detector.anomaly import Anomaly
from detector.baseline.model import Baseline
from detector.baseline.summary import column_summary
from detector.batch import Bools, Floats
from detector.profile import CategoryBinning, Profile
from detector.schema import BoolDomain, FeatureSchema, Range, Values
from detector.schema.check import TOLERANCE_STANDARD_ERRORS, Check
from detector.schema.infer import SERVING
from detector.schema.validate import check_feature, new_column
from detector.windows.sliding import WindowProfile

MIN_EVENTS = 20
"""A window, or the latest pane, with fewer events says nothing of a column that is gone."""

MAX_NEW_COLUMNS = 20
"""New columns that are reported of one window."""


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
        features = [schema.features.get(name) for name in baseline.features.names]
        self._checks = [
            None
            if f is None or not f.is_checked or name in ignored
            else Check(name, f, None, schema, environment, tolerance=tolerance)
            for name, f in zip(baseline.features.names, features, strict=True)
        ]
        self._is_checked = np.array([check is not None for check in self._checks])
        self._least_present = _array(features, lambda f: f.presence.min_fraction, 0.0)
        self._is_required = _array(features, lambda f: float(f.presence.is_required), 0.0) > 0
        self._min_share = _array(features, lambda f: f.min_share, 1.0)
        self._no_odd_numbers = ~(_array(features, lambda f: float(f.allow_nan), 1.0) > 0)
        self._off_domain = self._off_domain_bins(features)
        numeric = features[: len(baseline.features.numeric)]
        self._range_low = _array(numeric, lambda f: _end(f, "min"), -np.inf)
        self._range_high = _array(numeric, lambda f: _end(f, "max"), np.inf)

    def _off_domain_bins(self, features: list[FeatureSchema | None]) -> Bools:
        """Return which bins hold values outside a closed set: of the features that have one."""
        baseline = self._baseline
        off = np.zeros(baseline.layout.n_bins, dtype=bool)
        for f, feature in enumerate(features):
            binning = baseline.binning.of(f)
            start = int(baseline.layout.segments.starts[f])
            here = off[start : start + binning.length]
            domain = None if feature is None else feature.domain
            if isinstance(domain, Values) and isinstance(binning, CategoryBinning):
                allowed = set(domain.values)
                here[:] = True
                here[: len(binning.values)] = [value not in allowed for value in binning.values]
            elif domain is not None and not isinstance(domain, Range):
                here[:] = True  # patterns and bools: the rule looks at every window
        return off

    def broken_by(self, seen: WindowProfile) -> tuple[Anomaly, ...]:
        """Return the anomalies of a window: of all events, not of slices.

        A column counts as dropped as soon as the last pane lacks it altogether.
        """
        window, latest, news = seen.profile, seen.latest, seen.news
        n = window.n_events
        if n < MIN_EVENTS or not self._baseline.schema.features:
            return ()
        found: list[Anomaly] = []
        dropped = self._dropped(latest)
        for f in np.flatnonzero((self._suspects(window) | dropped) & self._is_checked).tolist():
            check = self._checks[f]
            assert check is not None
            name, profile = check.name, window
            if dropped[f] and latest is not None:
                profile = latest
            column = column_summary(self._baseline, profile, f)
            if column.present == 0:
                column = replace(column, never_named=name not in news.null)
            found += check_feature(replace(check, column=column))
        return (*found, *_new_columns(news.new))

    def _dropped(self, latest: Profile | None) -> Bools:
        """Return the required features that no event of the last pane has."""
        if latest is None or latest.n_events < MIN_EVENTS:
            return np.zeros(len(self._checks), dtype=bool)
        missing = latest.counts[0, self._baseline.layout.missing]
        gone: Bools = (missing == latest.n_events) & self._is_required
        return gone

    def _suspects(self, window: Profile) -> Bools:
        layout, counts, n = self._baseline.layout, window.counts[0], float(window.n_events)
        missing = counts[layout.missing]
        lacking = missing > self._allowed(1.0 - self._least_present + self._tolerance, n)
        share = np.maximum(1.0 - self._min_share, self._tolerance)
        present = n - missing
        odd = counts[layout.mismatch] > self._allowed(share, present)
        odd |= (counts[layout.non_finite] > 0) & self._no_odd_numbers
        segments = layout.segments
        off = np.add.reduceat(counts[: layout.n_bins] * self._off_domain, segments.starts)
        odd |= (off > 0) & (off > self._allowed(share, present))
        n_numeric = len(self._range_low)
        odd[:n_numeric] |= (window.low[0] < self._range_low) | (window.high[0] > self._range_high)
        suspects: Bools = lacking | odd
        return suspects

    def _allowed(self, share: Floats, of: Floats | float) -> Floats:
        """Return how many of so many values may be odd: the same bound as `Check.too_many`."""
        expected = np.maximum(share, 0.0) * of
        allowed: Floats = expected + (
            TOLERANCE_STANDARD_ERRORS * np.sqrt(expected) if self._tolerance else 0.0
        )
        return allowed

    @cached_property
    def possible(self) -> tuple[tuple[str, str], ...]:
        """Every (feature, kind) pair that a window can bring; for the data set the feature is empty."""
        pairs = [
            (check.name, kind)
            for check in self._checks
            if check is not None
            for kind in _kinds(check.feature)
        ]
        return (*pairs, ("", "SCHEMA_NEW_COLUMN")) if self._baseline.schema.features else ()


def _array(
    features: Sequence[FeatureSchema | None], read: Callable[[FeatureSchema], float], default: float
) -> Floats:
    return np.array([default if f is None else read(f) for f in features], dtype=np.float64)


def _end(feature: FeatureSchema, which: str) -> float:
    domain = feature.domain
    open_end = -np.inf if which == "min" else np.inf
    if isinstance(domain, Range):
        end = domain.min if which == "min" else domain.max
        return open_end if end is None else end
    if isinstance(domain, BoolDomain):
        return 0.0 if which == "min" else 1.0
    return open_end


def _kinds(feature: FeatureSchema) -> Iterable[str]:
    """Yield the kinds of anomalies that a window of the feature can bring."""
    if feature.presence.is_required:
        yield from ("SCHEMA_MISSING_COLUMN", "FEATURE_TYPE_NOT_PRESENT")
    if feature.presence.min_fraction > 0:
        yield "FEATURE_TYPE_LOW_FRACTION_PRESENT"
    yield "UNEXPECTED_DATA_TYPE"
    yield from _kinds_of_domain(feature)
    if feature.type in ("int", "float") and not feature.allow_nan:
        yield "FLOAT_TYPE_HAS_NAN"


def _kinds_of_domain(feature: FeatureSchema) -> Iterable[str]:
    domain = feature.domain
    if isinstance(domain, Range):
        of = domain.of.upper()
        if domain.min is not None:
            yield f"{of}_TYPE_SMALL_{of}"
        if domain.max is not None:
            yield f"{of}_TYPE_BIG_{of}"
        if feature.type == "string":
            yield "INT_TYPE_NOT_INT_STRING" if domain.of == "int" else "FLOAT_TYPE_STRING_NOT_FLOAT"
    elif isinstance(domain, BoolDomain):
        texts, floats = ("BOOL_TYPE_UNEXPECTED_STRING",), ("BOOL_TYPE_UNEXPECTED_FLOAT",)
        ints = ("BOOL_TYPE_BIG_INT", "BOOL_TYPE_SMALL_INT")
        yield from {"int": ints, "float": floats}.get(feature.type or "", texts)
    elif domain is not None:
        yield "ENUM_TYPE_UNEXPECTED_STRING_VALUES"


def _new_columns(names: Iterable[str]) -> list[Anomaly]:
    return [new_column(name) for name in sorted(names)[:MAX_NEW_COLUMNS]]
