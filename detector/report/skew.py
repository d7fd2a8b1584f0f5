"""Feature skew, the join of two data sets by id, as a record and as text."""

from collections.abc import Sequence

from detector.report.records import Record
from detector.report.text import cut
from detector.skew import FeatureSkew, Sample, SkewReport, ValuePair

_NAME = 26
_WIDTH = 80
_SHOWN = 3
"""Examples of a feature in the text; the record has them all."""


def skew_record(report: SkewReport) -> Record:
    """Return the record that `compare --join COL --format json` prints.

    An id is a text, or a list of texts where several columns make it; values are the texts of the files.
    """
    ids = report.ids
    return {
        "skew": "feature",
        "join": list(report.join),
        "ids": {
            "reference_rows": ids.reference_rows,
            "current_rows": ids.current_rows,
            "reference_without_id": ids.reference_without_id,
            "current_without_id": ids.current_without_id,
            "ids": ids.ids,
            "in_common": ids.in_common,
            "missing_in_reference": ids.missing_in_reference,
            "missing_in_current": ids.missing_in_current,
            "duplicates": ids.duplicates,
            "pairs": ids.pairs,
            "pairs_compared": ids.pairs_compared,
        },
        "features": {feature.name: _feature_record(report, feature) for feature in report.features},
    }


def _feature_record(report: SkewReport, feature: FeatureSkew) -> Record:
    record: Record = {
        "reference": feature.reference,
        "current": feature.current,
        "match": feature.match,
        "mismatch": feature.mismatch,
        "reference_only": feature.reference_only,
        "current_only": feature.current_only,
        "different": feature.different,
        "mismatch_share": feature.share,
        "sample_ids": [_id_value(sample) for sample in feature.samples],
    }
    if report.has_values:
        record["pairs"] = [
            {"id": _id_value(sample), "reference": sample.reference, "current": sample.current}
            for sample in feature.samples
        ]
        record["confusion"] = [
            {"reference": pair.reference, "current": pair.current, "count": pair.count}
            for pair in feature.confusion
        ]
        record["confusion_is_complete"] = feature.confusion_is_complete
    return record


def _id_value(sample: Sample) -> str | list[str]:
    return sample.id[0] if len(sample.id) == 1 else list(sample.id)


def skew_text(report: SkewReport) -> str:
    """Return the join for people: the features that differ most first, at most 80 columns wide."""
    header = f"{'equal':>11}{'other value':>12}{'only ref.':>10}{'only cur.':>10}{'differ':>8}"
    lines = [*_head(report), "", f"  {'feature':<{_NAME + 1}}{header}"]
    for feature in sorted(report.features, key=lambda feature: -feature.different):
        lines.append(_line(feature))
        if feature.different:
            lines += _examples(report, feature)
    differing = sum(feature.different > 0 for feature in report.features)
    return "\n".join([*lines, "", f"feature skew in {differing} of {len(report.features)} features"])


def _head(report: SkewReport) -> list[str]:
    ids = report.ids
    lines = [
        cut(f"feature skew: same id, other value; joined by {', '.join(report.join)}", _WIDTH),
        f"reference {ids.reference_rows:,} rows, current {ids.current_rows:,} rows",
        (
            f"ids: {ids.in_common:,} in common, {ids.missing_in_current:,} only in the reference, "
            f"{ids.missing_in_reference:,} only in the current data"
        ),
    ]
    if ids.reference_without_id or ids.current_without_id:
        lines.append(
            f"rows without id: {ids.reference_without_id:,} reference, {ids.current_without_id:,} current"
        )
    if ids.duplicates:
        fate = "all their pairs compared" if ids.pairs_compared == ids.pairs else "skipped"
        lines.append(f"ids that occur more than once on a side: {ids.duplicates:,}, {fate}")
    lines.append(f"{ids.pairs_compared:,} pairs of rows compared")
    return lines


def _line(feature: FeatureSkew) -> str:
    share = "-" if feature.share is None else _percent(feature.share)
    both = f"{feature.match:>11,}{feature.mismatch:>12,}"
    one_sided = f"{feature.reference_only:>10,}{feature.current_only:>10,}"
    mark = "!" if feature.different else " "
    return f"{mark} {cut(feature.name, _NAME):<{_NAME + 1}}{both}{one_sided}{share:>8}"


def _percent(share: float) -> str:
    """Return a share that is not taken for none, or for all, unless it is."""
    if 0.0 < share < 0.0001:
        return "<0.01%"
    return ">99.99%" if 0.9999 < share < 1.0 else f"{share:.2%}"


def _examples(report: SkewReport, feature: FeatureSkew) -> list[str]:
    shown = feature.samples[:_SHOWN]
    if not report.has_values:
        return [cut(f"      ids such as {'; '.join(_id_text(sample) for sample in shown)}", _WIDTH)]
    lines = [
        cut(f"      {_id_text(sample)}: {_arrow(sample.reference, sample.current)}", _WIDTH)
        for sample in shown
    ]
    return lines + [
        cut(f"      {pair.count:,} x {_arrow(pair.reference, pair.current)}", _WIDTH)
        for pair in _repeated(feature.confusion)[:_SHOWN]
    ]


def _repeated(confusion: Sequence[ValuePair]) -> list[ValuePair]:
    """Return the pairs that tell more than the examples do."""
    return [pair for pair in confusion if pair.count > 1]


def _id_text(sample: Sample) -> str:
    return ", ".join(sample.id)


def _arrow(before: str | None, now: str | None) -> str:
    first, second = ("(missing)" if value is None else cut(value, 28) for value in (before, now))
    return f"{first} -> {second}"
