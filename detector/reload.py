"""The configuration and the baselines read again while the service runs.

    SIGHUP, or files that changed -> read and check all, on a thread of its own -> the loop takes it over

Nothing changes before everything has been checked; what is wrong leaves the old configuration in force,
is logged in one line and shown in metrics. Files count as changed when they differ from those that were
read last, and have stood still from one look to the next: who writes them may not be done yet.
"""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from detector.assembly import Assembly, baseline_files, check_bounds
from detector.baseline import Baseline
from detector.changes import Change
from detector.clock import Clock
from detector.config import Config
from detector.errors import DetectorError
from detector.kinds import open_part
from detector.report.baseline import baseline_line
from detector.sinks import Sink, close_all, sinks
from detector.store import BaselineReader, Stamp, stamp_of
from detector.view import ConfigStatus

log = logging.getLogger(__name__)

T = TypeVar("T")

RELOADED = ("models", "windows", "decision", "alerts", "metrics", "privacy", "log", "reload")
"""Sections that take effect at once; the others do after a restart."""

MAX_ERROR_LENGTH = 500

Aside = Callable[[Callable[[], Any]], "Future[Any]"]
"""Does something where the loop does not wait for it."""

Assemble = Callable[[Config, Callable[[Path], Baseline]], Assembly]
"""(configuration, how to read a baseline) -> what it determines."""

Opened = Sequence[tuple[BaseModel, Sink]]
"""Sinks, each with the settings that it was opened with."""


@dataclass(frozen=True, slots=True)
class _Attempt:
    """What came of reading everything again."""

    error: str = ""
    """What is wrong; empty where nothing is."""
    files: Mapping[Path, Stamp] | None = None
    """The files, as they were before they were read; None where the configuration does not name them."""
    written: Config | None = None
    """What the file says, where it says something."""
    config: Config | None = None
    """The same, with what takes effect after a restart as it is now."""
    assembly: Assembly | None = None
    opened: Opened = ()
    change: Change | None = None


class Reloader:
    """Watches the files, reads them again, and hands the service what comes of it."""

    def __init__(
        self,
        config: Config,
        assembly: Assembly,
        opened: Opened,
        files: Mapping[Path, Stamp],
        *,
        load: Callable[[], Config],
        assemble: Assemble,
        read: BaselineReader,
        apply: Callable[[Config], None],
        clock: Clock,
        aside: Aside | None = None,
    ) -> None:
        """Begin with what is in force; `files` are those it was read from, as they were then.

        `apply` is told of a configuration that has come into force, by the service's thread.
        """
        self._config, self._assembly, self._opened = config, assembly, tuple(opened)
        self._load, self._assemble, self._read = load, assemble, read
        self._apply, self._clock, self._aside = apply, clock, aside or on_a_thread
        self._written = config
        self._known = self._seen = dict(files)
        self._looked_s = clock.monotonic_s()
        self._is_asked = False
        self._task: Future[_Attempt] | None = None
        self._in_hand = _Attempt()
        self._status = ConfigStatus(config.sha256, loaded_s=clock.now_s())

    def request(self) -> None:
        """Ask for everything to be read again; safe to call from a signal handler."""
        self._is_asked = True

    def status(self) -> ConfigStatus:
        """Say what is in force, and how the last attempt went."""
        return self._status

    def take(self) -> Change | None:
        """Return what to go on with, once, where something has changed and is right; never waits."""
        if self._task is None and self._is_due():
            self._task = self._aside(self._attempt)
        if self._task is None or not self._task.done():
            return None
        self._in_hand, self._task = self._task.result(), None
        self._written = self._in_hand.written or self._written
        if self._in_hand.files is not None:
            self._known = self._seen = dict(self._in_hand.files)
        if self._in_hand.error:
            self._failed(self._in_hand.error)
        return self._in_hand.change

    def made(self) -> None:
        """Note that the change is made."""
        attempt, self._in_hand = self._in_hand, _Attempt()
        assert attempt.config is not None
        assert attempt.assembly is not None
        gone = [pair for pair in self._opened if all(pair[1] is not sink for _, sink in attempt.opened)]
        if gone:
            self._aside(lambda: close_all(sink for _, sink in gone))
        self._apply(attempt.config)
        self._tell(attempt.config, attempt.assembly)
        self._config, self._assembly, self._opened = attempt.config, attempt.assembly, tuple(attempt.opened)
        pending = _differing(self._written, attempt.config)
        if pending:
            log.warning("takes effect after a restart: %s", ", ".join(pending))
        self._status = ConfigStatus(
            attempt.config.sha256, loaded_s=self._clock.now_s(), after_restart=pending
        )

    def _failed(self, error: str) -> None:
        log.error("configuration not reloaded, the old one stays in force: %s", error)
        before = self._status
        self._status = ConfigStatus(before.sha256, before.loaded_s, error, before.after_restart)

    def _is_due(self) -> bool:
        # The files are those of the configuration read last, whether or not it was right.
        if self._is_asked:
            self._is_asked = False
            self._known = self._seen = stamps_of(self._written)
            return True
        now_s = self._clock.monotonic_s()
        if now_s - self._looked_s < self._config.reload_every_s:
            return False
        self._looked_s = now_s
        stamps = stamps_of(self._written)
        stands_still, self._seen = stamps == self._seen, stamps
        if stamps == self._known or not stands_still:
            return False
        self._known = stamps
        return True

    def _attempt(self) -> _Attempt:
        """Read and check everything; on another thread than the rest."""
        written, files = None, None
        try:
            stamp = stamp_of(self._config.path)
            written = self._load()
            files = {**stamps_of(written), written.path: stamp}
            return replace(self._prepared(written), files=files)
        except DetectorError as error:
            return _Attempt(_one_line(str(error)), files, written)
        except Exception as error:  # noqa: BLE001 - whatever a file holds, the service goes on
            return _Attempt(_one_line(f"defect: {type(error).__name__}: {error}"), files, written)

    def _prepared(self, written: Config) -> _Attempt:
        fixed = [name for name in type(written).model_fields if name not in RELOADED]
        config = written.model_copy(update={name: getattr(self._config, name) for name in fixed})
        self._read.begin()
        if _differing(written, config):
            # After a restart it would be refused, too.
            self._assemble(written, self._read)
        assembly = self._assemble(config, self._read)
        for warning in check_bounds(config, assembly.models).warnings:
            log.warning("%s", warning)
        opened, new = self._open(config)
        change = Change(
            assembly.pipeline,
            assembly.decoder,
            assembly.baselines,
            [sink for _, sink in opened],
            new,
            assembly.idle_after_s,
        )
        return _Attempt("", None, written, config, assembly, opened, change)

    def _open(self, config: Config) -> tuple[Opened, list[Sink]]:
        """Return the sinks of a configuration, and those among them that are new.

        Where the settings are as they were, so is the sink: it knows what it still has to tell.
        """
        left = list(self._opened)
        opened: list[tuple[BaseModel, Sink]] = []
        new: list[Sink] = []
        try:
            for settings in config.alerts.sinks:
                known = next((pair for pair in left if pair[0] == settings), None)
                if known is None:
                    known = settings, open_part(sinks, settings, self._clock)
                    new.append(known[1])
                else:
                    left.remove(known)
                opened.append(known)
        except Exception:
            close_all(new)
            raise
        return opened, new

    def _tell(self, config: Config, assembly: Assembly) -> None:
        """Log what is new."""
        told = {*self._config.warnings, *self._assembly.warnings}
        for warning in (*config.warnings, *assembly.warnings):
            if warning not in told:
                log.warning("%s", warning)
        before, after = self._assembly.baselines, assembly.baselines
        for key in [key for key in before if key not in after]:
            log.info("no longer watching model=%s version=%s", *key)
        for key, baseline in after.items():
            if key not in before or not baseline.is_like(before[key]):
                what = "watching" if key not in before else "replaced baseline of"
                log.info("%s model=%s version=%s %s", what, *key, baseline_line(baseline))
        log.info("configuration reloaded path=%s sha256=%s", config.path, config.sha256)


def stamps_of(config: Config) -> dict[Path, Stamp]:
    """Look at every file that a configuration is made of: itself, and its baselines."""
    found = [config.path]
    for model in config.models:
        found += [path for path, _ in baseline_files(config, model.baselines)]
    return {path: stamp_of(path) for path in found}


def on_a_thread(task: Callable[[], T]) -> "Future[T]":
    """Do something on a thread that does not keep the program from ending."""
    future: Future[T] = Future()

    def work() -> None:
        try:
            future.set_result(task())
        except BaseException as error:  # noqa: BLE001 - handed on to whoever asks for the result
            future.set_exception(error)

    threading.Thread(target=work, name="reload", daemon=True).start()
    return future


def _differing(written: Config, config: Config) -> tuple[str, ...]:
    """Return the sections that differ."""
    names = type(written).model_fields
    return tuple(name for name in names if getattr(written, name) != getattr(config, name))


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= MAX_ERROR_LENGTH else line[: MAX_ERROR_LENGTH - 1] + "…"
