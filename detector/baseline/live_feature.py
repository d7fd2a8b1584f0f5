"""What the rules can say of one feature of live windows, worked out once from the baseline.

Windows know bins, not values: so it is settled here which bins lie outside a domain, and which kinds
of anomalies a window can bring at all.
"""

import math
import re
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from detector.anomaly import Anomaly
from detector.baseline.model import Baseline
from detector.batch import Bools, Floats, Ints
from detector.profile import CategoryBinning, NumericBinning
from detector.schema import BoolDomain, FeatureSchema, Pattern, Presence, Range, Values
from detector.schema.check import Check
from detector.schema.self_rules import SELF_RULES
from detector.schema.validate import new_column
from detector.summary.model import ColumnSummary, ValueCounts

MAX_NEW_COLUMNS = 20
"""New columns that are reported one by one; more are one anomaly of the data set."""

EXAMPLES = 5

STANDARD_ERRORS = 4.0

NOTHING_EXPECTED = FeatureSchema("string", lifecycle="planned")


TRUTH_VALUES = np.array([0.0, 1.0])


@dataclass(frozen=True, slots=True)
class Bins:
    """The bins of one numeric feature: how many numbers, and their sums."""

    counts: Ints
    sums: Floats


@dataclass(frozen=True, slots=True)
class LiveFeature:
    """What is expected of one feature."""

    schema: FeatureSchema
    is_expected: bool
    """Whether it belongs to the environment."""
    least_to_be_gone: float
    """Share of rows with a value, by which it is told whether none at all is chance; 0: it may be gone."""
    off_domain: Bools
    """By bin: whether it holds values outside the domain."""
    limits: tuple[float, float]
    """The least and the greatest number allowed."""
    kinds: tuple[str, ...]
    """Every kind of anomaly that a window can bring."""
    broken: tuple[str, ...]
    """What is wrong with the schema itself: then nothing else is asked."""

    @property
    def is_checked(self) -> bool:
        """Whether anything is expected of it at present."""
        return self.schema.is_checked

    @property
    def as_gone(self) -> FeatureSchema:
        """The schema to ask where there is no value at all."""
        presence = replace(self.schema.presence, min_fraction=self.least_to_be_gone)
        return replace(self.schema, presence=presence)


def live_feature(baseline: Baseline, f: int, environment: str | None) -> LiveFeature:
    """Return what is expected of the feature with index `f`."""
    name = baseline.features.names[f]
    schema = baseline.schema.features.get(name, NOTHING_EXPECTED)
    if baseline.provenance.schema == "inferred":
        schema = _with_room_for_unseen(schema, float(baseline.expected_unseen[f]), baseline, f)
    is_expected = schema.belongs_to(environment, baseline.schema.environments)
    check = Check(name, schema, None, baseline.schema, environment)
    broken = tuple(anomaly.kind for rule in SELF_RULES for anomaly in rule(check))
    least = _least_to_be_gone(schema.presence, baseline, f)
    kinds = tuple(_kinds(schema, least)) if is_expected else ("SCHEMA_NEW_COLUMN",)
    return LiveFeature(
        schema,
        is_expected,
        least,
        _off_domain(schema, baseline.binning.of(f)),
        (_end(schema, "min"), _end(schema, "max")),
        broken or kinds,
        broken,
    )


def _with_room_for_unseen(
    schema: FeatureSchema, expected: float, baseline: Baseline, f: int
) -> FeatureSchema:
    """Let the share of values pass that an inferred closed set lacks by chance (Good-Turing)."""
    if not isinstance(schema.domain, Values) or not expected > 0:
        return schema
    values = baseline.n_events - int(baseline.profile.counts[0, baseline.layout.missing][f])
    share = expected + STANDARD_ERRORS * math.sqrt(expected / values)
    return replace(schema, min_share=min(schema.min_share, max(0.0, 1.0 - share)))


def _least_to_be_gone(presence: Presence, baseline: Baseline, f: int) -> float:
    """Return the least share of rows with a value: what the schema says, or training had, if it is more."""
    if not presence.is_required or not baseline.n_events:
        return presence.min_fraction
    share = 1.0 - int(baseline.profile.counts[0, baseline.layout.missing][f]) / baseline.n_events
    noise = STANDARD_ERRORS * math.sqrt(share * (1.0 - share) / baseline.n_events)
    return max(presence.min_fraction, share - noise)


def _off_domain(schema: FeatureSchema, binning: NumericBinning | CategoryBinning) -> Bools:
    """Return which bins hold nothing but values outside the domain; a numeric range is told by extremes."""
    domain = schema.domain
    off = np.zeros(binning.length, dtype=bool)
    if isinstance(binning, NumericBinning):
        if isinstance(domain, Values):
            allowed = sorted(float(v) for v in domain.values if isinstance(v, int))
            return _without(binning.edges, np.array(allowed, dtype=np.float64))
        return _without(binning.edges, TRUTH_VALUES) if isinstance(domain, BoolDomain) else off
    test = _text_test(domain)
    if test is None:
        return off
    # What has no counter of its own is not in a closed set; of patterns and ranges nobody knows.
    off[:] = isinstance(domain, Values | BoolDomain)
    off[: len(binning.values)] = [not test(value) for value in binning.values]
    return off


def _without(edges: Floats, allowed: Floats) -> Bools:
    """Return which bins hold none of the sorted numbers `allowed`."""
    below = np.concatenate(([0], allowed.searchsorted(edges), [len(allowed)]))
    none: Bools = np.diff(below) == 0
    return none


def _is_atom(edges: Floats) -> Bools:
    """Return which bins are those of a single number."""
    return np.concatenate(([False], np.nextafter(edges[:-1], np.inf) == edges[1:], [False]))


def _text_test(domain: object) -> Callable[[Hashable], bool] | None:
    """Return whether a text is in the domain; None where every text is."""
    if isinstance(domain, Values):
        return frozenset(domain.values).__contains__
    if isinstance(domain, BoolDomain):
        return frozenset({domain.true, domain.false} - {None}).__contains__
    if isinstance(domain, Pattern):
        pattern = re.compile(domain.regex)
        return lambda text: pattern.fullmatch(str(text)) is not None
    if isinstance(domain, Range):
        return lambda text: _is_in_range(str(text), domain)
    return None


def _is_in_range(text: str, domain: Range) -> bool:
    try:
        number = float(int(text)) if domain.of == "int" else float(text)
    except (ValueError, OverflowError):
        return False
    least = -math.inf if domain.min is None else domain.min
    most = math.inf if domain.max is None else domain.max
    return math.isfinite(number) and least <= number <= most


def _end(feature: FeatureSchema, which: str) -> float:
    domain = feature.domain
    open_end = -np.inf if which == "min" else np.inf
    if isinstance(domain, Range):
        end = domain.min if which == "min" else domain.max
        return open_end if end is None else end
    if isinstance(domain, BoolDomain):
        return 0.0 if which == "min" else 1.0
    return open_end


def told_apart(column: ColumnSummary, feature: LiveFeature, edges: Floats, profile: Bins) -> ColumnSummary:
    """Return a column of numbers with what its bins tell of a closed set, or of 0 and 1."""
    domain, values = feature.schema.domain, column.values
    if column.numeric is None or values is None:
        return column
    off = feature.off_domain
    if isinstance(domain, Values):
        # What shares a bin with allowed numbers may be one of them.
        unnamed = int(profile.counts[off & ~_is_atom(edges)].sum())
        return replace(column, values=ValueCounts(values.counts, is_complete=False, unnamed=unnamed))
    if not isinstance(domain, BoolDomain):
        return column
    low, high = column.numeric.min, column.numeric.max
    counts: dict[Hashable, int] = {x: n for x, n in values.counts.items() if x in TRUTH_VALUES}
    # All of a bin goes by one of its numbers.
    of_bin = np.concatenate(([low], edges))
    of_bin[-1] = high
    for x, n in zip(of_bin[off].tolist(), profile.counts[off].tolist(), strict=True):
        if n:
            counts[x] = counts.get(x, 0) + n
    ends = ((0, low, _least_below(profile, low)), (-1, high, _least_above(profile, high)))
    counts |= {x: n for end, x, n in ends if n and not off[end]}
    return replace(column, values=ValueCounts(counts, is_complete=True))


def _least_below(bins: Bins, low: float) -> int:
    """Return how many numbers of the first bin are below 0 at least: were they all as low as the lowest."""
    return _at_least(bins.sums[0], low) if low < 0 and bins.sums[0] < 0 else int(low < 0)


def _least_above(bins: Bins, high: float) -> int:
    """The same of the last bin, above 1."""
    beyond = bins.sums[-1] - bins.counts[-1]
    return _at_least(beyond, high - 1.0) if high > 1 and beyond > 0 else int(high > 1)


def _at_least(total: float, most: float) -> int:
    """Return how many numbers add up to a total of the same sign, were they all as large as the largest.

    A total beyond all floats is that of one more than fit below the largest float.
    """
    return math.ceil(float(np.nan_to_num(total)) / most)


def new_columns(names: Iterable[str]) -> list[Anomaly]:
    """Return the anomalies of columns that nobody expects: one each, or one for a flood of them."""
    ranked = sorted(names)
    if len(ranked) <= MAX_NEW_COLUMNS:
        return [new_column(name) for name in ranked]
    such = ", ".join(map(repr, ranked[:EXAMPLES]))
    long = f"more than {MAX_NEW_COLUMNS} columns are not in the schema, such as {such}"
    return [Anomaly(None, "SCHEMA_NEW_COLUMN", "error", "new columns", long)]


def _kinds(feature: FeatureSchema, least_to_be_gone: float) -> Iterator[str]:
    """Yield the kinds of anomalies that a window of the feature can bring."""
    if least_to_be_gone > 0:
        yield from ("SCHEMA_MISSING_COLUMN", "FEATURE_TYPE_NOT_PRESENT")
    if feature.presence.min_fraction > 0:
        yield "FEATURE_TYPE_LOW_FRACTION_PRESENT"
    if feature.one_value_a_row:
        yield "INVALID_FEATURE_SHAPE"
    yield "UNEXPECTED_DATA_TYPE"
    yield from _kinds_of_domain(feature)
    if feature.type in ("int", "float") and not feature.allow_nan:
        yield "FLOAT_TYPE_HAS_NAN"


def _kinds_of_domain(feature: FeatureSchema) -> Iterator[str]:
    domain = feature.domain
    if isinstance(domain, Range):
        of = domain.of.upper()
        if domain.min is not None:
            yield f"{of}_TYPE_SMALL_{of}"
        if domain.max is not None:
            yield f"{of}_TYPE_BIG_{of}"
        if feature.type == "string":
            yield "INT_TYPE_NOT_INT_STRING" if domain.of == "int" else "FLOAT_TYPE_STRING_NOT_FLOAT"
    elif isinstance(domain, BoolDomain):
        texts, floats = ("BOOL_TYPE_UNEXPECTED_STRING",), ("BOOL_TYPE_UNEXPECTED_FLOAT",)
        ints = ("BOOL_TYPE_BIG_INT", "BOOL_TYPE_SMALL_INT")
        yield from {"int": ints, "float": floats}.get(feature.type or "", texts)
    elif domain is not None:
        yield "ENUM_TYPE_UNEXPECTED_STRING_VALUES"
