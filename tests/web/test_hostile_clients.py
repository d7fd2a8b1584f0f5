"""Clients that break the rules: slow ones, noise, smuggled requests, tricks with paths."""

import contextlib
import http.client
import socket

import pytest

from detector.web import WebServer
from detector.web.connections import SAFE_HEADERS, Limits
from tests.support.pages import page_of

DEFAULT = Limits()


@pytest.fixture(scope="module")
def metrics():
    return page_of([{"amount": float(i % 100), "country": "DE"} for i in range(500)])


@pytest.fixture(scope="module")
def serve(metrics):
    """Return what starts a server with some limits, one for each, and returns its port."""
    servers, ports = [], {}

    def start(limits=DEFAULT):
        if limits not in ports:
            servers.append(WebServer("127.0.0.1", 0, metrics, lambda: 0.0, limits=limits))
            ports[limits] = servers[-1].start()
        return ports[limits]

    yield start
    for server in servers:
        server.stop()


def _say(port, request):
    """Return all that comes back."""
    received = b""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as s, contextlib.suppress(ConnectionError):
        s.sendall(request)
        while chunk := s.recv(1 << 16):
            received += chunk
    return received


def _request(line, *headers, body=b""):
    return "\r\n".join([line, "Host: x", *headers, "", ""]).encode("latin-1") + body


def _status(answer):
    return int(answer.split(b" ", 2)[1])


def _scrape(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", "/metrics")
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, body


@pytest.mark.parametrize(
    "path",
    ["/../..", "/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "//", "//metrics", "/metrics/", "/%6detrics",
     "/metrics%00", "/%00", "/./metrics", "/metrics;x", "/METRICS", "/metrics%20", "/metrics%2f",
     "/..;/metrics", "http://evil/metrics", "*", "/static/../style.css", "/metrics\\..", "/%ff%fe"],
)  # fmt: skip
def test_a_path_that_is_not_documented_is_not_there(serve, path):
    """404 whatever way it is written: no second spelling leads anywhere."""
    assert _status(_say(serve(), _request(f"GET {path} HTTP/1.1"))) == 404


@pytest.mark.parametrize(
    "method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "HEAD", "CONNECT", "get"]
)
@pytest.mark.parametrize("path", ["/metrics", "/nowhere"])
def test_no_method_but_get(serve, method, path):
    """405, and which there is."""
    answer = _say(serve(), _request(f"{method} {path} HTTP/1.1"))

    assert _status(answer) == 405
    assert b"allow: GET\r\n" in answer.lower().replace(b"get", b"GET")


SMUGGLED = [
    (["Content-Length: 5", "Content-Length: 6"], b"AAAAAA"),
    (["Content-Length: 31", "Transfer-Encoding: chunked"], b"0\r\n\r\nGET /healthz HTTP/1.1\r\n\r\n"),
    (["Transfer-Encoding: chunked"], b"5\r\nAAAAA\r\n0\r\n\r\n"),
    (["Transfer-Encoding: xchunked"], b""),
    (["Transfer-Encoding : chunked"], b""),
    (["Content-Length: -1"], b""),
    (["Content-Length: +5"], b"AAAAA"),
    (["Content-Length: 5"], b"AAAAA"),
    (["X: a\x00b"], b""),
    (["Host: y"], b""),
]


@pytest.mark.parametrize(("headers", "body"), SMUGGLED)
def test_a_request_that_two_programs_could_read_in_two_ways_is_refused(serve, headers, body):
    """One answer, 400 or 501, then the connection is closed: what is hidden behind is never answered."""
    answer = _say(serve(), _request("GET /metrics HTTP/1.1", *headers, body=body))

    assert _status(answer) in (400, 501)
    assert answer.count(b"HTTP/1.1 ") == 1
    assert b"connection: close" in answer.lower()


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (_request("GET /metrics?" + "a" * 3000 + " HTTP/1.1"), 414),
        (_request("GET /metrics?" + "name[]=&" * 1000 + " HTTP/1.1"), 414),
        (_request("GET /metrics HTTP/1.1", *(f"X-{i}: 1" for i in range(200))), 431),
        (_request("GET /metrics HTTP/1.1", "X: " + "a" * 20_000), 431),
        (_request("GET /metrics HTTP/1.1", "X: " + "a" * 200_000), 400),
    ],
)
def test_what_is_too_long_is_refused(serve, request_, status):
    """Address, query, headers by number and by size; what is beyond reading at once is malformed."""
    answer = _say(serve(), request_)
    assert _status(answer) in ({status, 400} if status == 431 else {status})


NOISE = [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)), b"\x00" * 100,
         b"SSH-2.0-x\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET\r\n\r\n",
         b"GET /metrics HTTP/1.1\r\n\r\n"]  # fmt: skip


@pytest.mark.parametrize("noise", NOISE)
def test_noise_is_refused_and_hurts_nobody(serve, noise):
    """TLS on the plain port, HTTP/2, zeros, a request without a host."""
    port = serve(Limits(request_s=0.5))
    answer = _say(port, noise)

    assert not answer or _status(answer) in (400, 405)
    assert _scrape(port)[0] == 200


@pytest.mark.parametrize(
    "request_",
    [b"rubbish\r\n\r\n", _request("POST /metrics HTTP/1.1"), _request("GET /none HTTP/1.1"),
     _request("GET /metrics?" + "a" * 3000 + " HTTP/1.1"),
     _request("GET /metrics HTTP/1.1", "Content-Length: 1"),
     _request("GET /metrics HTTP/1.1", "Connection: close"),
     _request("GET /healthz HTTP/1.1", "Connection: close")],
)  # fmt: skip
def test_every_answer_has_the_safe_headers(serve, request_):
    """Once each, also where it says no."""
    head = _say(serve(), request_).split(b"\r\n\r\n")[0].decode().lower()
    for name, value in SAFE_HEADERS.items():
        assert head.count(f"{name}: {value}".lower()) == 1


def test_who_sends_a_request_byte_by_byte_is_cut(serve):
    """The time is for a whole request, not from one byte to the next; no answer is owed."""
    port = serve(Limits(request_s=0.3))
    with socket.create_connection(("127.0.0.1", port), timeout=30) as s:
        s.settimeout(0.05)
        received = None
        for byte in _request("GET /metrics HTTP/1.1", "X: " + "a" * 5000):
            with contextlib.suppress(TimeoutError):
                try:
                    s.sendall(bytes([byte]))
                    received = s.recv(1)
                except ConnectionError:
                    received = b""
                break_off = received == b""
                if break_off:
                    break
        assert received == b"", "cut before the request was whole"


def test_who_does_not_take_an_answer_is_cut(serve):
    """Requests one behind the other, no answer read: what waits is thrown away, with the connection."""
    port = serve(Limits(answer_s=0.5, send_buffer_bytes=4096))
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.settimeout(30)
        s.connect(("127.0.0.1", port))
        with pytest.raises(ConnectionError):
            _send_for_ever(s, _request("GET /metrics HTTP/1.1") * 100)
    assert _scrape(port)[0] == 200


def _send_for_ever(s, said):
    while True:
        s.sendall(said)


def test_new_ones_take_the_place_of_those_idle_for_longest(serve):
    """With four places and forty connections that say nothing, every scrape is answered."""
    port = serve(Limits(connections=4))
    with contextlib.ExitStack() as stack:
        for i in range(40):
            s = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=30))
            if i % 3 == 1:
                s.sendall(b"GET /metrics HTTP/1.1\r\n")
            elif i % 3 == 2:
                s.sendall(b"\x16\x03\x01\x02")
            if i % 10 == 9:
                assert _scrape(port)[0] == 200


def test_a_thousand_slow_or_broken_connections_leave_the_page_to_others(serve):
    """None of them is closed by its own side; a hundred scrapes among them are all answered."""
    port = serve()
    said = [
        b"",
        b"GET /metrics HTTP/1.1\r\n",
        bytes(range(256)),
        b"GET / HTTP/1.1\r\nContent-Length: 9\r\n\r\n",
    ]
    answered = 0
    with contextlib.ExitStack() as stack:
        for i in range(1000):
            s = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=30))
            with contextlib.suppress(ConnectionError):
                s.sendall(said[i % len(said)])
            if i % 10 == 9:
                answered += _scrape(port)[0] == 200
    assert answered == 100


def test_a_view_is_rendered_once_however_many_ask(metrics, serve):
    """Every scraper of a view gets the same bytes, those of the process too."""
    port = serve()
    pages = {_scrape(port)[1] for _ in range(200)}
    assert len(pages) == 1

    plain = metrics.page()[0]
    assert metrics.page()[0] is plain
    assert metrics.page("application/openmetrics-text; version=1.0.0")[0] != plain
