"""Which numeric features go together in training: Spearman's rank correlation, from the sample of rows."""

from collections.abc import Mapping

import numpy as np
from scipy.stats import rankdata

from detector.batch import Floats

Partners = tuple[tuple[str, float], ...]
"""Other features with their correlation, the strongest first."""

MOST_PARTNERS = 8
"""Partners that are kept of each feature: a baseline grows by 8 names a feature at most."""

LEAST_CORRELATION = 0.5

MOST_ROWS = 2000
"""Rows of the sample that are ranked; chance alone makes a correlation of .1 of them once in 100,000."""

MOST_FEATURES = 2000
"""Features beyond these have no partners: the table of all pairs is 32 MB."""


def find_partners(columns: Mapping[str, Floats]) -> dict[str, Partners]:
    """Return for each feature those it is most correlated with, |rho| >= `LEAST_CORRELATION`.

    `columns` are sampled values, row by row, NaN for none: a missing value counts as one in the middle.
    Constants have no partners.
    """
    chosen = [name for name in columns if len(columns[name])][:MOST_FEATURES]
    rows = min((len(columns[name]) for name in chosen), default=0)
    if rows < 3:
        return {}
    # The sample is in the order of the data: rows are taken from all of it.
    kept = np.unique(np.linspace(0, rows - 1, min(rows, MOST_ROWS)).astype(np.int64))
    ranks = np.array([_ranks(columns[name][kept]) for name in chosen])
    rho = ranks @ ranks.T
    np.fill_diagonal(rho, 0.0)
    partners = {}
    for i, name in enumerate(chosen):
        best = np.argsort(-np.abs(rho[i]), kind="stable")[:MOST_PARTNERS].tolist()
        found = [(chosen[j], round(float(rho[i, j]), 3)) for j in best if abs(rho[i, j]) >= LEAST_CORRELATION]
        if found:
            partners[name] = tuple(found)
    return partners


def _ranks(values: Floats) -> Floats:
    """Return ranks about their mean, of unit length; zeros for a constant."""
    known = ~np.isnan(values)
    ranks = np.zeros(len(values))
    if known.any():
        ranks[known] = rankdata(values[known])
        ranks[known] -= ranks[known].mean()
    length = float(np.sqrt(ranks @ ranks))
    return ranks / length if length > 0 else ranks
