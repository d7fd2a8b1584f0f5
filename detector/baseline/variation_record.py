"""Season and natural variation as they stand in a baseline file."""

import msgspec
import numpy as np

from detector.baseline.variation import HOURS, Season, Tail, Variation
from detector.batch import Floats, Ints


class SeasonRecord(msgspec.Struct):
    """Counts by kind of hour, of the seasonal features."""

    events: list[int]
    positions: list[int]
    counts: list[list[int]]

    @classmethod
    def of(cls, season: Season) -> "SeasonRecord":
        """Return the record of a season."""
        return cls(season.events.tolist(), season.positions.tolist(), season.counts.tolist())

    def season(self, width: int) -> Season:
        """Return the season, of a profile with a flat vector of `width`.

        Raises:
            ValueError: the record makes no sense.
        """
        positions = np.array(self.positions, dtype=np.int64)
        inside = bool(np.all((positions >= 0) & (positions < width)))
        _require(inside and len(self.events) in (HOURS, 2 * HOURS), "has a season of other hours or bins")
        same = len(self.counts) == len(self.events) and all(len(r) == len(positions) for r in self.counts)
        _require(same, "has a season with rows cut short")
        counts = _counts([n for row in self.counts for n in row]).reshape(len(self.events), len(positions))
        return Season(counts, positions, _counts(self.events))


class VariationRecord(msgspec.Struct):
    """Beyond sampling, at each window length: a row a length, a number a feature."""

    lengths_s: list[float]
    windows: list[int]
    excess: dict[str, list[list[float]]]
    looks: list[list[float]]
    effective: list[list[float]]
    tails: list[tuple[float, float, float, float]]
    rate_tails: list[tuple[float, float, float, float]] = []

    @classmethod
    def of(cls, found: Variation) -> "VariationRecord":
        """Return the record of a variation, rounded to six digits."""
        return cls(
            list(found.lengths_s),
            list(found.windows),
            {name: _rounded(table) for name, table in found.excess.items()},
            _rounded(found.looks),
            _rounded(found.effective),
            [(tail.shape, tail.scale, tail.start, tail.independent) for tail in found.tails],
            [(tail.shape, tail.scale, tail.start, tail.independent) for tail in found.rate_tails],
        )

    def variation(self, n_features: int) -> Variation:
        """Return the variation of so many features.

        Raises:
            ValueError: the record makes no sense.
        """
        tables = [*self.excess.values(), self.looks, self.effective]
        n = len(self.lengths_s)
        fits = all(len(table) == n and all(len(row) == n_features for row in table) for table in tables)
        _require(fits and len(self.windows) == n > 0, "has a variation of other features or lengths")
        positive = all(x >= 0 for table in tables for row in table for x in row)
        tails = [*self.tails, *self.rate_tails]
        _require(positive and all(tail[1] > 0 for tail in tails), "has a variation below 0")
        fits = len(self.tails) == n and len(self.rate_tails) in (0, n)
        _require(fits, "has a variation without tails")
        return Variation(
            tuple(self.lengths_s),
            tuple(self.windows),
            {name: np.array(table) for name, table in self.excess.items()},
            np.array(self.looks),
            np.array(self.effective),
            tuple(Tail(*tail) for tail in self.tails),
            tuple(Tail(*tail) for tail in self.rate_tails),
        )


def _rounded(table: Floats) -> list[list[float]]:
    return [[float(f"{x:.6g}") for x in row] for row in table.tolist()]


def _counts(counts: list[int]) -> Ints:
    _require(all(0 <= n < 1 << 62 for n in counts), "has an impossible count in its season")
    return np.array(counts, dtype=np.int64)


def _require(holds: bool, found: str) -> None:
    if not holds:
        raise ValueError(found)
