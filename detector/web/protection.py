"""Who may read over HTTP, and over which TLS: from files, that may be replaced without a restart."""

import base64
import hmac
import logging
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from pydantic import SecretStr

from detector.errors import ConfigError
from detector.secret import secret
from detector.store import Stamp, stamp_of

log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Credentials:
    """The values of the header `Authorization` that are let in; none: everybody is."""

    accepted: tuple[bytes, ...] = field(default=(), repr=False)
    challenge: str = ""
    """What an answer 401 names as the ways in."""

    def allow(self, header: bytes) -> bool:
        """Whether somebody with this header is let in; takes as long whatever it holds."""
        scheme, _, rest = header.partition(b" ")
        given = scheme.lower() + b" " + rest.strip()
        found = [hmac.compare_digest(given, one) for one in self.accepted]
        return any(found) or not self.accepted


@dataclass(frozen=True, slots=True)
class Protection:
    """Where secrets and certificates are. Secrets themselves come from the environment only."""

    token: SecretStr | None = None
    token_file: str | None = None
    username: str | None = None
    password: SecretStr | None = None
    password_file: str | None = None
    certificate_file: str | None = None
    key_file: str | None = None
    client_ca_file: str | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """Everything that is read."""
        names = (self.token_file, self.password_file, self.certificate_file, self.key_file)
        return tuple(Path(name) for name in (*names, self.client_ca_file) if name is not None)

    def credentials(self) -> Credentials:
        """Read who is let in.

        Raises:
            ConfigError: a secret cannot be used.
        """
        accepted, ways = [], []
        token = _read("http.token_file", self.token_file, lambda: secret(self.token, self.token_file))
        if token is not None:
            accepted.append(b"bearer " + token.encode())
            ways.append('Bearer realm="drift-detector"')
        where = "http.basic.password_file"
        password = _read(where, self.password_file, lambda: secret(self.password, self.password_file))
        if password is not None:
            pair = f"{self.username}:{password}".encode()
            accepted.append(b"basic " + base64.b64encode(pair))
            ways.append('Basic realm="drift-detector", charset="UTF-8"')
        return Credentials(tuple(accepted), ", ".join(ways))

    def tls(self) -> ssl.SSLContext | None:
        """Read the certificate and its key, and whom to ask for one; None where HTTP goes in the clear.

        Raises:
            ConfigError: a file cannot be used.
        """
        certificate, key, authority = self.certificate_file, self.key_file, self.client_ca_file
        if certificate is None:
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # Everybody shows a certificate anew: one that is no longer accepted does not live on in a ticket.
        context.options |= ssl.OP_NO_TICKET
        context.num_tickets = 0
        # Without a password OpenSSL would ask for that of a locked key on the terminal, and wait.
        where = f"{certificate} and {key}"
        _read("http.tls", where, lambda: context.load_cert_chain(certificate, key, password=""))
        if authority is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            _read("http.tls.client_ca_file", authority, lambda: context.load_verify_locations(authority))
        return context


def _read(setting: str, file: str | None, read: Callable[[], T]) -> T:
    try:
        return read()
    except ssl.SSLError:
        reason = "no certificate with its unlocked key in PEM"
    except UnicodeError:
        reason = "not text in UTF-8"
    except OSError as error:
        reason = error.strerror or type(error).__name__
    except ValueError as error:
        reason = str(error)
    raise ConfigError(f"{setting}: {file or 'environment'}: cannot be used ({reason})")


class Door:
    """Who is let in now: as the files said at the start, or when they last changed."""

    def __init__(self, protection: Protection) -> None:
        """Read everything.

        Raises:
            ConfigError: a file cannot be used.
        """
        self._protection = protection
        self._known = self._seen = self._stamps()
        self._asked = False
        self.credentials = protection.credentials()
        self._tls = protection.tls()
        self.context = protection.tls()
        """What the server listens with; each connection then gets the newest."""
        if self.context is not None:
            self.context.sni_callback = self._newest

    def ask(self) -> None:
        """Read everything anew at the next look; may be called from a signal handler."""
        self._asked = True

    def look(self) -> None:
        """Read the files anew once they have changed and stand still; what is wrong changes nothing."""
        stamps = self._stamps()
        still, self._seen = stamps == self._seen, stamps
        if not self._asked and (stamps == self._known or not still):
            return
        self._asked, self._known = False, stamps
        problem = self._read_anew()
        if problem:
            log.error("not read anew, the old one stays in force: %s", problem)
        elif self._protection.files:
            log.info("secrets and certificates of http read anew")

    def _read_anew(self) -> str:
        """Return what is wrong."""
        try:
            self.credentials, self._tls = self._protection.credentials(), self._protection.tls()
        except ConfigError as error:
            return str(error)
        return ""

    def _newest(self, connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        if self._tls is not None:
            connection.context = self._tls

    def _stamps(self) -> tuple[Stamp, ...]:
        return tuple(map(stamp_of, self._protection.files))
