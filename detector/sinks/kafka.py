"""Alerts to a Kafka topic: one JSON message a transition (docs/alerts-topic.md), for programs.

What is told of one alert lies in one partition, in order: the key says which alert it is. Each message
is acknowledged by all replicas in sync before the next is tried. The topic is never made by itself.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from detector.alerts import Transition
from detector.brokers import Addresses, Security, Topic, discard, renewed
from detector.clock import Clock
from detector.kinds import Kind
from detector.notice import Notice
from detector.sinks.base import sinks
from detector.sinks.delivery import DeliveryError, QueuedSink, Receiver
from detector.sinks.message import encode, message_of
from detector.sinks.settings import DeliverySettings


class KafkaSinkSettings(DeliverySettings):
    """Where the topic is."""

    kind: Literal["kafka"] = "kafka"
    bootstrap_servers: Addresses
    topic: Topic
    security: Security = Security()


class KafkaReceiver(Receiver):
    """One topic. The client is made at the first message, and anew after each failure.

    So nothing that was given up waits in the client, to be sent later behind its own end.
    """

    def __init__(self, settings: KafkaSinkSettings) -> None:
        self._topic = settings.topic
        self._timeout_s = settings.delivery.timeout_s
        self._options = renewed(lambda: client_options(settings))
        self._client: Any = None

    def deliver(self, notices: Sequence[Notice]) -> None:
        """Send a batch, message by message."""
        from kafka.errors import KafkaError, MessageSizeTooLargeError

        try:
            if self._client is None:
                self._client = _producer(self._options())
            for notice in notices:
                self._send(notice)
        except MessageSizeTooLargeError as error:
            raise DeliveryError(type(error).__name__, is_final=True) from None
        except (KafkaError, OSError, AssertionError) as error:
            self.close()
            raise DeliveryError(type(error).__name__) from None

    def _send(self, notice: Notice) -> None:
        headers = [("idempotency-key", notice.idempotency_key.encode())]
        value = encode(message_of(notice))
        sent = self._client.send(self._topic, value, key_of(notice.transition), headers)
        sent.get(timeout=self._timeout_s)

    def close(self) -> None:
        """Let go of the client."""
        client, self._client = self._client, None
        discard(client)


def key_of(t: Transition) -> bytes:
    """Return model|version|feature|slice|statistic; what an alert does not have is empty."""
    parts = (*t.key, t.feature or "", t.slice, t.statistic or "")
    return "|".join(parts).encode("utf-8", "replace")


def client_options(settings: KafkaSinkSettings) -> dict[str, Any]:
    """Return the options of the client library's producer.

    Raises:
        ConfigError: a file cannot be used.
    """
    timeout_ms = int(settings.delivery.timeout_s * 1000)
    return {
        "bootstrap_servers": list(settings.bootstrap_servers),
        "client_id": "drift-detector",
        "acks": "all",
        "enable_idempotence": True,
        "allow_auto_create_topics": False,
        "linger_ms": 0,
        "max_block_ms": timeout_ms,
        "request_timeout_ms": timeout_ms,
        "delivery_timeout_ms": timeout_ms,
        "bootstrap_timeout_ms": timeout_ms,
        "metrics_enabled": False,
    } | settings.security.client_options(f"alerts.sinks: {settings.label}: security")


def _producer(options: Mapping[str, Any]) -> Any:
    from kafka import KafkaProducer

    return KafkaProducer(**options)


def open_sink(settings: KafkaSinkSettings, clock: Clock) -> QueuedSink:
    """Begin to send.

    Raises:
        ConfigError: a file cannot be used.
    """
    return QueuedSink(settings, [KafkaReceiver(settings)], clock, lambda notice: notice.transition.id)


sinks.add("kafka", Kind(KafkaSinkSettings, open_sink))
