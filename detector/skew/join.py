"""The join of training and serving rows by id, in bounded memory however many rows there are.

The first reading surveys both sides. Then the ids are divided into parts by their hash, as many as it
takes for the cells of one part to fit into memory, and each part is read, sorted, merged and counted.
A last reading, only as far as needed, looks up the ids to be named. So files of 33 million cells are
read twice in full, and each further 33 million cost one more reading of everything.

Counts are those of TFDV's DetectFeatureSkew. The result does not depend on the number of parts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import astuple

from detector.errors import DataError
from detector.skew.match import MatchCounts, Matching, match
from detector.skew.model import FeatureSkew, IdStatistics, JoinOptions, Sample, SkewReport, ValuePair
from detector.skew.rows import Part, Rows, look_up, read_rows
from detector.skew.survey import JoinedFeature, join_features, survey
from detector.skew.tally import Pairs, Tally
from detector.summary.collect import ReadChunks

MAX_PAIRS = 10**9
"""Pairs of duplicates beyond this are no join that anyone meant."""

_UNFAIR = 4
"""How often its fair share of the cells a part may have before it is given up."""

_KEY_CELLS = 2
"""The id's hash and the number of the row take as much room as two cells."""

DEFAULTS = JoinOptions()


def join_by_id(
    reference: ReadChunks, current: ReadChunks, id_columns: Sequence[str], options: JoinOptions = DEFAULTS
) -> SkewReport:
    """Join the rows of both sides by id and count per feature how often the values differ.

    Whole numbers written as floats are the same id: `17.0` is `17`.

    Raises:
        DataError: a side has no rows or lacks an id column, nothing can be compared, or ids repeat so
            often that they do not fit into memory.
        ValueError: no id column is given.
    """
    join = tuple(dict.fromkeys(id_columns))
    if not join:
        raise ValueError("a join needs at least one id column")
    before = survey(reference, "reference", join, options.exclude)
    now = survey(current, "current", join, options.exclude)
    features = join_features(before, now, options.exclude)
    tallies = [Tally(feature.reading, options) for feature in features]
    counts, without_id = MatchCounts(), (0, 0)
    n_parts = -(-(before.rows + now.rows) * (len(features) + _KEY_CELLS) // options.max_cells)
    for number in range(n_parts):
        part = Part(number, n_parts, _UNFAIR * options.max_cells)
        left = read_rows(reference, join, [(f.reference, f.reading) for f in features], part)
        right = read_rows(current, join, [(f.current, f.reading) for f in features], part)
        found = match(left.keys, right.keys, allow_duplicates=options.allow_duplicates)
        counts, without_id = counts + found.counts, (left.without_id, right.without_id)
        _check_pairs(counts)
        _compare(found, left, right, tallies)
    ids = IdStatistics(before.rows, now.rows, *without_id, *astuple(counts))
    _check_ids(ids, join)
    texts = _look_up(reference, current, join, features, tallies)
    described = [_feature(f, tally, join, texts) for f, tally in zip(features, tallies, strict=True)]
    return SkewReport(join, ids, tuple(described), options.show_values)


def _compare(found: Matching, reference: Rows, current: Rows, tallies: Sequence[Tally]) -> None:
    for keys, before, now in found.blocks():
        pairs = Pairs(keys, reference.numbers[before], current.numbers[now])
        for tally, a, b in zip(tallies, reference.features, current.features, strict=True):
            tally.add(pairs, a.take(before), b.take(now))


def _check_pairs(counts: MatchCounts) -> None:
    if counts.pairs_compared > MAX_PAIRS:
        raise DataError(
            f"the ids repeat so often that {counts.pairs_compared:,} pairs of rows or more would have to be "
            "compared; name more id columns, or do not allow duplicates"
        )


def _check_ids(ids: IdStatistics, join: Sequence[str]) -> None:
    """Refuse a join that compares nothing: it would pass for one without skew."""
    named = ", ".join(map(repr, join))
    for side, rows, without in (
        ("reference", ids.reference_rows, ids.reference_without_id),
        ("current", ids.current_rows, ids.current_without_id),
    ):
        if rows == without:
            raise DataError(f"none of the {rows:,} {side} rows has an id in {named}; name another id column")
    if ids.in_common == 0:
        raise DataError(
            f"no id in {named} is on both sides ({ids.missing_in_current:,} different ones in the reference "
            f"data, {ids.missing_in_reference:,} in the current data); name another id column, or data of "
            "the same rows"
        )
    if ids.pairs_compared == 0:
        raise DataError(
            f"all {ids.in_common:,} ids that are on both sides occur more than once on one of them; "
            f"name more id columns than {named}, or allow duplicates"
        )


_Texts = Mapping[str, Mapping[int, str | None]]
"""Texts of single cells, by column and row number."""


def _look_up(
    reference: ReadChunks,
    current: ReadChunks,
    join: Sequence[str],
    features: Sequence[JoinedFeature],
    tallies: Sequence[Tally],
) -> tuple[_Texts, _Texts]:
    """Read the ids of the samples once more; and the values of both sides, if they are to be shown."""
    before: dict[str, set[int]] = {name: set() for name in join}
    now: dict[str, set[int]] = {}
    for feature, tally in zip(features, tallies, strict=True):
        sampled = list(tally.samples.values())
        for name in join:
            before[name].update(row for row, _ in sampled)
        if tally.options.show_values:
            shown = sampled + [rows for rows, _ in tally.confusion.most_frequent(tally.options.sample)]
            if feature.reference is not None:
                before.setdefault(feature.reference, set()).update(row for row, _ in shown)
            if feature.current is not None:
                now.setdefault(feature.current, set()).update(row for _, row in shown)
    return look_up(reference, before), look_up(current, now)


def _feature(
    feature: JoinedFeature, tally: Tally, join: Sequence[str], texts: tuple[_Texts, _Texts]
) -> FeatureSkew:
    before, now = texts[0].get(feature.reference or "", {}), texts[1].get(feature.current or "", {})
    samples = [
        Sample(tuple(texts[0][name][a] or "" for name in join), before.get(a), now.get(b))
        for a, b in tally.samples.values()
    ]
    confusion = [
        ValuePair(before.get(a), now.get(b), count)
        for (a, b), count in tally.confusion.most_frequent(tally.options.sample)
    ]
    return FeatureSkew(
        feature.name,
        tally.match,
        tally.mismatch,
        tally.reference_only,
        tally.current_only,
        tuple(samples),
        tuple(confusion),
        tally.confusion.is_complete,
    )
