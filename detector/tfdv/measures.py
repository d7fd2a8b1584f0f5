"""L-infinity, normalised absolute difference and Jensen–Shannon divergence as TFDV 1.16 computes them."""

from collections.abc import Mapping

import numpy as np

from detector.batch import Floats
from detector.tfdv.histogram import Histogram

Counts = Mapping[str, float]


def l_infinity(p: Counts, q: Counts) -> float:
    """Largest difference of the shares of one value; a side without values has shares of 0."""
    a, b = _aligned(p, q)
    return float(np.max(np.abs(_shares(a) - _shares(b)), initial=0.0))


def normalized_absolute_difference(p: Counts, q: Counts) -> float:
    """Largest difference of the *counts* of one value over all counts: it grows where sizes differ."""
    a, b = _aligned(p, q)
    total = a.sum() + b.sum()
    return float(np.max(np.abs(a - b), initial=0.0) / total) if total else 0.0


def categorical_divergence(p: Counts, q: Counts) -> float | None:
    """Jensen–Shannon divergence in bits; None if a side has no values."""
    return _divergence(*_aligned(p, q))


def numeric_divergence(p: Histogram, q: Histogram) -> float | None:
    """Jensen–Shannon divergence in bits of two histograms with buckets of their own; None if one is empty.

    Buckets are cut at the union of both sides' edges; single points and infinities match only themselves.
    """
    wide_p, wide_q = _wide(p), _wide(q)
    same = wide_p[0].tolist() == wide_q[0].tolist() and wide_p[1].tolist() == wide_q[1].tolist()
    edges = np.union1d(np.concatenate(wide_p[:2]), np.concatenate(wide_q[:2]))
    parts = [(wide_p[2], wide_q[2]) if same else (_rebinned(wide_p, edges), _rebinned(wide_q, edges))]
    parts.append(_aligned(_points(p), _points(q)))
    infinite_p, infinite_q = (float(h.mass[np.isinf(h.low) | np.isinf(h.high)].sum()) for h in (p, q))
    # Infinities never match, not even each other; nor do NaNs, which get lost where buckets are cut.
    alone = np.array([[infinite_p, 0.0], [0.0, infinite_q]])
    parts += [(row[:1], row[1:]) for row in alone]
    if same:
        parts += [(np.array([p.n_nan, 0.0]), np.array([0.0, q.n_nan]))]
    return _divergence(np.concatenate([a for a, _ in parts]), np.concatenate([b for _, b in parts]))


def _aligned(p: Counts, q: Counts) -> tuple[Floats, Floats]:
    names = sorted(p.keys() | q.keys())
    a, b = (np.array([side.get(name, 0.0) for name in names], dtype=np.float64) for side in (p, q))
    return a, b


def _shares(counts: Floats) -> Floats:
    total = counts.sum()
    return counts / total if total else counts


def _divergence(a: Floats, b: Floats) -> float | None:
    if not a.sum() > 0 or not b.sum() > 0:
        return None
    p, q = a / a.sum(), b / b.sum()
    m = (p + q) / 2.0

    def half(x: Floats) -> float:
        there = x > 0
        return float(np.sum(x[there] * np.log2(x[there] / m[there]))) / 2.0

    return half(p) + half(q)


def _wide(h: Histogram) -> tuple[Floats, Floats, Floats]:
    wide = np.isfinite(h.low) & np.isfinite(h.high) & (h.low < h.high)
    return h.low[wide], h.high[wide], h.mass[wide]


def _points(h: Histogram) -> dict[str, float]:
    found: dict[str, float] = {}
    for low, high, mass in zip(h.low.tolist(), h.high.tolist(), h.mass.tolist(), strict=True):
        if low == high and np.isfinite(low):
            found[repr(low)] = found.get(repr(low), 0.0) + mass
    return found


def _rebinned(wide: tuple[Floats, Floats, Floats], edges: Floats) -> Floats:
    out = np.zeros(max(len(edges) - 1, 0))
    for low, high, mass in zip(*wide, strict=True):
        overlap = np.minimum(edges[1:], high) - np.maximum(edges[:-1], low)
        out += mass * np.maximum(overlap, 0.0) / (high - low)
    return out
