"""Delivery against a real HTTP server, step by step, with a clock that moves when told to."""

import logging
import threading

import pytest

from detector.clock import ManualClock, SystemClock
from detector.errors import ConfigError
from detector.kinds import open_part
from detector.sinks import sinks
from detector.sinks.delivery import Courier, DeliveryError, QueuedSink, Receiver
from detector.sinks.webhook import WebhookReceiver, WebhookSettings
from tests.support.factories import START_S
from tests.support.notices import ended, feature_alert, notice, notices
from tests.support.processes import free_port, wait_until
from tests.support.receiver import receiver

SECRET = "hunter22-in-the-path"
TOKEN = "hunter22-token"


@pytest.fixture
def inbox():
    with receiver() as inbox:
        yield inbox


class Bench:
    """A courier to a webhook, without a thread; pauses are not shortened by chance."""

    def __init__(self, url, tmp_path, **delivery):
        (tmp_path / "url").write_text(f"{url}/{SECRET}\n")
        (tmp_path / "token").write_text(TOKEN)
        self.clock = ManualClock(START_S)
        self.settings = WebhookSettings(
            url_file=str(tmp_path / "url"),
            authorization={"bearer_token_file": str(tmp_path / "token")},
            delivery={"timeout": "300ms", **delivery},
        )
        far = WebhookReceiver(self.settings, self.clock)
        self.courier = Courier(self.settings, far, self.clock, chance=lambda: 1.0)

    def put(self, *of):
        self.courier.put(list(of) or [notice()])

    def outcomes(self):
        status = self.courier.status()
        return status.sent, status.failed, status.dropped, status.queued


@pytest.fixture
def bench(inbox, tmp_path):
    return Bench(inbox.url, tmp_path)


def _told(inbox):
    """(feature, status) of every alert that came, in order."""
    return [(a["labels"]["feature"], a["status"]) for r in inbox.requests for a in r.body["alerts"]]


def test_what_is_taken_is_counted_as_sent(bench, inbox):
    """And nothing is left to do."""
    bench.put(*notices("a", "b"))

    assert bench.courier.step() == 0.0
    assert bench.outcomes() == (2, 0, 0, 0)
    assert bench.courier.step() == float("inf")
    assert len(inbox.requests) == 1


def test_pauses_double_up_to_a_minute_and_end_with_the_first_success(bench, inbox):
    """1, 2, 4, ... 60 s; then from the beginning."""
    inbox.otherwise = 500
    bench.put()
    pauses = []
    for _ in range(8):
        pauses.append(bench.courier.step())
        bench.clock.advance(pauses[-1])
    inbox.otherwise = 200
    bench.courier.step()
    inbox.otherwise = 503
    bench.put()

    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]
    assert bench.courier.step() == 1
    assert bench.outcomes() == (1, 0, 0, 1)


def test_half_of_a_pause_is_left_to_chance(inbox, tmp_path):
    """So that many detectors do not come back at once."""
    bench = Bench(inbox.url, tmp_path)
    inbox.otherwise = 500
    for chance, pause_s in ((0.0, 0.5), (0.5, 0.75)):
        far = WebhookReceiver(bench.settings, bench.clock)
        courier = Courier(bench.settings, far, bench.clock, chance=lambda chance=chance: chance)
        courier.put([notice()])

        assert courier.step() == pause_s


def test_nothing_is_tried_during_a_pause(bench, inbox):
    """Also not what comes in the meantime."""
    inbox.answers = [500]
    bench.put(*notices("a"))
    bench.courier.step()
    bench.put(*notices("b"))

    assert bench.courier.step() == 1
    assert len(inbox.requests) == 1
    bench.clock.advance(1)
    bench.courier.step()
    bench.courier.step()
    assert _told(inbox) == [("a", "firing"), ("b", "firing"), ("a", "firing")]


@pytest.mark.parametrize("answer", [500, 503, 429, 401, 404, 302, "close", "garbage", "hang"])
def test_what_may_pass_is_tried_again(bench, inbox, answer):
    """Errors, closed and silent connections: the same batch comes again, with the same key."""
    inbox.answers = [answer]
    bench.put()
    bench.clock.advance(bench.courier.step())
    bench.courier.step()
    first, second = inbox.requests

    assert bench.outcomes() == (1, 0, 0, 0)
    assert first.headers["Idempotency-Key"] == second.headers["Idempotency-Key"] == notice().idempotency_key
    assert first.body == second.body


@pytest.mark.parametrize("answer", [400, 413, 422])
def test_what_the_receiver_refuses_is_given_up_at_once_and_counted(bench, inbox, answer):
    """The same would be refused again; what follows is not held up."""
    inbox.answers = [answer]
    bench.put(*notices("bad"))
    bench.put(*notices("good"))
    bench.courier.step()
    bench.courier.step()

    assert bench.outcomes() == (1, 1, 0, 0)


def test_a_receiver_that_asks_for_time_gets_it(bench, inbox):
    """`Retry-After` in seconds or as a date, never less than our own pause and never more than an hour."""
    date = "Thu, 01 Jan 1970 00:00:00 GMT"
    inbox.answers = [(429, {"Retry-After": after}) for after in ("7", date, "soon", "999999999")]
    bench.put()
    pauses = []
    for _ in range(4):
        pauses.append(bench.courier.step())
        bench.clock.advance(pauses[-1])

    assert pauses == [7, 2, 4, 3600]


def test_a_receiver_may_name_the_time_of_day(bench, inbox):
    """The other form of `Retry-After`."""
    from email.utils import formatdate

    inbox.answers = [(503, {"Retry-After": formatdate(START_S + 90, usegmt=True)})]
    bench.put()

    assert bench.courier.step() == 90


def test_what_is_not_taken_in_time_is_given_up_and_counted(inbox, tmp_path):
    """After `give_up_after`, at the next attempt."""
    bench = Bench(inbox.url, tmp_path, give_up_after="10s")
    inbox.otherwise = 500
    bench.put()
    bench.courier.step()
    bench.clock.advance(10)
    bench.courier.step()

    assert bench.outcomes() == (0, 1, 0, 0)


def test_the_end_of_an_alert_never_overtakes_its_beginning(bench, inbox):
    """However often the beginning fails, and however much passes it by."""
    inbox.answers = [500, 200, 500]
    began = feature_alert("a")
    bench.put(notice(began))
    bench.put(notice(ended(began)))
    bench.put(*notices("b"))
    for _ in range(6):
        wait_s = bench.courier.step()
        bench.clock.advance(wait_s if wait_s < 1e9 else 0)
    order = [told for told in _told(inbox) if told[0] == "a"]

    assert order == [("a", "firing")] * 3 + [("a", "resolved")]
    assert bench.outcomes() == (3, 0, 0, 0)


def test_a_full_queue_drops_counts_and_says_so(inbox, tmp_path, caplog):
    """Never silently."""
    caplog.set_level(logging.WARNING)
    bench = Bench(inbox.url, tmp_path, queue=100)
    for i in range(130):
        bench.put(*notices(f"f{i}"))

    assert bench.outcomes() == (0, 0, 30, 100)
    assert caplog.text.count("queue full, dropped=1") == 30


def test_a_redirect_is_not_followed(bench, inbox):
    """Neither the alert nor the token goes where nobody has sent it."""
    with receiver() as elsewhere:
        inbox.otherwise = (307, {"Location": elsewhere.url})
        bench.put()
        bench.courier.step()

    assert elsewhere.requests == []
    assert bench.outcomes() == (0, 0, 0, 1)


def test_secrets_may_be_replaced_while_it_runs(bench, inbox, tmp_path):
    """Files are read for each request; one that is gone for a moment is a failed attempt."""
    (tmp_path / "token").unlink()
    bench.put()
    wait_s = bench.courier.step()
    (tmp_path / "token").write_text("another")
    bench.clock.advance(wait_s)
    bench.courier.step()

    assert [r.headers["Authorization"] for r in inbox.requests] == ["Bearer another"]


def test_a_user_and_password_are_sent_as_basic_authorization(inbox, tmp_path):
    """RFC 7617."""
    settings = WebhookSettings(url=inbox.url, authorization={"username": "ann", "password": "b:c"})
    courier = Courier(settings, WebhookReceiver(settings, ManualClock()), ManualClock())
    courier.put([notice()])
    courier.step()

    assert inbox.requests[0].headers["Authorization"] == "Basic YW5uOmI6Yw=="


@pytest.mark.parametrize("answer", [500, 404, 307, "close", "garbage", "hang", None])
def test_no_secret_is_in_logs_errors_or_reprs(inbox, tmp_path, caplog, answer):
    """Address and token, whatever goes wrong; also where nobody listens (None)."""
    caplog.set_level(logging.DEBUG)
    url = inbox.url if answer is not None else f"http://127.0.0.1:{free_port()}"
    bench = Bench(url, tmp_path, give_up_after="1s")
    inbox.otherwise = answer or 200
    bench.put()
    for _ in range(2):
        bench.clock.advance(bench.courier.step())
    by_environment = WebhookSettings(url=f"{url}/{SECRET}", authorization={"bearer_token": TOKEN})
    said = caplog.text + repr(bench.settings) + repr(by_environment) + repr(vars(bench.courier))

    assert "given up" in caplog.text
    assert "hunter22" not in said


@pytest.mark.parametrize(
    ("file", "content", "says"),
    [
        ("url", None, "a file cannot be read"),
        ("token", None, "a file cannot be read"),
        ("url", "ftp://hunter22/x", "no address; write it like https://host/path"),
        ("url", "https://hunter22:x@host/", "a user in the address; leave it out"),
        ("url", "https://host:hunter22/", "no port behind the host"),
        ("url", "", "must hold one line of text"),
        ("url", "https://host/hunter22\nhttps://other/", "must hold one line of text"),
        ("token", b"\xff hunter22", "not text in UTF-8"),
    ],
)
def test_secrets_that_cannot_be_used_are_refused_at_the_start(tmp_path, file, content, says):
    """In one line that names the sink, and not the secret."""
    for name, text in (("url", "http://host/hunter22"), ("token", "hunter22")):
        (tmp_path / name).write_text(text)
    if content is None:
        (tmp_path / file).unlink()
    else:
        (tmp_path / file).write_bytes(content if isinstance(content, bytes) else content.encode())
    settings = WebhookSettings(
        name="retraining",
        url_file=str(tmp_path / "url"),
        authorization={"bearer_token_file": str(tmp_path / "token")},
    )

    with pytest.raises(ConfigError) as refused:
        open_part(sinks, settings, ManualClock())
    assert says in str(refused.value)
    assert "alerts.sinks: retraining" in str(refused.value)
    assert "hunter22" not in str(refused.value)
    assert "\n" not in str(refused.value)


class _Defect(Receiver):
    def deliver(self, notices):
        raise KeyError(SECRET)


def test_a_defect_of_a_sink_fails_one_batch_and_not_the_deliveries(caplog):
    """The thread goes on; the log names the error without its text."""
    caplog.set_level(logging.WARNING)
    courier = Courier(WebhookSettings(url="http://h/"), _Defect(), ManualClock())
    courier.put(notices("a"))
    courier.put(notices("b"))
    courier.step()
    courier.step()

    assert courier.status().failed == 2
    assert "KeyError" in caplog.text
    assert "hunter22" not in caplog.text


class _Never(Receiver):
    def deliver(self, notices):
        raise DeliveryError("never")


def test_the_last_round_tries_each_batch_once_and_pauses_no_more():
    """The end of the program waits for no receiver that is down."""
    courier = Courier(WebhookSettings(url="http://h/"), _Never(), ManualClock())
    for name in "abc":
        courier.put(notices(name))
    courier.step()
    courier.last_round()
    waits = [courier.step() for _ in range(4)]

    assert waits == [0, 0, 0, float("inf")]
    assert courier.status().failed == 3


class _Forgetful(Receiver):
    def remind(self, pending):
        raise KeyError(SECRET)


def test_a_defect_in_what_is_repeated_ends_no_deliveries(caplog):
    """It is tried again after a pause, and the batch is not lost."""
    caplog.set_level(logging.WARNING)
    courier = Courier(WebhookSettings(url="http://h/"), _Forgetful(), ManualClock())
    courier.put(notices("a"))

    assert courier.step() > 0
    assert courier.status().queued == 1
    assert "KeyError" in caplog.text
    assert "hunter22" not in caplog.text


class _Slow(Receiver):
    def __init__(self):
        self.begun, self.let_go = [], threading.Event()

    def deliver(self, notices):
        self.begun.append(notices)
        self.let_go.wait(30)
        raise DeliveryError("too late")


def test_a_sink_that_was_closed_begins_nothing_more():
    """A full queue to a receiver that hangs keeps no thread busy for hours after its sink was removed."""
    far = _Slow()
    settings = WebhookSettings(url="http://h/", delivery={"flush": "10ms"})
    sink = QueuedSink(settings, [far], SystemClock(), lambda notice: notice.transition.id)
    sink.send(notices("a", "b", "c"))
    wait_until(lambda: far.begun)
    sink.close()
    far.let_go.set()
    sink._rounds[0].join(20)

    assert not sink._rounds[0].is_alive()
    assert len(far.begun) == 1
