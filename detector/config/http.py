"""The section `http`: where metrics and pages are served, who may read them, and over which TLS."""

from typing import TYPE_CHECKING

from pydantic import Field, SecretStr, model_validator

from detector.config.fields import LocalPath, Name, PlacedError, Section

if TYPE_CHECKING:
    from detector.web.protection import Protection

DEFAULT_PORT = 9723


class Basic(Section):
    """A user and a password."""

    username: Name
    password_file: LocalPath | None = None
    password: SecretStr | None = None

    @model_validator(mode="after")
    def _has_password(self) -> "Basic":
        if ":" in self.username:
            raise PlacedError(("username",), "holds a colon, which ends it; choose another name")
        if (self.password is None) == (self.password_file is None):
            raise PlacedError((), "needs one password: name a password_file, or set it by the environment")
        return self


class Tls(Section):
    """A certificate, and whose certificates are asked for."""

    certificate_file: LocalPath
    key_file: LocalPath
    client_ca_file: LocalPath | None = None
    """Null: nobody is asked for one."""


class Http(Section):
    """Metrics, health, page and API."""

    enabled: bool = True
    host: Name = "127.0.0.1"
    port: int = Field(default=DEFAULT_PORT, ge=0, le=65535)
    """0: any free port."""
    token_file: LocalPath | None = None
    token: SecretStr | None = None
    basic: Basic | None = None
    tls: Tls | None = None

    @model_validator(mode="after")
    def _one_token(self) -> "Http":
        if self.token is not None and self.token_file is not None:
            raise PlacedError(("token_file",), "a token is set by the environment, too; use one of them")
        return self

    def protection(self) -> "Protection":
        """Return the same as the server takes it."""
        # Late, because it brings the server with it.
        from detector.web.protection import Protection

        basic, tls = self.basic, self.tls
        return Protection(
            self.token,
            self.token_file,
            None if basic is None else basic.username,
            None if basic is None else basic.password,
            None if basic is None else basic.password_file,
            None if tls is None else tls.certificate_file,
            None if tls is None else tls.key_file,
            None if tls is None else tls.client_ca_file,
        )
