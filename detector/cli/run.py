"""`run --config C`: the service."""

from __future__ import annotations

import argparse
import logging
import resource
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from detector.clock import Clock
    from detector.config import Config
    from detector.dead_letters import DeadLetters
    from detector.metrics import Metrics
    from detector.reload import Reloader
    from detector.resume import Memory
    from detector.service import Service
    from detector.sources import Duty
    from detector.sources.kafka_settings import KafkaSettings
    from detector.store import Stamp

log = logging.getLogger(__name__)

EXAMPLES = """\
examples:
  drift-detector run --config detector.yaml
  DRIFT_SOURCE__BOOTSTRAP_SERVERS=kafka-1:9092,kafka-2:9092 drift-detector run --config detector.yaml

Serves /metrics, /healthz, /readyz and a status page on http.host:http.port. Ends on SIGTERM or SIGINT.
Reads configuration and baselines again on SIGHUP, and when they change (setting `reload`).
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.epilog = EXAMPLES
    parser.add_argument("--config", "-c", required=True, metavar="CONFIG")


def run(options: argparse.Namespace) -> int:
    """Run until a signal says otherwise."""
    from detector import __version__, logs
    from detector.clock import SystemClock
    from detector.config import load_config
    from detector.metrics import Metrics
    from detector.reload import stamps_of
    from detector.store import stamp_of
    from detector.watchdog import Watchdog, cgroup_limit
    from detector.web import WebServer

    # By itself it would end the program: whoever sends it to reload need not know how far the start is.
    asked = threading.Event()
    signal.signal(signal.SIGHUP, lambda *_: asked.set())
    # What the program has in memory, payloads and passwords, is not to lie on a disk when it crashes.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    path = Path(options.config)
    stamp = stamp_of(path)
    config = load_config(path)
    logs.set_up(config.log.level, config.log.format)
    metrics = Metrics(config.export_policy())
    files = {**stamps_of(config), path: stamp}
    in_force = InForce(config)
    service, reloader = build_service(config, files, metrics, SystemClock(), in_force)
    http = config.http
    server = WebServer(
        http.host, http.port, metrics, service.beat_age_s, http.protection(), settings=in_force.settings
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: service.stop())

    def reread(*_: object) -> None:
        reloader.request()
        server.read_again()

    signal.signal(signal.SIGHUP, reread)
    if asked.is_set():
        reloader.request()
    if http.enabled:
        port, scheme = server.start(), "http" if http.tls is None else "https"
        log.info("serving url=%s://%s:%d version=%s", scheme, http.host, port, __version__)
    Watchdog(service.beat_age_s, config.limits.memory_bytes or cgroup_limit()).start()
    try:
        service.run()
    finally:
        if http.enabled:
            server.stop()
    log.info("stopped")
    return 0


class InForce:
    """The configuration in force, for whoever shows it; any thread asks."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def use(self, config: Config) -> None:
        """Note that another one has come into force."""
        self._config = config

    def settings(self) -> Mapping[str, Any]:
        """Return the settings that everybody may see, by section."""
        from detector.config import public_settings

        return public_settings(self._config)


def build_service(
    config: Config,
    files: Mapping[Path, Stamp],
    metrics: Metrics,
    clock: Clock,
    in_force: InForce | None = None,
) -> tuple[Service, Reloader]:
    """Put the service together, with what changes it while it runs; refuses what `check-config` refuses."""
    from detector.assembly import assemble, check_bounds
    from detector.config import load_config
    from detector.formats import formats
    from detector.kinds import open_part
    from detector.memory import memory_text
    from detector.reload import Reloader
    from detector.report.baseline import baseline_line
    from detector.sinks import sinks
    from detector.sources import SchemaSource, schema_registries, sources
    from detector.store import BaselineReader

    registry = None
    if config.schema_registry is not None and config.event.format in formats.with_schemas:
        registry = open_part(schema_registries, config.schema_registry, clock)
    schemas = None if registry is None else registry.schema_of
    read = BaselineReader()
    assembly = assemble(config, schemas, read)
    bounds = check_bounds(config, assembly.models)
    for warning in (*config.warnings, *assembly.warnings, *bounds.warnings):
        log.warning("%s", warning)
    log.info("%s", memory_text(bounds.memory))
    for key, baseline in assembly.baselines.items():
        log.info("watching model=%s version=%s %s", key.model, key.version, baseline_line(baseline))
    opened = [(settings, open_part(sinks, settings, clock)) for settings in config.alerts.sinks]
    source = open_part(sources, config.source, clock)
    if registry is not None:
        source = SchemaSource(source, registry, clock)
    reloader = Reloader(
        config,
        assembly,
        opened,
        files,
        load=lambda: load_config(config.path),
        assemble=lambda new, read: assemble(new, schemas, read),
        read=read,
        apply=lambda new: _apply(new, metrics, in_force),
        clock=clock,
    )
    memory, duty = open_memory(config, clock), open_duty(config, clock)
    service = assembly.service(
        source,
        [sink for _, sink in opened],
        metrics,
        clock,
        reloader,
        memory,
        duty,
        open_dead_letters(config),
    )
    return service, reloader


def open_memory(config: Config, clock: Clock) -> Memory:
    """Open where the state is kept, if it is.

    Raises:
        StateError: it cannot be kept there.
    """
    from detector.brokers import renewed
    from detector.config.sections import DirectoryState, TopicState
    from detector.resume import Memory
    from detector.state import DirectoryStore, StateStore, TopicStore
    from detector.times import parse_duration

    state = config.state
    store: StateStore
    if isinstance(state, TopicState):
        source = _kafka_of(config)
        store = TopicStore(renewed(source.shared_options), state.topic, source.group_id, clock)
    elif isinstance(state, DirectoryState):
        store = DirectoryStore(config.resolve(state.directory))
    else:
        return Memory(clock)
    return Memory(clock, store, parse_duration(state.every))


def open_dead_letters(config: Config) -> DeadLetters | None:
    """Open where rejected records go, if anywhere.

    Raises:
        ConfigError: a file of the source's security cannot be used.
    """
    from detector.brokers import renewed
    from detector.dead_letters import TopicDeadLetters

    wanted = config.dead_letter
    if wanted is None:
        return None
    options = renewed(_kafka_of(config).shared_options)
    return TopicDeadLetters(options, wanted.topic, wanted.only, wanted.queue)


def open_duty(config: Config, clock: Clock) -> Duty:
    """Join the election of the active replica, where replicas share their state.

    Raises:
        ConfigError: a file of the source's security cannot be used.
    """
    from detector.brokers import renewed
    from detector.config.sections import TopicState
    from detector.sources import AlwaysOnDuty
    from detector.sources.kafka_election import KafkaElection

    if not isinstance(config.state, TopicState):
        return AlwaysOnDuty()
    source = _kafka_of(config)
    if source.election == "off":
        # The group is told of all the same: where two are active, somebody has to learn of it.
        return AlwaysOnDuty(source.group_id)
    options = renewed(source.client_options)
    return KafkaElection(
        options, source.topics, source.group_id, source.session_timeout_s, clock, source.instance_id
    )


def _kafka_of(config: Config) -> KafkaSettings:
    """Return the settings of the source, whose brokers keep the state, too.

    Raises:
        ConfigError: it is of another kind.
    """
    from detector.errors import ConfigError
    from detector.sources.kafka_settings import KafkaSettings

    if not isinstance(config.source, KafkaSettings):
        raise ConfigError(
            f"{config.path}: state.kind: kafka needs a source of kind kafka; keep it in a directory"
        )
    return config.source


def _apply(config: Config, metrics: Metrics, in_force: InForce | None) -> None:
    """Let what is not the service's own follow the configuration."""
    from detector import logs

    metrics.use(config.export_policy())
    logs.set_up(config.log.level, config.log.format)
    if in_force is not None:
        in_force.use(config)
