"""A schema from a file: the YAML that people edit, or TFDV's text format.

What cannot be read is an error with its line. What can be read but makes no sense, such as a range of
texts, is for the rules about the schema itself.
"""

import re
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, PlainValidator, ValidationError, model_validator

from detector.batch import FeatureType
from detector.config.families import Families, Family
from detector.config.fields import Listed, PlacedError, Section
from detector.config.problems import Draft, InvalidConfigError, KeyPath, Problem, placed, shown
from detector.config.schema import Schema as Settings
from detector.config.translate import problems_of
from detector.config.yaml_file import Document, FileKind, read_text, read_yaml
from detector.errors import InputError
from detector.printable import escaped
from detector.registry import Registry
from detector.report.schema import FORMAT, FORMAT_VERSION
from detector.schema.model import (
    BoolDomain,
    Domain,
    FeatureSchema,
    Lifecycle,
    Pattern,
    Presence,
    Range,
    RowLimits,
    Rule,
    Rules,
    Schema,
    SchemaRole,
    Values,
)
from detector.schema.pbtxt import read_pbtxt

KIND = FileKind(
    "schema file",
    example="schema.yaml",
    content="infer a first schema from data with `drift-detector schema infer`",
    form="schema file",
    max_bytes=64 << 20,
    max_values=2_000_000,
    allows_nul=True,
)

YAML_SUFFIXES = (".yaml", ".yml")
TFDV_SUFFIXES = (".pbtxt", ".prototxt", ".txt")


class InvalidSchemaError(InputError):
    """A schema that cannot be used, with everything that is wrong with it."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        """All of them, one line each."""
        more = len(problems) - 1
        super().__init__(problems[0] + (f" (and {more} more)" if more else ""))


def _regex(text: str) -> str:
    try:
        with warnings.catch_warnings():
            # Python warns of expressions that it may read otherwise one day.
            warnings.simplefilter("ignore")
            re.compile(text)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"not a regular expression, {error}; correct it") from None
    return text


def _number(value: object) -> int | float:
    match value:
        case int() | float() if not isinstance(value, bool):
            return value
        case _:
            raise ValueError("expected a number; write it like 10 or 0.1")


def _value(value: object) -> str | int:
    match value:
        case str() | int() if not isinstance(value, bool):
            return value
        case _:
            raise ValueError("expected a text or a whole number; put it in quotes")


def _of_one_type(values: tuple[str | int, ...]) -> tuple[str | int, ...]:
    has_text = any(isinstance(value, str) for value in values)
    for i, value in enumerate(values):
        if has_text and isinstance(value, int):
            raise PlacedError((i,), f"a number among texts (found {value}); put it in quotes")
    return values


def _features(features: dict[str, "_Feature"]) -> dict[str, "_Feature"]:
    if not features:
        raise ValueError(f"holds no feature; {KIND.content}")
    return features


Number = Annotated[int | float, PlainValidator(_number)]
"""A number as it is written: a whole one stays whole."""
Value = Annotated[str | int, PlainValidator(_value)]
Truth = bool
"""`bool` is also the name of a key."""
Texts = Annotated[tuple[str, ...], Listed]


class _Presence(Section):
    min_fraction: float = 0.0
    min_count: int = 0


class _Range(Section):
    min: Number | None = None
    max: Number | None = None
    of: Literal["int", "float"] | None = None


class _Bool(Section):
    true: str | None = None
    false: str | None = None


class _Unique(Section):
    min: int | None = None
    max: int | None = None


class _Distances(Section):
    l_infinity: float | None = None
    jensen_shannon: float | None = None
    normalized_absolute_difference: float | None = None

    def thresholds(self) -> dict[str, float]:
        return self.model_dump(exclude_none=True)


class _Rows(Section):
    min: int | None = None
    max: int | None = None
    previous_min_ratio: float | None = None
    previous_max_ratio: float | None = None


class _Feature(Section):
    type: FeatureType | None
    presence: _Presence = _Presence()
    values: Annotated[tuple[Value, ...], AfterValidator(_of_one_type), Listed] | None = None
    range: _Range | None = None
    bool: _Bool | None = None
    pattern: Annotated[str, AfterValidator(_regex)] | None = None
    domain_name: str | None = None
    min_share: float = 1.0
    unique: _Unique = _Unique()
    allow_nan: Truth = True
    allow_infinite: Truth = True
    one_value_a_row: Truth = False
    in_environments: Texts = ()
    not_in_environments: Texts = ()
    role: SchemaRole = "feature"
    lifecycle: Lifecycle = "production"
    drift: _Distances = _Distances()
    skew: _Distances = _Distances()
    proposed: Annotated[frozenset[Rule], Listed] = frozenset()

    @model_validator(mode="after")
    def _has_one_domain(self) -> "_Feature":
        names = ("values", "range", "bool", "pattern", "domain_name")
        there = [name for name in names if getattr(self, name) is not None]
        if len(there) > 1:
            raise PlacedError((there[1],), f"a second domain beside {there[0]}; keep one of them")
        return self

    def domain(self) -> Domain | None:
        """Return the domain, None if there is none."""
        if self.values is not None:
            return Values(self.values)  # type: ignore[arg-type]  # all of one type
        if self.range is not None:
            own: Literal["int", "float"] = "int" if self.type == "int" else "float"
            return Range(self.range.min, self.range.max, self.range.of or own)
        if self.bool is not None:
            return BoolDomain(self.bool.true, self.bool.false)
        return None if self.pattern is None else Pattern(self.pattern)

    def to_schema(self) -> FeatureSchema:
        """Return what the rules read."""
        return FeatureSchema(
            self.type,
            Presence(self.presence.min_fraction, self.presence.min_count),
            self.domain(),
            domain_name=self.domain_name,
            min_share=self.min_share,
            unique_min=self.unique.min,
            unique_max=self.unique.max,
            allow_nan=self.allow_nan,
            allow_infinite=self.allow_infinite,
            one_value_a_row=self.one_value_a_row,
            in_environments=self.in_environments,
            not_in_environments=self.not_in_environments,
            role=self.role,
            lifecycle=self.lifecycle,
            drift=self.drift.thresholds(),
            skew=self.skew.thresholds(),
            proposed=self.proposed,
        )


class _Root(Section):
    format: str
    format_version: int = Field(ge=FORMAT_VERSION, le=FORMAT_VERSION)
    rows: _Rows = _Rows()
    environments: Texts = ()
    rules: Rules = "own"
    features: Annotated[dict[str, _Feature], AfterValidator(_features)]

    def to_schema(self) -> Schema:
        """Return what the rules read."""
        features = {name: feature.to_schema() for name, feature in self.features.items()}
        return Schema(features, RowLimits(**self.rows.model_dump()), self.environments, self.rules)


class _Keys(Settings):
    """The keys of a schema file, where nothing is a secret whatever it is called."""

    def __init__(self, draft: Draft) -> None:
        none: Family = Family(Registry("kind"))
        super().__init__(_Root, Families(none, none, none, none), draft)

    def is_secret(self, path: KeyPath) -> bool:  # noqa: ARG002
        """Return False: a feature may be called `token`."""
        return False


def load_schema(path: str | Path) -> Schema:
    """Read a schema: YAML, or TFDV's text format, by the ending of the file's name.

    Raises:
        InvalidSchemaError: it cannot be read, or the YAML cannot be used; it holds every problem.
        InputError: TFDV's text cannot be used.
    """
    suffix, name = Path(path).suffix.lower(), escaped(str(path))
    try:
        if suffix in YAML_SUFFIXES:
            return _of_yaml(read_yaml(path, KIND))
        text = read_text(path, KIND)
    except InvalidConfigError as error:
        raise InvalidSchemaError(error.problems) from None
    if suffix not in TFDV_SUFFIXES:
        raise InvalidSchemaError(
            [f"{name}: unknown kind of schema; name a .yaml file, or a .pbtxt of TFDV's"]
        )
    schema = read_pbtxt(text, name)
    if not schema.features:
        raise InvalidSchemaError([f"{name}:1: no feature that a table can have; {KIND.content}"])
    return schema


def _of_yaml(document: Document) -> Schema:
    draft = Draft(document.name, document.content, document.lines)
    foreign = _foreign(document.content)
    if foreign is not None:
        raise InvalidSchemaError([text for _, text in placed([foreign], draft)])
    try:
        return _Root.model_validate(document.content).to_schema()
    except ValidationError as error:
        problems = problems_of(error, (), document.content, _Keys(draft))
        lines = sorted(placed(problems, draft), key=lambda one: one[0])
        raise InvalidSchemaError([text for _, text in lines]) from None


def _foreign(content: dict[str, Any]) -> Problem | None:
    """Return what keeps the file from being looked at any further: it is something else, or newer."""
    if "format" not in content:
        return Problem((), f"no schema, for it has no `format`; if it is one, add `format: {FORMAT}`")
    if content["format"] != FORMAT:
        found = shown(content["format"])
        return Problem(("format",), f"not a schema (found {found}); name one with `format: {FORMAT}`")
    version = content.get("format_version")
    if isinstance(version, int) and not isinstance(version, bool) and version > FORMAT_VERSION:
        message = f"newer than this version reads (found {version}, reads {FORMAT_VERSION})"
        return Problem(("format_version",), f"{message}; update the detector")
    return None
