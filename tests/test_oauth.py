"""Tokens for the brokers: of a file, and of an authority."""

import json

import pytest
from pydantic import ValidationError

from detector import oauth
from detector.clock import ManualClock
from detector.oauth import AuthorityTokens, OAuth, TokenError, provider
from tests.support.authority import authority


@pytest.fixture
def login():
    with authority() as found:
        yield found


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def made(login, clock, tmp_path):
    """Tokens of the authority; the secret lies in `tmp_path / "secret"`."""
    file = tmp_path / "secret"
    file.write_text("pa55\n")
    settings = OAuth(
        token_endpoint=login.url, client_id="detector", client_secret_file=str(file), scope="kafka"
    )
    return settings.tokens(clock)


def test_a_token_of_a_file_is_read_each_time(tmp_path, clock):
    path = tmp_path / "token"
    path.write_text("first.token\n")
    tokens = OAuth(token_file=str(path)).tokens(clock)
    path.write_text("second.token\n")

    assert tokens.token() == "second.token"


@pytest.mark.parametrize("text", ["", "two words", "a\x01auth=b", "\u00e9", "x" * 70_000 + "\n" + "y"])
def test_what_is_no_token_is_refused_at_the_start(tmp_path, clock, text):
    """It could mean something else in the exchange with the brokers."""
    (tmp_path / "token").write_text(text)
    with pytest.raises(ValueError, match="must be a token"):
        OAuth(token_file=str(tmp_path / "token")).tokens(clock)


def test_a_file_that_is_gone_later_is_no_token_and_no_crash(tmp_path, clock):
    from kafka.errors import KafkaConnectionError

    path = tmp_path / "token"
    path.write_text("t")
    asked = provider(OAuth(token_file=str(path)).tokens(clock))
    path.unlink()
    with pytest.raises(KafkaConnectionError, match="no token: No such file"):
        asked.token()


def test_a_token_serves_until_four_fifths_of_its_life_are_over(made, login, clock):
    login.life_s = 100.0
    first = made.token()
    clock.advance(79.0)
    assert made.token() == first
    clock.advance(2.0)
    made.token()

    assert len(login.forms) == 2
    assert login.forms[0] == {"grant_type": ["client_credentials"], "scope": ["kafka"]}


def test_a_secret_that_is_replaced_is_used_for_the_next_token(made, login, clock, tmp_path):
    made.token()
    login.secret = "other"
    (tmp_path / "secret").write_text("other")
    clock.advance(1e6)

    assert made.token()


@pytest.mark.parametrize(
    ("answer", "status", "why"),
    [
        (b"{}", 200, "no access_token"),
        (b"not json", 200, "no access_token"),
        (b"[" * 50_000, 200, "no access_token"),
        (b'{"access_token": 5}', 200, "is no text"),
        (b'{"access_token": "a\\u0001b"}', 200, "must be a token"),
        (b'{"access_token": "' + b"a" * 100_000 + b'"}', 200, "no access_token"),
        (b"whatever", 500, "answers 500"),
        (b"whatever", 302, "answers 302"),
    ],
)
def test_an_authority_that_gives_none_is_told_so(made, login, answer, status, why):
    """And the secret goes nowhere else."""
    login.answer, login.status = answer, status
    with pytest.raises(TokenError, match=why) as raised:
        made.token()

    assert "pa55" not in str(raised.value)
    assert len(login.forms) == 1


def test_a_wrong_secret_is_told_without_it(made, login):
    login.secret = "another"
    with pytest.raises(TokenError, match="the authority answers 401"):
        made.token()


@pytest.mark.parametrize("life", [None, -1, 0, True, "soon", 1e300])
def test_a_life_that_makes_no_sense_is_five_minutes(made, login, clock, life):
    login.answer = json.dumps({"access_token": "t", "expires_in": life}).encode()
    made.token()
    clock.advance(239.0)
    made.token()
    clock.advance(2.0)
    made.token()

    assert len(login.forms) == 2


def test_an_authority_that_trickles_holds_up_nobody(made, login, monkeypatch):
    """A limit for the whole answer, for everything that the client does waits with it."""
    monkeypatch.setattr(oauth, "TIMEOUT_S", 0.3)
    login.trickle_s = 0.1
    with pytest.raises(TokenError, match="no answer within"):
        made.token()


def test_an_authority_that_is_away_is_told_so(clock):
    settings = OAuth(token_endpoint="http://127.0.0.1:9/token", client_id="u", client_secret="s")
    with pytest.raises(TokenError, match="not reached: URLError"):
        settings.tokens(clock).token()


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({}, "token_file or token_endpoint"),
        ({"token_file": "a", "token_endpoint": "https://a/b"}, "token_file or token_endpoint"),
        ({"token_file": "a", "client_id": "u"}, "belong to token_endpoint"),
        ({"token_endpoint": "https://a/b"}, "needs client_id and client_secret_file"),
        ({"token_endpoint": "https://a/b", "client_id": "u"}, "needs client_id and client_secret_file"),
        ({"token_endpoint": "http://login.example.com/t", "client_id": "u", "client_secret": "s"}, "https"),
        ({"token_endpoint": "file:///etc/passwd", "client_id": "u", "client_secret": "s"}, "https"),
        ({"token_endpoint": "https://u:p@a/t", "client_id": "u", "client_secret": "s"}, "https"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, why):
    with pytest.raises(ValidationError, match=why):
        OAuth(**settings)


def test_nothing_shows_a_token_or_a_secret(made):
    token = made.token()
    assert isinstance(made, AuthorityTokens)
    assert token not in repr(made) + str(vars(provider(made)))
