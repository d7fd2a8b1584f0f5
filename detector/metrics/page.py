"""The page that Prometheus scrapes.

The families with a series for every feature are rendered once for each evaluation and kept as bytes,
in plain text and OpenMetrics, also compressed; the few that change all the time are rendered once for
each published view and put behind them, however many scrapers there are. A feature that leaves the view
leaves the page.
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

_Encode = Callable[[CollectorRegistry], bytes]

MAX_RENDERED = 4
"""Renderings kept of one evaluation and of one view: a scraper may name any version of a format."""


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
        self._pages: dict[tuple[str, bool], bytes] = {}
        self._shown: View | None = None

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
            self._shown = None

    def observe_evaluation(self, key: ModelKey, seconds: float) -> None:
        """Note how long one window took to judge."""
        self._durations.labels(label(key.model), label(key.version)).observe(seconds)

    def page(self, accept: str = "", *, compress: bool = False) -> tuple[bytes, str]:
        """Return the page in the format that `accept` asks for, and its content type."""
        encode, content_type = _encoder(accept)
        key = (content_type, compress)
        with self._lock:
            view = self.view
            if view is None:
                return self._render(None, encode, key), content_type
            if view is not self._shown:
                self._pages.clear()
                self._shown = view
            if key not in self._pages:
                _make_room(self._pages)
                self._pages[key] = self._render(view, encode, key)
            return self._pages[key], content_type

    def _render(self, view: View | None, encode: _Encode, key: tuple[str, bool]) -> bytes:
        registry = CollectorRegistry()
        heavy, n_series = b"", 0
        if view is not None:
            heavy, n_series = self._evaluated(view, encode, key)
            registry.register(_Fixed(running_families(view, n_series, self._policy.max_series)))
        light = encode(registry).removesuffix(_END) + encode(self._own)
        # Compressed parts one behind the other are one compressed page (RFC 1952, 2.2).
        return heavy + (gzip.compress(light, 1) if key[1] else light)

    def _evaluated(self, view: View, encode: _Encode, key: tuple[str, bool]) -> tuple[bytes, int]:
        if view.revision != self._revision:
            self._families = evaluated_families(view, self._policy)
            self._rendered.clear()
            self._revision = view.revision
        n_series = sum(len(family.samples) for family in self._families)
        if key not in self._rendered:
            registry = CollectorRegistry()
            registry.register(_Fixed(self._families))
            page = encode(registry).removesuffix(_END)
            _make_room(self._rendered)
            self._rendered[key] = gzip.compress(page, 1) if key[1] else page
        return self._rendered[key], n_series


def _make_room(rendered: dict[tuple[str, bool], bytes]) -> None:
    """Forget the oldest, so that one more fits."""
    while len(rendered) >= MAX_RENDERED:
        del rendered[next(iter(rendered))]


def _encoder(accept: str) -> tuple[_Encode, str]:
    """Return what writes the format that a client asks for; plain text where nobody knows what that is."""
    try:
        return choose_encoder(accept)
    except (TypeError, ValueError):  # a version that is no number
        return choose_encoder("")
