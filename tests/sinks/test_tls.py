"""HTTPS: a receiver is trusted only on the word of somebody we were told to believe."""

import shutil
import ssl
import subprocess

import pytest

from detector.clock import ManualClock
from detector.errors import ConfigError
from detector.sinks.delivery import DeliveryError
from detector.sinks.webhook import WebhookReceiver, WebhookSettings
from tests.support.notices import notice
from tests.support.receiver import receiver

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="no `openssl` to make certificates")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for `localhost` that vouches for itself: (its file, the server's side of it)."""
    made = tmp_path_factory.mktemp("tls")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", made / "key.pem", "-out", made / "cert.pem"],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made / "cert.pem", made / "key.pem")
    return str(made / "cert.pem"), context


def test_a_receiver_that_nobody_vouches_for_is_told_nothing(certificate):
    """Not even the address and the token leave us."""
    with receiver(certificate[1]) as inbox:
        far = WebhookReceiver(WebhookSettings(url=inbox.url), ManualClock())
        with pytest.raises(DeliveryError, match="certificate is not trusted"):
            far.deliver([notice()])

        assert inbox.requests == []


def test_a_receiver_that_ca_file_vouches_for_is_told(certificate):
    """The file names whom to believe."""
    with receiver(certificate[1]) as inbox:
        far = WebhookReceiver(WebhookSettings(url=inbox.url, ca_file=certificate[0]), ManualClock())
        far.deliver([notice()])

        assert len(inbox.requests) == 1


def test_a_certificate_of_another_name_is_not_trusted(certificate):
    """Whoever vouches for it."""
    with receiver(certificate[1]) as inbox:
        url = inbox.url.replace("localhost", "127.0.0.1")
        far = WebhookReceiver(WebhookSettings(url=url, ca_file=certificate[0]), ManualClock())
        with pytest.raises(DeliveryError, match="certificate is not trusted"):
            far.deliver([notice()])


def test_a_ca_file_that_is_none_is_refused_at_the_start(tmp_path):
    """In one line."""
    (tmp_path / "ca.pem").write_text("this is no certificate")
    for name in ("ca.pem", "absent.pem"):
        with pytest.raises(ConfigError, match=r"alerts\.sinks: webhook: a file cannot be read \(.*pem"):
            WebhookReceiver(WebhookSettings(url="https://h/", ca_file=str(tmp_path / name)), ManualClock())
