"""NannyML: a chunk alarms above the mean plus three standard deviations of the reference's own chunks.

Source: `nannyml/drift/univariate/calculator.py`, DEFAULT_THRESHOLDS (no lower threshold), and
`nannyml/thresholds.py`, StandardDeviationThreshold (multiplier 3). The method by default is the
Jensen–Shannon distance, over bins of equal width (Doane's rule) or over values; its base 2 only scales both
sides. Its chunks stand one behind the other; here it sees every window, like all rules, and three in a row
are asked of it.
"""

from tests.bench.detection.rules.measures import both

MULTIPLIER = 3.0

METHODS = {
    "NannyML default (JS, mean + 3 std)": lambda found: found.jensen_shannon_numeric,
    "NannyML Wasserstein, mean + 3 std": lambda found: found.wasserstein,
    "NannyML K-S, mean + 3 std": lambda found: found.kolmogorov_smirnov,
}
"""Methods for numbers; categories have the default one in all three."""


def rules(chunks):
    """The default method, and two of the others for numbers.

    A chunk of the reference is part of it: what came once there did so on both sides. But against the
    chunk's share 1/n of it the reference's 1/m is next to nothing, as it is for live chunks.
    """
    return {name: _above(method, chunks) for name, method in METHODS.items()}


def _above(method, chunks):
    def values(found):
        return both(method(found), found.jensen_shannon_categorical)

    of_chunks = values(chunks)
    limit = of_chunks.mean(axis=0) + MULTIPLIER * of_chunks.std(axis=0)
    return lambda found: values(found) > limit
