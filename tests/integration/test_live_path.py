"""The whole live path on real parts: Apache Kafka in, windows and distances, Debian's Prometheus out."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from detector.batch import Decoded
from detector.clock import SystemClock
from detector.metrics import Metrics
from detector.pipeline import Outcome, Pipeline
from detector.runs import AlertPolicy
from detector.service import Service
from detector.sources import sources
from detector.times import format_time
from detector.watched import Monitored
from detector.web import WebServer
from detector.windows.spec import WindowSpec
from tests.integration.oracle import Oracle, bins_of
from tests.support.factories import KEY, START_S, baseline_of, decoder_of
from tests.support.processes import wait_until
from tests.support.producing import send
from tests.support.prometheus import Prometheus, check_metrics

pytestmark = [pytest.mark.kafka, pytest.mark.prometheus, pytest.mark.timeout(400)]

CODECS = ("gzip", "lz4", "snappy", "zstd")
"""One a partition."""

N_EVENTS = 200_000
HALF_S = 3600
BAD = [b"{", b"[]", b'{"model": "credit", "version": "1", "features": {"amount": 1}, "timestamp": "?"}']


class RecordingPipeline(Pipeline):
    """Keeps the counts of every window that it judged."""

    def __init__(self, *arguments) -> None:
        super().__init__(*arguments)
        self.windows: dict[tuple[float, float], np.ndarray] = {}

    def feed(self, decoded: Decoded, now_s: float) -> Iterator[Outcome]:
        return map(self._keep_windows, super().feed(decoded, now_s))

    def finish(self) -> Iterator[Outcome]:
        return map(self._keep_windows, super().finish())

    def _keep_windows(self, outcome: Outcome) -> Outcome:
        for judged in outcome.judged:
            window = judged.evaluation.window
            self.windows[window.start_s, window.end_s] = window.profile.counts[0].copy()
        return outcome


def _features(rng, n, shift=0.0):
    ratio = [None if i % 7 == 0 else x for i, x in enumerate(rng.normal(0, 1, n).round(6).tolist())]
    return [
        {"amount": a, "ratio": r, "age": k, "country": c, "device": d, "member": m}
        for a, r, k, c, d, m in zip(
            rng.lognormal(3 + shift, 1, n).round(2).tolist(),
            ratio,
            rng.integers(18, 90, n).tolist(),
            rng.choice(["DE", "FR", "IT", "ES"], n, p=[0.4, 0.3, 0.2, 0.1]).tolist(),
            [f"device-{i}" for i in rng.zipf(1.5, n).clip(max=3000).tolist()],
            (rng.random(n) < 0.3).tolist(),
            strict=True,
        )
    ]


def _payloads(rng, n, start_s, shift=0.0):
    """n events over an hour in the order of their time, one in 500 of them unusable."""
    times = start_s + np.sort(rng.random(n)) * HALF_S
    for i, (features, t) in enumerate(zip(_features(rng, n, shift), times.tolist(), strict=True)):
        if i % 500 == 499:
            yield BAD[i // 500 % 3]
        else:
            yield json.dumps(
                {
                    "model": KEY.model,
                    "version": KEY.version,
                    "timestamp": format_time(t),
                    "features": features,
                }
            ).encode()


def test_200_000_events_from_kafka_to_prometheus(own_kafka, tmp_path: Path, rng):
    """Four partitions in four codecs, the broker away in between: every window as the oracle counts it.

    And what Prometheus scraped meanwhile answers a PromQL query with the distances.
    """
    baseline = baseline_of(_features(rng, 20_000))
    models = {KEY: Monitored(baseline)}
    spec = WindowSpec(pane_s=60, lengths_s=(600, 3600), lateness_s=60)
    pipeline = RecordingPipeline(spec, models, AlertPolicy())
    topic = own_kafka.create_topic("predictions", len(CODECS))
    kind = sources.get("kafka")
    clock = SystemClock()
    source = kind.open(
        kind.Settings(bootstrap_servers=[own_kafka.bootstrap], topics=[topic], start="earliest"), clock
    )
    metrics = Metrics()
    service = Service(source, decoder_of(models), pipeline, {KEY: baseline}, [], metrics, clock, 3600.0)
    server = WebServer("127.0.0.1", 0, metrics, service.beat_age_s)
    port = server.start()
    thread = threading.Thread(target=service.run)
    sent: list[bytes] = []
    with Prometheus(tmp_path, port) as prometheus:
        thread.start()
        try:
            for half, shift in enumerate((0.0, 0.7)):
                for partition, codec in enumerate(CODECS):
                    n = N_EVENTS // 2 // len(CODECS)
                    values = list(_payloads(rng, n, START_S + half * HALF_S, shift))
                    sent += values
                    send(own_kafka.bootstrap, topic, values, partition, compression_type=codec)
                if half == 0:
                    own_kafka.stop()
                    wait_until(lambda: not metrics.view.source.connected, 60, "the service notices")
                    own_kafka.start()
            wait_until(lambda: service.n_consumed == N_EVENTS, 240, "everything is read")
            wait_until(lambda: _has_scraped(prometheus, metrics), 60, "Prometheus has the last windows")
            drifting = prometheus.query('drift_feature_state{slice="all", window="1h"} == 2')
            distances = prometheus.query('drift_feature_distance{feature="amount", window="1h"}')
            problems = check_metrics(metrics.page()[0])
        finally:
            service.stop()
            thread.join(30)
            server.stop()
    service.finish()
    _check_counts(pipeline, Oracle(sent), baseline)
    by_statistic = {d["metric"]["statistic"]: float(d["value"][1]) for d in distances}

    assert problems == ""
    assert [sample["metric"]["feature"] for sample in drifting] == ["amount"]
    assert {"l_infinity", "hellinger", "jensen_shannon", "kolmogorov_smirnov"} <= set(by_statistic)
    assert 0.2 < by_statistic["kolmogorov_smirnov"] < 0.35


def _has_scraped(prometheus: Prometheus, metrics: Metrics) -> bool:
    """Whether what Prometheus holds is as far as what is published."""
    found = prometheus.query("drift_watermark_timestamp_seconds")
    return bool(found) and float(found[0]["value"][1]) == metrics.view.watermark_s


def _check_counts(pipeline: RecordingPipeline, oracle: Oracle, baseline) -> None:
    counters = pipeline.counters
    assert sum(counters.rejected.values()) == oracle.bad == N_EVENTS // 500
    assert counters.accepted[KEY] == len(oracle)
    assert len(pipeline.windows) >= 2 * HALF_S / 60
    for window, counts in pipeline.windows.items():
        assert bins_of(counts, baseline) == oracle.bin_counts(window, baseline)
