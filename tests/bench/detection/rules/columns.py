"""The same peers on columns of raw values, chunk by chunk, exactly as their sources compute: for real data.

A column is float64 (NaN is missing) or an object array of texts (None is missing). Sources: see the files of
the families beside this one. Missing values are dropped, as all of them do.
"""

from collections import Counter

import numpy as np
from scipy.spatial.distance import jensenshannon
from scipy.stats import chi2_contingency, ks_2samp, wasserstein_distance

from tests.bench.detection.rules.evidently import psi

N_UNIQUE = 5
"""Numbers with at most so many different values are categories to Evidently."""


def is_numeric(column):
    """Whether a column is taken as numbers."""
    return column.dtype.kind == "f" and len(np.unique(column[~np.isnan(column)])) > N_UNIQUE


def clean(column):
    """Return the values that are there."""
    missing = (
        np.isnan(column) if column.dtype.kind == "f" else np.array([x is None for x in column], dtype=bool)
    )
    return column[~missing]


def _counts(reference, current):
    p, q = Counter(reference.tolist()), Counter(current.tolist())
    names = [*p, *(name for name in q if name not in p)]
    return np.array([p[name] for name in names]), np.array([q[name] for name in names])


def _sturges(reference, current):
    edges = np.histogram_bin_edges(np.concatenate((reference, current)), bins="sturges")
    return np.histogram(reference, edges)[0], np.histogram(current, edges)[0]


def _evidently_js(reference, current):
    p, q = _counts(reference, current)
    return jensenshannon(p / p.sum(), q / q.sum())


def evidently_default(reference, _chunks):
    """Wasserstein over the standard deviation, or the Jensen–Shannon distance: .1."""
    if not is_numeric(reference):
        return lambda current: _evidently_js(reference, current) >= 0.1
    unit = max(np.std(reference), 0.001)
    return lambda current: wasserstein_distance(reference, current) / unit >= 0.1


def evidently_psi(reference, _chunks):
    """PSI over Sturges' bins of both sides together, or over values: .1."""
    counted = _sturges if is_numeric(reference) else _counts

    def rule(current):
        p, q = counted(reference, current)
        return float(psi(p / p.sum(), q / q.sum())) >= 0.1

    return rule


def nannyml_default(reference, chunks):
    """Jensen–Shannon distance over Doane's bins or over values, against the reference's chunks."""
    method = _doane(reference) if is_numeric(reference) else _values(reference)
    own = np.array([method(chunk) for chunk in chunks])
    limit = own.mean() + 3 * own.std()
    return lambda current: method(current) > limit


def _doane(reference):
    edges = np.histogram_bin_edges(reference, bins="doane")
    p = np.append(np.histogram(reference, edges)[0] / len(reference), 0.0)

    def method(x):
        q = np.histogram(x, edges)[0] / len(x)
        return jensenshannon(p, np.append(q, max(0.0, 1.0 - q.sum())), base=2)

    return method


def _values(reference):
    def method(x):
        p, q = _counts(reference, x)
        return jensenshannon(p / p.sum(), q / q.sum(), base=2)

    return method


def significant(level):
    """K-S or chi-square below a level."""

    def fitted(reference, _chunks):
        numeric = is_numeric(reference)

        def rule(current):
            if numeric:
                return ks_2samp(reference, current, method="asymp").pvalue < level
            table = np.stack(_counts(reference, current))
            return table.shape[1] > 1 and chi2_contingency(table)[1] < level

        return rule

    return fitted


def rules(n_features):
    """Return the rules by name: (reference, its chunks) -> a function of a chunk -> drift."""
    return {
        "Evidently default (W/std, JS ≥ .1)": evidently_default,
        "Evidently PSI ≥ .1": evidently_psi,
        "NannyML default (JS, mean + 3 std)": nannyml_default,
        "K-S, χ² p < .05": significant(0.05),
        "alibi-detect (p < .05 / features)": significant(0.05 / n_features),
    }


def alarms(reference, current, rows):
    """Return by rule and feature which chunks of `rows` rows alarm: columns by name on both sides."""
    found = {name: {} for name in rules(len(reference))}
    for feature, column in reference.items():
        chunks = [clean(c) for c in _chunks(column, rows)]
        sides = [clean(c) for c in _chunks(current[feature], rows)]
        for name, fit in rules(len(reference)).items():
            rule = fit(clean(column), chunks)
            found[name][feature] = [len(c) > 0 and bool(rule(c)) for c in sides]
    return found


def _chunks(column, rows):
    n = max(1, len(column) // rows)
    return [column[i * rows : (i + 1) * rows if i < n - 1 else len(column)] for i in range(n)]
