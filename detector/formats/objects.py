"""Events that are one object a record, its parts found by JSON pointers, however it is encoded.

The fast way decodes a payload straight into a struct typed by the baseline, so a well-formed event
costs a few microseconds. Whatever does not fit is looked at a second time, untyped: then either the
event is rejected with its reason, or single cells are type mismatches and the rest still counts.
What an encoding has to bring is an `Encoding`; JSON, MessagePack and Avro are some.

Every record ends in exactly one place: an event of one model version, a rejection, or a label event
(a label without features, for an earlier event of the same id).
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from struct import error as StructError  # noqa: N812
from struct import pack
from typing import Any, Protocol

import msgspec
import numpy as np

from detector.batch import Columns, Decoded, EventBatch, FeatureSet, Floats, Ints, ModelKey, OddCells, Records
from detector.formats.base import Catalog, EventOptions
from detector.formats.event_plan import EventPlan, EventsCells, LabelEvent, OddCell, Rejected, Unfit
from detector.formats.sightings import ColumnWatch
from detector.times import MIN_TIME_S

DECODE_ERRORS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Encoding(Protocol):
    """How a document is written as bytes."""

    finite: bool
    """Whether numbers that are not finite never pass `typed`: if not, structs are typed to refuse them."""
    null: bytes
    """What a payload holds somewhere if it has a null; empty where that cannot be told."""

    def typed(self, type_: type[msgspec.Struct]) -> Callable[[bytes], Any]:
        """Return the fast way: a function that reads a payload as a struct.

        It raises one of `DECODE_ERRORS`, or `Unfit`, where the payload is no such struct.
        """
        ...

    def document(self, value: bytes) -> object:
        """Return the document in a payload: of dict, list, str, numbers, bool and None, or what is odd.

        Raises:
            Rejected: it holds none.
        """
        ...


@dataclass(slots=True)
class _Found:
    """Events of one model version, as they are found in a poll."""

    index: list[int] = field(default_factory=list)
    cells: EventsCells = field(default_factory=EventsCells.none)
    odd: list[tuple[int, OddCell]] = field(default_factory=list)


class ObjectEvents:
    """Decodes the events of the model versions in a catalog, an object a record."""

    def __init__(self, options: EventOptions, catalog: Catalog, encoding: Encoding) -> None:
        self._max_bytes = options.max_bytes
        self._catalog = catalog
        self._encoding = encoding
        self._plans = {key: EventPlan(key, shape, options, encoding) for key, shape in catalog.shapes.items()}
        self._watches = {
            key: ColumnWatch(shape, options, encoding.document, encoding.null)
            for key, shape in catalog.shapes.items()
        }
        # The model version with the most events in the last poll is tried first.
        self._order = list(self._plans)
        self._resolved: dict[tuple[object, object], ModelKey] = {}

    def decode(self, records: Records) -> Decoded:
        """Return the events of `records` as columns, and the rest counted by reason."""
        reasons: dict[int, str] = {}
        pending = pass_gate(records, self._max_bytes, reasons)
        found = {key: _Found() for key in self._plans}
        slow: list[int] = []
        for key in self._order:
            pending = self._decode_fast(key, records.values, pending, found[key], slow)
        labels = self._decode_slow(records.values, sorted(slow + pending), found, reasons)
        self._order.sort(key=lambda key: -len(found[key].index))

        time_s = np.full(len(records), np.nan)
        batches = []
        for key, events in found.items():
            if events.index:
                batch = self._batch(key, events, records, time_s)
                untimed = np.isnan(time_s[batch.rows])
                if untimed.any():
                    reasons.update(dict.fromkeys(batch.rows[untimed].tolist(), "bad_timestamp"))
                    batch = EventBatch(key, batch.rows[~untimed], batch.columns.take(~untimed))
                sightings = self._watches[key].look(records.values, batch.rows)
                batch = replace(batch, sightings=sightings)
                batches.append(batch)
        return decoded_of(records, time_s, batches, reasons, labels)

    def _decode_fast(
        self, key: ModelKey, values: Sequence[Any], pending: list[int], found: _Found, slow: list[int]
    ) -> list[int]:
        """Decode what fits this model version's struct; return the events of other versions."""
        plan = self._plans[key]
        index, events = _decoded(plan.decode, values, pending, slow)
        if not events:
            return []
        names = list(map(plan.identity, events))
        if names.count(names[0]) == len(names) and self._whose(names[0]) == key:
            try:
                cells = plan.read_all(events)
            except Unfit:
                pass
            else:
                found.index += index
                found.cells.extend(cells)
                return []
        return self._read_each(key, zip(index, names, events, strict=True), found, slow)

    def _read_each(
        self,
        key: ModelKey,
        events: Iterable[tuple[int, tuple[Any, ...], Any]],
        found: _Found,
        slow: list[int],
    ) -> list[int]:
        """Read decoded events one by one; return those of other versions."""
        read = self._plans[key].read
        others: list[int] = []
        for i, name, event in events:
            whose = self._whose(name)
            if whose != key:
                (slow if whose is None else others).append(i)
                continue
            try:
                cells = read(event)
            except Unfit:
                slow.append(i)
            else:
                found.index.append(i)
                found.cells.add(cells)
        return others

    def _whose(self, name: tuple[Any, ...]) -> ModelKey | None:
        return self._resolved.get(name) or self._resolve(*name)

    def _resolve(self, model: object, version: object) -> ModelKey | None:
        if not isinstance(model, str | None) or not isinstance(version, str | int | None):
            return None
        if isinstance(version, bool):
            return None
        key = self._catalog.resolve(model, None if version is None else str(version))
        # Only names that resolve are remembered, and not without end: `any` takes every version.
        if key is not None and len(self._resolved) < 64 * len(self._plans):
            self._resolved[model, version] = key
        return key

    def _decode_slow(
        self,
        values: Sequence[Any],
        pending: list[int],
        found: dict[ModelKey, _Found],
        reasons: dict[int, str],
    ) -> int:
        labels = 0
        for i in pending:
            try:
                document = self._encoding.document(values[i])
                if not isinstance(document, dict):
                    raise Rejected("not_an_object")  # noqa: TRY301
                key = self._resolve(*next(iter(self._plans.values())).name(document))
                if key is None:
                    raise Rejected("unknown_model")  # noqa: TRY301
                cells, odd = self._plans[key].read_document(document)
            except Rejected as rejected:
                reasons[i] = rejected.reason
            except LabelEvent:
                labels += 1
            else:
                found[key].odd += [(len(found[key].index), cell) for cell in odd]
                found[key].index.append(i)
                found[key].cells.add(cells)
        return labels

    def _batch(self, key: ModelKey, found: _Found, records: Records, time_s: Floats) -> EventBatch:
        """Turn found events into columns, in the order of the records; fill in their times."""
        index = np.array(found.index, dtype=np.int64)
        order = np.argsort(index, kind="stable")
        rows, cells = index[order], found.cells
        if np.any(index[1:] < index[:-1]):
            cells = cells.take(order.tolist())
        times, features, predictions, tags = cells
        time_s[rows] = times_of(records, rows, times)
        plan, shape = self._plans[key], self._catalog.shapes[key]
        named = dict(zip((f.name for f in plan.features), zip(*features, strict=True), strict=True))
        named |= zip((f.name for f in plan.predictions), zip(*predictions, strict=True), strict=True)
        columns = _columns(shape.features, named, len(rows))
        tagged = dict(zip(plan.slices, zip(*tags, strict=True), strict=True))
        odd = _odd_cells(found, shape.features, order)
        return EventBatch(key, rows, with_slices(columns, shape.features, tagged, odd))


def pass_gate(records: Records, max_bytes: int, reasons: dict[int, str]) -> list[int]:
    """Return the positions of the records that are worth decoding; note in `reasons` why others are not."""
    present = [value for value in records.values if value is not None]
    if len(present) == len(records) and max(map(len, present), default=0) <= max_bytes:
        return list(range(len(records)))
    passed = []
    for i, value in enumerate(records.values):
        if value is None:
            reasons[i] = "null_value"
        elif len(value) > max_bytes:
            reasons[i] = "too_large"
        else:
            passed.append(i)
    return passed


def times_of(records: Records, rows: Ints, own_s: Sequence[float | None]) -> Floats:
    """Return the times of events: their own, else that of their record, NaN where neither has one."""
    own = np.array(own_s, dtype=np.float64)
    recorded = records.time_ms[rows] / 1000.0
    recorded[recorded <= MIN_TIME_S] = np.nan
    return np.where(np.isnan(own), recorded, own)


def decoded_of(
    records: Records, time_s: Floats, batches: Sequence[EventBatch], reasons: Mapping[int, str], labels: int
) -> Decoded:
    """Put together what became of a poll; `reasons` are those of the rejected records."""
    topics = [partition.topic for partition in records.partitions]
    rejected = Counter((topics[records.partition[i]], reason) for i, reason in reasons.items())
    return Decoded(
        records.partition,
        records.offset,
        records.partitions,
        time_s,
        tuple(batches),
        dict(rejected),
        labels,
        dict(reasons),
    )


def _decoded(
    decode: Callable[[Any], Any], values: Sequence[Any], pending: list[int], slow: list[int]
) -> tuple[list[int], list[Any]]:
    """Decode the pending payloads; return the positions and the events of those that fit."""
    try:
        return pending, list(map(decode, map(values.__getitem__, pending)))
    except (*DECODE_ERRORS, Unfit):
        pass
    # One of them does not fit: once more, one by one.
    index, events = [], []
    for i in pending:
        try:
            events.append(decode(values[i]))
        except (*DECODE_ERRORS, Unfit):
            slow.append(i)
        else:
            index.append(i)
    return index, events


def _columns(features: FeatureSet, named: Mapping[str, Sequence[Any]], n: int) -> Columns:
    numeric = np.empty((len(features.numeric), n))
    for f, feature in enumerate(features.numeric):
        column = named[feature.name]
        try:
            numeric[f] = np.frombuffer(pack(f"{n}d", *column))
        except StructError:
            # A None among them: three times slower, still a few nanoseconds a value.
            numeric[f] = np.array(column, dtype=np.float64)
    return Columns(n, numeric, tuple(named[feature.name] for feature in features.categorical))


def _odd_cells(found: _Found, features: FeatureSet, order: Any) -> OddCells:
    if not found.odd:
        return OddCells.of([])
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    position = {feature: f for f, feature in enumerate(features.all)}
    return OddCells.of([(int(place[row]), position[cell], int(kind)) for row, (cell, kind) in found.odd])


def with_slices(
    columns: Columns, features: FeatureSet, tagged: Mapping[str, Sequence[Any]], odd: OddCells
) -> Columns:
    """Add the slice columns: a feature's values, and where an event has none there, its tag's."""
    categorical: list[Sequence[Hashable]] = list(columns.categorical)
    position = {f.name: c for c, f in enumerate(features.categorical)}
    slices: list[Sequence[Hashable]] = []
    for column, tags in tagged.items():
        values: Sequence[Hashable] = tags
        if column in position:
            own = categorical[position[column]]
            values = [tag if value is None else value for value, tag in zip(own, tags, strict=True)]
            categorical[position[column]] = values
        slices.append(values)
    return Columns(columns.n, columns.numeric, tuple(categorical), odd, tuple(slices))
