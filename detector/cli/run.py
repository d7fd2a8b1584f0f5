"""`run --config C`: the service."""

from __future__ import annotations

import argparse
import logging
import signal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from detector.clock import Clock
    from detector.config import Config
    from detector.service import Service

log = logging.getLogger(__name__)

EXAMPLES = """\
examples:
  drift-detector run --config detector.yaml
  DRIFT_SOURCE__BOOTSTRAP_SERVERS=kafka-1:9092,kafka-2:9092 drift-detector run --config detector.yaml

Serves /metrics, /healthz, /readyz and a status page on http.host:http.port. Ends on SIGTERM or SIGINT.
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
    from detector.web import WebServer

    config = load_config(options.config)
    logs.set_up(config.log.level, config.log.format)
    metrics = Metrics(config.export_policy())
    service = build_service(config, metrics, SystemClock())
    server = WebServer(config.http.host, config.http.port, metrics, service.beat_age_s)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: service.stop())
    if config.http.enabled:
        port = server.start()
        log.info("serving url=http://%s:%d version=%s", config.http.host, port, __version__)
    try:
        service.run()
    finally:
        if config.http.enabled:
            server.stop()
    log.info("stopped")
    return 0


def build_service(config: Config, metrics: Any, clock: Clock) -> Service:
    """Put the service together; refuses what `check-config` refuses."""
    from detector.assembly import assemble
    from detector.formats import formats
    from detector.kinds import open_part
    from detector.metrics import check_series
    from detector.report.baseline import baseline_line
    from detector.sinks import sinks
    from detector.sources import SchemaSource, schema_registries, sources

    registry = None
    if config.schema_registry is not None and config.event.format in formats.with_schemas:
        registry = open_part(schema_registries, config.schema_registry, clock)
    assembly = assemble(config, None if registry is None else registry.schema_of)
    check_series(assembly.models, config.window_spec(), config.export_policy())
    for warning in (*config.warnings, *assembly.warnings):
        log.warning("%s", warning)
    for key, baseline in assembly.baselines.items():
        log.info("watching model=%s version=%s %s", key.model, key.version, baseline_line(baseline))
    opened = [open_part(sinks, settings, clock) for settings in config.alerts.sinks]
    source = open_part(sources, config.source, clock)
    if registry is not None:
        source = SchemaSource(source, registry, clock)
    return assembly.service(source, opened, metrics, clock)
