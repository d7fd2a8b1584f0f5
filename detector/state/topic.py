"""Cuts in a compacted Kafka topic, which all replicas of one detector share.

    <group>/<term>/<slot>/<number>     a piece of a cut
    <group>/<term>/<slot>/manifest     how many pieces there are, and their SHA-256; written last

Each term writes two slots by turns, so its last whole cut stays while the next one is written. The newest
whole cut of the highest term counts. A replica that lost the duty and does not know yet writes under its
own, lower term: nobody reads that once the new one has kept a cut, and the next take-over removes it.

Reading goes twice: once over all keys, which fills an index, then only the pieces of the cut that is wanted.
"""

import hashlib
import logging
from collections.abc import Iterator
from urllib.parse import quote

import msgspec

from detector.brokers import ClientOptions
from detector.clock import Clock
from detector.errors import StateError
from detector.state.base import StateAwayError
from detector.state.encoding import Cut, Encoder, NewerStateError, decode
from detector.state.topic_client import READ_TIMEOUT_S, TopicReader, TopicWriter
from detector.state.topic_index import MANIFEST, Index, Kept, Manifest, Slot

log = logging.getLogger(__name__)

N_SLOTS = 2

PIECE_BYTES = 900_000
"""Brokers take records of 1 MiB unless told otherwise."""


class TopicStore:
    """Cuts of one group in one topic; terms say who may write what counts."""

    def __init__(self, options: ClientOptions, topic: str, group: str, clock: Clock) -> None:
        """`options` say where the brokers are and how they are spoken to; nothing is asked of them yet."""
        self._options, self._topic, self._clock = options, topic, clock
        self._prefix = quote(group, safe="") + "/"
        self._index = Index(self._prefix)
        self._encoder = Encoder()
        self._writer: TopicWriter | None = None
        self._next_slot = 1
        self._kept_terms: dict[int, int] = {}
        """Cuts that this replica has kept under a term: of the latest one."""
        self.n_damaged = 0

    @property
    def highest_term(self) -> int:
        """The highest term that anything was kept under, whole or not."""
        return self._index.highest_term

    def load(self) -> Iterator[Cut]:
        """Read what is there; return the cuts that are whole, those that count most first.

        Raises:
            StateAwayError: not all of it could be read in time.
            StateError: the topic is not there and may not be made, or a newer version has written to it.
        """
        deadline_s = self._clock.monotonic_s() + READ_TIMEOUT_S
        with TopicReader(self._options(), self._topic, self._clock, deadline_s) as reader:
            self._fill(reader)
        return self._cuts(self._index.kept())

    def save(self, cut: Cut) -> int:
        """Write a cut into the slot that holds the older one, manifest last; return its bytes.

        Raises:
            StateError: not all of it was taken; the other slot is as it was.
        """
        data = b"".join(self._encoder.encode(cut))
        slot = Slot(cut.term, self._next_slot)
        pieces = [data[at : at + PIECE_BYTES] for at in range(0, len(data), PIECE_BYTES)]
        digest = hashlib.sha256(data).hexdigest()
        manifest = Manifest(cut.sequence, cut.saved_s, len(pieces), len(data), digest)
        writer = self._writer = self._writer or TopicWriter(self._options(), self._topic)
        try:
            writer.write({self._key(slot, str(i)): piece for i, piece in enumerate(pieces)})
            writer.write({self._key(slot, MANIFEST): msgspec.json.encode(manifest)})
            self._tidy(writer, slot, len(pieces))
        except StateError:
            self.close()
            raise
        self._next_slot = self._next_slot % N_SLOTS + 1
        return len(data)

    def close(self) -> None:
        """Let go of the connection."""
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()

    def _key(self, slot: Slot, name: str) -> str:
        return f"{self._prefix}{slot.term}/{slot.number}/{name}"

    def _tidy(self, writer: TopicWriter, slot: Slot, n_pieces: int) -> None:
        """Remove what is of no use any more: pieces beyond the new cut, and terms that are over.

        Those only when both slots are written: then what replaces them cannot be damaged by one record.
        """
        self._index.wrote(slot, n_pieces)
        n_kept = self._kept_terms.get(slot.term, 0) + 1
        self._kept_terms = {slot.term: n_kept}
        gone = self._index.beyond(slot, n_pieces)
        if n_kept >= N_SLOTS:
            gone += self._index.below(slot.term)
        if gone:
            writer.write({self._prefix + name: None for name in gone})
            self._index.remove(gone)

    def _fill(self, reader: TopicReader) -> None:
        """Bring the index up to what the topic holds; what it knows already is not read again."""
        begin, end = reader.range()
        if not begin <= self._index.read_to <= end:
            self._index = Index(self._prefix)
        for offset, key, size, value in reader.records(self._index.read_to, end):
            self._index.take(offset, key, size, value)
        self._index.read_to = end

    def _cuts(self, kept: list[Kept]) -> Iterator[Cut]:
        for each in kept:
            try:
                data = self._read(each)
                cut = decode(data)
                if (cut.term, cut.sequence) != (each.slot.term, each.manifest.sequence):
                    raise StateError("belongs elsewhere")  # noqa: TRY301 - told like other damage
            except NewerStateError as error:
                raise StateError(
                    f"topic {self._topic}: {error}; run the version that wrote it, or name another topic as "
                    "state.topic to begin anew"
                ) from None
            except StateAwayError:
                raise
            except StateError as error:
                self.n_damaged += 1
                log.warning(
                    "damaged state topic=%s term=%d slot=%d: %s; it is not used",
                    self._topic, each.slot.term, each.slot.number, error,
                )  # fmt: skip
                continue
            yield cut

    def _read(self, kept: Kept) -> bytes:
        """Return the bytes of a cut.

        Raises:
            StateAwayError: they could not be read in time.
            StateError: they are not what its manifest says.
        """
        manifest = kept.manifest
        if len(kept.offsets) != manifest.n_pieces or sum(kept.sizes) != manifest.length:
            raise StateError("lacks a piece")
        deadline_s = self._clock.monotonic_s() + READ_TIMEOUT_S
        with TopicReader(self._options(), self._topic, self._clock, deadline_s) as reader:
            wanted = {offset: self._key(kept.slot, str(i)) for i, offset in enumerate(kept.offsets)}
            found = reader.pieces(wanted)
        data = b"".join(found.get(offset, b"") for offset in kept.offsets)
        if len(data) != manifest.length or hashlib.sha256(data).hexdigest() != manifest.sha256:
            raise StateError("has a wrong checksum")
        return data
