"""Pane scores: around 0 for what training had, and in proportion to how much of a pane has changed."""

from dataclasses import replace

import numpy as np
import pytest

from detector.drift.onset import find_onset
from detector.drift.scores import AlertTimes, Expected, onset_of, positions_of, score_panes
from detector.windows.series import PaneSeries
from detector.windows.slices import Slices
from detector.windows.spec import WindowSpec
from detector.windows.windows import Windows
from tests.support.factories import baseline_of, training_rows
from tests.support.worlds import PANE_S, START_S, WINDOW, Model, World, rng_of, shares

P = np.array([[0.5, 0.3, 0.1998, 0.0001, 0.0001]])
"""Of four cells, and next to nothing in the rest."""
Q = np.array([0.4, 0.3, 0.2, 0.1, 0.0])


def _panes(rng, mixtures, n=1000):
    """Panes of a minute; a part of each one's events follows Q, the rest P."""
    mixed = [rng.multinomial(n, (1 - a) * P[0] + a * Q)[:-1] for a in mixtures]
    start_s = np.arange(len(mixed)) * 60.0
    return PaneSeries(start_s, start_s + 60.0, np.array(mixed), np.full(len(mixed), n))


def test_a_score_tells_which_part_of_a_pane_has_changed(rng):
    """0, a quarter, half and all of the events: the scores are in that proportion."""
    series = _panes(rng, [0.0] * 100 + [0.25] * 100 + [0.5] * 100 + [1.0] * 100)
    score = score_panes(series, Expected(P), 18_000.0, 24_000.0).score.reshape(4, 100).mean(axis=1)

    assert score[0] == pytest.approx(0.0, abs=0.02 * score[3])
    assert score[1:3] / score[3] == pytest.approx([0.25, 0.5], abs=0.02)


def test_chance_alone_does_not_lift_the_panes_of_the_window(rng):
    """Ten panes of 20 events in many cells: held against the others, not against what they are part of.

    Error rate: the mean of 10 scores over 200 runs has a standard error of 0.02; the bound is 4 of them.
    """
    p = np.append(np.full((1, 100), 0.01), [[1e-6]], axis=1)
    means = []
    for _ in range(200):
        counts = rng.multinomial(20, p[0, :-1], 10)
        series = PaneSeries(np.arange(10) * 60.0, np.arange(1, 11) * 60.0, counts, np.full(10, 20))
        means.append(score_panes(series, Expected(p), 0.0, 600.0).score.mean())

    assert abs(np.mean(means)) < 0.08


def test_a_value_that_training_never_had_does_not_drown_the_rest(rng):
    """No score is beyond twice the summed change of shares, whatever is rare."""
    series = _panes(rng, [0.0] * 50 + [1.0] * 10)
    score = score_panes(series, Expected(P), 3000.0, 3600.0).score

    assert np.abs(score).max() <= 4.0
    assert score[-10:].min() > score[:50].max()


def test_a_window_without_events_tells_nothing(rng):
    """No pane shows the change: scores without a direction, and no onset."""
    series = _panes(rng, [0.0] * 50)
    assert find_onset(score_panes(series, Expected(P), 9000.0, 9600.0), 9000.0, 9600.0).time_s is None


def test_the_cells_of_a_feature_add_up_to_its_events():
    """Bins, missing, mismatch and non-finite: every event is in one of them."""
    baseline = baseline_of(training_rows(np.random.default_rng(3), 500))
    row = baseline.profile.counts[0]

    for f in range(len(baseline.features)):
        assert row[positions_of(baseline, f)].sum() == row[baseline.layout.events]


def test_a_rate_is_told_by_its_own_cells(rng):
    """A column that loses values while the rest of it wanders: sudden, and to the pane."""
    baseline = baseline_of(training_rows(np.random.default_rng(3), 5000))
    f, n, t = baseline.features.names.index("age"), 200, 120
    share = baseline.profile.counts[0] / baseline.n_events
    everything = positions_of(baseline, f)
    bins, missing = everything[:-3], everything[-3]
    wander = 1.0 + np.linspace(0.0, 1.0, t)[:, None] * np.linspace(-0.9, 0.9, len(bins))
    counts = np.zeros((t, baseline.layout.width), dtype=np.int64)
    for i, factor in enumerate(wander):
        gone = rng.binomial(n, 0.04 if i >= 110 else 0.0)
        counts[i, missing] = gone
        counts[i, bins] = rng.multinomial(n - gone, share[bins] * factor / (share[bins] @ factor))
    start_s, times = np.arange(t) * 60.0, AlertTimes((t - 10) * 60.0, t * 60.0, t * 60.0)
    reference = baseline.profile.counts[0]

    def told(statistic):
        positions = positions_of(baseline, f, statistic)
        events = counts[:, everything].sum(axis=1)
        series = PaneSeries(start_s, start_s + 60.0, counts[:, positions], events)
        return onset_of(baseline, reference, positions, series, times)

    assert (told("missing").time_s, told("missing").shape) == (110 * 60.0, "sudden")
    assert told("hellinger").shape != "sudden"


@pytest.fixture(scope="module")
def seasonal():
    """Two features that swing by 0.4 standard deviations with the hour, and three days of them live."""
    model, world = Model(2), World("season", rng_of("scores", "season"), 2)
    baseline = model.train(world, days=14)
    mu, n = (np.concatenate(parts) for parts in zip(*(world.day() for _ in range(3)), strict=True))
    return model, baseline, mu, n, world.rng


def _onset_in_season(seasonal, baseline, shift):
    model, _, mu, n, rng = seasonal
    windows = Windows(WindowSpec(PANE_S, (PANE_S * WINDOW,)), model.binning, np.zeros(2), Slices())
    first, last = int(START_S / PANE_S), 700
    for i in range(last):
        counts = rng.multinomial(n[i], shares(mu[i] + shift * (i >= last - WINDOW)))
        windows._put(first + i, model.profile(model.vector(counts, n[i])), None)
        windows.close(first + i)
    end_s = (first + last) * PANE_S
    times, positions = AlertTimes(end_s - WINDOW * PANE_S, end_s, end_s), positions_of(baseline, 0)
    series = windows.series(0, positions)
    expected = Expected.of(baseline, baseline.profile.counts[0], positions, series)
    scores = score_panes(series, expected, times.since_s, end_s)
    found = onset_of(baseline, baseline.profile.counts[0], positions, series, times)
    return scores, found, end_s - WINDOW * PANE_S


def test_a_season_is_not_in_the_scores(seasonal):
    """Held against their own hours, panes before the change differ by less than half of what they would."""
    baseline = seasonal[1]
    assert baseline.season is not None
    with_season, found, onset_s = _onset_in_season(seasonal, baseline, 0.5)
    without, _, _ = _onset_in_season(seasonal, replace(baseline, season=None), 0.5)
    before = with_season.end_s <= onset_s

    assert with_season.score[before].std() < 0.5 * without.score[before].std()
    assert (found.shape, found.time_s) == ("sudden", onset_s)
