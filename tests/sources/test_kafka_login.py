"""Every way to tell the brokers who this is, against a real broker that asks for it."""

import logging

import pytest

from detector.clock import SystemClock
from detector.sinks.delivery import DeliveryError
from detector.sinks.kafka import KafkaReceiver, KafkaSinkSettings
from tests.support.authority import authority, token
from tests.support.certificates import authority as certificate_authority
from tests.support.certificates import signed
from tests.support.kafka_broker import KafkaBroker, Listener
from tests.support.kafka_rig import KIND, closes, numbers, read
from tests.support.notices import notice
from tests.support.processes import free_port, wait_until
from tests.support.producing import send

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(60)]

SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
PLAIN = 'org.apache.kafka.common.security.plain.PlainLoginModule required user_drift="right";'
OAUTH = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required;"
"""Without more its tokens are not signed: what is tried here is our side of the exchange."""

REAUTHENTICATE_MS = 5000
"""A connection over SASL lives so long unless it proves again who it is (KIP-368)."""


class Locked:
    """A broker whose addresses ask: by password, by token, by certificate; all of them over TLS or not."""

    def __init__(self, directory) -> None:
        self.directory = directory
        self.ca = certificate_authority(directory)
        certificate, key = signed(directory, "broker", self.ca)
        both = directory / "broker.pem"
        both.write_text(key.read_text() + certificate.read_text())
        self.certificate, self.key = signed(directory, "client", self.ca)
        self.strangers = signed(directory, "stranger", certificate_authority(directory, "other"))
        self.ports = {name: free_port() for name in ("SCRAM", "TOKENS", "MUTUAL")}
        kinds = {"SCRAM": "SASL_SSL", "TOKENS": "SASL_SSL", "MUTUAL": "SSL"}
        tls = {}
        for name in ("scram", "tokens", "mutual"):
            tls |= {
                f"listener_name_{name}_ssl_keystore_type": "PEM",
                f"listener_name_{name}_ssl_keystore_location": str(both),
                f"listener_name_{name}_ssl_truststore_type": "PEM",
                f"listener_name_{name}_ssl_truststore_location": str(self.ca),
            }
        self.broker = KafkaBroker(
            beside=[Listener(name, port, port, kinds[name]) for name, port in self.ports.items()],
            scram={"drift": "right"},
            listener_name_scram_sasl_enabled_mechanisms="PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
            listener_name_tokens_sasl_enabled_mechanisms="OAUTHBEARER",
            listener_name_scram_plain_sasl_jaas_config=PLAIN,
            **{"listener_name_scram_scram-sha-256_sasl_jaas_config": SCRAM},
            **{"listener_name_scram_scram-sha-512_sasl_jaas_config": SCRAM},
            listener_name_tokens_oauthbearer_sasl_jaas_config=OAUTH,
            listener_name_mutual_ssl_client_auth="required",
            connections_max_reauth_ms=str(REAUTHENTICATE_MS),
            **tls,
        )
        self.opened = []

    def source(self, listener, topic, **security):
        security = {"ca_file": str(self.ca), **security}
        settings = KIND.Settings(
            bootstrap_servers=[f"127.0.0.1:{self.ports[listener]}"],
            topics=[topic],
            start="earliest",
            security=security,
        )
        self.opened.append(KIND.open(settings, SystemClock()))
        return self.opened[-1]


@pytest.fixture(scope="module")
def locked(tmp_path_factory):
    made = Locked(tmp_path_factory.mktemp("locked"))
    with made.broker:
        yield made


@pytest.fixture(scope="module")
def topic(locked):
    """Holds ten numbers."""
    name = locked.broker.create_topic("asked")
    send(locked.broker.bootstrap, name, numbers(10))
    return name


@pytest.fixture(autouse=True)
def none_left(locked):
    yield
    assert all(map(closes, locked.opened))
    locked.opened.clear()


def password(mechanism, word="right"):
    return {"protocol": "SASL_SSL", "mechanism": mechanism, "username": "drift", "password": word}


def tokens(**oauth):
    return {"protocol": "SASL_SSL", "mechanism": "OAUTHBEARER", "oauth": oauth}


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_a_password_opens(locked, topic, mechanism):
    assert read(locked.source("SCRAM", topic, **password(mechanism)), 10) == numbers(10)


def test_a_token_of_a_file_opens(locked, topic, tmp_path):
    (tmp_path / "token").write_text(token("drift"))
    source = locked.source("TOKENS", topic, **tokens(token_file=str(tmp_path / "token")))

    assert read(source, 10) == numbers(10)


def test_a_token_of_an_authority_opens(locked, topic):
    with authority() as login:
        oauth = {"token_endpoint": login.url, "client_id": "detector", "client_secret": "pa55"}
        assert read(locked.source("TOKENS", topic, **tokens(**oauth)), 10) == numbers(10)
        assert len(login.forms) == 1, "one token serves all connections"


def test_a_certificate_opens(locked, topic):
    files = {"cert_file": str(locked.certificate), "key_file": str(locked.key)}
    assert read(locked.source("MUTUAL", topic, protocol="SSL", **files), 10) == numbers(10)


@pytest.mark.parametrize(
    ("listener", "how"),
    [
        ("SCRAM", lambda _: password("SCRAM-SHA-512", "wrong")),
        ("SCRAM", lambda _: password("PLAIN", "wrong")),
        ("TOKENS", lambda d: tokens(token_file=_written(d, token("drift", life_s=-60)))),
        ("TOKENS", lambda d: tokens(token_file=_written(d, "no.json.web-token"))),
    ],
)
def test_who_is_not_known_is_told_what_to_check(locked, topic, tmp_path, caplog, listener, how):
    """With the settings by their names; neither password nor token is in the log.

    The client's own loggers are silent wherever `detector.logs` set logging up (tests/cli/test_secrets.py).
    """
    source = locked.source(listener, topic, **how(tmp_path))
    with caplog.at_level(logging.DEBUG, "detector"):
        wait_until(lambda: source.poll(0.1) is None or "refused" in caplog.text, 30)

    assert "check username and password_file (or oauth) in source.security" in caplog.text
    assert "wrong" not in caplog.text
    assert "no.json.web-token" not in caplog.text


def test_without_our_certificate_it_is_refused_in_words(locked, topic, caplog):
    """Neither none nor one of another authority opens."""
    certificate, key = locked.strangers
    for files in ({}, {"cert_file": str(certificate), "key_file": str(key)}):
        caplog.clear()
        source = locked.source("MUTUAL", topic, protocol="SSL", **files)
        with caplog.at_level(logging.WARNING, "detector"):
            wait_until(lambda source=source: source.poll(0.1) is None or "source" in caplog.text, 40)
        assert "certificate" in caplog.text


def test_an_authority_that_is_away_for_a_while_costs_nothing_but_the_time(locked, topic, caplog):
    """Tried again and told why; once it is back, reading begins."""
    with authority() as login:
        login.status, login.answer = 503, b"later"
        oauth = {"token_endpoint": login.url, "client_id": "detector", "client_secret": "pa55"}
        source = locked.source("TOKENS", topic, **tokens(**oauth))
        with caplog.at_level(logging.WARNING, "detector"):
            wait_until(lambda: source.poll(0.1) is None or "answers 503" in caplog.text, 60)
        login.status, login.answer = 200, None
        values = read(source, 10)

    assert values == numbers(10)


def test_connections_prove_again_who_they_are_while_they_are_read(locked, tmp_path):
    """Longer than one lives without: with a token that is replaced meanwhile, and with a password."""
    name = locked.broker.create_topic("again")
    file = tmp_path / "token"
    file.write_text(token("drift"))
    sources = [
        locked.source("TOKENS", name, **tokens(token_file=str(file))),
        locked.source("SCRAM", name, **password("SCRAM-SHA-512")),
    ]
    for i in range(4):
        send(locked.broker.bootstrap, name, numbers(10, 10 * i))
        for source in sources:
            assert read(source, 10) == numbers(10, 10 * i)
        file.write_text(token("drift"))
        for _ in range(8):
            for source in sources:
                source.poll(0.1)
    assert all(source.status().skipped == {} for source in sources)


@pytest.mark.parametrize("what", ["password", "token", "certificate"])
def test_what_is_replaced_while_it_runs_opens(locked, topic, tmp_path, monkeypatch, caplog, what):
    """Refused with the old one, it reads the file again: nobody has to start it anew."""
    monkeypatch.setattr("detector.sources.kafka.DENIED_RETRY_S", 0.5)
    secret, certificate, key = (tmp_path / name for name in ("secret", "cert.pem", "key.pem"))
    secret.write_text(token("drift", life_s=-60) if what == "token" else "old")
    for file, theirs in ((certificate, locked.strangers[0]), (key, locked.strangers[1])):
        file.write_text(theirs.read_text())
    listener, security = {
        "password": ("SCRAM", {"password_file": str(secret), **_without_password(password("SCRAM-SHA-512"))}),
        "token": ("TOKENS", tokens(token_file=str(secret))),
        "certificate": ("MUTUAL", {"protocol": "SSL", "cert_file": str(certificate), "key_file": str(key)}),
    }[what]
    source = locked.source(listener, topic, **security)
    with caplog.at_level(logging.WARNING, "detector"):
        wait_until(lambda: source.poll(0.1) is None or caplog.text, 40)
    secret.write_text(token("drift") if what == "token" else "right")
    certificate.write_text(locked.certificate.read_text())
    key.write_text(locked.key.read_text())

    assert read(source, 10) == numbers(10)


def test_a_sink_reads_its_password_again(locked, tmp_path):
    """After a refusal; the notice that waited is delivered."""
    secret = tmp_path / "secret"
    secret.write_text("old")
    security = {"password_file": str(secret), **_without_password(password("SCRAM-SHA-512"))}
    settings = KafkaSinkSettings(
        bootstrap_servers=[f"127.0.0.1:{locked.ports['SCRAM']}"],
        topic=locked.broker.create_topic("told"),
        security=security | {"ca_file": str(locked.ca)},
        delivery={"timeout": "5s"},
    )
    receiver = KafkaReceiver(settings)
    try:
        with pytest.raises(DeliveryError):
            receiver.deliver([notice()])
        secret.write_text("right")
        receiver.deliver([notice()])
    finally:
        receiver.close()


def _without_password(security):
    return {name: value for name, value in security.items() if name != "password"}


def _written(directory, text):
    (directory / "token").write_text(text)
    return str(directory / "token")
