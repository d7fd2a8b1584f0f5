"""What a baseline is: features, frozen binning, the profile of the training data, where it came from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np

from detector.baseline.correlation import Partners
from detector.baseline.variation import Season, Variation
from detector.batch import FeatureSet, Floats, Ints
from detector.profile import Binning, Layout, Profile
from detector.schema import Schema

ROUNDING = 1e-12
"""A standard deviation that is smaller than so much of the mean is what rounding leaves of a constant."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file the baseline was built from."""

    name: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a baseline came from."""

    files: tuple[SourceFile, ...]
    sha256: str
    """Of the files' contents, one after another."""
    rows: int
    built_at: str
    tool_version: str
    sampled_rows: int
    """Rows the bin edges were chosen from: all of them, or a uniform sample where there are many."""
    left_out: tuple[str, ...] = ()
    """Columns of the training data that are no features: excluded, id, label, timestamp, free text."""
    schema: Literal["inferred", "given"] = "inferred"
    """Whether a person wrote the schema."""
    timestamp: str | None = None
    """Name of the timestamp column, if there was one."""
    first_event: str | None = None
    last_event: str | None = None


@dataclass(frozen=True, slots=True)
class CategoryFacts:
    """What is known of a categorical feature beside its counts."""

    distinct: int
    singletons: int | None
    """Values seen exactly once; None where there were too many distinct values to know."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What is known of a feature's training values that its bins do not tell; None: not known."""

    zeros: int | None = None
    fractional: int | None = None
    quantiles: tuple[float, ...] = ()
    """At the shares of `detector.summary.model.QUANTILES`."""
    distinct: int | None = None
    distinct_is_exact: bool = True
    length_mean: float | None = None
    length_max: int | None = None


NO_SCHEMA = Schema({})


@dataclass(frozen=True)
class Baseline:
    """The training side of every comparison, for one model version.

    Row 0 of `profile` is all training data; further rows are the slices in `slices`, column by
    column, each value in the order given there.
    """

    model: str | None
    version: str | None
    binning: Binning
    profile: Profile
    centers: Floats
    """Training means of the numeric features (N), around which squares are summed."""
    facts: tuple[CategoryFacts, ...]
    """For each categorical feature."""
    provenance: Provenance
    slices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    label: str | None = None
    """Name of the label column, which is no feature."""
    schema: Schema = NO_SCHEMA
    """What is expected of the data: inferred from them, or written by a person. Empty: nothing."""
    figures: tuple[Figures, ...] = ()
    """For each feature, in order; empty in a file of an older version."""
    partners: Mapping[str, Partners] = field(default_factory=dict)
    """For each numeric feature those it is most correlated with; empty in a file of an older version."""
    season: Season | None = None
    variation: Variation | None = None
    """How training data vary by themselves; None without timestamps."""
    digest: str = ""
    """SHA-256 of the file's content; empty before it is written."""

    @property
    def features(self) -> FeatureSet:
        """The features in order."""
        return self.binning.features

    def is_like(self, other: "Baseline") -> bool:
        """Whether the other says the same: it is this one, or from a file with the same content."""
        return self is other or (self.digest != "" and self.digest == other.digest)

    @property
    def known(self) -> frozenset[str]:
        """Names of the columns that training data had, features or not."""
        return frozenset(self.features.names) | set(self.provenance.left_out) | set(self.schema.features)

    @cached_property
    def layout(self) -> Layout:
        """Where each counter lies."""
        return Layout.of(self.binning)

    @property
    def n_events(self) -> int:
        """Number of training rows."""
        return self.profile.n_events

    @cached_property
    def numeric_counts(self) -> Ints:
        """Training values of each numeric feature (N)."""
        layout = self.layout
        counts = self.profile.counts[0, : layout.n_numeric_bins]
        n = len(self.binning.numeric)
        if n == 0:
            return np.zeros(0, dtype=np.int64)
        return np.add.reduceat(counts, layout.segments.starts[:n])

    @cached_property
    def std(self) -> Floats:
        """Training standard deviation (population) of each numeric feature (N), NaN without values."""
        with np.errstate(divide="ignore", invalid="ignore"):
            variance: Floats = self.profile.squares[0] / self.numeric_counts
        std = np.sqrt(np.maximum(variance, 0.0))
        return np.where(std <= ROUNDING * np.abs(self.centers), 0.0, std)

    @cached_property
    def expected_unseen(self) -> Floats:
        """Share of live values that training data would not have had without any drift, by feature (F).

        Good-Turing: the share of training values seen exactly once. NaN for numeric features and
        where it is not known. Source: Good (1953), Biometrika 40:237-264.
        """
        expected = np.full(len(self.features), np.nan)
        n_numeric = len(self.features.numeric)
        layout = self.layout
        for c, (facts, categories) in enumerate(zip(self.facts, self.binning.categorical, strict=True)):
            if facts.singletons is None or categories.seen is None:
                continue
            start = layout.segments.starts[n_numeric + c]
            values = int(self.profile.counts[0, start : start + categories.length].sum())
            expected[n_numeric + c] = facts.singletons / values if values else 0.0
        return expected
