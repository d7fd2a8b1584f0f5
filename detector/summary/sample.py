"""A uniform sample of rows, for what needs the values themselves: bin edges and quantiles."""

import numpy as np

from detector.batch import Floats

MAX_SAMPLED_ROWS = 200_000
MIN_SAMPLED_ROWS = 2_000
MAX_SAMPLED_CELLS = 8_000_000
"""Rows kept: 200,000, fewer where there are more than 40 columns: 64 MB in all, or 16 kB a column."""

SEED = 20130101
"""The same data give the same sample."""


def sampled_rows(n_columns: int) -> int:
    """Return how many rows are sampled from a table of `n_columns`."""
    return min(MAX_SAMPLED_ROWS, max(MIN_SAMPLED_ROWS, MAX_SAMPLED_CELLS // max(1, n_columns)))


class RowSample:
    """A uniform sample of rows: each row draws a number, the smallest ones stay."""

    def __init__(self, size: int, seed: int = SEED) -> None:
        self._size = size
        self._rng = np.random.default_rng(seed)
        self._keys = np.empty(0)
        self._columns: dict[str, Floats] = {}

    def add(self, n: int, columns: dict[str, Floats]) -> None:
        """Offer n rows of numeric columns."""
        keys = self._rng.random(n)
        before = len(self._keys)
        if before == self._size:
            drawn = np.flatnonzero(keys < self._keys.max())
            keys, n = keys[drawn], len(drawn)
            columns = {name: values[drawn] for name, values in columns.items()}
        self._keys = np.concatenate((self._keys, keys))
        for name in columns.keys() | self._columns.keys():
            old = self._columns.get(name, np.full(before, np.nan))
            new = columns.get(name, np.full(n, np.nan))
            self._columns[name] = np.concatenate((old, new))
        if len(self._keys) > self._size:
            kept = np.sort(np.argpartition(self._keys, self._size)[: self._size])
            self._keys = self._keys[kept]
            self._columns = {name: values[kept] for name, values in self._columns.items()}

    def __len__(self) -> int:
        return len(self._keys)

    def values(self, name: str) -> Floats:
        """Return the sampled values of a column, NaN for none."""
        return self._columns.get(name, np.empty(0))
