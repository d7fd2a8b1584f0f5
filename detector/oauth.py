"""Tokens that prove to the brokers who this is (SASL OAUTHBEARER, RFC 7628): of a file, or of an authority.

A file is read for each connection: whoever puts it there keeps it valid, as Kubernetes does with the tokens
of service accounts. An authority is asked by client id and secret (client credentials, RFC 6749, 4.4); its
token serves all connections until four fifths of its life are over.
"""

import base64
import json
import re
import ssl
import threading
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote_plus, urlencode, urlsplit

if TYPE_CHECKING:
    from detector.clock import Clock

from pydantic import BaseModel, ConfigDict, SecretStr, model_validator

from detector.secret import secret

TIMEOUT_S = 5.0
"""A connection waits no longer for its token: everything that the client does waits with it."""

MAX_ANSWER = 64 << 10

LIFE_S = 300.0
"""Of a token whose authority does not say."""

_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")
"""As RFC 6750, 2.1 has it: nothing that could mean something else in the exchange with the brokers."""

_HERE = frozenset({"localhost", "127.0.0.1", "::1"})


class TokenError(Exception):
    """There is no token, and why; neither token nor secret is part of it."""


class OAuth(BaseModel):
    """Where tokens come from: a file, or an authority."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    token_file: str | None = None
    token_endpoint: str | None = None
    client_id: str | None = None
    client_secret_file: str | None = None
    client_secret: SecretStr | None = None
    scope: str | None = None
    ca_file: str | None = None

    @model_validator(mode="after")
    def _one_place(self) -> "OAuth":
        if (self.token_file is None) == (self.token_endpoint is None):
            raise ValueError("needs one place that tokens come from: token_file or token_endpoint")
        has_secret = self.client_secret is not None or self.client_secret_file is not None
        if self.token_endpoint is None:
            if self.client_id or has_secret or self.scope or self.ca_file:
                raise ValueError("client_id, client_secret_file, scope and ca_file belong to token_endpoint")
            return self
        parts = urlsplit(self.token_endpoint)
        is_private = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _HERE)
        if not is_private or not parts.hostname or parts.username is not None:
            raise ValueError("token_endpoint: write an address like https://login.example.com/oauth2/token")
        if self.client_id is None or not has_secret:
            raise ValueError("token_endpoint needs client_id and client_secret_file")
        return self

    def tokens(self, clock: "Clock") -> "Tokens":
        """Return where tokens come from; what it needs of files is read once, so that what is missing shows.

        Raises:
            OSError: a file cannot be read.
            ValueError: what it holds cannot be used.
        """
        if self.token_file is not None:
            found: Tokens = FileTokens(self.token_file)
            found.token()
            return found
        secret(self.client_secret, self.client_secret_file)
        return AuthorityTokens(self, ssl.create_default_context(cafile=self.ca_file), clock)


class Tokens(Protocol):
    """Where tokens come from; any thread asks."""

    def token(self) -> str:
        """Return a token that is valid now.

        Raises:
            OSError: there is none to be had.
            ValueError: what there is is none.
            TokenError: there is none to be had, for another reason.
        """


class FileTokens:
    """The token that stands in a file."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)

    def token(self) -> str:
        """Return what stands there now."""
        with self._path.open("rb") as opened:
            return _checked(opened.read(MAX_ANSWER + 1).decode("ascii", "replace").strip())


class AuthorityTokens:
    """Tokens that an authority gives for id and secret."""

    def __init__(self, settings: OAuth, context: ssl.SSLContext, clock: "Clock") -> None:
        self._settings, self._clock = settings, clock
        self._open = urllib.request.build_opener(
            urllib.request.HTTPSHandler(context=context), _NoRedirects()
        ).open
        self._lock = threading.Lock()
        self._token = ""
        self._until_s = -float("inf")

    def token(self) -> str:
        """Return the token there is, or ask for another one."""
        with self._lock:
            if self._clock.monotonic_s() >= self._until_s:
                self._token, life_s = self._asked()
                self._until_s = self._clock.monotonic_s() + 0.8 * life_s
            return self._token

    def _asked(self) -> tuple[str, float]:
        # A limit for each read is none for an answer that trickles: so it is read beside.
        found: list[bytes] = []
        failed: list[str] = []

        def ask() -> None:
            try:
                with self._open(self._request(), timeout=TIMEOUT_S) as answer:
                    found.append(answer.read(MAX_ANSWER))
            except urllib.error.HTTPError as error:
                failed.append(f"the authority answers {error.code}")
            except Exception as error:  # noqa: BLE001 - told by the name of its kind: its text may quote
                failed.append(f"the authority is not reached: {type(error).__name__}")

        asking = threading.Thread(target=ask, name="token", daemon=True)
        asking.start()
        asking.join(TIMEOUT_S)
        if not found:
            raise TokenError(failed[0] if failed else f"no answer within {TIMEOUT_S:.0f} s")
        return _understood(found[0])

    def _request(self) -> urllib.request.Request:
        settings = self._settings
        assert settings.token_endpoint is not None
        assert settings.client_id is not None
        form = {"grant_type": "client_credentials"}
        if settings.scope is not None:
            form["scope"] = settings.scope
        # Read anew each time: it may have been replaced. Encoded before it is joined: RFC 6749, 2.3.1.
        word = secret(settings.client_secret, settings.client_secret_file) or ""
        pair = f"{quote_plus(settings.client_id)}:{quote_plus(word)}".encode()
        headers = {
            "Authorization": f"Basic {base64.b64encode(pair).decode()}",
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "application/json",
        }
        # Its scheme was checked with the settings.
        return urllib.request.Request(settings.token_endpoint, urlencode(form).encode(), headers)  # noqa: S310


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """The secret goes nowhere but to the address that was set."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _understood(answer: bytes) -> tuple[str, float]:
    """Return the token of an answer (RFC 6749, 5.1), and how many seconds it lives."""
    try:
        document = json.loads(answer)
        token, life_s = document["access_token"], document.get("expires_in", LIFE_S)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise TokenError("the authority's answer has no access_token") from None
    if isinstance(life_s, bool) or not isinstance(life_s, int | float) or not 0 < life_s < 1e9:
        life_s = LIFE_S
    if not isinstance(token, str):
        raise TokenError("the authority's access_token is no text")
    try:
        return _checked(token), float(life_s)
    except ValueError as error:
        raise TokenError(f"the authority's access_token {error}") from None


def _checked(token: str) -> str:
    if len(token) > MAX_ANSWER or not _TOKEN.fullmatch(token):
        raise ValueError("must be a token: one word of letters, digits and ._~+/-")
    return token


def provider(tokens: Tokens) -> Any:
    """Return what kafka-python asks for tokens."""
    from kafka.errors import KafkaConnectionError
    from kafka.net.sasl.oauth import AbstractTokenProvider

    class Provider(AbstractTokenProvider):  # type: ignore[misc]
        def token(self) -> str:
            try:
                return tokens.token()
            except OSError as error:
                raise KafkaConnectionError(f"no token: {error.strerror or type(error).__name__}") from None
            except (ValueError, TokenError) as error:
                raise KafkaConnectionError(f"no token: {error}") from None

    return Provider()
