"""Settings of the Kafka source, and what the client library is told of them."""

import re
import ssl
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)

from detector.errors import ConfigError
from detector.times import parse_duration, parse_rfc3339

Protocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
Mechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]

_HOST_PORT = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^\s:/,]+):\d{1,5}")


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _listed(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


class Security(_Section):
    """How the brokers are spoken to. Passwords come from files or the environment only."""

    protocol: Protocol = "PLAINTEXT"
    mechanism: Mechanism | None = None
    username: str | None = None
    password_file: str | None = None
    password: SecretStr | None = None
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None

    @model_validator(mode="after")
    def _fits(self) -> "Security":
        uses_sasl = self.protocol.startswith("SASL_")
        if uses_sasl and (self.mechanism is None or self.username is None):
            raise ValueError(f"protocol {self.protocol} needs mechanism and username")
        if uses_sasl and self.password is None and self.password_file is None:
            raise ValueError("a user needs a password: name a password_file")
        if not uses_sasl and (self.mechanism or self.username):
            raise ValueError(f"mechanism and username need protocol SASL_SSL, not {self.protocol}")
        if not self.protocol.endswith("SSL") and (self.ca_file or self.cert_file):
            raise ValueError(f"ca_file and cert_file need protocol SSL or SASL_SSL, not {self.protocol}")
        return self

    def client_options(self) -> dict[str, Any]:
        """Return the client's options; files are read now.

        Raises:
            ConfigError: a file cannot be used.
        """
        options: dict[str, Any] = {"security_protocol": self.protocol}
        if self.protocol.endswith("SSL"):
            options["ssl_context"] = self._tls()
        if self.protocol.startswith("SASL_"):
            options |= {
                "sasl_mechanism": self.mechanism,
                "sasl_plain_username": self.username,
                "sasl_plain_password": self._password(),
            }
        return options

    def _tls(self) -> ssl.SSLContext:
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
            if self.cert_file is not None:
                context.load_cert_chain(self.cert_file, self.key_file)
        except OSError as error:
            raise ConfigError(f"source.security: a TLS file cannot be used ({error})") from None
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context

    def _password(self) -> str:
        if self.password is not None:
            return self.password.get_secret_value()
        assert self.password_file is not None
        try:
            return Path(self.password_file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"source.security.password_file: {self.password_file}: {error}") from None


class KafkaSettings(_Section):
    """Where events come from."""

    kind: Literal["kafka"] = "kafka"
    bootstrap_servers: Annotated[tuple[str, ...], BeforeValidator(_listed), Field(min_length=1)]
    topics: Annotated[tuple[str, ...], BeforeValidator(_listed), Field(min_length=1)]
    group_id: str = Field(default="drift-detector", min_length=1, max_length=249)
    start: str = "latest"
    """latest, earliest, a duration back from now such as -2h, or an RFC 3339 time."""
    security: Security = Security()
    max_poll_records: int = Field(default=2000, ge=1, le=100_000)

    @field_validator("bootstrap_servers")
    @classmethod
    def _addresses(cls, servers: tuple[str, ...]) -> tuple[str, ...]:
        for server in servers:
            if not _HOST_PORT.fullmatch(server):
                raise ValueError(f"{server!r} is no address; write it like kafka-1:9092")
        return servers

    @field_validator("topics")
    @classmethod
    def _names(cls, topics: tuple[str, ...]) -> tuple[str, ...]:
        for topic in topics:
            if not re.fullmatch(r"[A-Za-z0-9._-]{1,249}", topic):
                raise ValueError(f"{topic!r} is no topic name; letters, digits, dot, underscore and dash")
        if len(set(topics)) != len(topics):
            raise ValueError("a topic stands twice; remove one")
        return topics

    @field_validator("start")
    @classmethod
    def _start(cls, start: str) -> str:
        start_time_s(start, 0.0)
        return start

    def client_options(self) -> dict[str, Any]:
        """Return the options of the client library's consumer."""
        return {
            "bootstrap_servers": list(self.bootstrap_servers),
            "client_id": self.group_id,
            # No group: all partitions are ours, and offsets are not committed.
            "group_id": None,
            "enable_auto_commit": False,
            "auto_offset_reset": "none",
            "isolation_level": "read_committed",
            "allow_auto_create_topics": False,
            "metadata_max_age_ms": 30_000,
            "max_poll_records": self.max_poll_records,
            "fetch_max_bytes": 8 << 20,
            # A poll costs a millisecond however little it brings: let the broker gather for a moment. At
            # 1,000 events a second that is 5 % of a core, where single records would take 69 %.
            "fetch_min_bytes": 64 << 10,
            "fetch_max_wait_ms": 250,
            "max_partition_fetch_bytes": 2 << 20,
            "receive_message_max_bytes": 64 << 20,
            "request_timeout_ms": 15_000,
            "bootstrap_timeout_ms": 5_000,
            "reconnect_backoff_max_ms": 5_000,
            "metrics_enabled": False,
        } | self.security.client_options()


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
