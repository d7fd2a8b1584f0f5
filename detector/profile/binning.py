"""Frozen binning: which counter a value belongs to.

Bins are made once, from training data, and never move: so a pane is counts, a window is a sum of
panes, and live data are compared on the training data's own scale.

Numeric: sorted edges e_0 < ... < e_k make k + 2 bins; a value equal to an edge lies right of it.
The first and last bin hold what lies *outside the training range*.

    outside |  bin 1  |  bin 2  | ...  | outside
           e_0       e_1       e_2    e_k

Categorical: each frequent value has a counter of its own; all the rest, rare or never seen, share 64
buckets by a stable hash. Comparing a bucket of never-seen values with a reference of zero would
find drift in any long tail, so unseen values are counted beside the buckets, not instead.
"""

import base64
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from detector.batch import CellKind, Columns, FeatureSet, Floats, Ints
from detector.summary.hashing import value_hash

N_BUCKETS = 64
"""Hash buckets for the values without a counter of their own."""

MAX_CACHED_VALUES = 1 << 16
"""Values outside the vocabulary whose bucket is remembered, of all features of a model version together, to
equal parts; a feature whose part is full starts afresh."""

LEAST_CACHED_VALUES = 16
"""Of each feature, however many there are."""

MAX_CACHED_LENGTH = 64
"""Longer texts are hashed anew each time, so the memory above is bounded in bytes too: some 450 for each."""

OUTSIDE = "outside the training range"


@dataclass(frozen=True, slots=True)
class NumericBinning:
    """Edges of one numeric feature: float64, finite, strictly increasing, at least two."""

    edges: Floats

    def is_like(self, other: "NumericBinning") -> bool:
        """Whether every value lies in the same bin."""
        return np.array_equal(self.edges, other.edges)

    @property
    def length(self) -> int:
        """Number of bins, with the two outside ones."""
        return len(self.edges) + 1

    def describe(self, i: int) -> str:
        """Name bin `i` for people."""
        edges = self.edges
        if i == 0:
            return f"< {_number(edges[0])} ({OUTSIDE})"
        low = edges[i - 1]
        # The bin of a single frequent value, or the topmost one, ends just above a value of its own.
        if i < len(edges) and np.nextafter(low, np.inf) == edges[i]:
            return _number(low)
        if i == len(edges):
            return f"> {_number(np.nextafter(low, -np.inf))} ({OUTSIDE})"
        if i == len(edges) - 1:
            return f"[{_number(low)}, {_number(np.nextafter(edges[i], -np.inf))}]"
        return f"[{_number(low)}, {_number(edges[i])})"


def _number(x: float) -> str:
    return f"{x:.6g}"


class _Codes(dict[Hashable, int]):
    """Codes of the vocabulary; what is not in it is asked of `rare`, and not kept here."""

    rare: Callable[[Hashable], int]

    def __missing__(self, value: Hashable) -> int:
        return self.rare(value)


def cached_values(n_features: int) -> int:
    """Return how many values each of so many categorical features remembers."""
    return max(LEAST_CACHED_VALUES, MAX_CACHED_VALUES // max(n_features, 1))


@dataclass(frozen=True)
class CategoryBinning:
    """Counters of one categorical feature: its vocabulary, then the hash buckets."""

    values: tuple[Hashable, ...]
    """The values with a counter of their own, most frequent first: str, or bool for type bool."""
    seen: NDArray[np.uint64] | None = None
    """Sorted hashes of every training value without a counter; None if there were too many to keep."""
    _codes: "_Codes" = field(init=False, repr=False, compare=False)
    _cache: dict[Hashable, int] = field(init=False, repr=False, compare=False, default_factory=dict)
    _room: int = field(init=False, repr=False, compare=False, default=MAX_CACHED_VALUES)

    def __post_init__(self) -> None:
        codes = _Codes({value: i for i, value in enumerate(self.values)})
        codes.rare = self._rare
        object.__setattr__(self, "_codes", codes)

    def is_like(self, other: "CategoryBinning") -> bool:
        """Whether every value counts in the same places."""
        if self.values != other.values or (self.seen is None) != (other.seen is None):
            return False
        return self.seen is None or other.seen is None or np.array_equal(self.seen, other.seen)

    @property
    def length(self) -> int:
        """Number of bins."""
        return len(self.values) + N_BUCKETS

    def share_memory(self, n_features: int) -> None:
        """Remember no more values than the part of one of so many features."""
        object.__setattr__(self, "_room", cached_values(n_features))

    def codes(self, column: Sequence[Hashable]) -> Ints:
        """Return the bin of each of n values, -1 for no value, `length` + bucket for an unseen one."""
        return np.fromiter(map(self._codes.__getitem__, column), np.int64, len(column))

    def _rare(self, value: Hashable) -> int:
        if value is None:
            return -1
        code = self._cache.get(value)
        if code is None:
            code = self._hashed(value)
            if len(self._cache) >= self._room:
                self._cache.clear()
            if not isinstance(value, str) or len(value) <= MAX_CACHED_LENGTH:
                self._cache[value] = code
        return code

    def _hashed(self, value: Hashable) -> int:
        hashed = value_hash(value)
        bucket = hashed % N_BUCKETS
        if self.seen is None:
            return len(self.values) + bucket
        i = int(np.searchsorted(self.seen, np.uint64(hashed)))
        is_seen = i < len(self.seen) and int(self.seen[i]) == hashed
        return bucket + (len(self.values) if is_seen else self.length)

    def describe(self, i: int) -> str:
        """Name bin `i` for people."""
        if i >= len(self.values):
            return f"other values, bucket {i - len(self.values)}"
        value = self.values[i]
        return str(value).lower() if isinstance(value, bool) else str(value)

    def seen_text(self) -> str | None:
        """Return `seen` as base64 of little-endian 64-bit numbers."""
        return None if self.seen is None else base64.b64encode(self.seen.astype("<u8").tobytes()).decode()

    @staticmethod
    def seen_from_text(text: str | None) -> NDArray[np.uint64] | None:
        """Read what `seen_text` wrote.

        Raises:
            ValueError: it is not that, or not sorted.
        """
        if text is None:
            return None
        seen = np.frombuffer(base64.b64decode(text, validate=True), dtype="<u8").astype(np.uint64)
        if np.any(seen[1:] <= seen[:-1]):
            raise ValueError("hashes are not sorted")
        return seen


@dataclass(frozen=True, slots=True)
class Codes:
    """The counter of every cell of n events, as positions in the flat vector.

    `code` is (F, n); `unseen_code` and `unseen_row` name the cells that count as unseen besides.
    """

    code: Ints
    unseen_code: Ints
    unseen_row: Ints


@dataclass(frozen=True)
class Binning:
    """The binning of every feature of one model version."""

    features: FeatureSet
    numeric: tuple[NumericBinning, ...]
    categorical: tuple[CategoryBinning, ...]

    def __post_init__(self) -> None:
        for binning in self.categorical:
            binning.share_memory(len(self.categorical))

    @cached_property
    def lengths(self) -> Ints:
        """Number of bins of each feature."""
        lengths = [b.length for b in self.numeric] + [b.length for b in self.categorical]
        return np.array(lengths, dtype=np.int64)

    @cached_property
    def starts(self) -> Ints:
        """Position of each feature's first bin in the flat vector."""
        return np.cumsum(self.lengths) - self.lengths

    def is_like(self, other: "Binning") -> bool:
        """Whether every event counts in the same places."""
        return (
            self.features == other.features
            and all(a.is_like(b) for a, b in zip(self.numeric, other.numeric, strict=True))
            and all(a.is_like(b) for a, b in zip(self.categorical, other.categorical, strict=True))
        )

    def of(self, feature: int) -> NumericBinning | CategoryBinning:
        """Return the binning of the feature with this index."""
        n_numeric = len(self.numeric)
        return self.numeric[feature] if feature < n_numeric else self.categorical[feature - n_numeric]

    def codes(self, columns: Columns) -> Codes:
        """Find the counter of every cell."""
        starts = self.starts
        n_features, n_bins = len(starts), int(self.lengths.sum())
        # The blocks behind the bins, as `Layout` has them.
        missing, unseen = n_bins, n_bins + 3 * n_features
        code = np.empty((n_features, columns.n), dtype=np.int64)
        for f, binning in enumerate(self.numeric):
            np.add(binning.edges.searchsorted(columns.numeric[f], side="right"), starts[f], out=code[f])
        if self.numeric:
            row = np.arange(missing, missing + len(self.numeric))[:, None]
            np.copyto(code[: len(self.numeric)], row, where=np.isnan(columns.numeric))
        unseen_codes, unseen_rows = [], []
        for c, categories in enumerate(self.categorical):
            f = len(self.numeric) + c
            found = categories.codes(columns.categorical[c])
            is_unseen = found >= categories.length
            if is_unseen.any():
                rows = np.flatnonzero(is_unseen)
                found[rows] -= N_BUCKETS
                unseen_rows.append(rows)
                unseen_codes.append(np.full(len(rows), unseen + f, dtype=np.int64))
            code[f] = np.where(found < 0, missing + f, found + starts[f])
        odd = columns.odd
        if len(odd.row):
            # MISMATCH is 1 and NON_FINITE is 2, like their blocks behind the one for missing.
            code[odd.feature, odd.row] = n_bins + odd.kind * n_features + odd.feature
        empty = np.empty(0, dtype=np.int64)
        return Codes(
            code,
            np.concatenate(unseen_codes) if unseen_codes else empty,
            np.concatenate(unseen_rows) if unseen_rows else empty,
        )


assert (CellKind.MISMATCH, CellKind.NON_FINITE) == (1, 2), "Binning.codes counts on it"
