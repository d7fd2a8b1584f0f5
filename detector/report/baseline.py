"""A baseline for people: what `baseline show` prints."""

import math

import numpy as np

from detector.baseline import Baseline
from detector.profile import CategoryBinning, NumericBinning
from detector.report.text import cut


def baseline_line(baseline: Baseline) -> str:
    """Return the gist of a baseline."""
    features = baseline.features
    return (
        f"{baseline.n_events:,} rows, {len(features.numeric)} numeric and {len(features.categorical)} "
        f"categorical features, {baseline.layout.n_bins:,} bins"
    )


def baseline_text(baseline: Baseline) -> str:
    """Return a baseline as text, a line a feature, at most 100 columns wide."""
    origin = baseline.provenance
    model, version = baseline.model or "(any)", baseline.version or "(any)"
    lines = [
        f"model {model}, version {version}: {baseline_line(baseline)}",
        f"built {origin.built_at} by version {origin.tool_version} from {len(origin.files)} file(s): "
        + cut(", ".join(file.name for file in origin.files), 60),
        f"data sha256 {origin.sha256}",
    ]
    if origin.first_event is not None:
        lines.append(f"events from {origin.first_event} to {origin.last_event}")
    if origin.sampled_rows < baseline.n_events:
        lines.append(f"bin edges chosen from a uniform sample of {origin.sampled_rows:,} rows")
    if origin.left_out:
        lines.append(f"no features: {cut(', '.join(origin.left_out), 80)}")
    for column, values in baseline.slices.items():
        lines.append(f"slices by {column}: {cut(', '.join(values), 80)}")
    lines += ["", f"{'feature':<26}{'type':<8}{'missing':>8}  {'bins':>5}  what it looks like"]
    lines += [_feature_line(baseline, f) for f in range(len(baseline.features))]
    return "\n".join(lines)


def _feature_line(baseline: Baseline, f: int) -> str:
    feature, layout = baseline.features.all[f], baseline.layout
    counts = baseline.profile.counts[0]
    missing = counts[layout.missing][f] / max(baseline.n_events, 1)
    binning = baseline.binning.of(f)
    name = cut(feature.name, 24) + (" *" if feature.role == "prediction" else "")
    looks = (
        _numeric(baseline, f) if isinstance(binning, NumericBinning) else _categories(baseline, f, binning)
    )
    return f"{name:<26}{feature.type:<8}{missing:>8.2%}  {binning.length:>5}  {looks}"


def _numeric(baseline: Baseline, f: int) -> str:
    low, high = float(baseline.profile.low[0, f]), float(baseline.profile.high[0, f])
    if not math.isfinite(low):
        return "no values"
    mean, std = float(baseline.centers[f]), float(baseline.std[f])
    return f"{low:.5g} .. {high:.5g}, mean {mean:.5g}, std {std:.4g}"


def _categories(baseline: Baseline, f: int, binning: CategoryBinning) -> str:
    start = int(baseline.layout.segments.starts[f])
    counts = baseline.profile.counts[0, start : start + binning.length]
    total = max(int(counts.sum()), 1)
    top = ", ".join(
        f"{cut(binning.describe(i), 14)} {counts[i] / total:.0%}" for i in range(min(3, len(binning.values)))
    )
    facts = baseline.facts[f - len(baseline.features.numeric)]
    n_kept = int(np.count_nonzero(counts[: len(binning.values)]))
    more = f" (+{facts.distinct - n_kept:,} in buckets)" if facts.distinct > n_kept else ""
    return f"{facts.distinct:,} values{more}: {top}" if facts.distinct else "no values"
