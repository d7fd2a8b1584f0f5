"""The same peers on columns of raw values, chunk by chunk, exactly as their sources compute: for real data.

A column is float64 (NaN is missing) or an object array of texts (None is missing). Sources: see the files of
the families beside this one. Missing values are dropped, as all of them do.
"""

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
    names, index = np.unique(np.concatenate((reference, current)), return_inverse=True)
    p = np.bincount(index[: len(reference)], minlength=len(names))
    return p, np.bincount(index[len(reference) :], minlength=len(names))


def _sturges(reference, current):
    edges = np.histogram_bin_edges(np.concatenate((reference, current)), bins="sturges")
    return np.histogram(reference, edges)[0], np.histogram(current, edges)[0]


def _evidently_js(reference, current):
    p, q = _counts(reference, current)
    return jensenshannon(p / p.sum(), q / q.sum())


def evidently_default(reference, current, _chunks):
    """Wasserstein over the standard deviation, or the Jensen–Shannon distance: .1."""
    if is_numeric(reference):
        return wasserstein_distance(reference, current) / max(np.std(reference), 0.001) >= 0.1
    return _evidently_js(reference, current) >= 0.1


def evidently_psi(reference, current, _chunks):
    """PSI over Sturges' bins of both sides together, or over values: .1."""
    p, q = _sturges(reference, current) if is_numeric(reference) else _counts(reference, current)
    return float(psi(p / p.sum(), q / q.sum())) >= 0.1


def nannyml_default(reference, current, chunks):
    """Jensen–Shannon distance over Doane's bins or over values, against the reference's chunks."""
    if is_numeric(reference):
        edges = np.histogram_bin_edges(reference, bins="doane")
        p = np.append(np.histogram(reference, edges)[0] / len(reference), 0.0)

        def method(x):
            q = np.histogram(x, edges)[0] / len(x)
            return jensenshannon(p, np.append(q, max(0.0, 1.0 - q.sum())), base=2)

    else:

        def method(x):
            p, q = _counts(reference, x)
            return jensenshannon(p / p.sum(), q / q.sum(), base=2)

    own = np.array([method(chunk) for chunk in chunks])
    return method(current) > own.mean() + 3 * own.std()


def p_value(reference, current, _chunks):
    """K-S or chi-square: its p-value."""
    if is_numeric(reference):
        return ks_2samp(reference, current, method="asymp").pvalue
    table = np.stack(_counts(reference, current))
    return chi2_contingency(table)[1] if table.shape[1] > 1 else 1.0


def rules(n_features):
    """Return the rules by name: (reference, current, chunks of the reference) -> drift."""
    return {
        "Evidently default (W/std, JS ≥ .1)": evidently_default,
        "Evidently PSI ≥ .1": evidently_psi,
        "NannyML default (JS, mean + 3 std)": nannyml_default,
        "K-S, χ² p < .05": lambda *sides: p_value(*sides) < 0.05,
        "alibi-detect (p < .05 / features)": lambda *sides: p_value(*sides) < 0.05 / n_features,
    }


def alarms(reference, current, rows):
    """Return by rule and feature which chunks of `rows` rows alarm: columns by name on both sides."""
    found = {name: {} for name in rules(len(reference))}
    for feature, column in reference.items():
        chunks = [clean(c) for c in _chunks(column, rows)]
        sides = [clean(c) for c in _chunks(current[feature], rows)]
        whole = clean(column)
        for name, rule in rules(len(reference)).items():
            found[name][feature] = [len(c) > 0 and bool(rule(whole, c, chunks)) for c in sides]
    return found


def _chunks(column, rows):
    n = max(1, len(column) // rows)
    return [column[i * rows : (i + 1) * rows if i < n - 1 else len(column)] for i in range(n)]
