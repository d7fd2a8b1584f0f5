"""Who may read over HTTP: tokens, users, certificates, and that they are renewed without a restart."""

import base64
import http.client
import logging
import shutil
import socket
import ssl

import pytest
from pydantic import SecretStr

from detector.errors import ConfigError
from detector.metrics import Metrics
from detector.web import WebServer
from detector.web.connections import Limits
from detector.web.protection import Door, Protection
from tests.support.certificates import authority, signed

TOKEN, PASSWORD = "canary-token-1", "canary-password-1"
CLOSED = ("/metrics", "/", "/assets/style.css", "/api/v1/status")

needs_openssl = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="no `openssl` to make certificates"
)


@pytest.fixture
def serve():
    """Return what serves with a protection, and returns the port."""
    servers = []

    def start(protection, limits=None):
        servers.append(WebServer("127.0.0.1", 0, Metrics(), lambda: 0.0, protection, limits))
        return servers[-1].start()

    yield start
    for server in servers:
        server.stop()


def _get(port, path, tls=None, **headers):
    if tls is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    else:
        connection = http.client.HTTPSConnection("localhost", port, timeout=20, context=tls)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer


def _basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize("path", CLOSED)
def test_a_token_opens_what_is_closed_without(serve, tmp_path, path):
    """Without it, or with another, 401 and the way in; the scheme may be written in any case."""
    (tmp_path / "token").write_text(TOKEN + "\n")
    port = serve(Protection(token_file=str(tmp_path / "token")))
    for wrong in ({}, {"Authorization": "Bearer x"}, {"Authorization": TOKEN}, {"Authorization": "Bearer "}):
        refused = _get(port, path, **wrong)
        assert (refused.status, refused.getheader("WWW-Authenticate")) == (
            401,
            'Bearer realm="drift-detector"',
        )
        assert refused.getheader("X-Content-Type-Options") == "nosniff"
    assert _get(port, path, Authorization=f"Bearer {TOKEN}").status in (200, 503)
    assert _get(port, path, Authorization=f"bearer  {TOKEN}").status in (200, 503)


def test_a_user_or_a_token_will_do_where_both_are_set(serve):
    """Either; a user of another name is none."""
    port = serve(Protection(token=SecretStr(TOKEN), username="prometheus", password=SecretStr(PASSWORD)))

    assert _get(port, "/metrics", Authorization=_basic("prometheus", PASSWORD)).status == 200
    assert _get(port, "/metrics", Authorization=f"Bearer {TOKEN}").status == 200
    for wrong in (_basic("admin", PASSWORD), _basic("prometheus", ""), f"Bearer {PASSWORD}", "Basic ÿ"):
        assert _get(port, "/metrics", Authorization=wrong.encode("latin-1")).status == 401


def test_health_stays_open(serve):
    """Whoever watches over containers has no token."""
    port = serve(Protection(token=SecretStr(TOKEN)))

    assert _get(port, "/healthz").status == 200
    assert _get(port, "/readyz").status == 503


def test_two_headers_of_who_somebody_is_are_none(serve):
    """What another program before us would take the other one for."""
    port = serve(Protection(token=SecretStr(TOKEN)))
    with socket.create_connection(("127.0.0.1", port), timeout=20) as s:
        header = f"Authorization: Bearer {TOKEN}\r\n"
        s.sendall(f"GET /metrics HTTP/1.1\r\nHost: x\r\n{header}{header}\r\n".encode())
        assert s.recv(100).startswith(b"HTTP/1.1 401")


def test_a_secret_is_in_no_text_of_what_holds_it():
    """Neither the settings nor what is compared shows it."""
    protection = Protection(token=SecretStr(TOKEN), username="u", password=SecretStr(PASSWORD))
    shown = repr(protection) + repr(protection.credentials()) + repr(Door(protection))

    assert TOKEN not in shown
    assert PASSWORD not in shown
    assert base64.b64encode(f"u:{PASSWORD}".encode()).decode() not in shown


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "No such file"), (b"", "one line of text"), (b"a\nb", "one line of text"), (b"\xff", "UTF-8")],
)
def test_a_secret_that_cannot_be_used_is_one_clear_error(tmp_path, content, reason):
    """It names the setting and the file, and nothing of what the file holds."""
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match=rf"^http\.token_file: {file}: cannot be used \(.*{reason}"):
        Door(Protection(token_file=str(file)))


def test_a_replaced_token_holds_once_its_file_stands_still(tmp_path, caplog):
    """The old one no longer does; a file that became useless changes nothing, and is said once."""
    file = tmp_path / "token"
    file.write_text("one")
    door = Door(Protection(token_file=str(file)))
    file.write_text("two")
    door.look()
    assert door.credentials.allow(b"Bearer one"), "it may still be being written"
    door.look()
    assert (door.credentials.allow(b"Bearer one"), door.credentials.allow(b"Bearer two")) == (False, True)

    file.unlink()
    for _ in range(5):
        door.look()
    assert door.credentials.allow(b"Bearer two")
    assert [r.levelno for r in caplog.records].count(logging.ERROR) == 1


def test_asked_for_it_reads_at_once(tmp_path):
    """On SIGHUP, also where no file seems to have changed."""
    file = tmp_path / "token"
    file.write_text("one")
    door = Door(Protection(token_file=str(file)))
    file.write_text("two")
    door.ask()
    door.look()

    assert door.credentials.allow(b"Bearer two")


@needs_openssl
def test_https_with_certificates_of_clients(serve, tmp_path):
    """Who shows none, or one of another authority, is not let in; health neither."""
    ca, other = authority(tmp_path, "ca"), authority(tmp_path, "other")
    certificate, key = signed(tmp_path, "server", ca)
    files = {"certificate_file": str(certificate), "key_file": str(key)}
    port = serve(Protection(**files, client_ca_file=str(ca)))
    for by, is_let_in in ((ca, True), (other, False), (None, False)):
        tls = ssl.create_default_context(cafile=str(ca))
        if by is not None:
            tls.load_cert_chain(*signed(tmp_path, f"client-{by.stem}", by))
        if is_let_in:
            assert _get(port, "/metrics", tls).status == 200
        else:
            with pytest.raises((ssl.SSLError, ConnectionError, http.client.HTTPException)):
                _get(port, "/healthz", tls)


@needs_openssl
def test_a_renewed_certificate_is_shown_without_a_restart(tmp_path):
    """New connections get the new one; what is no certificate leaves the old in force."""
    first, second = authority(tmp_path, "first"), authority(tmp_path, "second")
    certificate, key = signed(tmp_path, "server", first)
    door = Door(Protection(certificate_file=str(certificate), key_file=str(key)))
    assert _shown_by(door, first)
    signed(tmp_path, "server", second)
    door.ask()
    door.look()
    assert _shown_by(door, second)
    assert not _shown_by(door, first)

    certificate.write_text("none")
    door.ask()
    door.look()
    assert _shown_by(door, second)


def _shown_by(door, ca):
    """Whether what a door shows is vouched for; the handshake goes through memory."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ssl.create_default_context(cafile=str(ca)).wrap_bio(
        incoming, outgoing, server_hostname="localhost"
    )
    server = door.context.wrap_bio(outgoing, incoming, server_side=True)
    for _ in range(5):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLError:
                return False
    return True


@needs_openssl
def test_a_client_that_never_shakes_hands_is_cut(serve, tmp_path):
    """Neither silence nor plain HTTP on the port of TLS holds it open; both are cut without an answer."""
    certificate, key = signed(tmp_path, "server", authority(tmp_path))
    port = serve(Protection(certificate_file=str(certificate), key_file=str(key)), Limits(request_s=0.2))
    for sent in (b"", b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x02\x00\x01"):
        with socket.create_connection(("127.0.0.1", port), timeout=20) as s:
            s.sendall(sent)
            assert b"HTTP" not in _all(s)


def _all(s):
    received = b""
    try:
        while chunk := s.recv(4096):
            received += chunk
    except ConnectionError:
        pass
    return received


@needs_openssl
def test_a_key_that_is_locked_does_not_wait_for_somebody_at_the_terminal(tmp_path):
    """It is refused."""
    certificate, key = signed(tmp_path, "server", authority(tmp_path))
    other = signed(tmp_path, "other", authority(tmp_path))[1]
    for bad in (certificate, other):
        with pytest.raises(ConfigError, match=r"http\.tls: .*cannot be used"):
            Door(Protection(certificate_file=str(certificate), key_file=str(bad)))
    assert Door(Protection(certificate_file=str(certificate), key_file=str(key))).context is not None
