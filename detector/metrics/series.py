"""How many series a configuration exports, known before the first event."""

from collections.abc import Mapping

from detector.batch import ModelKey
from detector.distances import distances
from detector.drift.rates import RATES
from detector.errors import ConfigError
from detector.metrics.collect import RATIO_FAMILIES
from detector.metrics.names import ExportPolicy
from detector.watched import Monitored
from detector.windows.spec import WindowSpec

SERIES_OF_A_WINDOW = 3
"""State, drifted ratio and samples of the model version as a whole."""


def count_series(monitored: Monitored, n_windows: int, policy: ExportPolicy) -> int:
    """Return how many series one model version can have on the page."""
    features = monitored.baseline.features
    n_numeric, n = len(features.numeric), len(features)
    per_window = n  # the state
    for name, distance in distances:
        of = n_numeric if distance.ordered else n
        if policy.exports(name):
            per_window += of * (2 + (distance.p_value is not None))
    for rate in RATES:
        of = n_numeric if rate == "outside" else n - n_numeric if rate == "unseen" else n
        per_window += of * (3 * policy.exports(rate) + (rate in RATIO_FAMILIES))
    in_windows = (per_window + SERIES_OF_A_WINDOW) * n_windows * len(monitored.slices)
    expectations = monitored.expectations
    # And what each feature is, once.
    return in_windows + n + (len(expectations.possible) if expectations is not None else 0)


def check_series(models: Mapping[ModelKey, Monitored], spec: WindowSpec, policy: ExportPolicy) -> int:
    """Return the series of all model versions together.

    Raises:
        ConfigError: they are more than `policy.max_series`; the message holds the arithmetic.
    """
    n_windows = len(spec.lengths_s)
    counts = {key: count_series(monitored, n_windows, policy) for key, monitored in models.items()}
    total = sum(counts.values())
    if total > policy.max_series:
        key = max(counts, key=counts.__getitem__)
        worst = models[key]
        shape = f"{len(worst.baseline.features)} features x {len(worst.slices)} slices x {n_windows} windows"
        each = counts[key] // max(1, _product(worst, n_windows))
        raise ConfigError(
            f"{total} metric series, metrics.max_series allows {policy.max_series}: "
            f"{key.model} {key.version} alone has {counts[key]} ({shape} x about {each} each); name "
            "only the statistics you look at in metrics.statistics, use fewer slices or windows, or raise it"
        )
    return total


def _product(monitored: Monitored, n_windows: int) -> int:
    return len(monitored.baseline.features) * len(monitored.slices) * n_windows
