"""The baseline as a file: readable JSON, versioned, with a digest over its content.

    {"format": "streaming-drift-detector baseline", "format_version": 1, "sha256": "...", "content": {...}}

The digest covers `content` as it stands in the file, so any damage shows; loading then checks that
the content makes sense as a whole. Reading and writing files is not done here.
"""

import hashlib
import json
from typing import Any

import msgspec
import numpy as np

from detector.baseline.correlation import Partners
from detector.baseline.model import NO_SCHEMA, Baseline, CategoryFacts, Figures, Provenance
from detector.baseline.variation_record import SeasonRecord, VariationRecord
from detector.batch import Feature, FeatureSet, FeatureType, Floats, Ints, Role
from detector.errors import BaselineError
from detector.profile import Binning, CategoryBinning, Layout, NumericBinning, Profile
from detector.profile.binning import N_BUCKETS
from detector.schema.record import schema_of_record, schema_record

FORMAT = "streaming-drift-detector baseline"
FORMAT_VERSION = 1
MAX_FEATURES = 20_000
"""As many columns as a table may have."""
MAX_BINS = 1 << 12
"""Of a feature; those that are built have a few hundred. Each is counted in every pane of every slice."""


class _Numeric(msgspec.Struct, omit_defaults=True):
    edges: list[float]
    counts: list[int]
    sums: list[float]
    squares: float
    mean: float
    min: float | None = None
    max: float | None = None


class _Categories(msgspec.Struct, omit_defaults=True):
    values: list[str]
    counts: list[int]
    buckets: list[int]
    distinct: int
    singletons: int | None = None
    seen: str | None = None


class _Feature(msgspec.Struct, omit_defaults=True):
    name: str
    type: FeatureType
    role: Role = "feature"
    missing: int = 0
    type_mismatch: int = 0
    non_finite: int = 0
    numeric: _Numeric | None = None
    categories: _Categories | None = None
    figures: Figures | None = None
    correlated: dict[str, float] = {}
    """Other numeric features -> Spearman's rank correlation in training."""


class _SliceProfile(msgspec.Struct):
    """Counts of one slice value: all of them, as `Layout` orders them, and the sums beside."""

    column: str
    value: str
    counts: list[int]
    sums: list[float]
    squares: list[float]
    min: list[float | None]
    max: list[float | None]


class _Content(msgspec.Struct, omit_defaults=True):
    rows: int
    provenance: Provenance
    features: list[_Feature]
    model: str | None = None
    version: str | None = None
    label: str | None = None
    slices: list[_SliceProfile] = []
    schema: dict[str, Any] | None = None
    season: SeasonRecord | None = None
    variation: VariationRecord | None = None


class _File(msgspec.Struct):
    format: str
    format_version: int
    sha256: str
    content: msgspec.Raw


def dump_baseline(baseline: Baseline) -> bytes:
    """Return the file of a baseline."""
    content = msgspec.json.encode(_content(baseline))
    digest = hashlib.sha256(content).hexdigest()
    head = json.dumps({"format": FORMAT, "format_version": FORMAT_VERSION, "sha256": digest})[:-1]
    # A feature a line: people read and compare these files.
    return head.encode() + b', "content":\n' + content.replace(b'{"name":', b'\n{"name":') + b"\n}\n"


def load_baseline(data: bytes, name: str) -> Baseline:
    """Read a baseline from the bytes of file `name`, and check all of it.

    Raises:
        BaselineError: it is no baseline, of another format version, damaged, or makes no sense.
    """
    remedy = "rebuild it with `drift-detector baseline build`"
    try:
        file = msgspec.json.decode(data, type=_File)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BaselineError(f"{name}: not a baseline file, or cut short; {remedy}") from None
    if file.format != FORMAT:
        raise BaselineError(f"{name}: not a baseline file (format {file.format[:40]!r}); {remedy}")
    if file.format_version != FORMAT_VERSION:
        raise BaselineError(
            f"{name}: baseline format version {file.format_version}, this version of the detector reads "
            f"{FORMAT_VERSION}; {remedy}"
        )
    raw = bytes(file.content)
    digest = hashlib.sha256(raw.replace(b'\n{"name":', b'{"name":')).hexdigest()
    if digest != file.sha256:
        raise BaselineError(f"{name}: damaged or edited (SHA-256 of the content differs); {remedy}")
    try:
        return _baseline(msgspec.json.decode(raw, type=_Content), digest)
    except (msgspec.DecodeError, ValueError) as error:
        raise BaselineError(f"{name}: {error}; {remedy}") from None


def _content(baseline: Baseline) -> _Content:
    slices = [(column, value) for column, values in baseline.slices.items() for value in values]
    return _Content(
        rows=baseline.n_events,
        provenance=baseline.provenance,
        features=[_feature(baseline, f) for f in range(len(baseline.features))],
        model=baseline.model,
        version=baseline.version,
        label=baseline.label,
        slices=[_slice(baseline.profile.row(i + 1), *key) for i, key in enumerate(slices)],
        schema=schema_record(baseline.schema) if baseline.schema.features else None,
        season=None if baseline.season is None else SeasonRecord.of(baseline.season),
        variation=None if baseline.variation is None else VariationRecord.of(baseline.variation),
    )


def _feature(baseline: Baseline, f: int) -> _Feature:
    feature, layout, profile = baseline.features.all[f], baseline.layout, baseline.profile
    start = int(layout.segments.starts[f])
    counts = profile.counts[0, start : start + int(layout.segments.lengths[f])].tolist()
    missing, mismatch, non_finite = (
        int(profile.counts[0, block][f]) for block in (layout.missing, layout.mismatch, layout.non_finite)
    )
    out = _Feature(feature.name, feature.type, feature.role, missing, mismatch, non_finite)
    if baseline.figures:
        out.figures = baseline.figures[f]
    out.correlated = dict(baseline.partners.get(feature.name, ()))
    binning = baseline.binning.of(f)
    if isinstance(binning, NumericBinning):
        out.numeric = _Numeric(
            edges=binning.edges.tolist(),
            counts=counts,
            sums=[_finite(x) for x in profile.sums[0, start : start + len(counts)].tolist()],
            squares=_finite(float(profile.squares[0, f])),
            mean=float(baseline.centers[f]),
            min=_or_none(profile.low[0, f]),
            max=_or_none(profile.high[0, f]),
        )
    else:
        facts = baseline.facts[f - len(baseline.features.numeric)]
        out.categories = _Categories(
            values=[binning.describe(i) for i in range(len(binning.values))],
            counts=counts[:-N_BUCKETS],
            buckets=counts[-N_BUCKETS:],
            distinct=facts.distinct,
            singletons=facts.singletons,
            seen=binning.seen_text(),
        )
    return out


def _slice(profile: Profile, column: str, value: str) -> _SliceProfile:
    return _SliceProfile(
        column,
        value,
        profile.counts[0].tolist(),
        [_finite(x) for x in profile.sums[0].tolist()],
        [_finite(x) for x in profile.squares[0].tolist()],
        [_or_none(x) for x in profile.low[0]],
        [_or_none(x) for x in profile.high[0]],
    )


def _or_none(x: float) -> float | None:
    return float(x) if np.isfinite(x) else None


def _finite(x: float) -> float:
    # A sum of huge values may overflow; JSON has no infinity, and no use for one.
    return float(np.clip(np.nan_to_num(x), -1e308, 1e308))


def _baseline(content: _Content, digest: str) -> Baseline:
    _require(0 < len(content.features) <= MAX_FEATURES, f"has {len(content.features)} features")
    _require(content.rows > 0, f"has {content.rows} rows")
    names = [f.name for f in content.features]
    _require(all(names), "has a feature without a name")
    _require(len(set(names)) == len(names), "names a feature twice")
    numeric = [f for f in content.features if f.numeric is not None]
    categorical = [f for f in content.features if f.numeric is None]
    _require(content.features == numeric + categorical, "has its features out of order")
    binning = Binning(
        FeatureSet.of([Feature(f.name, f.type, f.role) for f in content.features]),
        tuple(_numeric_binning(f) for f in numeric),
        tuple(_category_binning(f) for f in categorical),
    )
    _require(len(binning.features.numeric) == len(numeric), "has bins of another kind than a feature's type")
    layout = Layout.of(binning)
    slices: dict[str, tuple[str, ...]] = {}
    for part in content.slices:
        known = slices.get(part.column, ())
        _require(part.value not in known, f"has slice {f'{part.column}={part.value}'!r} twice")
        slices[part.column] = (*known, part.value)
    profile = Profile.zeros(layout, 1 + len(content.slices))
    _fill_row(profile, layout, content)
    for i, part in enumerate(content.slices):
        _fill_slice(profile.row(i + 1), layout, part, content.rows)
    return Baseline(
        model=content.model,
        version=content.version,
        binning=binning,
        profile=profile,
        centers=np.array([f.numeric.mean for f in numeric if f.numeric is not None]),
        facts=tuple(
            CategoryFacts(f.categories.distinct, f.categories.singletons) for f in categorical if f.categories
        ),
        provenance=content.provenance,
        slices=slices,
        label=content.label,
        schema=NO_SCHEMA if content.schema is None else schema_of_record(content.schema),
        figures=_figures(content),
        partners={f.name: _partners(f, frozenset(names)) for f in content.features if f.correlated},
        season=None if content.season is None else content.season.season(layout.width),
        variation=None if content.variation is None else content.variation.variation(len(names)),
        digest=digest,
    )


def _figures(content: _Content) -> tuple[Figures, ...]:
    found = [f.figures for f in content.features if f.figures is not None]
    return tuple(found) if len(found) == len(content.features) else ()


def _partners(f: _Feature, names: frozenset[str]) -> Partners:
    makes_sense = all(name in names and -1.0 <= rho <= 1.0 for name, rho in f.correlated.items())
    _require(
        makes_sense, f"feature {f.name!r} goes with one that does not exist, or by an impossible measure"
    )
    return tuple(sorted(f.correlated.items(), key=lambda pair: -abs(pair[1])))


def _require(holds: bool, found: str) -> None:
    if not holds:
        raise ValueError(found)


def _numeric_binning(f: _Feature) -> NumericBinning:
    assert f.numeric is not None
    edges = np.array(f.numeric.edges, dtype=np.float64)
    _require(f.type in ("int", "float") and f.categories is None, f"feature {f.name!r} mixes two kinds")
    _require(2 <= len(edges) <= MAX_BINS, f"feature {f.name!r} has {len(edges)} edges")
    increasing = bool(np.all(np.isfinite(edges)) and np.all(edges[1:] > edges[:-1]))
    _require(increasing, f"feature {f.name!r} has edges that do not increase")
    same_length = len(f.numeric.counts) == len(f.numeric.sums) == len(edges) + 1
    _require(same_length, f"feature {f.name!r} has another number of counts than of bins")
    _require(f.numeric.squares >= 0, f"feature {f.name!r} has a negative sum of squares")
    return NumericBinning(edges)


def _category_binning(f: _Feature) -> CategoryBinning:
    found = f.categories
    _require(
        found is not None and f.type in ("string", "bool"), f"feature {f.name!r} has no bins of its type"
    )
    assert found is not None
    _require(len(found.counts) == len(found.values) <= MAX_BINS, f"feature {f.name!r} lacks counts of values")
    _require(found.distinct >= 0 <= (found.singletons or 0), f"feature {f.name!r} has a negative number")
    _require(len(found.buckets) == N_BUCKETS, f"feature {f.name!r} has not {N_BUCKETS} buckets")
    _require(len(set(found.values)) == len(found.values), f"feature {f.name!r} has a value twice")
    as_bool = {"true": True, "false": False}
    is_bool = f.type == "bool"
    _require(
        not is_bool or set(found.values) <= as_bool.keys(), f"feature {f.name!r} has a value that is no bool"
    )
    values = tuple(as_bool[v] if is_bool else v for v in found.values)
    try:
        return CategoryBinning(values, CategoryBinning.seen_from_text(found.seen))
    except ValueError as error:
        raise ValueError(f"feature {f.name!r}: {error}") from None


def _fill_row(profile: Profile, layout: Layout, content: _Content) -> None:
    row = profile.counts[0]
    row[layout.events] = content.rows
    for i, f in enumerate(content.features):
        start = int(layout.segments.starts[i])
        counts: list[int] = []
        if f.numeric is not None:
            counts = f.numeric.counts
            profile.sums[0, start : start + len(counts)] = f.numeric.sums
            profile.squares[0, i] = f.numeric.squares
            profile.low[0, i] = np.inf if f.numeric.min is None else f.numeric.min
            profile.high[0, i] = -np.inf if f.numeric.max is None else f.numeric.max
        elif f.categories is not None:
            counts = f.categories.counts + f.categories.buckets
        row[start : start + len(counts)] = _checked(counts, f.name)
        odd = _checked([f.missing, f.type_mismatch, f.non_finite], f.name)
        for block, n in zip((layout.missing, layout.mismatch, layout.non_finite), odd, strict=True):
            row[block][i] = n
        in_all = sum(counts) + int(odd.sum())
        _require(in_all == content.rows, f"feature {f.name!r} counts {in_all} of {content.rows} rows")


def _checked(counts: list[int], name: str) -> Ints:
    _require(all(0 <= n < 1 << 62 for n in counts), f"feature {name!r} has an impossible count")
    return np.array(counts, dtype=np.int64)


def _fill_slice(profile: Profile, layout: Layout, part: _SliceProfile, rows: int) -> None:
    name = f"slice {part.column}={part.value}"
    n_numeric = len(layout.features.numeric)
    lengths = [len(part.counts), len(part.sums), len(part.squares), len(part.min), len(part.max)]
    expected = [layout.width, layout.n_numeric_bins, n_numeric, n_numeric, n_numeric]
    _require(lengths == expected, f"{name} has another number of counts than of bins")
    counts = _checked(part.counts, name)
    _require(int(counts.max()) <= rows, f"{name!r} counts more than all {rows} rows")
    profile.counts[0] = counts
    profile.sums[0] = part.sums
    profile.squares[0] = part.squares
    profile.low[0] = _filled(part.min, np.inf)
    profile.high[0] = _filled(part.max, -np.inf)


def _filled(values: list[float | None], instead: float) -> Floats:
    return np.array([instead if x is None else x for x in values])


def describe_file(data: bytes) -> dict[str, Any]:
    """Return the file as plain data, for `baseline show --format json`."""
    document: dict[str, Any] = msgspec.json.decode(data)
    return document
