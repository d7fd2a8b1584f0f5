"""Schemas from a registry that speaks the HTTP API of Confluent's Schema Registry, as several others do.

    GET /schemas/ids/{id}                         -> {"schema": "...", "schemaType": ..., "references": [...]}
    GET /subjects/{subject}/versions/{version}    -> the same, of a schema that another refers to

A schema never changes under its number, so it is asked for once. One that the registry does not know is
asked for again after a minute; events by it are undecodable until then. A registry that does not answer
is another matter: nobody knows what those events hold, so they wait (`detector.sources.schema_source`).
Source: https://docs.confluent.io/platform/current/schema-registry/develop/api.html
"""

import base64
import json
import logging
import random
import ssl
import threading
from collections.abc import Collection
from concurrent.futures import Future
from http.client import HTTPException
from typing import Any, Literal, NamedTuple
from urllib.error import HTTPError
from urllib.parse import quote, urlsplit
from urllib.request import HTTPRedirectHandler, HTTPSHandler, OpenerDirector, Request, build_opener

from pydantic import BaseModel, ConfigDict, SecretStr, field_validator, model_validator

from detector.clock import Clock
from detector.errors import ConfigError
from detector.formats.avro_schema import UnusableSchemaError, reader_of
from detector.formats.avro_values import Read
from detector.kinds import Kind
from detector.registry import Registry
from detector.secret import secret
from detector.times import parse_duration

log = logging.getLogger(__name__)

MAX_KEPT = 1000
"""Schemas remembered; those that a poll brings are kept in any case."""

UNKNOWN_FOR_S = 60.0
"""An unknown number is asked for again after so long."""

MAX_LOOK_UPS = 50
"""Schemas fetched in one go, so that the loop comes round."""

MAX_NOVEL_UNKNOWN = 100
"""So many unknown numbers are asked for in `UNKNOWN_FOR_S`; further ones are taken for unknown unasked.

Numbers are four bytes of an event: whoever writes nonsense there must not make the registry answer for each.
"""

MAX_SAID = 5
"""So many schemas that are of no use are named in the log in `UNKNOWN_FOR_S`."""

MAX_BYTES = 4 << 20
"""A larger answer is none."""

MAX_TIMEOUT_S = 10.0
"""The loop does not come round while it waits."""

LONGEST_TIMEOUTS = 2
"""One to connect and one for the answer; then it is not waited for any longer."""

MAX_REFERENCES = 100
MAX_ID = (1 << 31) - 1
RETRY_FIRST_S, RETRY_MAX_S = 0.2, 30.0
REFUSED_RETRY_S = 15.0

NOT_FOUND = (40401, 40402, 40403)
"""The registry's own codes for a subject, version or schema that it does not have."""


class SchemaRegistrySettings(BaseModel):
    """Where schemas come from. Passwords come from files or the environment only."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["confluent"] = "confluent"
    url: str
    username: str | None = None
    password_file: str | None = None
    password: SecretStr | None = None
    ca_file: str | None = None
    timeout: str = "5s"

    @field_validator("timeout")
    @classmethod
    def _short(cls, timeout: str) -> str:
        if not 0.1 <= parse_duration(timeout) <= MAX_TIMEOUT_S:
            raise ValueError(f"must lie between 0.1s and {MAX_TIMEOUT_S:g}s; write it like 5s")
        return timeout

    @field_validator("url")
    @classmethod
    def _address(cls, url: str) -> str:
        parts = urlsplit(url)
        is_plain = url.isascii() and url.isprintable() and " " not in url and parts.port != 0
        is_address = parts.scheme in ("http", "https") and parts.hostname and is_plain
        if not is_address or parts.query or parts.fragment:
            raise ValueError("no address; write it like http://schema-registry:8081")
        if "@" in parts.netloc:
            raise ValueError("an address with a user in it; write username and password_file instead")
        return url.rstrip("/")

    @model_validator(mode="after")
    def _fits(self) -> "SchemaRegistrySettings":
        has_password = self.password is not None or self.password_file is not None
        if has_password != (self.username is not None):
            raise ValueError(
                "a user needs a password and a password a user; write username and password_file"
            )
        if self.ca_file is not None and not self.url.startswith("https:"):
            raise ValueError("ca_file needs an address that begins with https:")
        return self

    def headers(self) -> dict[str, str]:
        """Return the headers of requests; the password is read now.

        Raises:
            ConfigError: its file cannot be read.
        """
        headers = {"Accept": "application/vnd.schemaregistry.v1+json, application/json"}
        if self.username is not None:
            token = base64.b64encode(f"{self.username}:{self._password()}".encode())
            headers["Authorization"] = f"Basic {token.decode()}"
        return headers

    def _password(self) -> str | None:
        try:
            return secret(self.password, self.password_file)
        except (OSError, ValueError) as error:
            raise ConfigError(f"schema_registry.password_file: {self.password_file}: {error}") from None

    def opener(self) -> OpenerDirector:
        """Return what opens connections.

        Raises:
            ConfigError: the file of the authority cannot be used.
        """
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
        except OSError as error:
            raise ConfigError(f"schema_registry.ca_file: {self.ca_file}: {error}") from None
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return build_opener(_NoRedirect, HTTPSHandler(context=context))


class _NoRedirect(HTTPRedirectHandler):
    """Follows no redirect: it would take the password to another host."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


class _AwayError(Exception):
    """The registry gave no answer that says anything of the schema."""

    def __init__(self, why: str, retry_s: float | None = None) -> None:
        super().__init__(why)
        self.retry_s = retry_s


class _UnknownError(Exception):
    """The registry answered that there is no such schema."""


class _Known(NamedTuple):
    read: Read | None
    until_s: float


class SchemaRegistry:
    """Fetches schemas and remembers them; used by one thread."""

    def __init__(self, settings: SchemaRegistrySettings, clock: Clock) -> None:
        self._url = settings.url
        self._headers = settings.headers()
        self._opener = settings.opener()
        self._timeout_s = parse_duration(settings.timeout)
        self._clock = clock
        self._rng = random.Random()  # noqa: S311 - spreads retries, no secret
        self._known: dict[int, _Known] = {}
        self._failures = 0
        self._retry_at_s = -float("inf")
        self._asking: Future[dict[str, Any]] | None = None
        self._useless = 0
        self._useless_until_s = -float("inf")

    def schema_of(self, number: int) -> Read | None:
        """Return the reader of a schema that `provide` has fetched; None: there is none that can be used."""
        known = self._known.get(number)
        return None if known is None else known.read

    @property
    def is_away(self) -> bool:
        """Whether the registry gave no answer the last time."""
        return self._failures > 0

    def wait_s(self) -> float:
        """Return the seconds until it is asked again."""
        return max(0.0, self._retry_at_s - self._clock.monotonic_s())

    def provide(self, numbers: Collection[int]) -> bool:
        """See that everything is known of some schemas; False: not yet, ask again.

        Takes about as long as the timeout at most. Never raises for what the far side does.
        """
        now_s = self._clock.monotonic_s()
        wanted = [n for n in numbers if n not in self._known or self._known[n].until_s <= now_s]
        if not wanted:
            return True
        if now_s < self._retry_at_s:
            return False
        for number in self._worth_asking(wanted)[:MAX_LOOK_UPS]:
            try:
                self._known[number] = self._fetch(number)
            except _AwayError as error:
                self._wait(error)
                return False
            if self._failures:
                log.info("the schema registry answers again url=%s", self._url)
                self._failures = 0
            if self._clock.monotonic_s() - now_s > self._timeout_s:
                break
        self._forget(set(numbers))
        return all(n in self._known and self._known[n].until_s > now_s for n in numbers)

    def _worth_asking(self, wanted: list[int]) -> list[int]:
        """Return the numbers to ask for; after many useless ones all are taken for unknown for a while."""
        now_s = self._clock.monotonic_s()
        if now_s >= self._useless_until_s:
            self._useless, self._useless_until_s = 0, now_s + UNKNOWN_FOR_S
        if self._useless < MAX_NOVEL_UNKNOWN:
            return wanted
        for number in wanted:
            self._known[number] = _Known(None, self._useless_until_s)
        return []

    def _note_useless(self, number: int, why: str) -> None:
        self._useless += 1
        if self._useless <= MAX_SAID:
            log.warning("schema %d %.200s", number, why)
        elif self._useless == MAX_NOVEL_UNKNOWN:
            log.warning(
                "%d schemas of no use in a minute, this one is %d: for the rest of it new numbers are taken "
                "for unknown; is every event in Confluent's wire format?", self._useless, number,
            )  # fmt: skip

    def _wait(self, error: _AwayError) -> None:
        pause_s = min(RETRY_MAX_S, RETRY_FIRST_S * 2**self._failures) * self._rng.uniform(0.5, 1.0)
        self._retry_at_s = self._clock.monotonic_s() + (error.retry_s or pause_s)
        if not self._failures:
            log.warning("no schemas from %s (%s); events wait until it answers", self._url, error)
        self._failures = min(self._failures + 1, 30)

    def _forget(self, used: set[int]) -> None:
        # Those that say that there is no schema first: nonsense must not drive out what events are read by.
        unused = sorted(self._known.keys() - used, key=lambda n: self._known[n].read is not None)
        for number in unused[: max(0, len(self._known) - MAX_KEPT)]:
            del self._known[number]

    def _fetch(self, number: int) -> _Known:
        until_s = self._clock.monotonic_s() + UNKNOWN_FOR_S
        if number > MAX_ID:
            return _Known(None, until_s)
        try:
            answer = self._get(f"/schemas/ids/{number}")
            read = reader_of(_content(answer), self._references(answer, set()))
        except _UnknownError:
            self._note_useless(number, "is not in the registry: events by it are undecodable")
            return _Known(None, until_s)
        except UnusableSchemaError as error:
            self._note_useless(number, f"cannot be used: {error}")
            return _Known(None, until_s)
        log.info("schema %d fetched", number)
        return _Known(read, float("inf"))

    def _references(self, answer: dict[str, Any], seen: set[tuple[str, int]], depth: int = 0) -> list[object]:
        """Return the schemas that one refers to, each behind those that it refers to itself."""
        found: list[object] = []
        for place in _referred(answer):
            if place in seen:
                continue
            seen.add(place)
            if len(seen) > MAX_REFERENCES or depth > MAX_REFERENCES // 10:
                raise UnusableSchemaError(f"more than {MAX_REFERENCES} references")
            other = self._get(f"/subjects/{place[0]}/versions/{place[1]}")
            found += [*self._references(other, seen, depth + 1), _content(other)]
        return found

    def _get(self, path: str) -> dict[str, Any]:
        """Return the object that the registry answers with, if it does in time.

        The sockets' own limit is one between two bytes: an answer that drips in, or a name that nobody
        resolves, would hold the loop up for hours. What is not over is left alone, one at most.

        Raises:
            _UnknownError: it has no such schema.
            _AwayError: it does not say.
        """
        if self._asking is not None and not self._asking.done():
            raise _AwayError("it has not answered the last request yet")
        asking = self._asking = Future()

        def ask() -> None:
            try:
                asking.set_result(self._ask(path))
            except BaseException as error:  # noqa: BLE001 - handed on to who waits for it
                asking.set_exception(error)

        threading.Thread(target=ask, name="schema-registry", daemon=True).start()
        try:
            return asking.result(LONGEST_TIMEOUTS * self._timeout_s)
        except TimeoutError:
            raise _AwayError("its answer takes too long") from None

    def _ask(self, path: str) -> dict[str, Any]:
        """Return the object that the registry answers with, however long that takes.

        Raises:
            _UnknownError: it has no such schema.
            _AwayError: it does not say.
        """
        request = Request(self._url + path, headers=self._headers)  # noqa: S310 - http and https only
        try:
            with self._opener.open(request, timeout=self._timeout_s) as response:
                return _object(self._body(response))
        except HTTPError as error:
            refusal = error
        except (OSError, HTTPException, ValueError) as error:
            raise _AwayError(f"{type(error).__name__}: {getattr(error, 'reason', error)}") from None
        with refusal:
            try:
                body = self._body(refusal)
            except (OSError, HTTPException):
                body = b""
        raise _meaning(refusal.code, body)

    def _body(self, response: Any) -> bytes:
        end_s = self._clock.monotonic_s() + self._timeout_s
        parts: list[bytes] = []
        while part := response.read1(1 << 16):
            parts.append(part)
            if self._clock.monotonic_s() > end_s or sum(map(len, parts)) > MAX_BYTES:
                raise _AwayError("its answer takes too long, or is too large")
        return b"".join(parts)


def _object(body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        raise _AwayError("its answer is no JSON object: is this a schema registry?")
    return answer


def _meaning(status: int, body: bytes) -> Exception:
    """Return what an answer that is none says."""
    try:
        code = json.loads(body)["error_code"]
    except (ValueError, KeyError, TypeError, RecursionError):
        code = None
    if status == 404 and code not in NOT_FOUND:
        return _AwayError(f"HTTP 404 (error {code}): is this the address of a schema registry?")
    if status in (404, 422):
        return _UnknownError()
    if status in (401, 403):
        return _AwayError(f"refused with HTTP {status}: check username and password", REFUSED_RETRY_S)
    return _AwayError(f"HTTP {status}")


def _content(answer: dict[str, Any]) -> object:
    if answer.get("schemaType", "AVRO") != "AVRO":
        raise UnusableSchemaError(f"a schema of type {answer['schemaType']!r:.40}, not AVRO")
    try:
        return json.loads(answer["schema"])
    except (KeyError, TypeError, ValueError, RecursionError):
        raise UnusableSchemaError("no JSON") from None


def _referred(answer: dict[str, Any]) -> list[tuple[str, int]]:
    """Return subject, as it stands in an address, and version of each schema that one refers to."""
    try:
        return [
            (quote(str(reference["subject"]), safe=""), int(reference["version"]))
            for reference in answer.get("references") or ()
        ]
    except (TypeError, KeyError, ValueError, OverflowError):
        raise UnusableSchemaError("a reference to nothing") from None


schema_registries: Registry[Kind[SchemaRegistry]] = Registry("schema registry kind")
schema_registries.add("confluent", Kind(SchemaRegistrySettings, SchemaRegistry))
