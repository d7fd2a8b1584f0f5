"""Slices: which rows of a profile an event counts for.

Row 0 is every event (`all`); then a row for each known value of each slice column, such as
`country=DE`. Values come from the baseline or the configuration, never from events.
"""

from collections.abc import Hashable, Mapping, Sequence

import numpy as np

from detector.batch import Bools, Ints

ALL = "all"


class Slices:
    """The rows of the profiles of one model version."""

    def __init__(self, values: Mapping[str, Sequence[str]] | None = None) -> None:
        self.columns = tuple(values or {})
        names = [ALL]
        self.rows: list[dict[Hashable, int]] = []
        """By column: value -> row."""
        for column, known in (values or {}).items():
            rows: dict[Hashable, int] = {}
            for value in known:
                rows[value] = len(names)
                names.append(f"{column}={value}")
            # Boolean features carry True and False, their names are written in lower case.
            rows |= {b: rows[str(b).lower()] for b in (True, False) if str(b).lower() in rows}
            self.rows.append(rows)
        self.names = tuple(names)

    def is_like(self, other: "Slices") -> bool:
        """Whether every event counts for the same rows."""
        return (self.columns, self.rows) == (other.columns, other.rows)

    def __len__(self) -> int:
        return len(self.names)

    def are_by(self, columns: Sequence[str]) -> Bools:
        """Return which rows are slices by which of these columns: there that column is one value."""
        found = np.zeros((len(self), len(columns)), dtype=bool)
        for column, rows in zip(self.columns, self.rows, strict=True):
            if column in columns:
                found[sorted(set(rows.values())), columns.index(column)] = True
        return found

    def contributions(self, columns: Sequence[Sequence[Hashable]], n: int) -> tuple[Ints | None, Ints]:
        """Return (event, row) pairs for n events as two arrays; events None means each once, in order."""
        if not self.rows:
            return None, np.zeros(n, dtype=np.int64)
        events = [np.arange(n)]
        rows = [np.zeros(n, dtype=np.int64)]
        for known, column in zip(self.rows, columns, strict=True):
            found = np.fromiter((known.get(value, -1) for value in column), np.int64, n)
            inside = np.flatnonzero(found >= 0)
            events.append(inside)
            rows.append(found[inside])
        return np.concatenate(events), np.concatenate(rows)
