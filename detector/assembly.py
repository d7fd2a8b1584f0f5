"""The parts put together as a configuration says: baselines found, pipeline and decoder made.

`run`, `replay`, `check-config` and the demonstration all start here, so what one refuses, all do.
"""

import logging
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

from detector.baseline import Baseline
from detector.baseline.build import MAX_SLICE_VALUES
from detector.baseline.learning import ENOUGH_DAYS
from detector.batch import ModelKey
from detector.changes import Changes, NoChanges
from detector.clock import Clock
from detector.config import Config
from detector.dead_letters import DeadLetters
from detector.errors import BaselineError, ConfigError
from detector.formats import ANY_VERSION, Catalog, Decoder, EventShape, formats
from detector.memory import Part, Surroundings, check_memory, memory_parts
from detector.metrics import check_series
from detector.pipeline import Pipeline
from detector.resume import Memory
from detector.service import Publisher, Service
from detector.sinks import Sink
from detector.sinks.settings import DeliverySettings
from detector.sources import Duty, Source
from detector.sources.kafka_settings import KafkaSettings
from detector.store import read_baseline
from detector.view import ConfigStatus
from detector.watched import Monitored
from detector.windows.slices import Slices

log = logging.getLogger(__name__)

LEAST_BROKERS = 3
"""Clusters have so many brokers, however few are named."""

VERSION = "{version}"
"""Stands in the name of baseline files for the version each is for."""


@dataclass(frozen=True, slots=True)
class Assembly:
    """Everything that a configuration and its baselines determine."""

    models: Mapping[ModelKey, Monitored]
    pipeline: Pipeline
    catalog: Catalog
    decoder: Decoder
    warnings: tuple[str, ...]
    idle_after_s: float
    sha256: str
    """Digest of the configuration file."""

    def service(
        self,
        source: Source,
        sinks: Sequence[Sink],
        publisher: Publisher,
        clock: Clock,
        changes: Changes | None = None,
        memory: Memory | None = None,
        duty: Duty | None = None,
        dead_letters: DeadLetters | None = None,
    ) -> Service:
        """Return the loop over `source`; without `changes` everything stays as it is.

        Without `memory` it begins anew each time.
        """
        return Service(
            source,
            self.decoder,
            self.pipeline,
            self.baselines,
            sinks,
            publisher,
            clock,
            self.idle_after_s,
            changes or NoChanges(ConfigStatus(self.sha256, clock.now_s())),
            memory,
            duty,
            dead_letters,
        )

    @property
    def baselines(self) -> dict[ModelKey, Baseline]:
        """The baseline of each model version."""
        return {key: monitored.baseline for key, monitored in self.models.items()}


def assemble(
    config: Config,
    schemas: Callable[[int], Any] | None = None,
    read: Callable[[Path], Baseline] = read_baseline,
) -> Assembly:
    """Load the baselines of a configuration with `read`, and make what runs on them.

    `schemas` looks up the schemas that events name, where their format has such.

    Raises:
        ConfigError: the configuration and the baselines do not fit each other.
        BaselineError: a baseline is missing, damaged, or for another model.
    """
    if config.event.fields.model is None and len(config.models) > 1 and not config.has_own_fields:
        raise ConfigError(
            f"{config.path}: event.fields.model: null, but there are {len(config.models)} models; "
            "say where events name theirs, or run a detector for each"
        )
    warnings: list[str] = []
    models: dict[ModelKey, Monitored] = {}
    for model in config.models:
        policy = config.decision_policy(model.name)
        for key, baseline in _baselines(config, model.name, model.baselines, read).items():
            wanted = {s.column: s.values for s in model.slices}
            warnings += _idle_patterns(key, baseline, model.features)
            if baseline.variation is None:
                warnings.append(_unknown_variation(key, policy.learn))
            _check_environment(key, baseline, model.environment)
            slices = _slices(key, baseline, wanted, warnings)
            models[key] = Monitored(baseline, policy, slices, model.environment)
    catalog = catalog_of(models)
    options = replace(config.event_options(), schemas=schemas)
    decoder = formats.get(config.event.format)(options, catalog)
    spec = config.window_spec()
    pipeline = Pipeline(spec, models, config.alert_policy())
    return Assembly(models, pipeline, catalog, decoder, tuple(warnings), spec.idle_after_s, config.sha256)


class Bounds(NamedTuple):
    """What a configuration can come to."""

    n_series: int
    memory: tuple[Part, ...]
    warnings: tuple[str, ...]
    """What may be too much."""


def check_bounds(config: Config, models: Mapping[ModelKey, Monitored]) -> Bounds:
    """Work out how many series and how much memory a configuration takes at most.

    Raises:
        ConfigError: it is more than it says that there may be.
    """
    n_series = check_series(models, config.window_spec(), config.export_policy())
    memory = _memory(config, models, n_series)
    return Bounds(n_series, memory, check_memory(memory, config.limits.memory_bytes))


def _memory(config: Config, models: Mapping[ModelKey, Monitored], n_series: int) -> tuple[Part, ...]:
    """Return how much memory each part of a configuration takes at most."""
    queues = [sink.delivery.queue for sink in config.alerts.sinks if isinstance(sink, DeliverySettings)]
    # Wherever it is kept, a cut is encoded in the same way.
    around = Surroundings(n_series=n_series, n_queued=sum(queues), keeps_state=config.state is not None)
    if config.dead_letter is not None:
        around = replace(around, n_dead_letters=config.dead_letter.queue)
    source = config.source
    if isinstance(source, KafkaSettings):
        around = replace(
            around,
            max_poll_records=source.max_poll_records,
            max_batch_bytes=source.max_batch_bytes,
            n_brokers=max(len(source.bootstrap_servers), LEAST_BROKERS),
        )
    return memory_parts(config.window_spec(), models, around)


def catalog_of(models: Mapping[ModelKey, Monitored]) -> Catalog:
    """Return what the events of the model versions look like."""
    return Catalog(
        {
            key: EventShape(m.baseline.features, m.slices.columns, m.baseline.known)
            for key, m in models.items()
        }
    )


def _baselines(
    config: Config, model: str, pattern: str, read: Callable[[Path], Baseline]
) -> dict[ModelKey, Baseline]:
    found: dict[ModelKey, Baseline] = {}
    files = baseline_files(config, pattern)
    if not files:
        raise _none_found(config, pattern)
    for path, named in files:
        baseline = read(path)
        if baseline.model not in (None, model):
            raise BaselineError(
                f"{path}: baseline of model {baseline.model!r}, but it is listed under {model!r}"
            )
        if named is not None and baseline.version not in (None, named):
            raise BaselineError(
                f"{path}: baseline of version {baseline.version!r}, but the file's name says {named!r}"
            )
        key = ModelKey(model, named or baseline.version or ANY_VERSION)
        if key in found:
            raise BaselineError(f"{path}: a second baseline for version {key.version!r} of {model!r}")
        found[key] = baseline
    return found


def baseline_files(config: Config, pattern: str) -> list[tuple[Path, str | None]]:
    """Return the baseline files that a pattern names, each with the version its name gives.

    A file that is named without a pattern is returned whether or not it is there.
    """
    if VERSION not in pattern:
        return [(config.resolve(pattern), None)]
    head, _, tail = pattern.partition(VERSION)
    name = re.compile(re.escape(Path(head + "\0").name).replace("\0", r"(.+?)") + re.escape(tail))
    try:
        paths = sorted(config.resolve(head + "x").parent.iterdir())
    except OSError:
        return []
    return [(path, match[1]) for path in paths if (match := name.fullmatch(path.name))]


def _none_found(config: Config, pattern: str) -> BaselineError:
    directory = config.resolve(pattern.partition(VERSION)[0] + "x").parent
    if not directory.is_dir():
        return BaselineError(f"{directory}: no such directory; models.baselines names {pattern!r}")
    return BaselineError(
        f"{config.resolve(pattern)}: no baseline file matches; build one with `drift-detector baseline build`"
    )


def _unknown_variation(key: ModelKey, learns: bool) -> str:
    """Say what follows where the baseline does not know natural variation."""
    so = (
        f"so it is learned from the stream, and thresholds are a guess until {ENOUGH_DAYS:.0f} days are over"
        if learns
        else "so thresholds know chance only"
    )
    return (
        f"model {key.model} {key.version}: the baseline does not tell how the data vary by themselves, {so}; "
        "build it with --timestamp, from data over a week and more"
    )


def _check_environment(key: ModelKey, baseline: Baseline, environment: str | None) -> None:
    known = sorted(baseline.schema.known_environments)
    if environment is not None and environment not in known:
        raise ConfigError(
            f"model {key.model}: environment {environment!r} is not in the schema of its baseline, which has "
            f"{', '.join(known) or 'none'}"
        )


def _slices(
    key: ModelKey, baseline: Baseline, wanted: Mapping[str, tuple[str, ...] | None], warnings: list[str]
) -> Slices:
    values: dict[str, tuple[str, ...]] = {}
    for column, listed in wanted.items():
        if any(feature.name == column for feature in baseline.features.numeric):
            raise ConfigError(
                f"model {key.model}: slice column {column!r} is a number; only text and bool can be sliced"
            )
        known = listed or baseline.slices.get(column) or _categories(baseline, column)
        if not known:
            raise ConfigError(
                f"model {key.model}: slice column {column!r} is no text feature of the baseline; "
                f"list its values: slices: [{{column: {column}, values: [...]}}]"
            )
        values[column] = tuple(known)
        if not set(known) <= set(baseline.slices.get(column, ())):
            warnings.append(
                f"model {key.model} {key.version}: slices of {column!r} have no reference of their own and "
                f"are held against all training data; rebuild the baseline with --slice {column}"
            )
    return Slices(values)


def _idle_patterns(key: ModelKey, baseline: Baseline, patterns: Iterable[str]) -> list[str]:
    """Name the entries of `features` that no feature answers to: most likely a slip of the pen."""
    names = baseline.features.names
    return [
        f"model {key.model} {key.version}: `features` has {pattern!r}, but the baseline has no such feature"
        for pattern in patterns
        if not any(fnmatchcase(name, pattern) for name in names)
    ]


def _categories(baseline: Baseline, column: str) -> tuple[str, ...]:
    for feature, binning in zip(baseline.features.categorical, baseline.binning.categorical, strict=True):
        if feature.name == column:
            return tuple(binning.describe(i) for i in range(min(MAX_SLICE_VALUES, len(binning.values))))
    return ()
