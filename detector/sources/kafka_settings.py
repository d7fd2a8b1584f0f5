"""Settings of the Kafka source, and what the client library is told of them."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from detector.brokers import Addresses, Security, Topic, listed
from detector.times import parse_duration, parse_rfc3339

MIN_SESSION_S, MAX_SESSION_S = 2.0, 1800.0


class KafkaSettings(BaseModel):
    """Where events come from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["kafka"] = "kafka"
    bootstrap_servers: Addresses
    topics: Annotated[tuple[Topic, ...], BeforeValidator(listed), Field(min_length=1)]
    group_id: str = Field(default="drift-detector", min_length=1, max_length=249)
    election: Literal["auto", "off"] = "auto"
    """auto: replicas that share their state elect one that is active; without shared state there is none."""
    session_timeout: str = "10s"
    """After so long without a sign of life another replica takes over."""
    instance_id: str | None = Field(default=None, min_length=1, max_length=249)
    """A lasting name of this replica in its group."""
    start: str = "latest"
    """latest, earliest, a duration back from now such as -2h, or an RFC 3339 time."""
    security: Security = Security()
    max_poll_records: int = Field(default=2000, ge=1, le=100_000)
    max_batch_bytes: int = Field(default=64 << 20, ge=1 << 20, le=1 << 30)
    """A larger batch, decompressed, is passed over; a poll ends once it has brought so much."""

    @field_validator("topics")
    @classmethod
    def _names(cls, topics: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(topics)) != len(topics):
            raise ValueError("a topic stands twice; remove one")
        return topics

    @field_validator("start")
    @classmethod
    def _start(cls, start: str) -> str:
        start_time_s(start, 0.0)
        return start

    @field_validator("session_timeout")
    @classmethod
    def _session(cls, session_timeout: str) -> str:
        if not MIN_SESSION_S <= parse_duration(session_timeout) <= MAX_SESSION_S:
            raise ValueError("not between 2s and 30m; brokers take 6s to 30m unless told otherwise")
        return session_timeout

    @property
    def session_timeout_s(self) -> float:
        """How long a replica may be silent and keep the duty."""
        return parse_duration(self.session_timeout)

    def client_options(self) -> dict[str, Any]:
        """Return the options of the client library's consumer."""
        return self.shared_options() | {
            # No group: all partitions are ours, and offsets are not committed.
            "group_id": None,
            "enable_auto_commit": False,
            "auto_offset_reset": "none",
            "isolation_level": "read_committed",
            "allow_auto_create_topics": False,
            # A topic that was created again is noticed by its id, and that comes with the metadata.
            "metadata_max_age_ms": 10_000,
            # While a topic is away the client asks for it this often.
            "retry_backoff_ms": 500,
            "max_poll_records": self.max_poll_records,
            "fetch_max_bytes": 8 << 20,
            # A poll costs a millisecond however little it brings: let the broker gather for a moment. At
            # 1,000 events a second that is 5 % of a core, where single records would take 69 %.
            "fetch_min_bytes": 64 << 10,
            "fetch_max_wait_ms": 250,
            "max_partition_fetch_bytes": 2 << 20,
            "receive_message_max_bytes": 64 << 20,
        }

    def shared_options(self) -> dict[str, Any]:
        """Return what every client of these brokers is told, be it a consumer or not."""
        return {
            "bootstrap_servers": list(self.bootstrap_servers),
            "client_id": self.group_id,
            "request_timeout_ms": 15_000,
            "bootstrap_timeout_ms": 5_000,
            "reconnect_backoff_max_ms": 5_000,
            "metrics_enabled": False,
        } | self.security.client_options("source.security")


def start_time_s(start: str, now_s: float) -> float | None:
    """Return the time that a start policy names; None for latest and earliest.

    Raises:
        ValueError: it is no start policy.
    """
    if start in ("latest", "earliest"):
        return None
    try:
        return now_s - parse_duration(start[1:]) if start.startswith("-") else parse_rfc3339(start)
    except ValueError:
        raise ValueError(
            f"{start!r} is no start; write latest, earliest, a duration like -2h, or a time like "
            "2026-11-23T00:00:00Z"
        ) from None
