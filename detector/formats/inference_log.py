"""What model servers log: requests with the features, responses with the predictions, each n rows.

A record of n rows is n events at one time. Request and response are two records, and stay two: a
request tells of the features and nothing of the predictions, a response the other way round, and
neither is counted as missing what it does not tell of (`Columns.only`). So nothing waits for its other
half, and one that never comes holds nothing up.
"""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from itertools import chain
from types import NoneType
from typing import Any

import numpy as np

from detector.batch import (
    Columns,
    Decoded,
    EventBatch,
    Feature,
    Floats,
    ModelKey,
    OddCells,
    Records,
    Role,
    Sighting,
)
from detector.errors import ConfigError
from detector.formats.base import Catalog, EventOptions, EventShape
from detector.formats.cloud_events import CloudEvent, read_cloud_event
from detector.formats.event_plan import OddCell, Rejected, cell_of, event_time
from detector.formats.objects import decoded_of, pass_gate, times_of
from detector.formats.payloads import UNNAMED, Names, Table
from detector.formats.pointers import MISSING
from detector.formats.sightings import EVERY, LEAST_A_POLL, MAX_NAME_LENGTH, MAX_NEW_NAMES

ROLES: tuple[tuple[str, Role], ...] = (
    ("inference.request", "feature"),
    ("inference.response", "prediction"),
)
"""How the types of events end, and what such events tell of."""

FEEDBACK = "feedback"
"""How the type of an event ends that brings the truth for an earlier one."""

MAX_CELLS = 4_000_000
"""Rows times features of one record. Three bytes make an empty row, and it has a place in every column."""

CELLS_AT_ONCE = 2_000_000
ROWS_AT_ONCE = 100_000
BYTES_AT_ONCE = 2 << 20
"""So much of a poll is unfolded at once; it ends with the record that is beyond."""

ROWS_LOOKED_AT = 64
"""Rows of a record that are asked which columns they have."""

NameLists = tuple[str, ...] | Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class InferenceSettings:
    """What differs between installations of model servers."""

    model: str | None = "inferenceservicename"
    """The attribute that names the model; None: there is only one."""
    version: str | None = None
    """The attribute that names its version, such as `endpoint`; None: none does."""
    feature_names: NameLists = ()
    """Names for rows that are lists, in their order; by model, where models differ."""
    prediction_names: NameLists = ()
    """The same for predictions."""


Payload = Callable[[Mapping[str, Any], Role | None, Names], Table]


@dataclass(slots=True)
class _Found:
    """The tables of one model version and role in a poll."""

    index: list[int] = field(default_factory=list)
    time_s: list[float | None] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    attributes: list[Mapping[str, object]] = field(default_factory=list)


@dataclass(slots=True)
class _Load:
    """How much of a poll is unfolded."""

    rows: int = 0
    cells: int = 0
    n_bytes: int = 0

    def add(self, rows: int, cells: int, n_bytes: int) -> None:
        """Add a record."""
        self.rows += rows
        self.cells += cells
        self.n_bytes += n_bytes

    @property
    def is_enough(self) -> bool:
        return self.rows > ROWS_AT_ONCE or self.cells > CELLS_AT_ONCE or self.n_bytes > BYTES_AT_ONCE


class InferenceLog:
    """Decodes logged requests and responses of the model versions in a catalog."""

    def __init__(
        self,
        options: EventOptions,
        catalog: Catalog,
        payload: Payload,
        open_record: Callable[[bytes, Mapping[str, bytes], Sequence[str]], CloudEvent] = read_cloud_event,
    ) -> None:
        settings = options.settings or InferenceSettings()
        assert isinstance(settings, InferenceSettings)
        if settings.model is None and len({key.model for key in catalog.shapes}) > 1:
            raise ConfigError("event: no attribute names the model, but there are several models")
        self._settings = settings
        self._max_bytes, self._max_rows = options.max_bytes, options.max_rows
        self._catalog = catalog
        self._payload = payload
        self._open = open_record
        tags = {column for shape in catalog.shapes.values() for column in shape.slices}
        named = {name for name in (settings.model, settings.version) if name is not None}
        self._attributes = sorted({"type", "time", *named, *tags})
        self._resolved: dict[tuple[str | None, str | None], ModelKey] = {}
        self._names = {
            model: Names(
                _names(settings.feature_names, model),
                _names(settings.prediction_names, model),
                options.max_rows,
            )
            for model in {key.model for key in catalog.shapes}
        }

    def decode(self, records: Records) -> Decoded:
        """Return the events of `records` as columns, and the rest counted by reason.

        Of the first records only, where these are enough at once.
        """
        reasons: dict[int, str] = {}
        found: dict[tuple[ModelKey, Role], _Found] = {}
        labels, load, n = 0, _Load(), len(records)
        for i in pass_gate(records, self._max_bytes, reasons):
            try:
                labels += self._take(i, records, found, load)
            except Rejected as rejected:
                reasons[i] = rejected.reason
            if load.is_enough:
                n = i + 1
                break
        if n < len(records):
            records = records.between(0, n)
            reasons = {i: reason for i, reason in reasons.items() if i < n}
        time_s = np.full(len(records), np.nan)
        batches = [
            self._batch(key, role, events, records, time_s, reasons) for (key, role), events in found.items()
        ]
        return decoded_of(records, time_s, [b for b in batches if len(b.rows)], reasons, labels)

    def _take(
        self, i: int, records: Records, found: dict[tuple[ModelKey, Role], _Found], load: "_Load"
    ) -> bool:
        """Add the rows of a record to what was found; say whether it was a label instead."""
        value, headers = records.values[i], records.headers
        assert value is not None
        attributes, data = self._open(value, headers[i] if len(headers) else {}, self._attributes)
        role: Any = _role(attributes.get("type"))
        if role == FEEDBACK:
            return True
        if not isinstance(data, dict):
            raise Rejected("not_an_object")
        key = self._whose(attributes)
        time_s = event_time(attributes.get("time"), "rfc3339")
        table = self._payload(data, role, self._names[key.model])
        cells = len(table.rows) * len(self._catalog.shapes[key].features)
        if len(table.rows) > self._max_rows or cells > MAX_CELLS:
            raise Rejected("too_large")
        load.add(len(table.rows), cells, len(value))
        here = found.setdefault((key, table.role), _Found())
        here.index.append(i)
        here.time_s.append(time_s)
        here.tables.append(table)
        here.attributes.append(attributes)
        return False

    def _whose(self, attributes: Mapping[str, object]) -> ModelKey:
        model, version = (
            None if name is None else attributes.get(name)
            for name in (self._settings.model, self._settings.version)
        )
        if not isinstance(model, str | None) or not isinstance(version, str | None):
            raise Rejected("unknown_model")
        key = self._resolved.get((model, version)) or self._catalog.resolve(model, version)
        if key is None:
            raise Rejected("unknown_model")
        # Only names that resolve are remembered, and not without end: `any` takes every version.
        if len(self._resolved) < 64 * len(self._catalog.shapes):
            self._resolved[model, version] = key
        return key

    def _batch(
        self,
        key: ModelKey,
        role: Role,
        found: _Found,
        records: Records,
        time_s: Floats,
        reasons: dict[int, str],
    ) -> EventBatch:
        """Turn the tables of a poll into columns; fill in the times of their records."""
        index = np.array(found.index, dtype=np.int64)
        time_s[index] = times_of(records, index, found.time_s)
        sizes = [len(table.rows) for table in found.tables]
        shape = self._catalog.shapes[key]
        columns = _columns(shape, role, found, sizes)
        rows = np.repeat(index, sizes)
        untimed = np.isnan(time_s[rows])
        if untimed.any():
            reasons.update(dict.fromkeys(rows[untimed].tolist(), "bad_timestamp"))
            rows, columns = rows[~untimed], columns.take(~untimed)
        return EventBatch(key, rows, columns, tuple(_sightings(shape, role, found)))


def _names(names: NameLists, model: str) -> tuple[str, ...]:
    return tuple(names.get(model, ()) if isinstance(names, Mapping) else names)


def _role(type_: object) -> Role | str | None:
    """Return what an event of a type tells of; None where there is no type to say it."""
    if type_ is None:
        return None
    if isinstance(type_, str):
        for ending, role in ROLES:
            if type_.endswith(ending):
                return role
        if type_.endswith(FEEDBACK):
            return FEEDBACK
    raise Rejected("not_an_object")


def _columns(shape: EventShape, role: Role, found: _Found, sizes: Sequence[int]) -> Columns:
    features, n = shape.features, sum(sizes)
    rows = list(chain.from_iterable(table.rows for table in found.tables))
    numeric = np.full((len(features.numeric), n), np.nan)
    categorical: list[Sequence[Any]] = []
    odd: list[tuple[int, int, int]] = []
    alone = sum(f.role == role for f in features.all) == 1
    for f, feature in enumerate(features.all):
        cells: Any = [None] * n
        if feature.role == role:
            cells, strange = typed_cells(_column(rows, feature, alone), feature)
            odd += [(row, f, kind) for row, kind in strange]
        if not feature.is_numeric:
            categorical.append(cells)
        elif feature.role == role:
            numeric[f] = cells
    by_name = {f.name: c for f, c in zip(features.categorical, categorical, strict=True) if f.role == role}
    sliced = [by_name.get(name) or _tags(name, found, sizes) for name in shape.slices]
    only = role if any(f.role != role for f in features.all) else None
    return Columns(n, numeric, tuple(categorical), OddCells.of(odd), tuple(sliced), only)


def _column(rows: Sequence[Mapping[str, Any]], feature: Feature, alone: bool) -> list[Any]:
    """Return a feature's cells; a lone prediction needs no name, nor does the only feature of a bare cell."""
    name = feature.name
    if feature.role == "feature":
        cells = [row.get(name, MISSING) for row in rows]
    else:
        bare = name.removeprefix("prediction.")
        cells = [row[name] if name in row else row.get(bare, MISSING) for row in rows]
    if alone and MISSING in cells:
        for i, row in enumerate(rows):
            if len(row) == 1 and cells[i] is MISSING and (feature.role == "prediction" or UNNAMED in row):
                cells[i] = next(iter(row.values()))
    return [None if cell is MISSING else cell for cell in cells] if MISSING in cells else cells


def _tags(column: str, found: _Found, sizes: Sequence[int]) -> list[str | None]:
    """Return the values of a slice column that is an attribute of the events."""
    tags = [attributes.get(column) for attributes in found.attributes]
    texts = [tag if isinstance(tag, str) else None for tag in tags]
    return list(chain.from_iterable([text] * n for text, n in zip(texts, sizes, strict=True)))


_USUAL: Mapping[str, AbstractSet[type]] = {
    "int": {int, float},
    "float": {int, float},
    "string": {str},
    "bool": {bool},
}


def typed_cells(cells: list[Any], feature: Feature) -> tuple[Any, list[tuple[int, int]]]:
    """Return n cells as the feature's type has them, and (row, kind) of those that are odd.

    Numbers are a float64 array with NaN for no value, categories a list with None.
    """
    if set(map(type, cells)) - {NoneType} <= _USUAL[feature.type]:
        if not feature.is_numeric:
            return cells, []
        try:
            numbers = np.array(cells, dtype=np.float64)
        except OverflowError:
            pass
        else:
            if len(cells) - int(np.isfinite(numbers).sum()) == cells.count(None):
                return numbers, []
    found: list[Any] = []
    strange: list[tuple[int, int]] = []
    for row, cell in enumerate(cells):
        odd: list[OddCell] = []
        found.append(cell_of(cell, feature, odd))
        strange += [(row, int(kind)) for _, kind in odd]
    return np.array(found, dtype=np.float64) if feature.is_numeric else found, strange


def _sightings(shape: EventShape, role: Role, found: _Found) -> list[Sighting]:
    """Say of some records which columns they have that nobody knows, and which are there as null."""
    names = {f.name for f in shape.features.all if f.role == role}
    names |= {name.removeprefix("prediction.") for name in names if role == "prediction"}
    known = names | shape.known | frozenset(shape.slices) | {UNNAMED}
    step = min(EVERY, max(1, len(found.index) // LEAST_A_POLL))
    seen = []
    for i, table in list(zip(found.index, found.tables, strict=True))[::step]:
        unknown: list[str] = []
        rows = table.rows[:ROWS_LOOKED_AT]
        columns = dict.fromkeys(chain.from_iterable(rows))
        # A response may have outputs that nobody watches, under names of the server's own.
        if role == "feature" and not columns.keys() <= known:
            unknown = [name for name in columns if name not in known]
        new = tuple(name[:MAX_NAME_LENGTH] for name in unknown[:MAX_NEW_NAMES])
        null = [f.name for f in shape.features.all if f.role == role and _is_null(rows, f)]
        seen.append(Sighting(i, new, tuple(null), len(unknown) - len(new)))
    return seen


def _is_null(rows: Sequence[Mapping[str, Any]], feature: Feature) -> bool:
    name = feature.name
    bare = name.removeprefix("prediction.") if feature.role == "prediction" else name
    return any(row.get(name, row.get(bare, MISSING)) is None for row in rows)
