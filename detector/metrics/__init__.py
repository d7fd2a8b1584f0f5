"""What Prometheus scrapes: one page over the published view."""

from detector.metrics.names import DURATION, EVALUATED, RUNNING, ExportPolicy, Family
from detector.metrics.page import Metrics
from detector.metrics.series import check_series, count_series

__all__ = [
    "DURATION",
    "EVALUATED",
    "RUNNING",
    "ExportPolicy",
    "Family",
    "Metrics",
    "check_series",
    "count_series",
]
