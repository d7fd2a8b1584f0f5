"""Building a baseline from training data in two passes and bounded memory.

The first pass surveys: types, ranges, a sample of rows for the edges, value counts. Then the binning
is frozen, and the second pass counts with the very code that counts live events. Memory depends on
the number of columns and on the chunk, not on the number of rows.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from detector.baseline.correlation import find_partners
from detector.baseline.edges import category_binning, numeric_binning
from detector.baseline.measure_variation import Slots, measure_season, measure_variation, slot_length
from detector.baseline.model import NO_SCHEMA, Baseline, CategoryFacts, Figures, Provenance
from detector.batch import Columns, Feature, FeatureSet, FeatureType, Floats, Role
from detector.columns import Chunk, ColumnRole, check_owner, chunk_columns
from detector.errors import DataError
from detector.profile import Binning, Layout, NumericBinning, Profile, count
from detector.schema import Schema, Values
from detector.schema.infer import InferOptions, infer_schema
from detector.schema.validate import check_schema
from detector.summary.collect import ReadChunks
from detector.summary.column import ColumnCollector
from detector.summary.model import DataSummary
from detector.summary.sample import RowSample, sampled_rows
from detector.times import format_time, parse_any_timestamp
from detector.windows.slices import Slices

MAX_GROUP_CELLS = 4_000_000
"""Counters made at once while training data are counted by time."""

MAX_SLICE_VALUES = 20
"""Most frequent values of a slice column that get a reference of their own."""


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """What the columns of the training data are; the rest are features."""

    model: str | None = None
    version: str | None = None
    timestamp: str | None = None
    prediction: tuple[str, ...] = ()
    label: str | None = None
    id: str | None = None
    exclude: tuple[str, ...] = ()
    slices: tuple[str, ...] = ()
    schema: Schema | None = None
    """What a person expects of the data; None: inferred from them."""

    def role(self, name: str, chunk: Chunk) -> ColumnRole | None:
        """Return what column `name` is, None for one to leave out."""
        if name in self.exclude:
            return None
        named: dict[str | None, ColumnRole] = {self.timestamp: "time", self.label: "label", self.id: "id"}
        if name in named:
            return named[name]
        if name in self.prediction:
            return "prediction"
        return chunk.roles.get(name, "feature")


class _Survey:
    """The first pass: everything about every column, and the time range."""

    def __init__(self, options: BuildOptions, fixed: dict[str, FeatureType]) -> None:
        self.options = options
        self.rows = 0
        self.columns: dict[str, ColumnCollector] = {}
        self.roles: dict[str, ColumnRole] = {}
        self.left_out: dict[str, None] = {}
        self.apart: set[str] = set()
        """Columns that are no features by the schema: ids, free text, ignored ones."""
        self.sample: RowSample | None = None
        self.first_s, self.last_s = np.inf, -np.inf
        self.bad_time: str | None = None
        self.schema = NO_SCHEMA
        self._fixed = fixed

    def add(self, chunk: Chunk) -> None:
        check_owner(chunk, self.options.model, self.options.version)
        numbers: dict[str, Floats] = {}
        for name, column in chunk.columns.items():
            role = self.options.role(name, chunk)
            if role not in ("feature", "prediction"):
                self.left_out[name] = None
            if role is None:
                continue
            self.roles[name] = role
            if role in ("feature", "prediction", "tag", "label"):
                survey = self.columns.setdefault(name, ColumnCollector(self._fixed.get(name)))
                found = survey.add(column)
                if found is not None:
                    numbers[name] = found
            elif role == "time":
                self._add_times(name, chunk)
        if self.sample is None:
            self.sample = RowSample(sampled_rows(len(self.columns)))
        self.sample.add(chunk.n, numbers)
        self.rows += chunk.n

    def _add_times(self, name: str, chunk: Chunk) -> None:
        for text in chunk.columns[name].texts():
            if text is None:
                continue
            try:
                seconds = parse_any_timestamp(text)
            except ValueError:
                self.bad_time = self.bad_time or text
                continue
            self.first_s, self.last_s = min(self.first_s, seconds), max(self.last_s, seconds)

    def check(self) -> None:
        """Refuse what no baseline can be built from."""
        if self.rows == 0:
            raise DataError("the training data have no rows; name at least one file with data")
        options = self.options
        wanted = (options.timestamp, options.label, options.id, *options.prediction, *options.slices)
        absent = {name for name in wanted if name is not None and name not in self.roles}
        absent |= {name for name in options.exclude if name not in self.left_out}
        if absent:
            known = ", ".join(sorted(self.roles))
            raise DataError(
                f"no column {', '.join(map(repr, sorted(absent)))} in the training data; there are {known}"
            )
        unfit = [name for name in options.slices if name not in self.columns]
        if unfit:
            raise DataError(f"slice column {unfit[0]!r} is the {self.roles[unfit[0]]}; slice by a feature")
        if self.bad_time is not None and not np.isfinite(self.first_s):
            raise DataError(
                f"the timestamp column holds {self.bad_time[:40]!r}; expected ISO 8601 such as "
                "2026-11-23T04:11:05Z, or seconds, ms, us or ns since 1970"
            )
        self._settle_schema()
        if not self.features():
            raise DataError(
                "no feature is left in the training data; exclude fewer columns, or give those that look "
                "like ids or texts `role: feature` in a schema (`schema infer`, then --schema)"
            )

    def _settle_schema(self) -> None:
        """Take the schema given, or infer one; see which columns it takes for no features."""
        checked = [name for name, role in self.roles.items() if role in ("feature", "prediction", "label")]
        found = {name: self.columns[name].summary(self.rows, self.sampled(name)) for name in checked}
        label = next((n for n, r in self.roles.items() if r == "label"), None)
        self.schema = self.options.schema or infer_schema(DataSummary(self.rows, found), InferOptions(label))
        named = {*self.options.prediction, *self.options.slices}
        for name in checked:
            feature = self.schema.features.get(name)
            is_feature = feature is not None and feature.is_compared
            if self.roles[name] == "feature" and not is_feature and name not in named:
                self.apart.add(name)
                self.left_out[name] = None

    def sampled(self, name: str) -> Floats:
        """Return the sampled numbers of a column."""
        return np.empty(0) if self.sample is None else self.sample.values(name)

    def features(self) -> list[Feature]:
        """Return the features in the order of their columns; a column of missing cells is text."""
        roles: dict[str, Role] = {
            n: "prediction" if r == "prediction" else "feature"
            for n, r in self.roles.items()
            if r in ("feature", "prediction") or n in self.options.slices
        }
        return [
            Feature(name, self.columns[name].type or "string", role)
            for name, role in roles.items()
            if name in self.columns and name not in self.apart
        ]


def build_baseline(
    read: ReadChunks, options: BuildOptions, provenance: Provenance, announce: Callable[[str], None]
) -> Baseline:
    """Build a baseline; `provenance` is completed with what the data tell.

    `announce` is told the name of each pass as it begins.

    Raises:
        DataError: the data have no rows, lack a named column, or leave no feature.
    """
    announce("survey")
    if options.schema is not None:
        for anomaly in check_schema(options.schema):
            raise DataError(f"{anomaly.feature}: {anomaly.long} ({anomaly.kind}); mend the schema")
    given = options.schema.features if options.schema is not None else {}
    known = {name: feature.type for name, feature in given.items() if feature.type is not None}
    survey = _survey(read(), options, known)
    unsure = {name for name, column in survey.columns.items() if column.needs_another_pass}
    if unsure:
        announce("survey again")
        types = {name: column.type for name, column in survey.columns.items()}
        survey = _survey(read(), options, {name: t for name, t in types.items() if t is not None})
    survey.check()
    baseline = _freeze(survey, provenance)
    announce("count")
    slots = _slots(baseline, survey)
    baseline = replace(baseline, profile=_count_all(read(), baseline, slots))
    if slots is None:
        return baseline
    season = measure_season(baseline, slots)
    return replace(baseline, season=season, variation=measure_variation(baseline, slots, season))


def _survey(chunks: Iterable[Chunk], options: BuildOptions, fixed: dict[str, FeatureType]) -> _Survey:
    survey = _Survey(options, fixed)
    for chunk in chunks:
        survey.add(chunk)
    return survey


def _freeze(survey: _Survey, provenance: Provenance) -> Baseline:
    features = FeatureSet.of(survey.features())
    assert survey.sample is not None
    numeric: list[NumericBinning] = []
    for feature in features.numeric:
        sample, found = survey.sample.values(feature.name), survey.columns[feature.name].numeric
        numeric.append(numeric_binning(sample[~np.isnan(sample)], found.low, found.high))
    facts = [survey.columns[f.name].category for f in features.categorical]
    categorical = [
        category_binning(
            found.counts, is_complete=found.is_complete, expected=_closed_set(survey.schema, f.name)
        )
        for f, found in zip(features.categorical, facts, strict=True)
    ]
    binning = Binning(features, tuple(numeric), tuple(categorical))
    options = survey.options
    slices = {name: _slice_values(binning, name, survey) for name in options.slices}
    has_times = np.isfinite(survey.first_s)
    return Baseline(
        model=options.model,
        version=options.version,
        binning=binning,
        profile=Profile.zeros(Layout.of(binning), len(Slices(slices))),
        centers=np.array([survey.columns[f.name].numeric.mean for f in features.numeric]),
        facts=tuple(CategoryFacts(f.distinct, f.singletons) for f in facts),
        provenance=replace(
            provenance,
            rows=survey.rows,
            sampled_rows=len(survey.sample),
            left_out=tuple(survey.left_out),
            schema="inferred" if options.schema is None else "given",
            timestamp=next((n for n, r in survey.roles.items() if r == "time"), None),
            first_event=format_time(survey.first_s) if has_times else None,
            last_event=format_time(survey.last_s) if has_times else None,
        ),
        slices=slices,
        label=next((n for n, r in survey.roles.items() if r == "label"), None),
        schema=survey.schema,
        figures=tuple(_figures(survey, f.name) for f in features.all),
        partners=find_partners({f.name: survey.sampled(f.name) for f in features.numeric}),
    )


def _closed_set(schema: Schema, name: str) -> tuple[str, ...]:
    """Return the texts that a feature may have, where they are listed."""
    feature = schema.features.get(name)
    if feature is None or not isinstance(feature.domain, Values):
        return ()
    return tuple(value for value in feature.domain.values if isinstance(value, str))


def _figures(survey: _Survey, name: str) -> Figures:
    found = survey.columns[name].summary(survey.rows, survey.sampled(name))
    numeric = found.numeric
    return Figures(
        None if numeric is None else numeric.zeros,
        None if numeric is None else numeric.fractional,
        () if numeric is None else numeric.quantiles,
        found.distinct,
        found.distinct_is_exact,
        found.length_mean,
        found.length_max,
    )


def _slice_values(binning: Binning, name: str, survey: _Survey) -> tuple[str, ...]:
    """Return the most frequent values of a slice column, as texts."""
    for feature, categories in zip(binning.features.categorical, binning.categorical, strict=True):
        if feature.name == name:
            return tuple(categories.describe(i) for i in range(min(MAX_SLICE_VALUES, len(categories.values))))
    raise DataError(
        f"slice column {name!r} is of type {survey.columns[name].type}; only text and bool can be sliced"
    )


def _slots(baseline: Baseline, survey: _Survey) -> Slots | None:
    """Return where the training data are counted by time; None without timestamps."""
    if baseline.provenance.timestamp is None or not np.isfinite(survey.first_s):
        return None
    slot_s = slot_length(survey.last_s - survey.first_s, baseline.layout.width)
    return None if slot_s is None else Slots(slot_s, {})


def _count_all(chunks: Iterable[Chunk], baseline: Baseline, slots: Slots | None) -> Profile:
    slices = Slices(baseline.slices)
    profile = Profile.zeros(baseline.layout, len(slices))
    for chunk in chunks:
        columns = chunk_columns(chunk, baseline.features, slices.columns)
        if slots is None or slices.columns:
            profile.merge(count_columns(columns, baseline, slices))
        if slots is not None:
            by_slot = _count_by_slot(chunk, columns, baseline, slots)
            if not slices.columns:
                profile.merge(by_slot)
    return profile


def _count_by_slot(chunk: Chunk, columns: Columns, baseline: Baseline, slots: Slots) -> Profile:
    """Count a chunk slot by slot; return the sum."""
    assert baseline.provenance.timestamp is not None
    times = np.array([_seconds(text) for text in chunk.columns[baseline.provenance.timestamp].texts()])
    # Rows without a time count in the sum, and in no slot.
    slot = np.floor(np.where(np.isnan(times), -slots.slot_s, times) / slots.slot_s).astype(np.int64)
    found, group = np.unique(slot, return_inverse=True)
    whole = Profile.zeros(baseline.layout)
    most = max(1, MAX_GROUP_CELLS // baseline.layout.width)
    for first in range(0, len(found), most):
        chosen = (group >= first) & (group < first + most)
        part = columns if len(found) <= most else columns.take(chosen)
        n_groups = min(most, len(found) - first)
        counted = count(
            baseline.binning, baseline.layout, baseline.centers, part, None, group[chosen] - first, n_groups
        )
        for i, index in enumerate(found[first : first + n_groups].tolist()):
            if index >= 0:
                slots.add(index, counted.counts[i])
            whole.merge(counted.row(i))
    return whole


def _seconds(text: str | None) -> float:
    try:
        return np.nan if text is None else parse_any_timestamp(text)
    except ValueError:
        return np.nan


def count_columns(columns: Columns, baseline: Baseline, slices: Slices) -> Profile:
    """Count events on the baseline's bins, in one pane."""
    events, row = slices.contributions(columns.slices, columns.n)
    return count(baseline.binning, baseline.layout, baseline.centers, columns, events, row, len(slices))
