"""How the events of one model version are taken apart: the fast way, typed, and the patient one.

The fast way is a struct type made from the baseline's features. What it cannot read raises `Unfit`
or a decoding error, and the event is then read from its untyped document, cell by cell.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import chain
from operator import attrgetter
from typing import Annotated, Any, NamedTuple, Protocol

import msgspec

from detector.batch import CellKind, Feature, ModelKey
from detector.errors import ConfigError
from detector.formats.base import EventOptions, EventShape
from detector.formats.pointers import (
    MISSING,
    NoStructError,
    StructBuilder,
    Tokens,
    extractor,
    look_up,
    parse_pointer,
)
from detector.times import MAX_TIME_S, MIN_TIME_S, UNITS_S, TimestampFormat, parse_timestamp

Cells = tuple[Any, ...]

MAX_FLOAT = 1.7976931348623157e308

Finite = Annotated[float, msgspec.Meta(ge=-MAX_FLOAT, le=MAX_FLOAT)]
"""A number that NaN and infinities do not pass for."""


class Unfit(Exception):  # noqa: N818
    """The event needs the patient way."""


class Rejected(Exception):  # noqa: N818
    """The event is turned away as a whole."""

    def __init__(self, reason: str) -> None:
        self.reason = reason


class LabelEvent(Exception):  # noqa: N818
    """The record only brings the label of an earlier event."""


class EventCells(NamedTuple):
    """One event: its time (None: the record's) and its cells, in the order of the plan's features."""

    time_s: float | None
    features: Cells
    predictions: Cells
    tags: Cells


class EventsCells(NamedTuple):
    """The same of n events: a list of n each."""

    time_s: list[float | None]
    features: list[Cells]
    predictions: list[Cells]
    tags: list[Cells]

    @classmethod
    def none(cls) -> "EventsCells":
        """Return the cells of no events."""
        return cls([], [], [], [])

    def add(self, cells: EventCells) -> None:
        """Add one event."""
        self.time_s.append(cells.time_s)
        self.features.append(cells.features)
        self.predictions.append(cells.predictions)
        self.tags.append(cells.tags)

    def extend(self, other: "EventsCells") -> None:
        """Add the events of `other`."""
        self.time_s.extend(other.time_s)
        self.features.extend(other.features)
        self.predictions.extend(other.predictions)
        self.tags.extend(other.tags)

    def take(self, order: list[int]) -> "EventsCells":
        """Return the events at some positions."""
        return EventsCells(*([column[i] for i in order] for column in self))  # type: ignore[arg-type]


OddCell = tuple[Feature, CellKind]


class Typed(Protocol):
    """What a plan asks of the encoding of events; `detector.formats.objects.Encoding` says more."""

    finite: bool

    def typed(self, type_: type[msgspec.Struct]) -> Callable[[bytes], Any]:
        """Return a function that reads a payload as a struct."""
        ...


class EventPlan:
    """Where the parts of an event of one model version lie, and how to read them."""

    def __init__(self, key: ModelKey, shape: EventShape, options: EventOptions, encoding: Typed) -> None:
        self.key = key
        self.features = [f for f in shape.features.all if f.role == "feature"]
        self.predictions = [f for f in shape.features.all if f.role == "prediction"]
        self.slices = shape.slices
        self._time_format = options.time_format
        self._encoding = encoding
        self.decode: Callable[[bytes], Any]
        self.identity: Callable[[Any], Cells]
        fields = options.fields
        self._model, self._version, self._time, self._prediction, self._label, self._tags = (
            None if p is None else parse_pointer(p)
            for p in (fields.model, fields.version, fields.time, fields.prediction, fields.label, fields.tags)
        )
        if self.predictions and self._prediction is None:
            raise ConfigError("event.fields.prediction: null, but the baseline has predictions")
        self._root = parse_pointer(fields.features) if isinstance(fields.features, str) else None
        self._feature_at = [_feature_place(f, options) for f in self.features]
        self._prediction_keys = [f.name.removeprefix("prediction.") for f in self.predictions]
        try:
            self._build()
        except NoStructError:
            # A feature called a"b, say: rare enough to read such events the patient way only.
            self.decode = _never_fits

    def _build(self) -> None:
        builder = StructBuilder()
        model = self._ask(builder, self._model, str | None)
        version = self._ask(builder, self._version, str | int | None)
        self.identity = _optional(model, version)
        self._get_time = _optional(self._ask(builder, self._time, _time_type(self._time_format)))
        self._get_features = self._ask_features(builder)
        self._prediction_struct = self._flat_struct(self._prediction_keys, self.predictions)
        asked = self._prediction if self.predictions else None
        self._get_prediction = _optional(self._ask(builder, asked, self._prediction_type()))
        tags = self._tags if self.slices else None
        self._get_tags = _optional(
            *[self._ask(builder, None if tags is None else (*tags, s), str | None) for s in self.slices]
        )
        self.decode = self._encoding.typed(builder.build())

    @staticmethod
    def _ask(builder: StructBuilder, tokens: Tokens | None, type_: Any) -> str | None:
        return None if tokens is None else builder.add(tokens, type_)

    def _ask_features(self, builder: StructBuilder) -> Callable[[Any], Cells]:
        if not self._root:
            # Features beside the other parts, or each at a place of its own.
            return extractor(
                [
                    builder.add(at, self._cell_type(f))
                    for at, f in zip(self._feature_at, self.features, strict=True)
                ]
            )
        struct = self._flat_struct([f.name for f in self.features], self.features)
        self._features_of = attrgetter(builder.add(self._root, struct | None))

        def cells(event: Any) -> Cells:
            features = self._features_of(event)
            if features is None:
                raise Unfit
            return msgspec.structs.astuple(features)

        return cells

    def _prediction_type(self) -> Any:
        # A lone prediction may stand there as such, without an object around it.
        scalar = self._cell_type(self.predictions[0]) if len(self.predictions) == 1 else None
        return self._prediction_struct | scalar

    def _cell_type(self, feature: Feature) -> Any:
        number = float if self._encoding.finite else Finite
        return {"string": str | None, "bool": bool | None}.get(feature.type, number | None)

    def _flat_struct(self, keys: list[str], features: list[Feature]) -> type[msgspec.Struct]:
        builder = StructBuilder()
        for key, feature in zip(keys, features, strict=True):
            builder.add((key,), self._cell_type(feature))
        return builder.build()

    def read(self, event: Any) -> EventCells:
        """Return the cells of an event that `decode` read; None stands for a missing value.

        Raises:
            Unfit: it needs the patient way.
        """
        predictions: Cells = ()
        if self.predictions:
            (found,) = self._get_prediction(event)
            if type(found) is self._prediction_struct:
                predictions = msgspec.structs.astuple(found)
            else:
                predictions = (found,) if len(self.predictions) == 1 else (None,) * len(self.predictions)
        return EventCells(
            self._seconds(self._get_time(event)[0]),
            self._get_features(event),
            predictions,
            self._get_tags(event),
        )

    def read_all(self, events: list[Any]) -> EventsCells:
        """Return the cells of events that `decode` read: the same as `read` of each, a third faster.

        Raises:
            Unfit: one of them needs another way; `read` them one by one.
        """
        try:
            predictions = self._all_predictions(events)
            return EventsCells(
                self._all_seconds(list(chain.from_iterable(map(self._get_time, events)))),
                self._all_features(events),
                predictions,
                list(map(self._get_tags, events)) if self.slices else [()] * len(events),
            )
        except (TypeError, ValueError, OverflowError):
            raise Unfit from None

    def _all_seconds(self, values: list[Any]) -> list[float | None]:
        if self._time_format != "rfc3339":
            return list(map(self._seconds, values))
        # Every one has an offset: that is part of its type. A missing one is a TypeError.
        seconds: list[float | None] = list(map(datetime.timestamp, values))
        if seconds and not (min(seconds) > MIN_TIME_S and max(seconds) < MAX_TIME_S):  # type: ignore[type-var,operator]
            raise Unfit
        return seconds

    def _all_features(self, events: list[Any]) -> list[Cells]:
        if not self._root:
            return list(map(self._get_features, events))
        return list(map(msgspec.structs.astuple, map(self._features_of, events)))

    def _all_predictions(self, events: list[Any]) -> list[Cells]:
        if not self.predictions:
            return [()] * len(events)
        return list(map(msgspec.structs.astuple, chain.from_iterable(map(self._get_prediction, events))))

    def _seconds(self, value: Any) -> float | None:
        if value is None:
            return None
        if isinstance(value, datetime):
            seconds = (value if value.tzinfo is not None else value.replace(tzinfo=UTC)).timestamp()
        else:
            seconds = value * UNITS_S[self._time_format]
        if not MIN_TIME_S < seconds < MAX_TIME_S:
            raise Unfit
        return seconds

    def name(self, document: dict[str, Any]) -> tuple[object, object]:
        """Return the model and version that a document names, None where it names none."""
        model, version = (
            None if at is None else look_up(document, at) for at in (self._model, self._version)
        )
        return (None if model is MISSING else model, None if version is MISSING else version)

    def read_document(self, document: dict[str, Any]) -> tuple[EventCells, list[OddCell]]:
        """Return the cells of an untyped document, and those among them that are mismatches or not finite.

        Raises:
            Rejected: the event as a whole cannot be used.
            LabelEvent: it only brings a label.
        """
        prediction = None if self._prediction is None else look_up(document, self._prediction)
        self._check_presence(document, prediction)
        odd: list[OddCell] = []
        features = tuple(
            cell_of(look_up(document, at), f, odd)
            for at, f in zip(self._feature_at, self.features, strict=True)
        )
        predictions = tuple(
            cell_of(self._predicted(prediction, key), f, odd)
            for key, f in zip(self._prediction_keys, self.predictions, strict=True)
        )
        tags = tuple(look_up(document, (*(self._tags or ()), column)) for column in self.slices)
        return (
            EventCells(
                self._document_time(document),
                features,
                predictions,
                tuple(tag if isinstance(tag, str) and self._tags is not None else None for tag in tags),
            ),
            odd,
        )

    def _check_presence(self, document: dict[str, Any], prediction: object) -> None:
        found = look_up(document, self._root) if self._root is not None else document
        if found is MISSING or found is None:
            labelled = self._label is not None and look_up(document, self._label) is not MISSING
            if labelled and (prediction is MISSING or prediction is None):
                raise LabelEvent
        elif not isinstance(found, dict):
            raise Rejected("not_an_object")

    def _predicted(self, prediction: object, key: str) -> object:
        if isinstance(prediction, dict):
            return prediction.get(key, MISSING)
        # With several predictions, a lone value could be any of them.
        return prediction if len(self.predictions) == 1 else MISSING

    def _document_time(self, document: dict[str, Any]) -> float | None:
        value = MISSING if self._time is None else look_up(document, self._time)
        return None if value is MISSING else event_time(value, self._time_format)


def event_time(value: object, time_format: TimestampFormat) -> float | None:
    """Return the time of an event in epoch seconds, None where it has none.

    Raises:
        Rejected: it is no time of this format.
    """
    if value is None:
        return None
    if isinstance(value, datetime):
        # Some encodings have a type for times. One without an offset is as good as a text without.
        value, time_format = value.isoformat(), "iso8601" if time_format == "iso8601" else "rfc3339"
    try:
        return parse_timestamp(value, time_format)
    except (ValueError, OverflowError):
        raise Rejected("bad_timestamp") from None


def _never_fits(_: bytes) -> Any:
    raise Unfit


def _feature_place(feature: Feature, options: EventOptions) -> Tokens:
    places = options.fields.features
    if isinstance(places, str):
        return (*parse_pointer(places), feature.name)
    if feature.name not in places:
        raise ConfigError(f"event.fields.features: no pointer for feature {feature.name!r}")
    return parse_pointer(places[feature.name])


def _optional(*paths: str | None) -> Callable[[Any], Cells]:
    """Return a function that gives one value a path, None where the path is None."""
    get = extractor([path for path in paths if path is not None])
    if None not in paths:
        return get

    def padded(event: Any) -> Cells:
        values = iter(get(event))
        return tuple(None if path is None else next(values) for path in paths)

    return padded


def _time_type(time_format: str) -> Any:
    if time_format in UNITS_S:
        return float | None
    if time_format == "rfc3339":
        return Annotated[datetime, msgspec.Meta(tz=True)] | None
    return datetime | None


def cell_of(value: object, feature: Feature, odd: list[OddCell]) -> object:
    """Return a cell's value, None if it has none; note in `odd` why, unless it is just missing."""
    if value is MISSING or value is None:
        return None
    if isinstance(value, datetime):
        # As JSON would have it.
        value = value.isoformat().replace("+00:00", "Z")
    if feature.is_numeric:
        if isinstance(value, bool) or not isinstance(value, int | float):
            odd.append((feature, CellKind.MISMATCH))
            return None
        if not -MAX_FLOAT <= value <= MAX_FLOAT:
            odd.append((feature, CellKind.NON_FINITE))
            return None
        return float(value)
    if isinstance(value, bool if feature.type == "bool" else str):
        return value
    odd.append((feature, CellKind.MISMATCH))
    return None
