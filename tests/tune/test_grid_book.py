"""The alert book of a grid counts what the alert book of each single setting would have raised."""

from types import SimpleNamespace

import numpy as np
import pytest

from detector.alerts import AlertBook
from detector.batch import Feature, FeatureSet, ModelKey
from detector.drift.evaluation import Evaluation
from detector.drift.explanation import NO_EXPLANATION
from detector.runs import AlertPolicy
from detector.tune.grid_book import MOST_EPISODES, GridBook, Look

KEY = ModelKey("m", "1")
N_LEVELS, N_SLICES, N_FEATURES = 3, 2, 4
FEATURES = FeatureSet.of([Feature(f"f{i}", "float") for i in range(N_FEATURES)])
SLICES = ("all", "country=DE")


def _states(rng):
    """States that come in runs, as those of overlapping windows do."""
    return rng.choice([-1, 0, 1, 2], p=[0.05, 0.45, 0.1, 0.4], size=(N_LEVELS, N_SLICES, N_FEATURES + 1))


def _window(length_s, end_s):
    return SimpleNamespace(length_s=length_s, start_s=end_s - length_s, end_s=end_s)


def _evaluation(window, state):
    excess = np.zeros((1, N_SLICES, N_FEATURES))
    ratio, n = np.zeros(N_SLICES), np.full(N_SLICES, 1000)
    return Evaluation(
        KEY, FEATURES, SLICES, window, n, {}, state[:, :-1], (), excess[:0], state[:, -1], ratio
    )


@pytest.mark.parametrize("policy", [AlertPolicy(3, 3), AlertPolicy(1, 1, 0), AlertPolicy(2, 5, 120)], ids=str)
def test_every_level_alerts_like_a_book_of_its_own(policy):
    """When, in which slice and feature, by which window, and until when: 400 moments of two windows."""
    rng = np.random.default_rng(5)
    grid = GridBook((N_LEVELS, N_SLICES, N_FEATURES + 1), policy)
    books = [AlertBook(policy) for _ in range(N_LEVELS)]
    expected = [{} for _ in books]
    held = {600.0: _states(rng), 3600.0: _states(rng)}
    for i in range(400):
        end_s = 60.0 * (i + 1)
        for length_s, state in held.items():
            held[length_s] = np.where(rng.random(state.shape) < 0.4, _states(rng), state)
        effect, said = np.ones((N_SLICES, N_FEATURES)), np.zeros((N_SLICES, N_FEATURES), dtype=bool)
        windows = {length_s: _window(length_s, end_s) for length_s in held}
        grid.update(end_s, [Look(windows[at], state.copy(), effect, said) for at, state in held.items()])
        for book, found, level in zip(books, expected, range(N_LEVELS), strict=True):
            evaluations = [_evaluation(windows[at], state[level]) for at, state in held.items()]
            for t in book.update(evaluations, lambda *_: NO_EXPLANATION):
                row, subject = SLICES.index(t.slice), (*FEATURES.names, None).index(t.feature)
                found[row, subject, t.window_s, t.starts_at_s] = t.ends_at_s

    for level, found in enumerate(expected):
        seen = {(e.row, e.subject, e.window_s, e.start_s): e.end_s for e in grid.episodes[level]}
        assert len(found) >= 10
        assert int(grid.counts[level].sum()) == len(found)
        assert seen == dict(list(found.items())[:MOST_EPISODES])


def test_what_the_schema_tells_begins_no_alert():
    """But the model as a whole may alarm."""
    grid = GridBook((1, 1, 2), AlertPolicy(1, 1, 0))
    state = np.full((1, 1, 2), 2)

    grid.update(60.0, [Look(_window(60.0, 60.0), state, np.ones((1, 1)), np.ones((1, 1), dtype=bool))])

    assert grid.counts.tolist() == [[[0, 1]]]


def test_episodes_that_are_kept_are_bounded():
    """All are counted."""
    grid = GridBook((1, 1, 2), AlertPolicy(1, 1, 0))
    effect, said = np.ones((1, 1)), np.zeros((1, 1), dtype=bool)
    for i in range(2 * MOST_EPISODES + 2):
        grid.update(60.0 * i, [Look(_window(60.0, 60.0 * i), np.array([[[2 * (i % 2), 0]]]), effect, said)])

    assert grid.counts[0, 0, 0] == MOST_EPISODES + 1
    assert len(grid.episodes[0]) == MOST_EPISODES
