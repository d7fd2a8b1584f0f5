"""HTTP for sinks: one POST, checked certificates, no redirects, secrets from files or the environment.

Files with secrets are read anew for each request, so that one may be replaced while the detector runs.
Nothing of an answer but its status is read. The address is part of the secret: no error repeats it.
Proxies are taken from the environment (`HTTPS_PROXY`, `NO_PROXY`) as other programs do.
"""

import base64
import http.client
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, SecretStr, model_validator

from detector import __version__
from detector.clock import Clock
from detector.errors import ConfigError
from detector.secret import secret
from detector.sinks.delivery import DeliveryError
from detector.sinks.settings import DeliverySettings, Links, link

REFUSED = frozenset({400, 405, 410, 411, 413, 414, 415, 422, 431})
"""Answers that say that this message will never be taken; others, also 401 and 404, may pass."""


class Authorization(BaseModel):
    """Who we are: a user with a password, or a token; from files or the environment only."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    username: str | None = None
    password_file: str | None = None
    password: SecretStr | None = None
    bearer_token_file: str | None = None
    bearer_token: SecretStr | None = None

    @model_validator(mode="after")
    def _one_way_in(self) -> "Authorization":
        has_password = self.password is not None or self.password_file is not None
        has_token = self.bearer_token is not None or self.bearer_token_file is not None
        if self.username is not None and not has_password:
            raise ValueError("a user needs a password: name a password_file")
        if has_password and self.username is None:
            raise ValueError("a password needs a user: add username")
        if has_password and has_token:
            raise ValueError("a password and a bearer token; use one of them")
        return self

    def header(self) -> str | None:
        """Return the header that proves who we are; files are read now.

        Raises:
            OSError: a file cannot be read.
            ValueError: what it holds cannot be used.
        """
        token = secret(self.bearer_token, self.bearer_token_file)
        if token is not None:
            return f"Bearer {token}"
        password = secret(self.password, self.password_file)
        if password is None:
            return None
        pair = f"{self.username}:{password}".encode()
        return f"Basic {base64.b64encode(pair).decode()}"


class HttpSettings(DeliverySettings):
    """How a receiver that speaks HTTP is spoken to."""

    ca_file: str | None = None
    """Who vouches for the receiver, where it is not a public authority."""
    authorization: Authorization = Authorization()
    links: Links = Links()


class SecretAddress(HttpSettings):
    """A receiver whose address is a secret, as where a token is part of it."""

    url_file: str | None = None
    url: SecretStr | None = None
    """From the environment only."""

    @model_validator(mode="after")
    def _has_address(self) -> "SecretAddress":
        if (self.url is None) == (self.url_file is None):
            raise ValueError(
                "needs one address: name a url_file that holds it, or set its url by the environment"
            )
        return self

    def address(self) -> str:
        """Return the address; a file is read now.

        Raises:
            OSError: the file cannot be read.
            ValueError: it holds no address.
        """
        return link(secret(self.url, self.url_file) or "")


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """What is sent, and the token with it, goes nowhere but to the address that was set."""

    def redirect_request(self, *_: Any) -> None:
        return None


class Poster:
    """Sends requests to one address; used by one thread."""

    def __init__(self, settings: HttpSettings, address: Callable[[], str], clock: Clock) -> None:
        """Read everything once, so that what is missing shows at the start.

        Raises:
            ConfigError: a file cannot be used.
        """
        self._settings = settings
        self._address = address
        self._clock = clock
        self._timeout_s = settings.delivery.timeout_s
        try:
            context = ssl.create_default_context(cafile=settings.ca_file)
            address()
            settings.authorization.header()
        except OSError as error:
            what = f"{error.filename or settings.ca_file}: {error.strerror or type(error).__name__}"
            raise ConfigError(f"alerts.sinks: {settings.label}: a file cannot be read ({what})") from None
        except ValueError as error:
            reason = "not text in UTF-8" if isinstance(error, UnicodeError) else error
            raise ConfigError(
                f"alerts.sinks: {settings.label}: a secret or address cannot be used ({reason})"
            ) from None
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPSHandler(context=context), _NoRedirects()
        )

    def post(self, body: bytes, headers: Mapping[str, str]) -> None:
        """Send JSON.

        Raises:
            DeliveryError: it was not taken.
        """
        try:
            request = self._request(body, headers)
        except (OSError, ValueError) as error:
            raise DeliveryError(f"address or secret cannot be read: {type(error).__name__}") from None
        try:
            self._opener.open(request, timeout=self._timeout_s).close()
        except urllib.error.HTTPError as error:
            error.close()
            raise self._refusal(error) from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise DeliveryError(reason_of(error)) from None

    def _request(self, body: bytes, headers: Mapping[str, str]) -> urllib.request.Request:
        own = {
            "Content-Type": "application/json",
            "User-Agent": f"streaming-drift-detector/{__version__}",
        }
        authorization = self._settings.authorization.header()
        if authorization is not None:
            own["Authorization"] = authorization
        # The scheme is http or https: `link` has seen to it.
        return urllib.request.Request(self._address(), body, {**headers, **own}, method="POST")  # noqa: S310

    def _refusal(self, error: urllib.error.HTTPError) -> DeliveryError:
        if 300 <= error.code < 400:
            return DeliveryError(
                f"HTTP {error.code}: a redirect, which is not followed; set the address it leads to"
            )
        pause_s = self._pause_s(error.headers.get("Retry-After"))
        return DeliveryError(f"HTTP {error.code}", is_final=error.code in REFUSED, pause_s=pause_s)

    def _pause_s(self, retry_after: str | None) -> float:
        """Return the seconds that a `Retry-After` asks for (RFC 9110, 10.2.3), 0 without one."""
        if retry_after is None:
            return 0.0
        if retry_after.strip().isdecimal():
            return float(retry_after.strip()[:9])
        try:
            return max(0.0, parsedate_to_datetime(retry_after).timestamp() - self._clock.now_s())
        except (ValueError, OverflowError, OSError):
            return 0.0


def reason_of(error: BaseException) -> str:
    """Return why a connection failed, without the text of the error: that may quote the address."""
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return "the receiver's certificate is not trusted"
    if isinstance(cause, TimeoutError):
        return "no answer in time"
    if isinstance(cause, ConnectionError):
        return f"connection failed: {cause.strerror or type(cause).__name__}"
    return type(cause).__name__
