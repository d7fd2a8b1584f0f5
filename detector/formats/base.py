"""What an event format is: it turns payloads into columns and knows nothing else.

Types come from the baselines, so a format is made for a `Catalog`: which model versions there are
and which features each has. What cannot be used is counted, never raised.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from detector.batch import Decoded, FeatureSet, ModelKey, Records
from detector.registry import Registry
from detector.times import TimestampFormat

ANY_VERSION = "any"
"""The version label of a baseline that was built without `--version`: it serves every version."""


@dataclass(frozen=True, slots=True)
class EventFields:
    """Where each part of an event lies, as JSON pointers (RFC 6901); None where there is no such part.

    `features` is the object that holds the features by name (`""` is the event itself), or a pointer
    for each feature.
    """

    model: str | None = "/model"
    version: str | None = "/version"
    id: str | None = "/event_id"
    time: str | None = "/timestamp"
    features: str | Mapping[str, str] = "/features"
    prediction: str | None = "/prediction"
    label: str | None = "/label"
    tags: str | None = "/tags"


@dataclass(frozen=True, slots=True)
class EventOptions:
    """How events are written, whatever their format."""

    fields: EventFields = field(default_factory=EventFields)
    time_format: TimestampFormat = "rfc3339"
    max_bytes: int = 1 << 20
    settings: object = None
    """What the format itself wants to know, of the class that it is registered with; None: its defaults."""
    schemas: Callable[[int], Any] | None = None
    """Looks up a schema by its number, for a format whose events name theirs so."""
    max_rows: int = 10_000
    """Events of one record, where a record holds several."""


@dataclass(frozen=True, slots=True)
class EventShape:
    """What to take out of an event of one model version."""

    features: FeatureSet
    slices: tuple[str, ...] = ()
    """Slice columns: a feature's name, else a tag's."""
    known: frozenset[str] = frozenset()
    """Columns beside the features that training data had: no news when an event brings them."""


@dataclass(frozen=True, slots=True)
class Catalog:
    """The model versions that have a baseline, and what their events look like."""

    shapes: Mapping[ModelKey, EventShape]

    def resolve(self, model: str | None, version: str | None) -> ModelKey | None:
        """Return whose event it is; None if no baseline is for it.

        An absent model or version is no contradiction where only one can be meant. A baseline of
        version `any` serves the versions that have none of their own.
        """
        if model is not None and version is not None:
            key = ModelKey(model, version)
            if key in self.shapes:
                return key
        fitting = [k for k in self.shapes if model in (None, k.model) and version in (None, k.version)]
        if not fitting:
            fitting = [k for k in self.shapes if model in (None, k.model) and k.version == ANY_VERSION]
        return fitting[0] if len(fitting) == 1 else None


class Decoder(Protocol):
    """Decodes the payloads of one poll at a time."""

    def decode(self, records: Records) -> Decoded:
        """Return the events of `records` as columns, and the rest counted by reason.

        Where records unfold to many events, that may be of the first ones only, as many as fit into the
        memory that is meant for it: `len` of what is returned says of how many, at least one.
        """
        ...


def decode_all(decoder: Decoder, records: Records) -> Iterator[Decoded]:
    """Decode all of `records`, in as many parts as the decoder wants; at least one part."""
    while True:
        decoded = decoder.decode(records)
        yield decoded
        if len(decoded) == len(records):
            return
        records = records.between(len(decoded), len(records))


class Format(Protocol):
    """Makes a decoder for the model versions of a catalog."""

    def __call__(self, options: EventOptions, catalog: Catalog) -> Decoder:
        """Make the decoder."""
        ...


class FormatRegistry(Registry[Format]):
    """The formats by name, each with the class of its settings if it has any: a frozen dataclass."""

    def __init__(self) -> None:
        super().__init__("event format")
        self.settings: dict[str, type] = {}
        self.with_schemas: set[str] = set()
        """Formats whose events name schemas that are kept elsewhere."""

    def register(
        self, name: str, settings: type | None = None, *, with_schemas: bool = False
    ) -> Callable[[Format], Format]:
        """Return a decorator that takes in the decorated format under `name`."""
        if settings is not None:
            self.settings[name] = settings
        if with_schemas:
            self.with_schemas.add(name)
        return super().register(name)


formats = FormatRegistry()
