"""Where every counter lies in the one flat vector that a profile is.

With F features and B bins in all, the vector holds

    bins (B) | missing (F) | type mismatch (F) | non-finite (F) | unseen (F) | events (1)

Every event adds one to `events` and, for each feature, one to exactly one of its bins, missing,
type mismatch or non-finite. `unseen` counts, beside that, the values that training data never had.
Where features and predictions come in records of their own, each record adds to what it tells of, and
the one with the features counts as the event: `cells` says how many events told of a feature.
"""

from dataclasses import dataclass

import numpy as np

from detector.batch import FeatureSet, Ints, Role
from detector.distances import Segments
from detector.profile.binning import Binning


@dataclass(frozen=True, slots=True)
class Layout:
    """Offsets in the flat vector for one binning."""

    features: FeatureSet
    segments: Segments
    n_bins: int
    width: int
    missing: slice
    mismatch: slice
    non_finite: slice
    unseen: slice
    events: int

    @classmethod
    def of(cls, binning: Binning) -> "Layout":
        """Lay out the counters of `binning`."""
        n_bins = int(binning.lengths.sum())
        n_features = len(binning.lengths)
        starts = binning.starts.astype(np.intp)
        lower = [np.concatenate((b.edges[:1], b.edges)) for b in binning.numeric]
        segments = Segments(
            starts, n_bins, len(binning.numeric), np.concatenate(lower) if lower else np.empty(0)
        )
        missing, mismatch, non_finite, unseen = (
            slice(n_bins + i * n_features, n_bins + (i + 1) * n_features) for i in range(4)
        )
        return cls(
            features=binning.features,
            segments=segments,
            n_bins=n_bins,
            width=n_bins + 4 * n_features + 1,
            missing=missing,
            mismatch=mismatch,
            non_finite=non_finite,
            unseen=unseen,
            events=n_bins + 4 * n_features,
        )

    @property
    def odd(self) -> dict[str, slice]:
        """The blocks of cells without a value, by the name of their rate."""
        return {"missing": self.missing, "type_mismatch": self.mismatch, "non_finite": self.non_finite}

    def cells(self, counts: Ints) -> Ints:
        """Return the number of cells of each feature (S, F): with a value in a bin, and without one.

        It is the number of events, except of features that some events say nothing of.
        """
        bins = np.add.reduceat(counts[:, : self.n_bins], self.segments.starts, axis=1)
        cells: Ints = bins + counts[:, self.missing] + counts[:, self.mismatch] + counts[:, self.non_finite]
        return cells

    def untold(self, only: Role) -> Ints:
        """Return the positions of the features that events of one role only say nothing of."""
        return np.array([f for f, feature in enumerate(self.features.all) if feature.role != only], np.int64)

    @property
    def n_numeric_bins(self) -> int:
        """Number of bins of the numeric features, which come first."""
        return self.segments.n_ordered_bins

    def profile_bytes(self, n_slices: int) -> int:
        """Return the bytes that a profile of so many slices takes."""
        return 8 * n_slices * (self.width + self.n_numeric_bins + 3 * len(self.features.numeric))
