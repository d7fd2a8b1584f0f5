"""Where counters that were remembered belong today: bins or slices may have changed since.

A feature whose bins, type and training mean are the same keeps its counters, wherever it stands now;
one that has changed, or is new, begins anew: the events of before do not tell of it.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.batch import Floats, Ints
from detector.profile.binning import Binning, NumericBinning
from detector.tree import Scalar, Tree, dict_of, int_of, ints_of, texts_of

N_BLOCKS = 4
"""Blocks of a counter a feature behind the bins."""


def shape_tree(binning: Binning, centers: Floats, slices: Sequence[str]) -> Tree:
    """Return what has to be known to read counters of this binning later."""
    return {
        "features": list(binning.features.names),
        "bins": [_digest(binning, centers, f) for f in range(len(binning.features))],
        "lengths": binning.lengths,
        "numeric": len(binning.numeric),
        "slices": list(slices),
    }


def _digest(binning: Binning, centers: Floats, f: int) -> str:
    """Return a digest of all that decides where a value of a feature counts."""
    feature, own = binning.features.all[f], binning.of(f)
    digest = hashlib.sha256(f"{feature.type}|{feature.role}".encode())
    if isinstance(own, NumericBinning):
        digest.update(own.edges.astype("<f8").tobytes() + centers[f : f + 1].astype("<f8").tobytes())
    else:
        digest.update(repr(own.values).encode("utf-8", "surrogatepass"))
        digest.update(b"unknown" if own.seen is None else own.seen.astype("<u8").tobytes())
    return digest.hexdigest()[:32]


@dataclass(frozen=True)
class Fit:
    """For every place of today the place it had, -1 where it had none."""

    features: Ints
    """(F)."""
    rows: Ints
    """Slices (S)."""
    cells: Ints
    """Counters of the flat vector (width)."""
    sums: Ints
    """Numeric bins (B)."""
    numeric: Ints
    """Numeric features (N)."""
    width: int
    """Of the flat vector as it was."""
    is_whole: bool
    """Whether everything is where it was."""
    n_rows: int
    """Slices as they were; so the next ones."""
    n_sums: int
    n_numeric: int
    n_features: int
    gone_features: tuple[str, ...] = ()
    changed_features: tuple[str, ...] = ()
    """Features of today that begin anew though there was one of that name."""
    new_features: tuple[str, ...] = ()
    gone_slices: tuple[str, ...] = ()
    new_slices: tuple[str, ...] = ()

    @classmethod
    def of(cls, remembered: Tree, today: Tree) -> "Fit":
        """Hold a shape that was remembered against that of today, as `shape_tree` makes them.

        Raises:
            ValueError: the tree is no such shape.
        """
        was, now = _Shape.of(remembered), _Shape.of(today)
        place = {name: f for f, name in enumerate(was.names)}
        features = np.full(len(now.names), -1, dtype=np.int64)
        changed = []
        for f, (name, digest) in enumerate(zip(now.names, now.digests, strict=True)):
            if name in place:
                if was.digests[place[name]] == digest:
                    features[f] = place[name]
                else:
                    changed.append(name)
        row_of = {name: row for row, name in enumerate(was.slices)}
        rows = np.array([row_of.get(name, -1) for name in now.slices], dtype=np.int64)
        cells = _cells(was, now, features)
        width = int(was.lengths.sum()) + N_BLOCKS * len(was.names) + 1
        return cls(
            features,
            rows,
            cells,
            cells[: int(now.lengths[: now.n_numeric].sum())],
            features[: now.n_numeric],
            width,
            _is_same(features, len(was.names)) and _is_same(rows, len(was.slices)),
            len(was.slices),
            int(was.lengths[: was.n_numeric].sum()),
            was.n_numeric,
            len(was.names),
            tuple(name for name in was.names if name not in now.names),
            tuple(changed),
            tuple(name for name in now.names if name not in place),
            tuple(name for name in was.slices if name not in now.slices),
            tuple(name for name in now.slices if name not in row_of),
        )

    @property
    def are_features_same(self) -> bool:
        """Whether the features are the same, in the same order."""
        return _is_same(self.features, self.n_features)

    @property
    def told(self) -> list[str]:
        """What begins anew or is no more, in words."""
        told = [f"feature {name} begins anew, its bins are others now" for name in self.changed_features]
        told += [f"feature {name} begins, it is new" for name in self.new_features]
        told += [f"feature {name} is no more" for name in self.gone_features]
        told += [f"slice {name} begins, it is new" for name in self.new_slices]
        return told + [f"slice {name} is no more" for name in self.gone_slices]

    @property
    def ended_features(self) -> frozenset[str]:
        """Features of which nothing goes on: their alerts end."""
        return frozenset((*self.gone_features, *self.changed_features))

    def by_row_and(self, values: NDArray[Scalar], places: Ints, fill: float) -> NDArray[Scalar]:
        """Return values (S, something) by the slices of today and the places that something has today."""
        if self.is_whole:
            return values
        by_row = np.ascontiguousarray(picked(values.T, self.rows, fill).T)
        return picked(by_row, places, fill)


def picked(values: NDArray[Scalar], places: Ints, fill: float) -> NDArray[Scalar]:
    """Return `values` (..., old) at places (..., new), `fill` where the place is -1."""
    shape = (*values.shape[:-1], len(places))
    out = np.full(shape, fill, dtype=values.dtype)
    known = np.flatnonzero(places >= 0)
    out[..., known] = values[..., places[known]]
    return out


def _is_same(places: Ints, n: int) -> bool:
    return np.array_equal(places, np.arange(n))


@dataclass(frozen=True)
class _Shape:
    names: list[str]
    digests: list[str]
    lengths: Ints
    n_numeric: int
    slices: list[str]

    @classmethod
    def of(cls, tree: Tree) -> "_Shape":
        read = dict_of(tree)
        names, digests = texts_of(read["features"]), texts_of(read["bins"])
        lengths, slices = ints_of(read["lengths"], (len(names),)), texts_of(read["slices"])
        n_numeric = int_of(read["numeric"])
        fits = len(digests) == len(names) and 0 <= n_numeric <= len(names)
        if not fits or not slices or np.any(lengths < 1) or lengths.sum() > 1 << 40:
            raise ValueError("has a shape that no profile has")
        return cls(names, digests, lengths, n_numeric, slices)


def _cells(was: _Shape, now: _Shape, features: Ints) -> Ints:
    starts = np.cumsum(was.lengths) - was.lengths
    n_bins = int(was.lengths.sum())
    parts = []
    for f, old in enumerate(features.tolist()):
        length = int(now.lengths[f])
        parts.append(starts[old] + np.arange(length) if old >= 0 else np.full(length, -1))
    blocks = n_bins + np.arange(N_BLOCKS)[:, None] * len(was.names)
    parts.append(np.where(features >= 0, blocks + features, -1).ravel())
    parts.append(np.array([n_bins + N_BLOCKS * len(was.names)]))
    return np.concatenate(parts).astype(np.int64)
