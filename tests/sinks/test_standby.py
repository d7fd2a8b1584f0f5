"""A courier of a replica that is not the active one: it tells nothing, and forgets what was its own."""

from detector.clock import ManualClock
from detector.sinks.delivery import Courier, Receiver
from detector.sinks.webhook import WebhookSettings
from tests.support.notices import notices


class _Noting(Receiver):
    """Notes what it was told, and what of that counts."""

    def __init__(self):
        self.told, self.counts, self.amid = [], [], None

    def deliver(self, notices):
        self.told += notices
        if self.amid is not None:
            self.amid()

    def delivered(self, notices):
        self.counts += notices

    def forget(self):
        self.counts.clear()


def test_a_courier_that_may_not_tell_holds_everything_back():
    """It looks again now and then, and at its end it does not wait for the permission."""
    far = _Noting()
    courier = Courier(WebhookSettings(url="http://h/"), far, ManualClock())
    courier.may_tell = lambda: False
    courier.put(notices("a"))
    assert 0 < courier.step() < 10
    assert far.told == []

    courier.may_tell = lambda: True
    courier.step()
    assert len(far.told) == 1

    courier.put(notices("b"))
    courier.may_tell = lambda: False
    courier.last_round()
    assert courier.step() == float("inf")
    assert len(far.told) == 1


def test_a_courier_that_forgets_drops_what_waits_and_what_is_under_way_counts_for_nothing():
    far = _Noting()
    courier = Courier(WebhookSettings(url="http://h/"), far, ManualClock())
    courier.put(notices("a"))
    courier.put(notices("b"))
    far.amid = courier.forget
    courier.step()
    assert courier.step() == float("inf")
    assert len(far.told) == 1
    assert far.counts == []
    assert courier.remember()["pending"] == []
