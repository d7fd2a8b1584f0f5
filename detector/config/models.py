"""The configuration in force, and what the pure parts are told of it."""

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, Field, InstanceOf, PrivateAttr, field_validator, model_validator

from detector.config.fields import Duration, Interval, Listed, PlacedError, Section, refuse_repeats
from detector.config.http import Http
from detector.config.named_files import NamedFile
from detector.config.sections import (
    DeadLetter,
    Decision,
    DirectoryState,
    Event,
    FeatureSettings,
    Limits,
    Log,
    Metrics,
    Model,
    Privacy,
    ReplaySource,
    Statistics,
    TopicState,
    Windows,
)
from detector.drift.policy import DecisionPolicy, FeaturePolicy
from detector.formats import EventOptions, formats
from detector.times import parse_duration
from detector.windows.spec import WindowSpec

if TYPE_CHECKING:
    from detector.metrics.names import ExportPolicy
    from detector.runs import AlertPolicy


def _log_sink() -> tuple[BaseModel, ...]:
    # Late, because sinks import all that they deliver.
    from detector.sinks import sinks

    return (sinks.get("log").Settings(),)


class Alerts(Section):
    """When alerts begin and end, and who is told."""

    raise_after: int = Field(default=3, ge=1, le=1000)
    clear_after: int = Field(default=3, ge=1, le=1000)
    clear_for: Duration = "1h"
    """And for as long as the window itself, but no longer than this."""
    sinks: Annotated[tuple[InstanceOf[BaseModel], ...], Listed] = Field(default_factory=_log_sink)
    """The settings of each sink, of the class that its kind has."""


@dataclass(frozen=True, slots=True)
class _Digest:
    """The file's digest, by which configurations do not differ: a file may say the same in other words."""

    sha256: str = field(default="", compare=False)


class Config(Section):
    """Everything the user decides. `load_config` reads one from a file."""

    source: InstanceOf[BaseModel]
    """The settings of the source, of the class that its kind has."""
    event: Event = Event()
    schema_registry: InstanceOf[BaseModel] | None = None
    """Where formats whose events name a schema by number find it, of the class that its kind has."""
    dead_letter: DeadLetter | None = None
    """Where rejected records go, if anywhere."""
    models: Annotated[tuple[Model, ...], Field(strict=False, min_length=1)]
    windows: Windows = Windows()
    decision: Decision = Decision()
    alerts: Alerts = Field(default_factory=Alerts)
    http: Http = Http()
    metrics: Metrics = Metrics()
    privacy: Privacy = Privacy()
    state: DirectoryState | TopicState | None = None
    limits: Limits = Limits()
    log: Log = Log()
    reload: Interval = "5s"
    """How often to look whether this file or a baseline has changed; off: only SIGHUP makes it read again."""

    _path: Path = PrivateAttr(default=Path("detector.yaml"))
    _warnings: tuple[str, ...] = PrivateAttr(default=())
    _files: tuple[NamedFile, ...] = PrivateAttr(default=())
    _digest: _Digest = PrivateAttr(default=_Digest())

    @model_validator(mode="after")
    def _has_schemas(self) -> "Config":
        if self.event.format in formats.with_schemas and self.schema_registry is None:
            where = "say where schemas are: `schema_registry: {url: http://schema-registry:8081}`"
            raise PlacedError(("event", "format"), f"{self.event.format!r} needs a schema registry; {where}")
        return self

    @model_validator(mode="after")
    def _letters_go_elsewhere(self) -> "Config":
        if self.dead_letter is not None:
            topics = getattr(self.source, "topics", None)
            if topics is None:
                raise PlacedError(("dead_letter",), "needs a source of kind kafka, whose brokers it is on")
            if self.dead_letter.topic in topics:
                message = "is read itself, so what is rejected would come round for ever; name another topic"
                raise PlacedError(("dead_letter", "topic"), message)
        return self

    @field_validator("models")
    @classmethod
    def _distinct(cls, models: tuple[Model, ...]) -> tuple[Model, ...]:
        refuse_repeats((model.name for model in models), ("name",))
        return models

    @property
    def path(self) -> Path:
        """The file it was read from."""
        return self._path

    @property
    def directory(self) -> Path:
        """The file's directory, where relative paths begin."""
        return self._path.parent

    @property
    def warnings(self) -> tuple[str, ...]:
        """What does not stop a run but should be known, one line each."""
        return self._warnings

    @property
    def sha256(self) -> str:
        """Digest of the file's bytes, in hexadecimal digits."""
        return self._digest.sha256

    @property
    def reload_every_s(self) -> float:
        """Seconds from one look at the files to the next; infinity where nobody looks."""
        return math.inf if self.reload == "off" else parse_duration(self.reload)

    @property
    def files(self) -> tuple[NamedFile, ...]:
        """Files with secrets and certificates, with the settings that name them."""
        return self._files

    def came_from(
        self, path: Path, sha256: str, warnings: tuple[str, ...], files: tuple[NamedFile, ...] = ()
    ) -> None:
        """Note the file, what its reader should know, and which files it names."""
        self._files = files
        self._path = path
        self._digest = _Digest(sha256)
        self._warnings = warnings

    @property
    def is_replay(self) -> bool:
        """Whether events can only come from files, by the `replay` command."""
        return isinstance(self.source, ReplaySource)

    def resolve(self, path: str) -> Path:
        """Return a path of the configuration as seen from the working directory."""
        return self.directory / path

    def model(self, name: str) -> Model:
        """Return the settings of a model.

        Raises:
            KeyError: there is none of that name.
        """
        for model in self.models:
            if model.name == name:
                return model
        raise KeyError(name)

    def window_spec(self) -> WindowSpec:
        """Return how event time is cut, in seconds."""
        return self.windows.spec()

    def event_options(self) -> EventOptions:
        """Return how events are written."""
        return self.event.options()

    @property
    def has_own_fields(self) -> bool:
        """Whether the format has its own way of saying where the parts of an event lie."""
        return self.event.format in formats.settings

    def alert_policy(self) -> "AlertPolicy":
        """Return when alerts begin and end."""
        from detector.runs import AlertPolicy

        alerts = self.alerts
        return AlertPolicy(alerts.raise_after, alerts.clear_after, parse_duration(alerts.clear_for))

    def export_policy(self) -> "ExportPolicy":
        """Return how much is exported."""
        from detector.metrics.names import ExportPolicy

        return ExportPolicy(self.metrics.max_series, self.metrics.statistics)

    def decision_of(self, model_name: str) -> Decision:
        """Return what holds for a model: the section `decision`, and over it what the model says.

        Raises:
            KeyError: there is no such model.
        """
        own = self.model(model_name).decision
        changed = {name: getattr(own, name) for name in own.model_fields_set}
        changed["statistics"] = self.decision.statistics | own.statistics
        return self.decision.model_copy(update=changed)

    def decision_policy(self, model_name: str) -> DecisionPolicy:
        """Return how the windows of a model are judged.

        Raises:
            KeyError: there is no such model.
        """
        decision = self.decision_of(model_name)
        return DecisionPolicy(
            min_effect=decision.min_effect,
            min_samples=decision.min_samples,
            false_alarms_per_30_days=decision.false_alarms_per_30_days,
            dataset_share=decision.dataset_share,
            learn=decision.learn == "auto",
            schema_tolerance=decision.schema_tolerance,
            min_count=self.privacy.min_count,
            thresholds=_thresholds(decision.statistics, set()),
            features=_feature_policies(self.model(model_name).features, set(decision.statistics)),
        )


def _feature_policies(features: dict[str, FeatureSettings], set_before: set[str]) -> dict[str, FeaturePolicy]:
    policies = {}
    for name, feature in features.items():
        thresholds = _thresholds(feature.statistics, set_before)
        policies[name] = FeaturePolicy(
            feature.ignore, feature.min_effect, thresholds, feature.importance, feature.sensitive
        )
        set_before = set_before | set(feature.statistics)
    return policies


def _thresholds(statistics: Statistics, set_before: set[str]) -> dict[str, float | None]:
    """Return a number for a fixed threshold, None for `off`, and nothing for `auto`.

    Where a wider entry may have fixed the statistic or switched it off, `auto` must take that back:
    NaN is the policy's word for *not fixed*.
    """
    thresholds: dict[str, float | None] = {}
    for name, settings in statistics.items():
        if settings.threshold == "off":
            thresholds[name] = None
        elif settings.threshold != "auto":
            thresholds[name] = settings.threshold
        elif name in set_before:
            thresholds[name] = math.nan
    return thresholds
