"""Recorded events out of files: JSON Lines as they were on the topic, or flat tables.

A line of JSON goes through the very decoder that live events go through. A flat table (CSV, Parquet,
JSON Lines without a features object) has a column a feature; model, version and timestamp are the
columns named like the last part of their pointers in `event.fields`.
"""

import gzip
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO

import numpy as np

from detector.baseline import Baseline
from detector.batch import Decoded, EventBatch, Floats, Ints, ModelKey, Partition, Records, Sighting
from detector.columns import Chunk, chunk_columns, column_name
from detector.errors import DataError
from detector.formats import Catalog, Decoder, EventFields, EventOptions, decode_all
from detector.formats.pointers import MISSING, look_up, parse_pointer
from detector.replay.lines import bounded_lines, line_blocks
from detector.tables import DataFile, read_chunks, reading
from detector.times import parse_any_timestamp, parse_timestamp

ROWS_AT_ONCE = 4000

SIGHTINGS_A_CHUNK = 64
"""Rows at which it is noted which columns a table has."""

MOST_LINES_TO_TELL = 10_000
"""So many lines are looked at to tell events from rows of a table; a file of labels alone is events."""

LINE_KINDS = ("jsonl", "ndjson")

Advance = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Recording:
    """How recorded events are read: as the configuration says live ones are."""

    options: EventOptions
    decoder: Decoder
    catalog: Catalog
    baselines: Mapping[ModelKey, Baseline]

    def read(self, files: Sequence[DataFile], advance: Advance) -> Iterator[Decoded]:
        """Yield the events of all files, one after another, each file a topic with one partition.

        Raises:
            DataError: a file cannot be read.
        """
        for file in files:
            if file.kind in LINE_KINDS and self._holds_events(file):
                yield from self._lines(file, advance)
            else:
                yield from self._rows(file, advance)

    def _holds_events(self, file: DataFile) -> bool:
        """Whether the first line that can be read has its features where live events have them."""
        if not isinstance(self.options.fields.features, str) or self.options.fields.features == "":
            return True
        place = parse_pointer(self.options.fields.features)
        label = None if self.options.fields.label is None else parse_pointer(self.options.fields.label)
        with reading(file), _open(file) as lines:
            for line in islice(bounded_lines(lines, self.options.max_bytes), MOST_LINES_TO_TELL):
                try:
                    document = json.loads(line)
                except (ValueError, RecursionError):
                    continue
                has_features = look_up(document, place) is not MISSING
                # A record that only brings a label says nothing; the next one may.
                if has_features or label is None or look_up(document, label) is MISSING:
                    return has_features or not isinstance(document, dict)
        return True

    def _lines(self, file: DataFile, advance: Advance) -> Iterator[Decoded]:
        partition = (Partition(Path(file.path).name, 0),)
        offset = 0
        # Bytes on disk are not known within a gzip stream: it counts when it is done.
        with reading(file), _open(file) as lines:
            # One byte more is for the end of the line.
            for block in line_blocks(bounded_lines(lines, self.options.max_bytes + 1)):
                values: list[bytes | None] = [line for line in (raw.strip() for raw in block) if line]
                n = len(values)
                yield from decode_all(
                    self.decoder,
                    Records(
                        values,
                        np.zeros(n, dtype=np.int64),
                        np.arange(offset, offset + n),
                        np.full(n, -1, dtype=np.int64),
                        partition,
                    ),
                )
                offset += n
                if not file.gzipped:
                    advance(sum(map(len, block)))
        if file.gzipped:
            advance(file.bytes)

    def _rows(self, file: DataFile, advance: Advance) -> Iterator[Decoded]:
        partition = (Partition(Path(file.path).name, 0),)
        offset = 0
        for chunk in read_chunks([file], rows=ROWS_AT_ONCE, advance=advance):
            yield self._decode_rows(chunk, partition, offset)
            offset += chunk.n

    def _decode_rows(self, chunk: Chunk, partition: tuple[Partition, ...], offset: int) -> Decoded:
        topic = partition[0].topic
        rejected: dict[tuple[str, str], int] = {}
        time_s = self._times(chunk)
        batches = []
        keys = self._keys(chunk)
        unknown = np.array([key is None for key in keys])
        bad_time = np.isnan(time_s) & ~unknown
        time_s[unknown] = np.nan
        for reason, which in (("unknown_model", unknown), ("bad_timestamp", bad_time)):
            if which.any():
                rejected[topic, reason] = int(which.sum())
        for key in {key for key in keys if key is not None}:
            mine = np.array([k == key for k in keys]) & ~bad_time
            shape = self.catalog.shapes[key]
            columns = chunk_columns(chunk, shape.features, shape.slices)
            if mine.any():
                rows = np.flatnonzero(mine)
                kept = columns if mine.all() else columns.take(mine)
                batches.append(EventBatch(key, rows, kept, self._sightings(chunk, key, rows)))
        return Decoded(
            np.zeros(chunk.n, dtype=np.int64),
            np.arange(offset, offset + chunk.n),
            partition,
            time_s,
            tuple(batches),
            rejected,
        )

    def _sightings(self, chunk: Chunk, key: ModelKey, rows: Ints) -> tuple[Sighting, ...]:
        """Say at some rows which columns the table has: those of a table are the same in every row."""
        shape, fields = self.catalog.shapes[key], self.options.fields
        parts = (fields.model, fields.version, fields.id, fields.time, fields.prediction, fields.label)
        used = {column_name(chunk, feature) for feature in shape.features.all}
        known = used | shape.known | set(shape.slices) | {_last(part) for part in parts}
        new = [
            name
            for name in chunk.columns
            if name not in known and chunk.roles.get(name, "feature") == "feature"
        ]
        there = [f.name for f in shape.features.all if column_name(chunk, f) is not None]
        step = -(-len(rows) // SIGHTINGS_A_CHUNK)
        return tuple(Sighting(int(row), tuple(new), tuple(there)) for row in rows[::step])

    def _times(self, chunk: Chunk) -> Floats:
        name = self._time_column(chunk)
        return np.array([self._time(text) for text in chunk.columns[name].texts()], dtype=np.float64)

    def _time_column(self, chunk: Chunk) -> str:
        trained = (baseline.provenance.timestamp for baseline in self.baselines.values())
        names = [_last(self.options.fields.time), *trained]
        names += [name for name, role in chunk.roles.items() if role == "time"]
        for name in names:
            if name is not None and name in chunk.columns:
                return name
        wanted = " or ".join(sorted({repr(name) for name in names if name is not None}))
        raise DataError(
            f"{chunk.path}: no timestamp column {wanted}; set event.fields.time to the column's name"
        )

    def _time(self, text: str | None) -> float:
        if text is None:
            return np.nan
        try:
            written = self.options.time_format
            if written in ("rfc3339", "iso8601"):
                return parse_any_timestamp(text)
            return parse_timestamp(float(text), written)
        except (ValueError, OverflowError):
            return np.nan

    def _keys(self, chunk: Chunk) -> list[ModelKey | None]:
        fields: EventFields = self.options.fields
        models, versions = (self._names(chunk, at) for at in (fields.model, fields.version))
        known: dict[tuple[str | None, str | None], ModelKey | None] = {}
        keys = []
        for name in zip(models, versions, strict=True):
            if name not in known:
                known[name] = self.catalog.resolve(*name)
            keys.append(known[name])
        return keys

    @staticmethod
    def _names(chunk: Chunk, pointer: str | None) -> Sequence[str | None]:
        name = _last(pointer)
        return chunk.columns[name].texts() if name in chunk.columns else [None] * chunk.n


def _last(pointer: str | None) -> str | None:
    return None if not pointer else parse_pointer(pointer)[-1]


def _open(file: DataFile) -> IO[bytes]:
    try:
        return gzip.open(file.path, "rb") if file.gzipped else Path(file.path).open("rb")  # type: ignore[return-value]
    except OSError as error:
        raise DataError(f"{file.path}: cannot be read: {error.strerror or error}") from None
