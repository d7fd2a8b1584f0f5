"""Which pieces of which cuts lie where in a topic; filled record by record, in the order of offsets."""

from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

MANIFEST = "manifest"

MAX_KEYS = 50_000
"""More keys of one group are not known: what lies behind is not taken in."""


MAX_TERM = 1 << 62
"""A larger number is no term of ours."""


class Slot(NamedTuple):
    """One of the two places that a term has for its cuts."""

    term: int
    number: int


class Manifest(msgspec.Struct, frozen=True):
    """What a cut consists of."""

    sequence: int
    saved_s: float
    n_pieces: int
    length: int
    """Bytes."""
    sha256: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A cut whose manifest is there."""

    slot: Slot
    manifest: Manifest
    offsets: tuple[int, ...]
    sizes: tuple[int, ...]


@dataclass(slots=True)
class _Content:
    pieces: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Number of a piece -> its offset and bytes."""
    manifest: Manifest | None = None
    manifest_at: int = -1


class Index:
    """What the keys of one group say, the last record of a key counting."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._slots: dict[Slot, _Content] = {}
        self._n_keys = 0
        self.highest_term = 0
        self.read_to = 0
        """Offset behind the last record taken in."""

    def take(self, offset: int, key: bytes | None, size: int, value: bytes | None) -> None:
        """Take in a record; those of other groups, and those that nobody here has written, are passed over.

        `size` are the bytes of the value, which matters itself only for manifests; -1 for a tombstone.
        """
        place = self._place(key)
        if place is None:
            return
        slot, name = place
        self.highest_term = max(self.highest_term, slot.term)
        if size < 0:
            self._remove(slot, name)
            return
        content = self._slots.setdefault(slot, _Content())
        if name == MANIFEST:
            content.manifest, content.manifest_at = _manifest_of(value), offset
        elif self._n_keys < MAX_KEYS or int(name) in content.pieces:
            self._n_keys += int(name) not in content.pieces
            content.pieces[int(name)] = (offset, size)

    def kept(self) -> list[Kept]:
        """Return the cuts that were written to their end: of the highest term first, then the newest.

        A slot with pieces behind its manifest was being written over when its writer ended: no cut.
        """
        found = []
        for slot, content in self._slots.items():
            manifest = content.manifest
            if manifest is None:
                continue
            places = [content.pieces.get(i, (-1, 0)) for i in range(min(manifest.n_pieces, MAX_KEYS))]
            if any(offset > content.manifest_at for offset, _ in places):
                continue
            places = [place for place in places if place[0] >= 0]
            found.append(Kept(slot, manifest, tuple(p[0] for p in places), tuple(p[1] for p in places)))
        return sorted(found, key=lambda kept: (-kept.slot.term, -kept.manifest.sequence))

    def wrote(self, slot: Slot, n_pieces: int) -> None:
        """Note what was written here without being read again."""
        content = self._slots.setdefault(slot, _Content())
        for number in range(n_pieces):
            content.pieces.setdefault(number, (-1, 0))

    def beyond(self, slot: Slot, n_pieces: int) -> list[str]:
        """Name the pieces of a slot that its cut of now does not have."""
        numbers = self._slots[slot].pieces if slot in self._slots else {}
        return [_name(slot, str(number)) for number in numbers if number >= n_pieces]

    def below(self, term: int) -> list[str]:
        """Name everything of lower terms."""
        found = []
        for slot, content in self._slots.items():
            if slot.term < term:
                # The manifest first: without it the rest is no cut.
                found.append(_name(slot, MANIFEST))
                found += [_name(slot, str(number)) for number in content.pieces]
        return found

    def remove(self, names: list[str]) -> None:
        """Forget names that were removed from the topic."""
        for name in names:
            place = self._place((self._prefix + name).encode())
            if place is not None:
                self._remove(*place)

    def _remove(self, slot: Slot, name: str) -> None:
        content = self._slots.get(slot)
        if content is None:
            return
        if name == MANIFEST:
            content.manifest = None
        elif content.pieces.pop(int(name), None) is not None:
            self._n_keys -= 1
        if content.manifest is None and not content.pieces:
            del self._slots[slot]

    def _place(self, key: bytes | None) -> tuple[Slot, str] | None:
        """Return what a key of this group names, None for any other."""
        try:
            text = (key or b"").decode("ascii")
        except UnicodeDecodeError:
            return None
        if not text.startswith(self._prefix) or len(text) > len(self._prefix) + 64:
            return None
        parts = text[len(self._prefix) :].split("/")
        if len(parts) != 3 or parts[1] not in ("1", "2") or not _is_number(parts[0]):
            return None
        if int(parts[0]) > MAX_TERM or not (parts[2] == MANIFEST or _is_number(parts[2])):
            return None
        return Slot(int(parts[0]), int(parts[1])), parts[2]


def _is_number(text: str) -> bool:
    """Whether a text is a number as it is written here: one number, one name."""
    return text.isdigit() and str(int(text)) == text


def _name(slot: Slot, name: str) -> str:
    return f"{slot.term}/{slot.number}/{name}"


def _manifest_of(value: bytes | None) -> Manifest | None:
    try:
        manifest = msgspec.json.decode(value or b"", type=Manifest)
    except (msgspec.DecodeError, ValueError):
        return None
    return manifest if manifest.n_pieces >= 0 and manifest.length >= 0 else None
