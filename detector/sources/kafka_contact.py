"""A client of kafka-python whose connecting is watched, bounded, and explained.

The client keeps the reason of a failed connection to itself, looks names up on the thread that everything
waits for, and tries a refused password again at once. So here

- every connection is noted under its address, with what became of it (`Contacts`);
- after a refused password or certificate no further connection is tried by that client;
- a name that is not resolved in time counts as not found; the answer serves the next attempt.
"""

import logging
import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

from kafka.errors import (
    AuthorizationError,
    GroupAuthorizationFailedError,
    SaslAuthenticationFailedError,
    UnsupportedSaslMechanismError,
)
from kafka.net.compat import KafkaNetClient
from kafka.net.inet import KafkaNetSocket

log = logging.getLogger(__name__)

RESOLVE_TIMEOUT_S = 3.0
CLOSE_TIMEOUT_S = 2.0
MAX_NAMES = 1000

CONNECT_TIMEOUTS = {
    "socket_connection_setup_timeout_ms": 3_000,
    "socket_connection_setup_timeout_max_ms": 10_000,
}
"""First and longest; the consumer has no such options, what it is made of does."""

OWN_SOCKETS = "bounded"
"""The scheme under which the client knows our way to look names up."""


class Contacts:
    """What became of the connections of one client, by address."""

    def __init__(self) -> None:
        self.failed: dict[str, str] = {}
        """Why not, for addresses that cannot be reached or have not answered yet."""
        self.refusal: Exception | None = None
        """Why no further connection is tried."""
        self.network: Any = None
        """What the client talks through; there is one though the client could not be made."""

    def shut(self) -> None:
        """End every connection, also of a client that is still being made."""
        if self.network is not None:
            self.network.close()

    def note(self, address: str, error: Exception | None) -> None:
        """Note how an attempt ended; None: well."""
        if error is None:
            self.failed.pop(address, None)
            return
        self.failed[address] = f"{type(error).__name__}: {error}"[:300]
        if is_refusal(error):
            self.refusal = error

    def words(self, known: Iterable[str]) -> str:
        """Say why brokers are not reached; `known` are the addresses of the configuration."""
        said = [
            f"{address}: {why}"
            if address in set(known)
            else f"{address}, which the brokers give as their own address (advertised.listeners; it must be "
            f"reachable from here): {why}"
            for address, why in sorted(self.failed.items())[:3]
        ]
        return "; ".join(said)


def is_refusal(error: Exception) -> bool:
    """Whether trying again at once makes no sense: password, permission or certificate were refused."""
    return is_about_certificates(error) or isinstance(
        error, (AuthorizationError, SaslAuthenticationFailedError, UnsupportedSaslMechanismError)
    )


def is_about_certificates(error: Exception) -> bool:
    """Whether one side does not trust the other's certificate."""
    return "certificate" in str(error).lower()


def client_class(contacts: Contacts) -> type[KafkaNetClient]:
    """Return the class of what a consumer talks to the network with, noting in `contacts` what happens."""

    class Watched(KafkaNetClient):  # type: ignore[misc]
        def __init__(self, **configs: Any) -> None:
            super().__init__(**configs, **CONNECT_TIMEOUTS)
            contacts.network = self
            connect = self._manager.get_connection

            def get_connection(node_id: Any, *args: Any, **kwargs: Any) -> Any:
                if contacts.refusal is not None:
                    raise contacts.refusal
                before = self._manager._conns.get(node_id)  # noqa: SLF001
                connection = connect(node_id, *args, **kwargs)
                if connection is not before:
                    node = self._manager.cluster.broker_metadata(node_id)
                    self._watch(f"{node.host}:{node.port}", connection)
                return connection

            self._manager.get_connection = get_connection

        @staticmethod
        def _watch(address: str, connection: Any) -> None:
            contacts.failed.setdefault(address, "no answer yet")
            connection.init_future.add_callback(lambda _: contacts.note(address, None))
            is_first = connection.broker_version_data is None

            def failed(error: Exception) -> None:
                contacts.note(address, _meaning(connection, error) if is_first else error)

            connection.init_future.add_errback(failed)

    return Watched


def _meaning(connection: Any, error: Exception) -> Exception:
    """Return what an error of a first connection means.

    Brokers close the connection right behind the answer that the password is wrong, and the client of
    kafka-python 3.0 drops what comes in one piece with the end.
    """
    has_begun = connection.sasl_enabled and connection.broker_version_data is not None
    if has_begun and "disconnected" in str(error):
        refused: Exception = SaslAuthenticationFailedError("closed while the password was checked")
        return refused
    return error


class BoundedSockets(KafkaNetSocket):  # type: ignore[misc]
    """Connects as the client does, but waits for names only so long."""

    SCHEMES = (OWN_SOCKETS,)
    _answers: ClassVar[dict[tuple[str, int], list[Any]]] = {}
    _asking: ClassVar[dict[tuple[str, int], threading.Event]] = {}
    _lock = threading.Lock()

    def dns_lookup(self, host: str, port: int, raise_error: bool = False) -> list[Any]:  # noqa: ARG002
        """Return the addresses of a host; none if the answer is not there in time."""
        place = (host, port)
        with self._lock:
            done = self._asking.get(place)
            if done is None:
                done = self._asking[place] = threading.Event()
                threading.Thread(target=self._ask, args=(place, done), name="resolve", daemon=True).start()
        done.wait(RESOLVE_TIMEOUT_S)
        return self._answers.get(place, [])

    @classmethod
    def _ask(cls, place: tuple[str, int], done: threading.Event) -> None:
        """One question a name at a time, however often it is asked: threads do not pile up."""
        try:
            found: list[Any] = socket.getaddrinfo(*place, socket.AF_UNSPEC, socket.SOCK_STREAM)
        except OSError as error:
            log.debug("no address of %s (%s)", place[0], error)
            found = []
        with cls._lock:
            if len(cls._answers) >= MAX_NAMES:
                cls._answers.clear()
            cls._answers[place] = found
            cls._asking.pop(place, None)
        done.set()


def new_client(options: Mapping[str, Any], contacts: Contacts) -> Any:
    """Return a consumer whose connecting is watched and bounded.

    Raises:
        KafkaError: the brokers cannot be reached, or refuse; nothing is left running.
    """
    from kafka import KafkaConsumer

    own = {"kafka_client": client_class(contacts), "proxy_url": f"{OWN_SOCKETS}://"}
    try:
        return KafkaConsumer(**{**options, **own})
    except Exception as error:  # noqa: BLE001 - and raised again
        # A client that could not be made leaves its thread running.
        leave(contacts.shut)
        raise contacts.refusal or error from None


def close_client(client: Any, timeout_s: float = CLOSE_TIMEOUT_S) -> None:
    """Close a client."""
    leave(lambda: client.close(autocommit=False, timeout_ms=int(timeout_s * 800)), timeout_s)


def leave(close: Callable[[], None], timeout_s: float = CLOSE_TIMEOUT_S) -> None:
    """Close something; what hangs in there is left alone after a while."""

    def run() -> None:
        try:
            close()
        except Exception as error:  # noqa: BLE001 - it is thrown away, whatever it says
            log.debug("closing failed: %s", type(error).__name__)

    closing = threading.Thread(target=run, name="kafka-close", daemon=True)
    closing.start()
    closing.join(timeout_s)
    if closing.is_alive() and timeout_s > 0.0:
        log.warning("a client of the brokers does not let go; it is left behind")


def remedy(error: Exception, topics: Iterable[str], group: str) -> str:
    """Say what to check after the brokers refused."""
    named = ", ".join(sorted(topics))
    if is_about_certificates(error):
        return (
            f"{error}; check that the brokers' certificate is valid, names the host in bootstrap_servers "
            "and advertised.listeners, and comes from the authority in source.security.ca_file"
        )
    if isinstance(error, SaslAuthenticationFailedError):
        return (
            "check username and password_file (or oauth) in source.security, and that the user exists there"
        )
    if isinstance(error, UnsupportedSaslMechanismError):
        return f"check source.security.mechanism: {error}"
    if isinstance(error, GroupAuthorizationFailedError):
        return f"the user needs the permission READ on group {group}"
    return f"the user needs the permissions READ and DESCRIBE on topics {named}"
