"""What receivers read: Alertmanager's words, JSON for programs, plain words for people."""

import re
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from detector.clock import ManualClock
from detector.drift.size import Size
from detector.sinks.alertmanager import AlertmanagerReceiver, AlertmanagerSettings
from detector.sinks.message import AlertMessage, message_of
from detector.sinks.postable import Postable, labels_of
from detector.sinks.settings import Links
from detector.sinks.slack import text_of
from detector.sinks.webhook import webhook_body
from detector.sinks.words import description, summary
from detector.times import format_time
from tests.support.factories import START_S
from tests.support.notices import dataset_alert, ended, feature_alert, notice, notices, schema_alert
from tests.support.receiver import receiver

LINKS = Links(
    page_url="https://drift.example/",
    dashboard_url="https://grafana.example/d",
    runbook_url="https://wiki.example/drift?a=1&b=2",
)
DOCS = Path(__file__).parents[2] / "docs"


def test_the_labels_of_both_ends_of_an_alert_are_the_same():
    """Else its end would end nothing; what may become clear later, such as the cause, is no label."""
    began = feature_alert("age")
    end = ended(feature_alert("age", kind="unit_change", message="times 1000"))

    assert labels_of(began) == labels_of(end) == {
        "alertname": "DriftFeatureDrifted",
        "model": "credit",
        "version": "1",
        "slice": "all",
        "feature": "age",
        "statistic": "hellinger",
        "severity": "warning",
    }  # fmt: skip


def test_two_anomalies_of_one_feature_are_two_alerts():
    """They share all labels but the kind."""
    kinds = ("SCHEMA_MISSING_COLUMN", "UNEXPECTED_DATA_TYPE")

    assert len({tuple(labels_of(schema_alert("age", kind)).items()) for kind in kinds}) == 2


def test_the_words_say_what_how_much_what_changed_and_since_when():
    """Somebody who has never seen this program understands it."""
    t = feature_alert("country", onset_s=START_S - 900, shape="sudden", moved_with=("city", "age"))

    assert summary(t) == "country of credit 1 has drifted"
    assert description(notice(t)) == (
        "hellinger of the last 10m is 0.31, allowed is 0.08. Changed most: DE: 50.0% -> 25.0%; "
        "XX: 0.0% -> 25.0%. Moved with it: city, age. "
        f"Since {_time(START_S - 900)} (sudden), noticed at {_time(START_S)}. "
        "Look into it before anything is retrained."
    )


def _time(seconds):
    return format_time(seconds)


def test_the_words_of_the_whole_name_the_features_and_what_to_do():
    """A share of features instead of a distance."""
    text = description(notice(dataset_alert(), action="retrain"))

    assert text.startswith("40% of the features drift in the last 10m. Furthest: country.")
    assert text.endswith("No fault in the data is known: consider retraining.")
    assert summary(dataset_alert()) == "credit 1 as a whole has drifted"
    assert summary(ended(schema_alert())) == "country of credit 1 keeps to its schema again"


def test_the_words_of_the_end_say_how_long_and_how_much():
    """Where the alert has a number."""
    began = feature_alert("age", size=Size(0.02, 0.08, 0.47, START_S + 1800))

    assert description(notice(ended(began), action="none")) == (
        f"It fired from {_time(START_S)} to {_time(START_S + 1800)}, hellinger was 0.47 at most."
    )
    assert message_of(notice(ended(began))).peak == 0.47


def test_an_alert_of_the_first_week_says_that_it_rests_on_little():
    """Where natural variation is not known yet, people read so in the description; else nothing of it."""
    sure = feature_alert("age")

    assert "How these data vary by themselves is not known yet." in description(
        notice(replace(sure, unsure=True))
    )
    assert "vary by themselves" not in description(notice(sure))


def test_a_webhook_has_the_body_of_alertmanagers_own():
    """Version 4, every field, nothing else."""
    began, end = feature_alert("age"), ended(feature_alert("amount"))
    body = webhook_body([notice(began), notice(end)], LINKS, "hook", START_S + 3600)
    first, second = body["alerts"]

    assert set(body) == {
        "receiver", "status", "alerts", "groupLabels", "commonLabels", "commonAnnotations", "externalURL",
        "version", "groupKey", "truncatedAlerts",
    }  # fmt: skip
    assert set(first) == {
        "status", "labels", "annotations", "startsAt", "endsAt", "generatorURL", "fingerprint",
    }  # fmt: skip
    assert (body["version"], body["status"], body["receiver"]) == ("4", "firing", "hook")
    assert body["groupLabels"] == {"model": "credit", "version": "1"}
    assert body["groupKey"] == '{}:{model="credit", version="1"}'
    assert "feature" not in body["commonLabels"]
    assert body["commonLabels"]["alertname"] == "DriftFeatureDrifted"
    assert (first["status"], first["endsAt"]) == ("firing", "0001-01-01T00:00:00Z")
    assert (second["status"], second["endsAt"]) == ("resolved", _time(START_S + 1800))
    assert re.fullmatch("[0-9a-f]{16}", first["fingerprint"])
    assert first["annotations"]["runbook_url"] == LINKS.runbook_url


def test_a_webhook_carries_everything_that_starts_a_training_run():
    """As annotations, and whole in `details`."""
    told = notice(dataset_alert(), action="retrain")
    alert = webhook_body([told], Links(), "hook", START_S)["alerts"][0]
    annotations = alert["annotations"]
    details = msgspec.json.decode(annotations["details"], type=AlertMessage)

    assert annotations["suggested_action"] == "retrain"
    assert annotations["idempotency_key"] == told.idempotency_key == details.idempotency_key
    assert annotations["baseline_sha256"] == "ab" * 32
    assert (annotations["window_start"], annotations["window_end"]) == (_time(START_S - 600), _time(START_S))
    assert details.features[0].feature == "country"
    assert details.features[0].contributors[1].bin == "XX"


def test_event_time_ahead_of_the_clock_is_now_for_alertmanager():
    """An end in the future would be no end."""
    postable = Postable.of(notice(ended(feature_alert())), Links(), START_S - 60)

    assert postable.ends_at == postable.starts_at == _time(START_S - 60)


def test_an_alert_that_fires_is_sent_again_until_it_ends():
    """Every `resend`, lasting four times as long each time; one whose end waits is left to that."""
    with receiver() as inbox:
        clock = ManualClock(START_S)
        settings = AlertmanagerSettings(urls=[inbox.url + "/am/"], resend="1m")
        far = AlertmanagerReceiver(settings, settings.urls[0], clock)
        one, other = feature_alert("one"), feature_alert("other")
        assert far.remind(frozenset()) == float("inf")
        far.deliver([notice(one), notice(other)])
        far.delivered([notice(one), notice(other)])
        assert far.remind(frozenset()) == 60
        clock.advance(60)
        far.remind(frozenset({other.id}))
        far.deliver([notice(ended(one))])
        far.delivered([notice(ended(one))])
        clock.advance(60)
        far.remind(frozenset())
        sent = [[(a["labels"]["feature"], a["endsAt"]) for a in r.body] for r in inbox.requests]

    assert sent == [
        [("one", _time(START_S + 240)), ("other", _time(START_S + 240))],
        [("one", _time(START_S + 300))],
        [("one", _time(START_S + 60))],
        [("other", _time(START_S + 360))],
    ]
    assert {r.path for r in inbox.requests} == {"/am/api/v2/alerts"}


def test_the_message_for_programs_is_the_documented_one():
    """docs/alert-message.schema.json is what the code says; this file, run as a program, writes it."""
    assert (DOCS / "alert-message.schema.json").read_bytes() == _schema()


@pytest.mark.parametrize("t", [feature_alert(), dataset_alert(), schema_alert(None), ended(feature_alert())])
def test_messages_validate_against_the_schema(t):
    """Strictly: every field there, none besides."""
    encoded = msgspec.json.encode(message_of(notice(t)))

    assert msgspec.json.decode(encoded, type=AlertMessage).alert == t.alert
    assert set(msgspec.json.decode(encoded)) == set(AlertMessage.__struct_fields__)


def test_every_field_of_the_message_is_documented():
    """In docs/alerts-topic.md."""
    text = (DOCS / "alerts-topic.md").read_text(encoding="utf-8")

    assert [name for name in AlertMessage.__struct_fields__ if f"`{name}`" not in text] == []


def test_slack_gets_plain_words_and_links():
    """One message for all of a moment, at most ten alerts told one by one."""
    text = text_of(notices(*(f"f{i}" for i in range(12))), LINKS)

    assert text.startswith("*WARNING* f0 of credit 1 has drifted\nhellinger of the last 10m")
    assert "... and 2 more." in text
    assert text.endswith(
        "<https://drift.example/|Status> · <https://grafana.example/d|Dashboard> · "
        "<https://wiki.example/drift?a=1&amp;b=2|Runbook>"
    )


def test_slack_escapes_what_would_mention_people():
    """A category called <!channel> wakes nobody."""
    text = text_of([notice(feature_alert("<!channel> & <@U1>"))], Links())

    assert "&lt;!channel&gt; &amp; &lt;@U1&gt;" in text
    assert "<" not in text


def _schema() -> bytes:
    return msgspec.json.format(msgspec.json.encode(msgspec.json.schema(AlertMessage)), indent=2) + b"\n"


if __name__ == "__main__":
    (DOCS / "alert-message.schema.json").write_bytes(_schema())
