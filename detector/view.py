"""The published picture: what readers on other threads see.

The service thread makes a new `View` and swaps one reference; nothing in a view changes afterwards,
so readers need no lock and never see half an evaluation.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from detector.alerts import Transition
from detector.baseline import Baseline
from detector.baseline.learning import Knowledge
from detector.batch import ModelKey, Partition
from detector.counters import Counters
from detector.drift.judge import Judge
from detector.pipeline import Judged, Pipeline
from detector.statistic_history import StatisticHistory


@dataclass(frozen=True, slots=True)
class PartitionStatus:
    """Where the source stands in one partition."""

    partition: Partition
    position: int
    """Offset of the next record to read."""
    end: int | None
    """Offset after the last record there is; None while unknown."""

    @property
    def lag(self) -> int | None:
        """Records not read yet."""
        return None if self.end is None else max(0, self.end - self.position)


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """Whether the source is connected, and where it stands."""

    connected: bool = False
    partitions: tuple[PartitionStatus, ...] = ()
    skipped: Mapping[str, int] = field(default_factory=dict)
    """Records that could not be fetched, by reason."""
    restarts: int = 0
    """How often the connection was made anew because a partition stood still."""


@dataclass(frozen=True, slots=True)
class SinkStatus:
    """What became of what one receiver gets; only `queued` ever shrinks."""

    name: str
    sent: int = 0
    """Taken by the receiver."""
    failed: int = 0
    """Given up: refused, or not taken in time."""
    dropped: int = 0
    """Never tried to the end, because the queue was full."""
    queued: int = 0
    """Still to be sent."""


@dataclass(frozen=True, slots=True)
class StateStatus:
    """How the keeping of state goes."""

    last_s: float | None = None
    """Wall time of the last cut that was kept; None before the first."""
    duration_s: float = 0.0
    """How long it took to write, beside the loop."""
    size_bytes: float = 0.0
    n_failed: int = 0
    """Cuts that could not be written."""
    n_damaged: int = 0
    """Cuts that were found damaged at the start."""


@dataclass(frozen=True, slots=True)
class ConfigStatus:
    """Which configuration is in force, and how the last attempt to read it again went."""

    sha256: str = ""
    """Digest of the file that is in force."""
    loaded_s: float | None = None
    """Wall time since when it is: of the last success."""
    error: str = ""
    """What was wrong the last time; empty after a success."""
    after_restart: tuple[str, ...] = ()
    """Sections whose new settings take effect after a restart."""

    @property
    def is_successful(self) -> bool:
        """Whether the last attempt was a success."""
        return not self.error


@dataclass(frozen=True, slots=True)
class View:
    """Everything that metrics and pages show."""

    revision: int
    """Grows with every evaluation: what was rendered for one revision may be served again."""
    baselines: Mapping[ModelKey, Baseline]
    judged: Mapping[tuple[ModelKey, float], Judged]
    """Latest evaluation of each model version and window length."""
    firing: tuple[Transition, ...]
    possible_anomalies: Mapping[ModelKey, tuple[tuple[str, str], ...]]
    """By model version every (feature, kind of anomaly) that a window can bring; feature "": the data set."""
    counters: Counters
    source: SourceStatus
    event_time_s: Mapping[str, float]
    """Largest event time by topic."""
    watermark_s: float
    last_evaluation_s: float | None = None
    """Wall time of the latest evaluation."""
    ready: bool = False
    sinks: tuple[SinkStatus, ...] = ()
    knowledge: Mapping[ModelKey, Knowledge] = field(default_factory=dict)
    """What the thresholds of each model version rest on."""
    config: ConfigStatus = ConfigStatus()
    published_s: float | None = None
    """Wall time when the picture was taken."""
    uptime_s: float = 0.0
    """Seconds since the service was made."""
    state: StateStatus | None = None
    """None where no state is kept."""
    is_active: bool = True
    """Whether this instance reads and judges; a standby shows nothing of what another one knows."""
    group: str = ""
    """Name that it has in common with its replicas; empty where there are none."""
    history: Mapping[tuple[ModelKey, float], StatisticHistory] = field(default_factory=dict)
    """How the statistics of each model version and window length went over the last day."""
    past: tuple[Transition, ...] = ()
    """The last alerts that are over, oldest first."""
    dead_letters: SinkStatus | None = None
    """What became of rejected records that are sent on; None where none are."""
    judges: Mapping[ModelKey, Judge] = field(default_factory=dict)
    """What windows of each model version are held against, and by which policy."""


def view_of(
    pipeline: Pipeline,
    baselines: Mapping[ModelKey, Baseline],
    source: SourceStatus,
    *,
    revision: int,
    last_evaluation_s: float | None,
    ready: bool,
    sinks: tuple[SinkStatus, ...] = (),
    config: ConfigStatus = ConfigStatus(),
    published_s: float | None = None,
    uptime_s: float = 0.0,
    state: StateStatus | None = None,
    is_active: bool = True,
    group: str = "",
    dead_letters: SinkStatus | None = None,
) -> View:
    """Take a picture of the pipeline as it is now."""
    watching = pipeline.watched
    event_time_s: dict[str, float] = {}
    for status in source.partitions:
        seen = pipeline.event_time_of(status.partition)
        if seen is not None:
            topic = status.partition.topic
            event_time_s[topic] = max(seen, event_time_s.get(topic, seen))
    return View(
        revision=revision,
        baselines=baselines,
        judged=dict(pipeline.latest),
        firing=pipeline.firing,
        possible_anomalies={key: watched.possible_anomalies for key, watched in watching.items()},
        counters=pipeline.counters.copy(),
        source=source,
        event_time_s=event_time_s,
        watermark_s=pipeline.watermark_s,
        last_evaluation_s=last_evaluation_s,
        ready=ready,
        sinks=sinks,
        knowledge=pipeline.knowledge,
        config=config,
        published_s=published_s,
        uptime_s=uptime_s,
        state=state,
        is_active=is_active,
        group=group,
        history={(key, n_s): of for key, w in watching.items() for n_s, of in w.history.show().items()},
        past=pipeline.past.all,
        dead_letters=dead_letters,
        judges={key: watched.judge for key, watched in watching.items()},
    )
