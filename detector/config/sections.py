"""The sections of a configuration: every setting, its default, and what it may be.

The order here is the order in which settings are documented and shown.
"""

from collections.abc import Iterator, Mapping
from dataclasses import fields as dataclass_fields
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_type_hints

from pydantic import AfterValidator, ConfigDict, Field, create_model, field_validator, model_validator

from detector.batch import REJECT_REASONS
from detector.config.fields import (
    BaselinePattern,
    Duration,
    Listed,
    LocalPath,
    LogLevel,
    Memory,
    Name,
    PartPointer,
    Period,
    PlacedError,
    Pointer,
    Section,
    Size,
    Threshold,
    memory_bytes,
    refuse_repeats,
    size_bytes,
)
from detector.config.problems import KeyPath, dotted, suggestion
from detector.formats import EventFields, EventOptions, formats
from detector.times import TimestampFormat, parse_duration
from detector.windows.spec import WindowSpec

MAX_PANES_IN_A_WINDOW = 100_000
"""A day of seconds, or ten weeks of minutes."""

MAX_LATENESS_PANES = 128
"""Half of the panes that the pipeline keeps open; the other half is for partitions that lag."""


class ReplaySource(Section):
    """No source: events come from the files that the `replay` command names."""

    kind: Literal["replay"] = "replay"


class EventPlaces(Section):
    """Where the parts of an event lie: JSON pointers, null where there is no such part."""

    model: PartPointer | None = "/model"
    version: PartPointer | None = "/version"
    id: PartPointer | None = "/event_id"
    time: PartPointer | None = "/timestamp"
    features: Pointer | dict[Name, PartPointer] = "/features"
    """The object that holds the features by name ("" is the event itself), or a pointer for each."""
    prediction: PartPointer | None = "/prediction"
    label: PartPointer | None = "/label"
    tags: Pointer | None = "/tags"

    @model_validator(mode="after")
    def _apart(self) -> "EventPlaces":
        """No part may lie within another: each is read as a value of its own."""
        places = sorted((place.split("/"), name) for name, place in self._single_places())
        # Sorted, a place comes right after one that it lies within.
        for (outer, other), (inner, name) in pairwise(places):
            if inner[: len(outer)] == outer:
                raise PlacedError(
                    name,
                    f"{'/'.join(inner)!r} lies within the place of {dotted(other)}, {'/'.join(outer)!r}; "
                    "point at different places",
                )
        return self

    def _single_places(self) -> Iterator[tuple[KeyPath, str]]:
        """Return each part that is read as a value, with its place."""
        for name in ("model", "version", "time", "prediction"):
            if getattr(self, name) is not None:
                yield (name,), getattr(self, name)
        if isinstance(self.features, dict):
            yield from ((("features", feature), place) for feature, place in self.features.items())
        elif self.features:
            yield ("features",), self.features


class FormatSection(Section):
    """What only one format wants to know."""

    model_config = ConfigDict(strict=False)


def _section_of(settings: type) -> type[FormatSection]:
    """Return the section that a format's settings are read from: they are plain dataclasses."""
    hints = get_type_hints(settings)
    fields: dict[str, Any] = {f.name: (hints[f.name], f.default) for f in dataclass_fields(settings)}
    return create_model(settings.__name__, __base__=FormatSection, __doc__=settings.__doc__, **fields)


class EventSection(Section):
    """How events are written."""

    format: str = "json"
    fields: EventPlaces = EventPlaces()
    time_format: TimestampFormat = "rfc3339"
    max_bytes: Size = "1MiB"
    """A larger event is rejected as `too_large`."""
    max_rows: int = Field(default=10_000, ge=1, le=1_000_000)
    """So is a record that holds more events than this."""

    @field_validator("format")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in formats:
            raise ValueError(f"unknown event format{suggestion(name, formats.names())}")
        return name

    def options(self) -> EventOptions:
        """Return the same as the decoders take it."""
        fields = EventFields(**{name: getattr(self.fields, name) for name in type(self.fields).model_fields})
        settings = formats.settings.get(self.format)
        own = None
        if settings is not None:
            section = getattr(self, self.format)
            own = settings(**{name: getattr(section, name) for name in type(section).model_fields})
        max_bytes = size_bytes(self.max_bytes)
        return EventOptions(fields, self.time_format, max_bytes, own, max_rows=self.max_rows)

    @model_validator(mode="after")
    def _of_this_format(self) -> "EventSection":
        for name in formats.settings:
            section = getattr(self, name)
            if name != self.format and section != type(section)():
                raise PlacedError((name,), f"of no use with `format: {self.format}`; remove it")
        if self.format in formats.settings and self.fields != EventPlaces():
            message = f"of no use with `format: {self.format}`, which knows where parts lie"
            raise PlacedError(("fields",), f"{message}; remove it, and see `event.{self.format}`")
        return self


def _with_formats() -> type[EventSection]:
    """Return the section with one for each format that has settings of its own."""
    sections = {name: _section_of(settings) for name, settings in sorted(formats.settings.items())}
    fields: dict[str, Any] = {name: (section, section()) for name, section in sections.items()}
    return create_model("Event", __base__=EventSection, __doc__=EventSection.__doc__, **fields)


if TYPE_CHECKING:
    Event = EventSection
else:
    Event = _with_formats()


def _limits() -> Mapping[str, float | None]:
    """Return every statistic with its largest possible value, None where there is no limit."""
    # Late, because judging needs scipy, and most configurations name no statistic.
    from detector.distances import distances
    from detector.drift.rates import RATES

    return {name: distance.upper for name, distance in distances} | dict.fromkeys(RATES, 1.0)


class StatisticSettings(Section):
    """What holds for one statistic."""

    threshold: Threshold = "auto"
    """A number: drift is what exceeds it; auto: what exceeds chance and `min_effect`; off: nothing."""


def _known_statistics(statistics: dict[str, StatisticSettings]) -> dict[str, StatisticSettings]:
    limits = _limits() if statistics else {}
    for name, settings in statistics.items():
        if name not in limits:
            raise PlacedError((name,), f"unknown statistic {name!r}{suggestion(name, sorted(limits))}")
        upper = limits[name]
        if isinstance(settings.threshold, float) and upper is not None and settings.threshold > upper:
            raise PlacedError((name, "threshold"), f"{name} is never above {upper:g}; write a smaller number")
    return statistics


Statistics = Annotated[dict[str, StatisticSettings], AfterValidator(_known_statistics)]
"""Name of a statistic -> what holds for it."""

Effect = Annotated[float, Field(gt=0, lt=1)]
"""A change as a distance between 0 and 1."""


class Decision(Section):
    """When a window is drift."""

    false_alarms_per_30_days: float = Field(default=1.0, gt=0)
    min_effect: Effect = 0.08
    min_samples: int = Field(default=1000, ge=1)
    dataset_share: float = Field(default=0.3, gt=0, le=1)
    learn: Literal["auto", "off"] = "auto"
    """How data vary by themselves: auto learns it from the stream where the baseline does not tell."""
    schema_tolerance: float | None = Field(default=0.01, gt=0, lt=1)
    """Null: windows are not held against the baseline's schema."""
    statistics: Statistics = Field(default_factory=dict)


class Slice(Section):
    """A column whose values are watched apart: a feature or a tag."""

    column: Name
    values: Annotated[tuple[Name, ...] | None, Listed] = None
    """Null: those that the baseline was built with."""

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, written: Any) -> Any:
        if isinstance(written, str | dict):
            return {"column": written} if isinstance(written, str) else written
        raise ValueError("expected a column's name; write country, or {column: country, values: [DE]}")

    @field_validator("values")
    @classmethod
    def _distinct(cls, values: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if values == ():
            raise ValueError("no values; name some, or write null for those of the baseline")
        refuse_repeats(values or (), ())
        return values


class FeatureSettings(Section):
    """What differs for one feature, or for all whose names match a pattern."""

    ignore: bool | None = None
    """True: counted and exported, never judged. Null: as an earlier entry says."""
    min_effect: Effect | None = None
    """Null: the model's."""
    importance: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    """Weight in `dataset_share`. Null: 1, or as an earlier entry says."""
    sensitive: bool | None = None
    """True: states and scores are told, never a value. Null: as an earlier entry says."""
    statistics: Statistics = Field(default_factory=dict)


class Model(Section):
    """A model to watch."""

    name: Name
    baselines: BaselinePattern
    slices: Annotated[tuple[Slice, ...], Listed] = ()
    environment: Name | None = None
    """Environment of the baseline's schema that the events are from; null: SERVING, where there is one."""
    features: dict[Name, FeatureSettings] = Field(default_factory=dict)
    """Name or pattern (`debug_*`) -> what differs; later entries win."""
    decision: Decision = Decision()
    """What differs from the section `decision` for this model: only what is written here counts."""

    @field_validator("slices")
    @classmethod
    def _distinct(cls, slices: tuple[Slice, ...]) -> tuple[Slice, ...]:
        refuse_repeats((s.column for s in slices), ("column",))
        return slices


class Windows(Section):
    """How event time is cut."""

    pane: Period = "1m"
    lengths: Annotated[tuple[Period, ...], Field(strict=False, min_length=1, max_length=20)] = (
        "10m",
        "1h",
        "24h",
    )
    lateness: Duration = "2m"
    max_future: Duration = "5m"
    idle_after: Period = "30s"

    @model_validator(mode="after")
    def _fits(self) -> "Windows":
        pane_s = parse_duration(self.pane)
        for i, length in enumerate(self.lengths):
            if parse_duration(length) / pane_s > MAX_PANES_IN_A_WINDOW:
                message = f"more than {MAX_PANES_IN_A_WINDOW} panes of {self.pane}"
                raise PlacedError(("lengths", i), f"{message}; choose a longer pane")
        if parse_duration(self.lateness) / pane_s > MAX_LATENESS_PANES:
            message = f"more than {MAX_LATENESS_PANES} panes of {self.pane}"
            raise PlacedError(("lateness",), f"{message}; choose a longer pane or a shorter lateness")
        try:
            self.spec()
        except ValueError as error:
            said = str(error).removeprefix("lengths: ")
            raise PlacedError(("lengths",), f"{said}; choose different lengths that `pane` divides") from None
        return self

    def spec(self) -> WindowSpec:
        """Return the same in seconds."""
        return WindowSpec(
            parse_duration(self.pane),
            tuple(map(parse_duration, self.lengths)),
            parse_duration(self.lateness),
            parse_duration(self.max_future),
            parse_duration(self.idle_after),
        )


class Limits(Section):
    """What the process may take."""

    memory: Memory | None = None
    """Above nine tenths of it the process ends to begin anew; null: what the container may take."""

    @property
    def memory_bytes(self) -> int | None:
        """The same in bytes."""
        return None if self.memory is None else memory_bytes(self.memory)


class Metrics(Section):
    """What is exported."""

    max_series: int = Field(default=20_000, ge=1, le=10_000_000)
    """A configuration that would export more is refused."""
    statistics: Annotated[tuple[Name, ...] | None, Listed] = None
    """Those that have series of their own; null: all. Every statistic is judged all the same."""

    @field_validator("statistics")
    @classmethod
    def _known(cls, names: tuple[str, ...] | None) -> tuple[str, ...] | None:
        known = sorted(_limits()) if names else []
        for i, name in enumerate(names or ()):
            if name not in known:
                raise PlacedError((i,), f"unknown statistic {name!r}{suggestion(name, known)}")
        refuse_repeats(names or (), ())
        return names


class Privacy(Section):
    """What is told of values."""

    min_count: int = Field(default=10, ge=1, le=1_000_000)
    """Categories that training had less often are not named."""


class DirectoryState(Section):
    """State in a directory."""

    kind: Literal["directory"] = "directory"
    directory: LocalPath = "./state"
    every: Period = "10s"


class TopicState(Section):
    """State in a compacted Kafka topic."""

    kind: Literal["kafka"] = "kafka"
    topic: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,249}$")]
    every: Period = "10s"


class DeadLetter(Section):
    """Rejected records, sent on to a topic of the source's brokers."""

    topic: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,249}$")]
    only: Annotated[tuple[Name, ...] | None, Listed] = None
    """Reasons; null: all."""
    queue: int = Field(default=1000, ge=1, le=100_000)

    @field_validator("only")
    @classmethod
    def _known(cls, reasons: tuple[str, ...] | None) -> tuple[str, ...] | None:
        for i, reason in enumerate(reasons or ()):
            if reason not in REJECT_REASONS:
                hint = suggestion(reason, REJECT_REASONS)
                raise PlacedError((i,), f"unknown reason {reason!r}{hint}")
        refuse_repeats(reasons or (), ())
        return reasons


class Log(Section):
    """What is logged."""

    level: LogLevel = "info"
    format: Literal["text", "json"] = "text"
