"""Records of every event format: whatever one holds, it ends in one place, and its neighbours are read."""

import re
from collections.abc import Callable

import msgspec
import numpy as np

from detector.batch import REJECT_REASONS
from detector.formats.avro_schema import UnusableSchemaError, reader_of
from tests.formats.writing import GOOD, SCHEMAS, WAYS, Way, Written
from tests.support.factories import START_S


def _headers(way: Way) -> list[dict[str, bytes]]:
    """Those that the format's own records have, and none."""
    return [*(dict(w.headers) for w in way.write([GOOD], START_S)), {}]


def record_of(way: Way) -> Callable[[bytes], None]:
    """Return what decodes a record between two good events; its first byte says which headers it has."""
    decoder, headers, good = way.decoder(), _headers(way), way.write([GOOD], START_S)

    def run(data: bytes) -> None:
        bad = Written(data[1:], headers[data[0] % len(headers)] if data else {})
        found = decoder.decode(way.records([*good, bad, *good]))
        places = {int(row) for batch in found.batches for row in batch.rows}
        in_all = len(places) + sum(found.rejected.values()) + found.n_labels
        assert in_all == 2 * len(good) + 1, f"{in_all} places"
        assert {0, *range(len(good) + 1, 2 * len(good) + 1)} <= places, "a good event is not read"
        assert {reason for _, reason in found.rejected} <= set(REJECT_REASONS), found.rejected
        for batch in found.batches:
            numbers = batch.columns.numeric
            assert np.isfinite(numbers[~np.isnan(numbers)]).all(), "a number that is not finite"

    return run


def records_like(way: Way) -> list[bytes]:
    """Good records, each with the byte that says which headers go with it."""
    return [
        bytes([i]) + (w.value or b"")
        for rows in ([GOOD], [GOOD, {**GOOD, "amount": None, "country": "é"}])
        for i, w in enumerate(way.write(rows, START_S)[: len(_headers(way)) - 1])
    ]


def avro_schema(data: bytes) -> None:
    """A schema as a registry might send it: it is refused by its own error, or reads anything at all."""
    try:
        read = reader_of(msgspec.json.decode(data))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, UnusableSchemaError):
        return
    assert callable(read)


WAYS_BY_NAME = {"event-" + re.sub(r"\W+", "-", name): way for name, way in WAYS.items()}
AVRO_SCHEMAS = [msgspec.json.encode(SCHEMAS[1])]
