"""Bodies are made once for all who ask, and not more often than there is time for."""

import gzip

import pytest
from starlette.requests import Request

from detector.web.rendered import MAX_AGE_S, MAX_BODIES, MAX_BYTES, MIN_AGE_S, Rendered


class Watch:
    """A clock that stands until it is set."""

    def __init__(self):
        self.s = 0.0

    def monotonic_s(self):
        return self.s


def _request(path="/", **headers):
    raw = [(name.replace("_", "-").encode(), text.encode()) for name, text in headers.items()]
    return Request({"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": raw})


@pytest.fixture
def made():
    """(rendered, clock, ask): `ask` counts how often a body was made."""
    clock = Watch()
    rendered, n = Rendered(clock), []

    def ask(shows, path="/", cost_s=0.0, body=b"x" * 1000, **headers):
        def make():
            n.append(path)
            clock.s += cost_s
            return body

        return rendered.answer(_request(path, **headers), shows, make, "text/html"), len(n)

    return clock, ask


def test_the_same_is_made_once(made):
    clock, ask = made
    for _ in range(50):
        clock.s += 10.0
        assert ask("one")[1] == 1
    assert ask("two")[1] == 2


def test_what_changes_all_the_time_is_made_every_two_seconds(made):
    clock, ask = made
    for i in range(1000):
        clock.s = i / 100
        _, n = ask(i)

    assert n == 10 / MIN_AGE_S


def test_making_takes_a_fiftieth_of_the_time(made):
    """A page of 0.2 s that changes all the time is made every ten seconds, and is never older than 30 s."""
    clock, ask = made
    while clock.s < 600.0:
        clock.s += 0.1
        _, n = ask(clock.s, cost_s=0.2)
    assert 0.2 * n <= 0.021 * 600.0

    n_before = n
    ask(-1, path="/other", cost_s=10.0)
    clock.s += MAX_AGE_S
    assert ask(-2)[1] == n_before + 2


def test_who_has_it_gets_no_body(made):
    _, ask = made
    answer, _ = ask("one")
    again, _ = ask("one", if_none_match=f'"other", W/{answer.headers["etag"]}')
    packed, _ = ask("one", accept_encoding="gzip")

    assert (answer.status_code, again.status_code, again.body) == (200, 304, b"")
    assert packed.headers["etag"] != answer.headers["etag"], "another encoding is another representation"
    assert gzip.decompress(packed.body) == answer.body
    assert ask("one", accept_encoding="gzip;q=0")[0].body == answer.body
    assert ask("one", if_none_match=packed.headers["etag"])[0].status_code == 200
    assert answer.headers["vary"] == "Accept-Encoding"


def test_what_is_kept_is_bounded(made):
    """The addresses that were asked for last stay, by number and by bytes."""
    clock, ask = made
    for i in range(2 * MAX_BODIES):
        ask("one", path=f"/{i}")
    _, n = ask("one", path=f"/{2 * MAX_BODIES - 1}")
    assert n == 2 * MAX_BODIES
    for i in range(5):
        clock.s += 1000.0
        ask("two", path=f"/large/{i}", body=bytes(range(256)) * (MAX_BYTES // 1024))
    assert ask("two", path="/large/0")[1] > n + 5


def test_nothing_is_kept_of_what_fails(made):
    _, ask = made
    with pytest.raises(ZeroDivisionError):
        Rendered(Watch()).answer(_request(), "one", lambda: bytes(1 // 0), "text/html")
    assert ask("one")[1] == 1
