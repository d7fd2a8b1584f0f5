"""How many distinct values there are, in bounded memory: the k smallest hashes.

With k hashes kept of values spread evenly over [0, 1), the k-th smallest lies near k / n. The
estimate (k - 1) / (k-th smallest) is unbiased with a standard error of about 1 / sqrt(k - 2): 2.2 %.
Source: Beyer et al., On synopses for distinct-value estimation, SIGMOD 2007.
"""

import numpy as np

from detector.summary.hashing import Hashes

K = 2048


class DistinctSketch:
    """Counts distinct hashes: exactly up to `K`, then with a standard error of 2.2 %."""

    def __init__(self) -> None:
        self._smallest: Hashes = np.empty(0, np.uint64)

    def add(self, hashes: Hashes) -> None:
        """Take in any number of 64-bit hashes."""
        if len(self._smallest) == K:
            hashes = hashes[hashes < self._smallest[-1]]
        if len(hashes):
            self._smallest = _smallest(np.concatenate((self._smallest, hashes)))

    def estimate(self) -> int:
        """Return the number of distinct hashes so far."""
        if len(self._smallest) < K:
            return len(self._smallest)
        return round((K - 1) / ((float(self._smallest[-1]) + 1.0) / 2.0**64))


def _smallest(hashes: Hashes) -> Hashes:
    """Return the K smallest different hashes in order; only so many are sorted as hold that many."""
    n = 2 * K
    while n < len(hashes):
        found = np.unique(np.partition(hashes, n)[:n])
        if len(found) >= K:
            return found[:K]
        n *= 4
    return np.unique(hashes)[:K]
