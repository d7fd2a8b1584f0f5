"""The page that Prometheus scrapes.

The families with a series for every feature are rendered once for each evaluation and kept as bytes,
in plain text and OpenMetrics, also compressed; the few that change all the time are rendered at each
scrape and put behind them. A feature that leaves the view leaves the page.
"""

import contextlib
import gzip
from collections.abc import Callable, Iterable, Iterator
from threading import Lock

from prometheus_client import CollectorRegistry, Histogram, PlatformCollector, ProcessCollector
from prometheus_client.core import Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics import disable_created_metrics
from prometheus_client.registry import Collector

from detector.batch import ModelKey
from detector.metrics.collect import evaluated_families, running_families
from detector.metrics.labels import label
from detector.metrics.names import DURATION, DURATION_BUCKETS, ExportPolicy
from detector.view import View

_END = b"# EOF\n"

MAX_RENDERED = 8
"""Renderings kept of one evaluation: a scraper may ask for a format by any version number."""


class _Fixed(Collector):
    """Families that are at hand."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = list(families)

    def collect(self) -> Iterator[Metric]:
        yield from self._families


class Metrics:
    """What the service publishes, and the page made of it; safe to use from several threads."""

    def __init__(self, policy: ExportPolicy | None = None) -> None:
        # Without this every counter has a second family that says when it was created.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._policy = policy or ExportPolicy()
        self._own = CollectorRegistry()
        self._durations = Histogram(
            DURATION.name, DURATION.help, DURATION.labels, buckets=DURATION_BUCKETS, registry=self._own
        )
        ProcessCollector(registry=self._own)
        PlatformCollector(registry=self._own)
        self.view: View | None = None
        self._lock = Lock()
        self._revision = -1
        self._families: list[Metric] = []
        self._rendered: dict[tuple[str, bool], bytes] = {}

    def publish(self, view: View) -> None:
        """Show `view` from now on."""
        before, self.view = self.view, view
        for key in set() if before is None else before.baselines.keys() - view.baselines.keys():
            with contextlib.suppress(KeyError):  # it was never judged
                self._durations.remove(label(key.model), label(key.version))

    def use(self, policy: ExportPolicy) -> None:
        """Export by another policy from now on."""
        with self._lock:
            self._policy = policy
            self._revision = -1

    def observe_evaluation(self, key: ModelKey, seconds: float) -> None:
        """Note how long one window took to judge."""
        self._durations.labels(label(key.model), label(key.version)).observe(seconds)

    def page(self, accept: str = "", *, compress: bool = False) -> tuple[bytes, str]:
        """Return the page in the format that `accept` asks for, and its content type."""
        encode, content_type = _encoder(accept)
        view = self.view
        registry = CollectorRegistry()
        heavy, n_series = b"", 0
        if view is not None:
            heavy, n_series = self._evaluated(view, encode, content_type, compress=compress)
            registry.register(_Fixed(running_families(view, n_series, self._policy.max_series)))
        light = encode(registry).removesuffix(_END) + encode(self._own)
        # Compressed parts one behind the other are one compressed page (RFC 1952, 2.2).
        return heavy + (gzip.compress(light, 1) if compress else light), content_type

    def _evaluated(
        self, view: View, encode: Callable[[CollectorRegistry], bytes], content_type: str, *, compress: bool
    ) -> tuple[bytes, int]:
        with self._lock:
            if view.revision != self._revision:
                self._families = evaluated_families(view, self._policy)
                self._rendered.clear()
                self._revision = view.revision
            n_series = sum(len(family.samples) for family in self._families)
            key = (content_type, compress)
            if key not in self._rendered:
                registry = CollectorRegistry()
                registry.register(_Fixed(self._families))
                page = encode(registry).removesuffix(_END)
                while len(self._rendered) >= MAX_RENDERED:
                    del self._rendered[next(iter(self._rendered))]
                self._rendered[key] = gzip.compress(page, 1) if compress else page
            return self._rendered[key], n_series


def _encoder(accept: str) -> tuple[Callable[[CollectorRegistry], bytes], str]:
    """Return what writes the format that a client asks for; plain text where nobody knows what that is."""
    try:
        return choose_encoder(accept)
    except (TypeError, ValueError):  # a version that is no number
        return choose_encoder("")
