"""How Kafka's brokers are found and spoken to: the settings that every reader and writer of topics shares."""

import logging
import re
import ssl
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    model_validator,
)

from detector.clock import SystemClock
from detector.errors import ConfigError
from detector.oauth import OAuth, provider
from detector.secret import secret

log = logging.getLogger(__name__)

ClientOptions = Callable[[], Mapping[str, Any]]
"""Returns the options of a new client, with secrets and certificates as they are now."""

Protocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
Mechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"]

_HOST_PORT = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^\s:/,]+):\d{1,5}")


def listed(value: Any) -> Any:
    """Return a list of the configuration as the tuple that frozen settings hold."""
    return tuple(value) if isinstance(value, list) else value


def _addresses(servers: tuple[str, ...]) -> tuple[str, ...]:
    for server in servers:
        if not _HOST_PORT.fullmatch(server):
            raise ValueError(f"{server!r} is no address; write it like kafka-1:9092")
    return servers


def _topic(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,249}", name):
        raise ValueError(f"{name!r} is no topic name; letters, digits, dot, underscore and dash")
    return name


Addresses = Annotated[
    tuple[str, ...], BeforeValidator(listed), Field(min_length=1), AfterValidator(_addresses)
]
"""One or more brokers as host:port."""
Topic = Annotated[str, AfterValidator(_topic)]
"""The name of a topic."""


class Security(BaseModel):
    """How the brokers are spoken to. Secrets come from files or the environment only."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    protocol: Protocol = "PLAINTEXT"
    mechanism: Mechanism | None = None
    username: str | None = None
    password_file: str | None = None
    password: SecretStr | None = None
    oauth: OAuth | None = None
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None

    @model_validator(mode="after")
    def _fits(self) -> "Security":
        uses_sasl, uses_tokens = self.protocol.startswith("SASL_"), self.mechanism == "OAUTHBEARER"
        if not uses_sasl and (self.mechanism or self.username or self.oauth):
            raise ValueError(f"mechanism and username need protocol SASL_SSL, not {self.protocol}")
        if uses_sasl and uses_tokens != (self.oauth is not None):
            raise ValueError(
                "mechanism OAUTHBEARER and oauth belong together: it says where tokens come from"
            )
        if uses_tokens and (self.username or self.password or self.password_file):
            raise ValueError("OAUTHBEARER takes no username and no password")
        if uses_sasl and not uses_tokens and (self.mechanism is None or self.username is None):
            raise ValueError(f"protocol {self.protocol} needs mechanism and username")
        if uses_sasl and not uses_tokens and self.password is None and self.password_file is None:
            raise ValueError("a user needs a password: name a password_file")
        if not self.protocol.endswith("SSL") and (self.ca_file or self.cert_file):
            raise ValueError(f"ca_file and cert_file need protocol SSL or SASL_SSL, not {self.protocol}")
        return self

    def client_options(self, path: str) -> dict[str, Any]:
        """Return the client's options; files are read now. `path` is where the section stands.

        Raises:
            ConfigError: a file cannot be used.
        """
        options: dict[str, Any] = {"security_protocol": self.protocol}
        if self.protocol.endswith("SSL"):
            options["ssl_context"] = self._tls(path)
        if self.oauth is not None:
            options |= {
                "sasl_mechanism": self.mechanism,
                "sasl_oauth_token_provider": self._provider(self.oauth, path),
            }
        elif self.protocol.startswith("SASL_"):
            options |= {
                "sasl_mechanism": self.mechanism,
                "sasl_plain_username": self.username,
                "sasl_plain_password": self._password(path),
            }
        return options

    def _tls(self, path: str) -> ssl.SSLContext:
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
            if self.cert_file is not None:
                # Else OpenSSL would ask for the password of a locked key on the terminal, and wait.
                context.load_cert_chain(self.cert_file, self.key_file, password="")
        except OSError as error:
            raise ConfigError(f"{path}: a TLS file cannot be used ({error})") from None
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context

    def _password(self, path: str) -> str | None:
        try:
            return secret(self.password, self.password_file)
        except (OSError, ValueError) as error:
            raise ConfigError(f"{path}.password_file: {self.password_file}: {error}") from None

    @staticmethod
    def _provider(oauth: OAuth, path: str) -> Any:
        try:
            return provider(oauth.tokens(SystemClock()))
        except (OSError, ValueError) as error:
            raise ConfigError(f"{path}.oauth: a file cannot be used ({error})") from None


def renewed(make: ClientOptions) -> ClientOptions:
    """Return the same, but where a file cannot be used later on, with what it held before.

    So a password or a certificate may be replaced while the detector runs: the next client that is made,
    for one because the old ones were refused, has the new one.

    Raises:
        ConfigError: a file cannot be used now.
    """
    before = make()

    def options() -> Mapping[str, Any]:
        nonlocal before
        try:
            before = make()
        except ConfigError as error:
            log.warning("%s; what it held before stays in use", error)
        return before

    return options


def discard(producer: Any) -> None:
    """Let go of a producer, and of what it has not sent; None: of none."""
    if producer is None:
        return
    try:
        producer.close(timeout=0)
    except Exception as error:  # noqa: BLE001 - it is thrown away
        log.debug("closing failed: %s", type(error).__name__)
