"""The two distributions of a feature, drawn over each other as SVG."""

from html import escape

import numpy as np

from detector.batch import Floats, Ints
from detector.profile import CategoryBinning, NumericBinning
from detector.profile.binning import N_BUCKETS
from detector.report.comparison import Comparison
from detector.report.text import cut

WIDTH, HEIGHT = 640, 180
N_BARS = 40
MOST_CATEGORIES = 12
ROW_HEIGHT = 22

TAIL = 0.002
"""So much of both sides' mass may lie beyond the ends of the axis, so that one outlier hides nothing."""


def figure(found: Comparison, feature: int) -> str:
    """Return the figure of a feature: columns over the axis of its numbers, or bars for its categories."""
    binning = found.baseline.binning.of(feature)
    start = int(found.baseline.layout.segments.starts[feature])
    reference, current = found.judge.reference(0), found.evaluation.window.profile
    counts = [side.counts[0, start : start + binning.length] for side in (reference, current)]
    before, now = map(_shares, counts)
    if isinstance(binning, NumericBinning):
        return _numeric(binning, before, now)
    unseen = float(current.counts[0, found.baseline.layout.unseen][feature])
    return _categories(binning, before, now, unseen / max(float(counts[1].sum()), 1.0))


def _shares(counts: Ints) -> Floats:
    shares: Floats = counts / max(int(counts.sum()), 1)
    return shares


def _numeric(binning: NumericBinning, reference: Floats, current: Floats) -> str:
    grid = _axis(binning.edges, reference[1:-1] + current[1:-1])
    before, now = (_on_grid(binning.edges, shares[1:-1], grid) for shares in (reference, current))
    top = max(float(before.max(initial=0.0)), float(now.max(initial=0.0)), 1e-9)
    width = WIDTH / N_BARS
    parts = []
    for i, (a, b) in enumerate(zip((before / top).tolist(), (now / top).tolist(), strict=True)):
        for kind, share in (("reference", a), ("current", b)):
            height = share * (HEIGHT - 20)
            parts.append(
                f'<rect class="{kind}" x="{i * width + 1:.1f}" y="{HEIGHT - 20 - height:.1f}" '
                f'width="{width - 2:.1f}" height="{height:.1f}"/>'
            )
    outside = current[0] + current[-1]
    note = f"; {outside:.1%} of current outside the training range" if outside > 0 else ""
    ends = f"{grid[0]:.5g} to {grid[-1]:.5g}{note}"
    return _svg(HEIGHT, "".join(parts) + f'<text x="2" y="{HEIGHT - 4}">{escape(ends)}</text>')


def _axis(edges: Floats, mass: Floats) -> Floats:
    """Return the ends of the columns, leaving out tails that hold next to nothing."""
    running = np.cumsum(mass) / max(float(mass.sum()), 1e-12)
    first = int(np.searchsorted(running, TAIL))
    last = int(np.searchsorted(running, 1.0 - TAIL))
    low, high = float(edges[min(first, len(edges) - 2)]), float(edges[min(last + 1, len(edges) - 1)])
    if not high > low:
        low, high = low - 0.5, low + 0.5
    return np.linspace(low, high, N_BARS + 1)


def _on_grid(edges: Floats, shares: Floats, grid: Floats) -> Floats:
    """Spread the share of each bin evenly over the columns it reaches into."""
    out = np.zeros(len(grid) - 1)
    low, high = np.clip(edges[:-1], grid[0], grid[-1]), np.clip(edges[1:], grid[0], grid[-1])
    step = grid[1] - grid[0]
    # A bin narrower than a hundredth of a column (an atom) goes to the column it lies in.
    points = edges[1:] - edges[:-1] < step / 100.0
    at = np.clip(((low[points] - grid[0]) / step).astype(np.int64), 0, len(out) - 1)
    np.add.at(out, at, shares[points])
    wide = ~points
    with np.errstate(over="ignore", invalid="ignore"):
        density = np.nan_to_num(shares[wide] / (edges[1:] - edges[:-1])[wide])
    for i in range(len(out)):
        overlap = np.minimum(high[wide], grid[i + 1]) - np.maximum(low[wide], grid[i])
        out[i] += float(np.sum(density * np.maximum(overlap, 0.0)))
    return out


def _categories(binning: CategoryBinning, reference: Floats, current: Floats, unseen: float) -> str:
    n_own = binning.length - N_BUCKETS
    biggest = np.maximum(reference[:n_own], current[:n_own])
    shown = np.argsort(-biggest, kind="stable")[:MOST_CATEGORIES].tolist()
    rows = [(binning.describe(i), float(reference[i]), float(current[i])) for i in shown]
    if n_own > len(shown):
        rest = [i for i in range(n_own) if i not in set(shown)]
        rows.append((f"{len(rest)} more", float(reference[rest].sum()), float(current[rest].sum())))
    rare = (float(reference[n_own:].sum()), float(current[n_own:].sum()) - unseen)
    if max(rare) > 0:
        rows.append(("rare values", *rare))
    if unseen > 0:
        rows.append(("never seen in training", 0.0, unseen))
    return _svg(max(len(rows), 1) * ROW_HEIGHT, "".join(_row(i, *row) for i, row in enumerate(rows)))


def _row(i: int, name: str, before: float, now: float) -> str:
    y, room = i * ROW_HEIGHT, WIDTH - 300
    return (
        f'<text x="0" y="{y + 15}">{escape(cut(name, 24))}</text>'
        f'<rect class="reference" x="180" y="{y + 2}" width="{before * room:.1f}" height="8"/>'
        f'<rect class="current" x="180" y="{y + 11}" width="{max(now, 0.0) * room:.1f}" height="8"/>'
        f'<text x="{WIDTH - 110}" y="{y + 15}">{before:.1%} \u2192 {max(now, 0.0):.1%}</text>'
    )


def _svg(height: float, inside: str) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="distributions of reference and current">'
        f"{inside}</svg>"
    )
