"""The expectations about a data set, feature by feature, as plain frozen values.

The terms are those of TensorFlow Metadata's schema (presence, domain, environment, comparator,
lifecycle), so that a schema of theirs can be read and written. What is checked with them is in
`detector.schema.rules`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from detector.batch import FeatureType

SchemaRole = Literal["feature", "id", "free_text", "timestamp"]
"""What a column is for; all but `feature` are left out of drift, for their values never come back."""

Lifecycle = Literal["production", "planned", "alpha", "debug_only", "ignored", "deprecated"]
"""Where a feature stands; a feature that is not in production is not checked."""

Rule = Literal["presence", "domain", "non_finite"]
"""Groups of rules that inference proposes, beyond what TFDV would infer."""

Rules = Literal["own", "tfdv"]

ROLES: tuple[SchemaRole, ...] = get_args(SchemaRole)
LIFECYCLES: tuple[Lifecycle, ...] = get_args(Lifecycle)
RULES: tuple[Rule, ...] = get_args(Rule)


@dataclass(frozen=True, slots=True)
class Presence:
    """How often a feature must have a value. It is *required* if either limit is above 0."""

    min_fraction: float = 0.0
    """Least share of rows with a value, 0 to 1."""
    min_count: int = 0
    """Least number of rows with a value."""

    @property
    def is_required(self) -> bool:
        """Whether the column must be there at all."""
        return self.min_fraction > 0 or self.min_count > 0


@dataclass(frozen=True, slots=True)
class Values:
    """A closed set: texts for a text feature, whole numbers for an int that is a category."""

    values: tuple[str, ...] | tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers from `min` to `max`, both included; None: no limit on that side.

    `of` is `int` or `float`. On a text feature the texts must be such numbers; otherwise it is the
    feature's own type.
    """

    min: float | None = None
    max: float | None = None
    of: Literal["int", "float"] = "float"


@dataclass(frozen=True, slots=True)
class BoolDomain:
    """Two values: 0 and 1 of a number feature, or the two words of a text feature (None: not allowed)."""

    true: str | None = None
    false: str | None = None


@dataclass(frozen=True, slots=True)
class Pattern:
    """Texts that match a regular expression from beginning to end (syntax of Python's `re`)."""

    regex: str


Domain = Values | Range | BoolDomain | Pattern


@dataclass(frozen=True, slots=True)
class FeatureSchema:
    """What is expected of one feature."""

    type: FeatureType | None
    """None where a schema file of TFDV's leaves it out; that is an anomaly of the schema itself."""
    presence: Presence = Presence()
    domain: Domain | None = None
    domain_name: str | None = None
    """A shared domain of a TFDV schema that is not defined there; an anomaly of the schema itself."""
    min_share: float = 1.0
    """Least share of the values that must be of the type and inside the domain, 0 to 1."""
    unique_min: int | None = None
    """Least number of distinct values."""
    unique_max: int | None = None
    allow_nan: bool = True
    allow_infinite: bool = True
    one_value_a_row: bool = False
    """TFDV's fixed shape: broken (INVALID_FEATURE_SHAPE) as soon as one row has no value."""
    in_environments: tuple[str, ...] = ()
    """Environments the feature belongs to beside the schema's own (TFDV: in_environment)."""
    not_in_environments: tuple[str, ...] = ()
    role: SchemaRole = "feature"
    lifecycle: Lifecycle = "production"
    drift: Mapping[str, float] = field(default_factory=dict)
    """Statistic -> threshold between then and now (TFDV: drift_comparator)."""
    skew: Mapping[str, float] = field(default_factory=dict)
    """Statistic -> threshold between training and serving (TFDV: skew_comparator)."""
    proposed: frozenset[Rule] = frozenset()
    """Rules that inference made up and nobody confirmed: their anomalies are warnings."""
    note: str | None = None
    """One line for people: what inference saw."""

    def belongs_to(self, environment: str | None, default: tuple[str, ...]) -> bool:
        """Whether the feature is expected in `environment`; None means no particular one."""
        if environment is None:
            return True
        if environment in self.not_in_environments:
            return False
        return environment in self.in_environments or environment in default

    @property
    def is_checked(self) -> bool:
        """Whether anything is expected of it at present."""
        return self.lifecycle == "production"

    @property
    def is_compared(self) -> bool:
        """Whether its distribution is compared: not that of ids, texts and what is out of use."""
        return self.role == "feature" and self.lifecycle not in ("ignored", "deprecated")


@dataclass(frozen=True, slots=True)
class RowLimits:
    """How many rows a data set must have; None: no limit."""

    min: int | None = None
    max: int | None = None
    previous_min_ratio: float | None = None
    """Least ratio of the rows to those of the data set before (TFDV: num_examples_drift_comparator)."""
    previous_max_ratio: float | None = None


@dataclass(frozen=True, slots=True)
class Schema:
    """The expectations about a data set."""

    features: Mapping[str, FeatureSchema]
    """By name, in the order of the columns."""
    rows: RowLimits = RowLimits()
    environments: tuple[str, ...] = ()
    """Environments that every feature belongs to unless it says otherwise (TFDV: default_environment)."""
    rules: Rules = "own"
    """`tfdv`: judge as TFDV does where that differs from ours. Schema files of TFDV's are."""
    left_out: tuple[str, ...] = ()
    """What a file of TFDV's says beyond this model, a line each; nothing is dropped in silence."""
    note: str | None = None
    """One line for people: where it comes from."""

    @property
    def known_environments(self) -> frozenset[str]:
        """Every environment that is named anywhere in the schema."""
        named = set(self.environments)
        for feature in self.features.values():
            named.update(feature.in_environments, feature.not_in_environments)
        return frozenset(named)
