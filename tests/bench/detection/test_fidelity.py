"""That the bench says what it claims: batches judge as the judge does, and peers' rules measure as peers do.

These belong to the ordinary tests: they take seconds.
"""

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon
from scipy.stats import chi2_contingency, ks_2samp, wasserstein_distance

from detector.drift.judge import Judge
from detector.drift.level import Level
from detector.drift.policy import DecisionPolicy
from detector.windows.sliding import WindowProfile
from tests.bench.detection.rules.evidently import psi
from tests.bench.detection.rules.measures import Measured
from tests.bench.detection.stream import BATCH, BatchJudge, Model, Sample, end_of, live
from tests.bench.detection.tables import upper_bound
from tests.bench.detection.worlds import CATEGORIES, FINE, GRID, N_VALUES, NEW, TAIL, Days
from tests.support.worlds import KEY, PANE_S, rng_of

M, N = 50_000, 5000
N_TOGETHER = 30
"""Windows judged together and alone: more than a batch."""
CLOSE = 0.004
"""What bins of .05 to .5 standard deviations lose of a distance."""


@pytest.fixture(scope="module")
def world():
    """A model of numbers and categories, its world, its baseline, and a day's look at it."""
    model, days = Model("swing"), Days("swing", rng_of("fidelity"))
    baseline, reference, _ = model.train(days, n_days=8)
    judge = BatchJudge(model, baseline)
    return model, baseline, reference, judge, next(live(model, days, judge, 1))


def test_a_batch_of_windows_is_judged_as_each_alone(world):
    """Every statistic and threshold of every feature, to the last digit."""
    model, baseline, _, batch, look = world
    alone = Judge(
        KEY, baseline, DecisionPolicy(min_samples=500), level=Level(1.0, len(baseline.features), 1, 1, PANE_S)
    )
    rows, ends = model.rows(look.sample[:N_TOGETHER]), end_of(look.panes[:N_TOGETHER])
    together = list(batch.evaluations(rows, look.hours[:N_TOGETHER], ends))

    assert len(together) == N_TOGETHER
    for i in (0, BATCH - 1, BATCH, N_TOGETHER - 1):
        window = WindowProfile(
            3600.0, ends[i] - 3600.0, ends[i], model.profile(rows[i : i + 1]), hours=look.hours[i : i + 1]
        )
        expected = alone.evaluate(window)
        for name, found in expected.statistics.items():
            np.testing.assert_array_equal(together[i].statistics[name].value, found.value, name)
            np.testing.assert_array_equal(together[i].statistics[name].threshold, found.threshold, name)
        np.testing.assert_array_equal(together[i].state, expected.state)


def test_every_event_is_in_one_cell(world):
    """Bins and missing values of each feature add up to the events of the window."""
    model, _, _, _, look = world
    rows = model.rows(look.sample)

    assert np.all(model.layout.cells(rows) == look.sample.n[:, None])


def _numbers(x):
    counts = np.bincount(FINE.searchsorted(x, side="right"), minlength=len(FINE) + 1)
    nothing = np.zeros((1, 0, CATEGORIES), dtype=int)
    return Sample(counts[None, None], nothing, np.zeros((1, 1), int), np.array([len(x)]))


def test_distances_of_numbers_are_those_of_the_raw_values():
    """K-S and Wasserstein within what the bins lose; the others on the very same bins, exactly."""
    rng = rng_of("fidelity", "numbers")
    reference, current = rng.normal(size=M), rng.normal(0.2, 1.1, N)
    found = Measured(_numbers(reference), _numbers(current))
    p, q = (
        np.bincount(GRID.searchsorted(x, side="right"), minlength=len(GRID) + 1) / len(x)
        for x in (reference, current)
    )
    ks = ks_2samp(reference, current)

    assert found.kolmogorov_smirnov[0, 0] == pytest.approx(ks.statistic, abs=CLOSE)
    assert found.wasserstein[0, 0] == pytest.approx(wasserstein_distance(reference, current), abs=2 * CLOSE)
    assert found.jensen_shannon_numeric[0, 0] == pytest.approx(jensenshannon(p, q))
    assert found.kolmogorov_smirnov_p[0, 0] < 1e-30


def test_distances_of_categories_are_those_of_the_raw_values():
    """Values that came once are columns of their own, as they are where a library sees the texts."""
    rng = rng_of("fidelity", "categories")
    tables = []
    samples = []
    for n, new in ((2000, 0), (1000, 20)):
        cells = np.zeros((1, 1, CATEGORIES), dtype=int)
        cells[0, 0, :N_VALUES] = rng.multinomial(n, np.full(N_VALUES, 1 / N_VALUES))
        cells[0, 0, TAIL] = rng.integers(0, 3, TAIL.stop - TAIL.start)
        cells[0, 0, NEW] = new
        samples.append(
            Sample(np.zeros((1, 0, len(FINE) + 1), int), cells, np.zeros((1, 1), int), cells.sum((1, 2)))
        )
        tables.append(([*cells[0, 0, :N_VALUES], new], int(cells[0, 0, TAIL].sum())))
    (common_b, once_b), (common_c, once_c) = tables
    b = np.array([*common_b, *[1] * once_b, *[0] * once_c])
    c = np.array([*common_c, *[0] * once_b, *[1] * once_c])
    found = Measured(*samples)

    assert found.jensen_shannon_categorical[0, 0] == pytest.approx(jensenshannon(b / b.sum(), c / c.sum()))
    assert found.chi_square_p[0, 0] == pytest.approx(chi2_contingency(np.stack((b, c)))[1])
    assert found.l_infinity[0, 0] == pytest.approx(np.abs(b / b.sum() - c / c.sum()).max())


def test_psi_fills_empty_bins_as_evidently_does():
    """An empty bin counts .0001 where no other bin is as small, else a millionth of the smallest."""
    p, q = np.array([0.5, 0.5, 0.0]), np.array([0.4, 0.4, 0.2])
    named = 2 * (0.1 * np.log(0.5 / 0.4)) + (1e-4 - 0.2) * np.log(1e-4 / 0.2)

    assert psi(p, q) == pytest.approx(named)
    assert psi(np.array([1 - 1e-5, 1e-5, 0.0]), np.array([0.5, 0.3, 0.2])) > 3


def test_no_event_still_bounds_the_rate():
    """None in N bounds it by 3 in N, the rule of three."""
    assert upper_bound(0, 100) == pytest.approx(0.03, rel=0.01)
    assert upper_bound(5, 10) == pytest.approx(1.05, rel=0.01)
