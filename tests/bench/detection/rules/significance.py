"""p-values: K-S for numbers, chi-square for categories, at .05.

Alone, as in Evidently up to 1,000 rows and in many a notebook; and divided by the number of features, as
alibi-detect's TabularDrift does (docs.seldon.ai/alibi-detect/api-reference/cd/tabular: p_val .05, correction
"bonferroni"). The reference is all training data, as both take it.
"""

from tests.bench.detection.rules.measures import both

P_VALUE = 0.05


def rules(_chunks):
    """Both levels."""
    return {
        "K-S, χ² p < .05": lambda found: _p(found) < P_VALUE,
        "alibi-detect (p < .05 / features)": lambda found: _p(found) < P_VALUE / _p(found).shape[1],
    }


def _p(found):
    return both(found.kolmogorov_smirnov_p, found.chi_square_p)
