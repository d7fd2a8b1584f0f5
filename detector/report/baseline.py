"""A baseline for people: what `baseline show` prints."""

import textwrap

from detector.baseline import Baseline
from detector.baseline.summary import training_summary
from detector.report.records import Record
from detector.report.summaries import NAME_WIDTH, summary_lines, summary_record
from detector.report.text import cut
from detector.times import format_duration


def baseline_line(baseline: Baseline) -> str:
    """Return the gist of a baseline."""
    features = baseline.features
    return (
        f"{baseline.n_events:,} rows, {len(features.numeric)} numeric and {len(features.categorical)} "
        f"categorical features, {baseline.layout.n_bins:,} bins"
    )


def apart_lines(baseline: Baseline) -> list[str]:
    """Return the columns that inference told apart from features, a line each."""
    left_out = set(baseline.provenance.left_out)
    return [
        f"  not a feature: {cut(name, 28)} ({cut(feature.note or feature.role, 60)})"
        for name, feature in baseline.schema.features.items()
        if name in left_out and not feature.is_compared
    ]


def baseline_text(baseline: Baseline) -> str:
    """Return a baseline as text, at most 80 columns wide."""
    origin = baseline.provenance
    model, version = baseline.model or "(any)", baseline.version or "(any)"
    lines = [
        *textwrap.wrap(
            f"model {model}, version {version}: {baseline_line(baseline)}", 80, subsequent_indent="  "
        ),
        f"built {origin.built_at} by version {origin.tool_version} from {len(origin.files)} file(s):",
        "  " + cut(", ".join(file.name for file in origin.files), 78),
        f"  sha256 {origin.sha256}",
    ]
    if origin.first_event is not None:
        lines.append(f"events from {origin.first_event} to {origin.last_event}")
    if origin.sampled_rows < baseline.n_events:
        lines.append(f"bin edges and quantiles from a uniform sample of {origin.sampled_rows:,} rows")
    if origin.left_out:
        lines.append(f"no features: {cut(', '.join(origin.left_out), 66)}")
    lines += [cut(line, 80) for line in apart_lines(baseline)]
    for column, values in baseline.slices.items():
        lines.append(f"slices by {cut(column, 20)}: {cut(', '.join(values), 48)}")
    lines.append(cut(variation_line(baseline), 80))
    if baseline.schema.features:
        lines.append(f"schema: {origin.schema}, {len(baseline.schema.features):,} columns")
    features = baseline.features.all
    predictions = [feature.name for feature in features if feature.role == "prediction"]
    if predictions:
        lines.append(f"predictions: {cut(', '.join(predictions), 66)}")
    names = [feature.name for feature in features]
    lines += ["", *summary_lines([("training", training_summary(baseline))], names)]
    lines += ["", f"{'':<{NAME_WIDTH}}{'type':<10}{'bins':>8}"]
    for feature, n_bins in zip(features, baseline.binning.lengths.tolist(), strict=True):
        lines.append(f"{cut(feature.name, NAME_WIDTH - 1):<{NAME_WIDTH}}{feature.type:<10}{n_bins:>8}")
    return "\n".join(lines)


def variation_line(baseline: Baseline) -> str:
    """Return what is known of how the data vary by themselves."""
    found, season = baseline.variation, baseline.season
    if found is None:
        return "natural variation: not known (build with --timestamp, over a week and more)"
    lengths = f"{format_duration(found.lengths_s[0])} to {format_duration(found.lengths_s[-1])}"
    seasonal = "no season by the hour" if season is None else f"season by {len(season.events)} kinds of hours"
    return f"natural variation: of windows of {lengths}; {seasonal}"


def baseline_statistics(baseline: Baseline) -> Record:
    """Return the statistics of the training data by feature, as records."""
    return {name: summary_record(column) for name, column in training_summary(baseline).items()}
