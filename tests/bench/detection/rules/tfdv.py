"""TensorFlow Data Validation: L-infinity of categories over a threshold. No default: users set .01 or .1.

Its divergence of numbers needs raw values: `tests.bench.detection.raw`. Source: TFDV's guide to drift and
skew comparators, where the examples say 0.01; `detector/tfdv/measures.py` has the definition.
"""

import numpy as np

from tests.bench.detection.rules.measures import both

LIMITS = (0.01, 0.1)


def rules(chunks):
    """Both thresholds; numbers are left out, as they are by this comparator."""
    if not chunks.sample.categories.shape[1]:
        return {}
    return {f"TFDV L∞ > {limit:g} (categories)".replace("0.", "."): _above(limit) for limit in LIMITS}


def _above(limit):
    def rule(found):
        none = np.zeros((len(found.sample.n), found.sample.numeric.shape[1]), dtype=bool)
        return both(none, found.l_infinity > limit)

    return rule
