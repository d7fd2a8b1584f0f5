"""Scenario 8: a categorical feature of up to a million ids, most of them rare, through the whole chain."""

import numpy as np

from detector.drift.evaluation import State
from tests.support.scenarios import baseline_of_columns, evaluate, judge_of
from tests.support.worlds import rng_of

WINDOW_ROWS = 20_000
ZIPF = 1.1


class LongTail:
    """V ids whose shares fall as a power of their rank, m of them in training."""

    def __init__(self, vocabulary, m, power=ZIPF, min_effect=0.05):
        self.vocabulary = vocabulary
        shares = np.arange(1, vocabulary + 1, dtype=float) ** -power
        self._cumulative = np.cumsum(shares / shares.sum())
        self.top = float(shares[0] / shares.sum())
        self.rng = rng_of("scenario", "long tail", vocabulary, m, power)
        self.judge = judge_of(baseline_of_columns({"id": _texts(self.draw(m))}), min_effect)

    def draw(self, n):
        """Draw n ids."""
        return np.minimum(self._cumulative.searchsorted(self.rng.random(n)), self.vocabulary - 1)

    def unseen(self, n):
        """Return the share of n fresh ids that training did not have, and what Good and Turing expect."""
        evaluation = evaluate(self.judge, {"id": _texts(self.draw(n))})
        return float(evaluation.statistics["unseen"].value[0, 0]), float(
            self.judge.baseline.expected_unseen[0]
        )

    def found(self, change, runs):
        """Return how many windows with a change are drift."""
        states = [
            evaluate(self.judge, {"id": _texts(change(self, self.draw(WINDOW_ROWS)))}) for _ in range(runs)
        ]
        return sum(int(e.state[0, 0] == State.DRIFT) for e in states)


def _texts(ids):
    return np.array([f"id{i}" for i in ids.tolist()], dtype=object)


def _replaced(ids, rng, share, value):
    return np.where(rng.random(len(ids)) < share, value, ids)


CHANGES = {
    "8 null": lambda tail, ids: ids,
    "8 swap 5 %": lambda tail, ids: np.where(
        (ids == 0) & (tail.rng.random(len(ids)) < 0.05 / tail.top), 1, ids
    ),
    "8 new value 2 %": lambda tail, ids: _replaced(ids, tail.rng, 0.02, tail.vocabulary + 7),
    "8 one tail id 1 %": lambda tail, ids: _replaced(ids, tail.rng, 0.01, int(0.7 * tail.vocabulary) + 1),
    "8 tail surge 5 %": lambda tail, ids: _replaced(
        ids, tail.rng, 0.05, tail.rng.integers(tail.vocabulary // 20, tail.vocabulary, len(ids))
    ),
}
"""What the ids of a window become."""
