"""Against a real Alertmanager: alerts come, stay while they fire, and go."""

from dataclasses import replace

import pytest

from detector.clock import SystemClock
from detector.kinds import open_part
from detector.sinks import sinks
from detector.sinks.postable import fingerprint, labels_of
from detector.sinks.settings import Links
from detector.sinks.webhook import webhook_body
from tests.support.alertmanager import Alertmanager
from tests.support.notices import dataset_alert, ended, feature_alert, notice
from tests.support.processes import wait_until
from tests.support.receiver import receiver

pytestmark = pytest.mark.alertmanager

CONFIG = """\
route: {{receiver: hook, group_by: [model, version], group_wait: 0s, group_interval: 1s}}
receivers: [{{name: hook, webhook_configs: [{{url: "{url}"}}]}}]
"""


@pytest.fixture
def far(tmp_path):
    """(Alertmanager, what its webhooks bring)."""
    with receiver() as inbox, Alertmanager(tmp_path, CONFIG.format(url=inbox.url)) as alertmanager:
        yield alertmanager, inbox


def _open(*urls, **more):
    kind = sinks.get("alertmanager")
    return open_part(sinks, kind.Settings(urls=urls, **more), SystemClock())


def _began(t):
    """An alert as if it had begun a minute ago."""
    return replace(t, starts_at_s=SystemClock().now_s() - 60)


def test_an_alert_comes_and_goes(far):
    """Posted, seen with all its words, ended, gone; with the fingerprint that we compute."""
    alertmanager, _ = far
    sink = _open(alertmanager.url, links={"runbook_url": "https://wiki.example/drift"})
    one, other = _began(feature_alert('a"\\\u5e74=b,{}')), _began(dataset_alert())
    sink.send([notice(one), notice(other)])
    wait_until(lambda: len(alertmanager.alerts()) == 2, 30, "both alerts are there")
    by_name = {a["labels"]["alertname"]: a for a in alertmanager.alerts()}
    feature = by_name["DriftFeatureDrifted"]

    assert feature["labels"] == labels_of(one)
    assert feature["fingerprint"] == fingerprint(labels_of(one))
    assert feature["annotations"]["summary"].endswith("has drifted")
    assert feature["annotations"]["runbook_url"] == "https://wiki.example/drift"

    sink.send([notice(ended(one, 30.0))])
    wait_until(lambda: len(alertmanager.alerts()) == 1, 30, "one alert is gone")
    sink.close()
    assert alertmanager.alerts()[0]["labels"] == labels_of(other)


def test_an_alert_stays_only_while_it_is_sent_again(far):
    """Each time it is given four times `resend`; without the detector it ends by itself."""
    alertmanager, _ = far
    sink = _open(alertmanager.url, resend="500ms")
    sink.send([notice(_began(feature_alert()))])
    wait_until(alertmanager.alerts, 30, "the alert is there")
    first = alertmanager.alerts()[0]["endsAt"]
    wait_until(lambda: alertmanager.alerts()[0]["endsAt"] > first, 30, "it is sent again")
    sink.close()

    wait_until(lambda: not alertmanager.alerts(), 30, "it ends by itself")


def test_every_member_is_told(far, tmp_path):
    """They do not pass alerts on; one that is down holds up no other."""
    alertmanager, inbox = far
    (tmp_path / "second").mkdir()
    with Alertmanager(tmp_path / "second", CONFIG.format(url=inbox.url)) as second:
        sink = _open("http://127.0.0.1:1", alertmanager.url, second.url, delivery={"flush": "1s"})
        sink.send([notice(_began(feature_alert()))])
        wait_until(lambda: alertmanager.alerts() and second.alerts(), 30, "both have it")
        wait_until(lambda: sink.status().sent == 2, 30, "the sink knows it")
        sink.close()


def test_our_webhook_is_what_alertmanager_would_have_sent(far):
    """The same alert, once by its webhook and once by ours: the same fields, of the same types and values."""
    alertmanager, inbox = far
    told = notice(_began(feature_alert("age")))
    sink = _open(alertmanager.url)
    sink.send([told])
    theirs = inbox.wait_for(1)[0].body
    sink.close()
    ours = webhook_body([told], Links(), "hook", SystemClock().now_s())

    assert set(ours) == set(theirs)
    for name in ("receiver", "status", "groupLabels", "commonLabels", "commonAnnotations", "version",
                 "groupKey", "truncatedAlerts"):  # fmt: skip
        assert ours[name] == theirs[name], name
    assert set(ours["alerts"][0]) == set(theirs["alerts"][0])
    for name in ("status", "labels", "annotations", "endsAt", "generatorURL", "fingerprint"):
        assert ours["alerts"][0][name] == theirs["alerts"][0][name], name
