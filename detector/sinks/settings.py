"""What may be set of every sink, and of every sink that delivers to a receiver."""

from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from detector.alerts import ALERTS, Severity, Transition
from detector.brokers import listed
from detector.times import parse_duration

MAX_WAIT_S = 86400.0


def _alert(name: str) -> str:
    if name not in ALERTS:
        raise ValueError(f"unknown alert; allowed: {', '.join(ALERTS)}")
    return name


def _wait(text: str) -> str:
    if not 0 < parse_duration(text) <= MAX_WAIT_S:
        raise ValueError("must lie above 0s and be at most 24h; write it like 10s or 1h")
    return text


def _name(text: str) -> str:
    if not text.isprintable() or not 0 < len(text) <= 128:
        raise ValueError("must be 1 to 128 characters that print; choose a short name")
    return text


def link(url: str) -> str:
    """Return an address as it stands in messages.

    Raises:
        ValueError: it is none, or holds a user or password.
    """
    parts = urlsplit(url)
    if not _has_port_or_none(parts):
        raise ValueError("no port behind the host; write it like https://host:8443/path")
    if parts.scheme not in ("http", "https") or not parts.hostname or not url.isprintable() or " " in url:
        raise ValueError("no address; write it like https://host/path")
    if "@" in parts.netloc:
        raise ValueError("a user in the address; leave it out")
    return url


def _has_port_or_none(parts: SplitResult) -> bool:
    """Whether a port can be one; Python's own message would repeat what stands in its place."""
    try:
        return parts.port != 0
    except ValueError:
        return False


Wait = Annotated[str, AfterValidator(_wait)]
"""A duration above 0s, at most a day."""
Link = Annotated[str, AfterValidator(link)]
"""An address without secrets, for people to follow."""


class SinkSettings(BaseModel):
    """What every sink has: which alerts it is told of."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    kind: str
    name: Annotated[str, AfterValidator(_name)] | None = None
    """What it is called in metrics and logs; None: as its kind."""
    only: Annotated[tuple[Annotated[str, AfterValidator(_alert)], ...], BeforeValidator(listed)] | None = None
    """Alerts by name; None: all."""
    severity: Annotated[tuple[Severity, ...], BeforeValidator(listed)] | None = None
    """Alerts of these severities; None: all."""

    @property
    def label(self) -> str:
        """What it is called in metrics and logs."""
        return self.name or self.kind

    def wants(self, t: Transition) -> bool:
        """Whether this sink is told of an alert."""
        return (self.only is None or t.alert in self.only) and (
            self.severity is None or t.severity in self.severity
        )


class Delivery(BaseModel):
    """How long and how often a receiver is tried."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    queue: int = Field(default=1000, ge=100, le=100_000)
    """Notifications that wait for the receiver; beyond that the oldest are dropped, superseded ones first."""
    give_up_after: Wait = "1h"
    """One that the receiver does not take for so long has failed."""
    timeout: Wait = "10s"
    """How long one attempt may wait for the receiver."""
    flush: Wait = "5s"
    """How long the end of the program waits for what is still queued."""

    @property
    def timeout_s(self) -> float:
        """How long one attempt may wait for the receiver."""
        return parse_duration(self.timeout)

    @property
    def flush_s(self) -> float:
        """How long the end of the program waits."""
        return parse_duration(self.flush)


class DeliverySettings(SinkSettings):
    """What every sink has that delivers to a receiver."""

    delivery: Delivery = Delivery()


class Links(BaseModel):
    """Where people go from a message."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    page_url: Link | None = None
    """The detector's own page, as people reach it."""
    dashboard_url: Link | None = None
    runbook_url: Link | None = None
